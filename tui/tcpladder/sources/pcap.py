"""The pcap format (draft-ietf-opsawg-pcap): records of a file to batches of frames.

Opens nothing, warns of nothing. What stopped the walk is returned as a value; the words for it are in files.py.
"""

from __future__ import annotations

import struct
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import as_strided

from tcpladder.sources.stops import FRAME_LIMIT, USUAL_FRAME_LIMIT, Damage, Stop
from tcpladder.sources.window import ReadWindow
from tcpladder.wire.frames import LINKTYPE_RAW, FrameBatch

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
        offsets: list[int] = []
        end = _walk(window.buffer, 0, window.have, variant, offsets)
        while window.fill_slice():
            end = _walk(window.buffer, end, window.have, variant, offsets)
        if offsets:
            batch = _batch(window, offsets, variant, link_type, frames + 1, file)
            lies = np.flatnonzero(batch.captured > limit)
            if len(lies):
                good = int(lies[0])
                stop = Stop(
                    frames + good, window.position + offsets[good], Damage.LENGTH, int(batch.captured[good])
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


def _walk(buffer: bytearray, begin: int, have: int, variant: _Variant, offsets: list[int]) -> int:
    """Find the complete records from `begin` on: adds their offsets, returns where the first incomplete one begins.

    This loop runs once a frame; everything else is done on whole batches. The last record found may be incomplete
    or even have its header in the padding: then its end, wherever that is, lies behind what was read.
    """
    length_at = struct.Struct(variant.byte_order + "I").unpack_from
    header = variant.record_header
    append = offsets.append
    offset = begin
    while offset < have:
        append(offset)
        (captured,) = length_at(buffer, offset + 8)
        offset += header + captured
    if offset > have:
        offset = offsets.pop()
    return offset


def _batch(
    window: ReadWindow, offsets: list[int], variant: _Variant, link_type: int, first_frame: int, file: int
) -> FrameBatch:
    data = window.data
    start = np.array(offsets, np.int64)
    count = len(start)
    rows = as_strided(data, (len(data) - 15, 16), (1, 1))[start].view(variant.byte_order + "u4")
    start += variant.record_header
    return FrameBatch(
        data=data,
        start=start,
        captured=rows[:, 2].astype(np.int64),
        original=rows[:, 3].astype(np.int64),
        time_ns=rows[:, 0].astype(np.int64) * 1_000_000_000
        + rows[:, 1].astype(np.int64) * variant.fraction_ns,
        position=start + window.position,
        link_type=np.full(count, link_type, np.uint16),
        interface=np.zeros(count, np.uint16),
        first_frame=first_frame,
        file=file,
    )
