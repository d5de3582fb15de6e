"""Writes frames as pcapng (draft-ietf-opsawg-pcapng), a batch at a time, with nanosecond timestamps."""

from __future__ import annotations

import os
import platform
import stat
import struct
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from tcpladder.errors import CaptureError
from tcpladder.store.anonymous import write_all
from tcpladder.store.new_file import is_gone
from tcpladder.wire.frames import LINKTYPE_ETHERNET, FrameBatch

_SECTION = 0x0A0D0D0A
_INTERFACE = 1
_STATISTICS = 5
_ENHANCED = 6
_HEAD_BYTES = 28
_TAG_BYTES = 4
_TAG_AT = 12
_PIECES = 4
_PADS = (b"", bytes(1), bytes(2), bytes(3))
_TPID_8021Q = 0x8100
_OPT_COMMENT = 1
_SHB_HARDWARE, _SHB_OS, _SHB_USERAPPL = 2, 3, 4
_IF_NAME, _IF_TSRESOL = 2, 9
_ISB_IFDROP = 5
_NANOSECONDS = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturedInterface:
    """What the file says about one interface."""

    name: str
    link_type: int
    snap_length: int = 0
    """0 where frames were not cut."""


class PcapngWriter:
    """Writes to a descriptor, which it owns from then on. Little-endian, one section.

    A frame whose VLAN tag the kernel took off gets it back (as 802.1Q). A frame of unknown time gets 1970, because
    an enhanced packet block has no way to say that it is unknown.
    Every method raises CaptureError, one sentence, where the disk is full or a pipe is closed; a regular file then
    ends after its last complete batch.
    """

    def __init__(
        self,
        descriptor: int,
        interfaces: Sequence[CapturedInterface],
        *,
        name: str,
        application: str = "tcpladder",
        comment: str = "",
    ) -> None:
        self.name = name
        self.frames = 0
        self._descriptor = descriptor
        self._regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
        self._numbers: dict[tuple[int, int], int] = {}
        self._declared = 0
        blocks = _section_block(application, comment)
        for index, interface in enumerate(interfaces):
            blocks += self._declare(index, interface)
        self._write(memoryview(blocks))

    def __enter__(self) -> PcapngWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def write(self, batch: FrameBatch, comments: Mapping[int, str] | None = None) -> None:
        """Write all frames of a batch with one call. `comments` are by index in the batch.

        A frame of an interface or link type that was not named gets an interface without a name.
        """
        if not len(batch):
            return
        blocks, numbers = self._interfaces_of(batch)
        self._write(memoryview(blocks + _frame_blocks(batch, numbers, comments or {})))
        self.frames += len(batch)

    def finish(self, comments: Sequence[str], *, dropped: int) -> None:
        """Write what is known at the end, in a statistics block: comments, and how many frames were not captured."""
        high, low = divmod(time.time_ns(), 1 << 32)
        for number, comment in enumerate(comments or [""] * bool(dropped)):
            body = struct.pack("<III", 0, high, low)
            body += _option(_OPT_COMMENT, comment.encode()) if comment else b""
            body += _option(_ISB_IFDROP, struct.pack("<Q", dropped)) if dropped and not number else b""
            self._write(memoryview(_block(_STATISTICS, body + _option(0, b""))))

    def close(self) -> None:
        """Close the descriptor."""
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            try:
                os.close(descriptor)
            except OSError as error:
                raise self._failed(error) from error

    def _interfaces_of(self, batch: FrameBatch) -> tuple[bytes, NDArray[np.int64]]:
        """Blocks for interfaces that come by for the first time, and the number of each frame's in the file."""
        pair = (batch.interface.astype(np.int64) << 16) | batch.link_type
        found, which = np.unique(pair, return_inverse=True)
        blocks = b""
        for index, link_type in ((value >> 16, value & 0xFFFF) for value in found.tolist()):
            if (index, link_type) not in self._numbers:
                blocks += self._declare(index, CapturedInterface(name="", link_type=link_type))
        numbers = [self._numbers[value >> 16, value & 0xFFFF] for value in found.tolist()]
        return blocks, np.array(numbers, np.int64)[which.reshape(-1)]

    def _declare(self, index: int, interface: CapturedInterface) -> bytes:
        self._numbers[index, interface.link_type] = self._declared
        self._declared += 1
        body = struct.pack("<HHI", interface.link_type, 0, interface.snap_length)
        if interface.name:
            body += _option(_IF_NAME, interface.name.encode())
        return _block(_INTERFACE, body + _option(_IF_TSRESOL, bytes([_NANOSECONDS])) + _option(0, b""))

    def _write(self, data: memoryview) -> None:
        good = os.lseek(self._descriptor, 0, os.SEEK_CUR) if self._regular else 0
        try:
            if self._regular and is_gone(self._descriptor):
                raise OSError(0, "somebody removed it")
            write_all(self._descriptor, data)
        except OSError as error:
            if self._regular:
                os.ftruncate(self._descriptor, good)
                os.lseek(self._descriptor, good, os.SEEK_SET)
            raise self._failed(error) from error

    def _failed(self, error: OSError) -> CaptureError:
        reason = (error.strerror or str(error)).lower()
        kept = f"{self.frames} frame{' is' if self.frames == 1 else 's are'} in it"
        return CaptureError(f"cannot write {self.name}: {reason}, {kept}")


