"""The pcapng format (draft-ietf-opsawg-pcapng): blocks of a file to batches of frames.

Opens nothing, warns of nothing. Frames are enhanced (6), simple (3) and obsolete (2) packet blocks. Comments on frames
and the drops of interface statistics blocks (5) become remarks; every other block and option is stepped over.
"""

from __future__ import annotations

import struct
from collections.abc import Generator

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from tcpladder.sources.pcapng_interfaces import Interfaces
from tcpladder.sources.pcapng_remarks import comment_options, read_statistics
from tcpladder.sources.remarks import Remarks
from tcpladder.sources.stops import FRAME_LIMIT, Damage, Stop
from tcpladder.sources.window import BLOCK_LIMIT, ReadWindow
from tcpladder.wire.frames import UNKNOWN_TIME_NS, FrameBatch

SECTION_HEADER = b"\x0a\x0d\x0d\x0a"
"""Type of a section header block, the same in both byte orders."""

_SECTION = int.from_bytes(SECTION_HEADER, "little")
_INTERFACE = 1
_OBSOLETE = 2
_SIMPLE = 3
_STATISTICS = 5
_ENHANCED = 6
_BYTE_ORDERS = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
_SMALLEST_BLOCK = 12
_HEADER_ROW = 28
_INTERFACE_MAX = int(np.iinfo(np.uint16).max)

_FrameReader = Generator[FrameBatch, None, Stop]


def byte_order_of(head: bytes | bytearray) -> str | None:
    """`<` or `>` from the first 12 bytes of a section header block; None where it has no byte-order mark."""
    return _BYTE_ORDERS.get(bytes(head[8:12]))


def read_pcapng(window: ReadWindow, file: int, remarks: Remarks) -> _FrameReader:
    """Yield the frames of a file whose first 12 bytes are already in the window; return why it ended.

    In a file that is followed, an empty batch says that nothing came while it waited.
    """
    byte_order = "<"
    interfaces = Interfaces()
    frames = 0
    while True:
        at = 0
        while True:
            if _begins_section_at(window.buffer, at, window.have):
                found = byte_order_of(window.buffer[at : at + 12])
                if found is None:
                    return Stop(frames, window.position + at, Damage.SECTION)
                byte_order = found
                interfaces = interfaces.next_section()
            offsets, end = _walk(window.buffer, window.have, at, byte_order)
            if not offsets:
                break
            batch, bad = _section_part(window, offsets, byte_order, interfaces, frames + 1, file, remarks)
            if batch is not None:
                frames += len(batch)
                yield batch
            if bad is not None:
                return Stop(frames, bad.offset, bad.damage, bad.value)
            at = end
        window.consume(at)
        lie = _lying_block(window, byte_order)
        if lie is not None:
            return Stop(frames, window.position, Damage.LENGTH, lie)
        while not window.fill():
            if not window.growing:
                return Stop(frames, window.end, Damage.CUT if window.have else None)
            yield FrameBatch.empty(frames + 1, file)


def _begins_section_at(buffer: bytearray, at: int, have: int) -> bool:
    return have - at >= _SMALLEST_BLOCK and buffer.startswith(SECTION_HEADER, at)


def _walk(buffer: bytearray, have: int, at: int, byte_order: str) -> tuple[list[int], int]:
    """Find complete blocks from `at` to the next section header: their offsets, and where the walk ended.

    This loop runs once a block; everything else is done on whole batches.
    """
    head_at = struct.Struct(byte_order + "II").unpack_from
    offsets: list[int] = []
    append = offsets.append
    offset = at
    if _begins_section_at(buffer, at, have):
        length = head_at(buffer, at)[1]
        if length < _SMALLEST_BLOCK or at + length > have:
            return [], at
        append(at)
        offset += length
    while offset < have:
        block_type, length = head_at(buffer, offset)
        if length < _SMALLEST_BLOCK or block_type == _SECTION:
            return offsets, offset
        append(offset)
        offset += length
    if offset > have:
        offset = offsets.pop()
    return offsets, offset


def _lying_block(window: ReadWindow, byte_order: str) -> int | None:
    """The length of the first block in the window, where no such block can be waited for."""
    if window.have < _SMALLEST_BLOCK:
        return None
    block_type, length = struct.unpack_from(byte_order + "II", window.buffer)
    if block_type == _SECTION and (found := byte_order_of(window.buffer[:12])) is not None:
        (length,) = struct.unpack_from(found + "I", window.buffer, 4)
    return length if length < _SMALLEST_BLOCK or length > BLOCK_LIMIT else None


