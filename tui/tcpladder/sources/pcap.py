"""The pcap format (draft-ietf-opsawg-pcap): records of a file to batches of frames.

Opens nothing, warns of nothing. What stopped the walk is returned as a value; the words for it are in files.py.
"""

from __future__ import annotations

import struct
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tcpladder.sources.pcap_walk import RECORDS, find_records
from tcpladder.sources.stops import FRAME_LIMIT, USUAL_FRAME_LIMIT, Damage, Stop
from tcpladder.sources.window import ReadWindow
from tcpladder.wire.frames import LINKTYPE_RAW, FrameBatch
from tcpladder.wire.headers import gather

HEADER_BYTES = 24

_RAW_ALIASES = {12: LINKTYPE_RAW, 14: LINKTYPE_RAW}
"""DLT_RAW of Linux and OpenBSD, found in files of programs that write the DLT as it is."""


@dataclass(frozen=True, slots=True)
class _Variant:
    byte_order: str
    fraction_ns: int
    """Nanoseconds of one unit of the second timestamp field."""
    record_header: int
    """Bytes before each frame; the kernel patch of A. Kuznetzov has eight more."""


VARIANTS: dict[bytes, _Variant] = {
    b"\xd4\xc3\xb2\xa1": _Variant("<", 1000, 16),
    b"\xa1\xb2\xc3\xd4": _Variant(">", 1000, 16),
    b"\x4d\x3c\xb2\xa1": _Variant("<", 1, 16),
    b"\xa1\xb2\x3c\x4d": _Variant(">", 1, 16),
    b"\x34\xcd\xb2\xa1": _Variant("<", 1000, 24),
    b"\xa1\xb2\xcd\x34": _Variant(">", 1000, 24),
}
"""The magic numbers, and what each says about the rest."""


def link_type_of(field: int) -> int:
    """LINKTYPE_* of the field in a file or interface header; the high half holds the length of the FCS."""
    number = field & 0xFFFF
    return _RAW_ALIASES.get(number, number)


def read_pcap(window: ReadWindow, file: int) -> Generator[FrameBatch, None, Stop]:
    """Yield the frames behind a file header that is already in the window (24 bytes); return why it ended."""
    variant = VARIANTS[bytes(window.buffer[:4])]
    snap_length, network = struct.unpack_from(variant.byte_order + "II", window.buffer, 16)
    link_type = link_type_of(network)
    limit = min(max(snap_length, USUAL_FRAME_LIMIT), FRAME_LIMIT)
    window.consume(HEADER_BYTES)
    frames = 0
    while True:
        offsets, end = find_records(window.data, window.have, variant.byte_order, variant.record_header)
        if len(offsets):
            batch = _batch(window, offsets, variant, link_type, frames + 1, file)
            lies = np.flatnonzero(batch.captured > limit)
            if len(lies):
                good = int(lies[0])
                stop = Stop(
                    frames + good,
                    window.position + int(offsets[good]),
                    Damage.LENGTH,
                    int(batch.captured[good]),
                )
                if good:
                    yield _batch(window, offsets[:good], variant, link_type, frames + 1, file)
                return stop
            frames += len(batch)
            yield batch
        window.consume(end)
        if window.have >= variant.record_header:
            (captured,) = struct.unpack_from(variant.byte_order + "I", window.buffer, 8)
            if captured > limit:
                return Stop(frames, window.position, Damage.LENGTH, captured)
        while not window.fill():
            if not window.growing:
                return Stop(frames, window.end, Damage.CUT if window.have else None)
            yield FrameBatch.empty(frames + 1, file)


def _batch(
    window: ReadWindow,
    offsets: NDArray[np.int64],
    variant: _Variant,
    link_type: int,
    first_frame: int,
    file: int,
) -> FrameBatch:
    data = window.data
    count = len(offsets)
    record = gather(data, offsets, RECORDS[variant.byte_order])
    start = offsets + variant.record_header
    return FrameBatch(
        data=data,
        start=start,
        captured=record["captured"].astype(np.int64),
        original=record["original"].astype(np.int64),
        time_ns=record["seconds"].astype(np.int64) * 1_000_000_000
        + record["fraction"].astype(np.int64) * variant.fraction_ns,
        position=start + window.position,
        link_type=np.full(count, link_type, np.uint16),
        interface=np.zeros(count, np.uint16),
        first_frame=first_frame,
        file=file,
    )