def _frame_blocks(batch: FrameBatch, number: NDArray[np.int64], comments: Mapping[int, str]) -> bytes:
    """Enhanced packet blocks of all frames: headers in columns, then four pieces a frame, joined once."""
    count = len(batch)
    tag = _tag_bytes(batch)
    captured = batch.captured + tag
    pad = -captured & 3
    options = {
        index: _option(_OPT_COMMENT, text.encode()) + _option(0, b"") for index, text in comments.items()
    }
    length = _HEAD_BYTES + captured + pad + 4
    for index, option in options.items():
        length[index] += len(option)
    head = np.empty((count, 7), "<u4")
    ticks = np.maximum(batch.time_ns, 0).astype(np.uint64)
    low = ticks & np.uint64(0xFFFFFFFF)
    for column, values in enumerate((_ENHANCED, length, number, ticks >> np.uint64(32), low, captured)):
        head[:, column] = values
    head[:, 6] = batch.original + tag
    heads = head.view(f"V{_HEAD_BYTES}").ravel().tolist()
    tails = np.ascontiguousarray(head[:, 1]).view("V4").tolist()
    data = batch.data.tobytes()
    spans = zip(
        heads, batch.start.tolist(), (batch.start + batch.captured).tolist(), pad.tolist(), tails, strict=True
    )
    pieces = [
        piece for top, begin, end, fill, tail in spans for piece in (top, data[begin:end], _PADS[fill], tail)
    ]
    for row in np.flatnonzero(tag).tolist():
        pieces[_PIECES * row + 1] = _tagged(pieces[_PIECES * row + 1], batch, row)
    for row, option in options.items():
        pieces[_PIECES * row + 2] += option
    return b"".join(pieces)


def _tag_bytes(batch: FrameBatch) -> NDArray[np.int64]:
    """(n,) bytes that putting back the VLAN tag adds to each frame."""
    if batch.vlan_tci is None:
        return np.zeros(len(batch), np.int64)
    tagged = (batch.vlan_tci >= 0) & (batch.link_type == LINKTYPE_ETHERNET) & (batch.captured >= _TAG_AT)
    return np.where(tagged, _TAG_BYTES, 0)


def _tagged(frame: bytes, batch: FrameBatch, row: int) -> bytes:
    assert batch.vlan_tci is not None
    tci = int(batch.vlan_tci[row]) & 0xFFFF
    return frame[:_TAG_AT] + struct.pack(">HH", _TPID_8021Q, tci) + frame[_TAG_AT:]


def _section_block(application: str, comment: str) -> bytes:
    machine = platform.uname()
    options = _option(_OPT_COMMENT, comment.encode()) if comment else b""
    options += _option(_SHB_HARDWARE, machine.machine.encode())
    options += _option(_SHB_OS, f"{machine.system} {machine.release}".encode())
    options += _option(_SHB_USERAPPL, application.encode()) + _option(0, b"")
    return _block(_SECTION, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + options)


def _block(block_type: int, body: bytes) -> bytes:
    length = len(body) + 12
    return struct.pack("<II", block_type, length) + body + struct.pack("<I", length)


def _option(code: int, value: bytes) -> bytes:
    """An option, its value cut to what its length field can say and filled to four bytes."""
    value = value[:0xFFFC]
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)
