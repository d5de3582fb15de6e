"""Writes frames as pcap with nanoseconds, for programs that read no pcapng. It has one link type and no comments."""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping

import numpy as np

from tcpladder.errors import CaptureError
from tcpladder.store.anonymous import write_all
from tcpladder.store.new_file import is_gone
from tcpladder.wire.frames import FrameBatch

_MAGIC_NANOSECONDS = 0xA1B23C4D
_SNAP_LENGTH = 262_144
_SECOND_NS = 1_000_000_000


class PcapWriter:
    """Writes to a descriptor of a regular file, which it owns from then on. Little-endian.

    Every method raises CaptureError, one sentence; the file then ends after its last complete batch.
    """

    def __init__(self, descriptor: int, *, name: str) -> None:
        self.name = name
        self.frames = 0
        self._descriptor = descriptor
        self._link_type: int | None = None

    def write(self, batch: FrameBatch, comments: Mapping[int, str] | None = None) -> None:
        """Write all frames of a batch with one call. There is no place for comments."""
        del comments
        if not len(batch):
            return
        link_types = np.unique(batch.link_type).tolist()
        if self._link_type is None:
            self._link_type = link_types[0]
            self._write(
                struct.pack("<IHHiIII", _MAGIC_NANOSECONDS, 2, 4, 0, 0, _SNAP_LENGTH, self._link_type)
            )
        if link_types != [self._link_type]:
            raise CaptureError(
                f"cannot write {self.name}: a pcap has one link type, and these frames have several; "
                "name a file that ends in .pcapng"
            )
        data = batch.data.tobytes()
        pieces = []
        for start, captured, original, time_ns in zip(
            batch.start.tolist(),
            batch.captured.tolist(),
            batch.original.tolist(),
            np.maximum(batch.time_ns, 0).tolist(),
            strict=True,
        ):
            pieces.append(
                struct.pack("<IIII", time_ns // _SECOND_NS, time_ns % _SECOND_NS, captured, original)
            )
            pieces.append(data[start : start + captured])
        self._write(b"".join(pieces))
        self.frames += len(batch)

    def close(self) -> None:
        """Close the descriptor."""
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)

    def _write(self, data: bytes) -> None:
        good = os.lseek(self._descriptor, 0, os.SEEK_CUR)
        try:
            if is_gone(self._descriptor):
                raise OSError(0, "somebody removed it")
            write_all(self._descriptor, memoryview(data))
        except OSError as error:
            os.ftruncate(self._descriptor, good)
            os.lseek(self._descriptor, good, os.SEEK_SET)
            reason = (error.strerror or str(error)).lower()
            raise CaptureError(
                f"cannot write {self.name}: {reason}, {self.frames} frames are in it"
            ) from error