def _section_part(
    window: ReadWindow,
    offsets: list[int],
    byte_order: str,
    interfaces: Interfaces,
    first_frame: int,
    file: int,
    remarks: Remarks,
) -> tuple[FrameBatch | None, Stop | None]:
    """Make one batch of the frames in these blocks of one section, up to the first that makes no sense."""
    data = window.data
    block = np.array(offsets, np.int64)
    rows = as_strided(data, (len(data) - _HEADER_ROW + 1, _HEADER_ROW), (1, 1))[block].view(byte_order + "u4")
    block_type = rows[:, 0]
    is_interface = block_type == _INTERFACE
    # Interfaces known where each block stands. Those behind it do not count, so that the same is read in any pieces.
    described = len(interfaces) + np.cumsum(is_interface)
    for number in np.flatnonzero(is_interface).tolist():
        interfaces.add(_body(window, offsets[number], rows[number]), byte_order)
    is_frame = (block_type == _ENHANCED) | (block_type == _SIMPLE) | (block_type == _OBSOLETE)
    frames = slice(None) if is_frame.all() else np.flatnonzero(is_frame)
    position = window.position + block
    block = block[frames]
    head = _FrameHeaders(rows[frames], byte_order, interfaces)
    bad = head.first_bad(described[frames], position[frames])
    for number in np.flatnonzero(block_type == _STATISTICS).tolist():
        if bad is None or position[number] < bad.offset:
            body = _body(window, offsets[number], rows[number])
            read_statistics(body, byte_order, interfaces, int(described[number]), remarks)
    count = len(block) if bad is None else bad.frames
    if not count:
        return None, bad
    batch = head.batch(window, data, block, count, interfaces, first_frame, file)
    ends = block[:count] + rows[frames][:count, 1] - 4
    for row, comment in comment_options(data, head.options_at(block)[:count], ends, byte_order):
        remarks.comment(first_frame + row, comment)
    return batch, bad


def _body(window: ReadWindow, begin: int, row: NDArray[np.uint32]) -> bytes:
    return bytes(window.buffer[begin + 8 : begin + int(row[1]) - 4])


class _FrameHeaders:
    """The header fields of n packet blocks of any of the three types, as columns."""

    def __init__(self, rows: NDArray[np.uint32], byte_order: str, interfaces: Interfaces) -> None:
        kind = rows[:, 0]
        room = rows[:, 1].astype(np.int64) - 32
        self.header = np.full(len(rows), 28, np.int64)
        self.interface = rows[:, 2].astype(np.int64)
        self.captured = rows[:, 5].astype(np.int64)
        self.original = rows[:, 6].astype(np.int64)
        self.ticks = (rows[:, 3].astype(np.uint64) << np.uint64(32)) | rows[:, 4]
        obsolete = kind == _OBSOLETE
        if obsolete.any():
            shift = 16 if byte_order == ">" else 0
            self.interface[obsolete] = (self.interface[obsolete] >> shift) & 0xFFFF
        self.simple = kind == _SIMPLE
        if self.simple.any():
            snap = interfaces.snap_length[0] if len(interfaces) else 0
            self.header[self.simple] = 12
            self.interface[self.simple] = 0
            self.original[self.simple] = rows[self.simple, 2]
            room[self.simple] += 16
            shortest = np.minimum(self.original, room)
            self.captured[self.simple] = (np.minimum(shortest, snap) if snap else shortest)[self.simple]
        self.room = room

    def first_bad(self, described: NDArray[np.int64], offset: NDArray[np.int64]) -> Stop | None:
        """The first frame longer than its block or of no interface described before; `frames` counts those before it.

        `described`: (n,) how many interfaces are known at each frame.
        """
        unknown = self.interface >= described
        wrong = unknown | (self.captured > self.room) | (self.captured > FRAME_LIMIT) | (self.room < 0)
        where = np.flatnonzero(wrong)
        if not len(where):
            return None
        row = int(where[0])
        if unknown[row]:
            return Stop(row, int(offset[row]), Damage.INTERFACE, int(self.interface[row]))
        return Stop(row, int(offset[row]), Damage.LENGTH, int(self.captured[row]))

    def options_at(self, block: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where the options of each block begin; a simple packet block has none, and this is behind its end."""
        begin = block + self.header + (self.captured + 3 & ~3)
        begin[self.simple] += FRAME_LIMIT
        return begin

    def batch(
        self,
        window: ReadWindow,
        data: NDArray[np.uint8],
        block: NDArray[np.int64],
        count: int,
        interfaces: Interfaces,
        first_frame: int,
        file: int,
    ) -> FrameBatch:
        """The first `count` frames."""
        start = (block + self.header)[:count]
        interface = self.interface[:count]
        time_ns = interfaces.time_ns(self.ticks[:count], interface)
        time_ns[self.simple[:count]] = UNKNOWN_TIME_NS
        return FrameBatch(
            data=data,
            start=start,
            captured=self.captured[:count],
            original=self.original[:count],
            time_ns=time_ns,
            position=start + window.position,
            link_type=np.array(interfaces.link_type, np.uint16)[interface],
            interface=np.minimum(interface + interfaces.before, _INTERFACE_MAX).astype(np.uint16),
            first_frame=first_frame,
            file=file,
        )
