"""The snoop format of Sun (RFC 1761): records of a file to batches of frames.

Opens nothing, warns of nothing. What stopped the walk is returned as a value.
"""

from __future__ import annotations

import struct
from collections.abc import Generator

import numpy as np
from numpy.lib.stride_tricks import as_strided

from tcpladder.sources.remarks import Remarks
from tcpladder.sources.stops import FRAME_LIMIT, Damage, Stop
from tcpladder.sources.window import BLOCK_LIMIT, ReadWindow
from tcpladder.wire.frames import LINKTYPE_ETHERNET, LINKTYPE_IPNET, FrameBatch

MAGIC = b"snoop\0\0\0"
HEADER_BYTES = 16
_RECORD_BYTES = 24
_VERSION = 2

_LINK_TYPES = {0: LINKTYPE_ETHERNET, 4: LINKTYPE_ETHERNET, 26: LINKTYPE_IPNET}
"""RFC 1761, datalink types; 26 is what Solaris 11 writes for `snoop -I`. IEEE 802.3 frames begin as Ethernet does."""
_OTHERS = {
    1: "IEEE 802.4 token bus",
    2: "IEEE 802.5 token ring",
    3: "IEEE 802.6 metro net",
    5: "HDLC",
    6: "character synchronous",
    7: "IBM channel-to-channel",
    8: "FDDI",
    9: "other",
}


def refusal(header: bytes | bytearray) -> str | None:
    """Why a file with these first HEADER_BYTES cannot be read, as a clause behind `cannot read FILE: `."""
    version, link = struct.unpack_from(">II", header, 8)
    if version != _VERSION:
        return f"it is a snoop capture of version {version}: convert it with editcap -F pcapng"
    if link not in _LINK_TYPES:
        return f"it is a snoop capture of link type {link} ({_OTHERS.get(link, 'unknown')}), which cannot be read"
    return None


def read_snoop(window: ReadWindow, file: int, remarks: Remarks) -> Generator[FrameBatch, None, Stop]:
    """Yield the frames behind a file header that is already in the window; return why it ended.

    In a file that is followed, an empty batch says that nothing came while it waited.
    """
    link_type = _LINK_TYPES[struct.unpack_from(">I", window.buffer, 12)[0]]
    window.consume(HEADER_BYTES)
    frames = 0
    while True:
        offsets, end, lie = _walk(window.buffer, window.have)
        if offsets:
            batch = _batch(window, offsets, link_type, frames + 1, file, remarks)
            frames += len(batch)
            yield batch
        window.consume(end)
        if lie is not None:
            return Stop(frames, window.position, Damage.LENGTH, lie)
        while not window.fill():
            if not window.growing:
                return Stop(frames, window.end, Damage.CUT if window.have else None)
            yield FrameBatch.empty(frames + 1, file)


def _walk(buffer: bytearray, have: int) -> tuple[list[int], int, int | None]:
    """Find the complete records in the window: offsets, where the next one begins, and its length if it lies."""
    lengths_at = struct.Struct(">III").unpack_from
    offsets: list[int] = []
    offset = 0
    while offset + _RECORD_BYTES <= have:
        _, captured, record = lengths_at(buffer, offset)
        if captured > FRAME_LIMIT:
            return offsets, offset, captured
        if record < _RECORD_BYTES + captured or record > BLOCK_LIMIT:
            return offsets, offset, record
        if offset + record > have:
            break
        offsets.append(offset)
        offset += record
    return offsets, offset, None


def _batch(
    window: ReadWindow, offsets: list[int], link_type: int, first_frame: int, file: int, remarks: Remarks
) -> FrameBatch:
    data = window.data
    start = np.array(offsets, np.int64)
    count = len(start)
    rows = as_strided(data, (len(data) - _RECORD_BYTES + 1, _RECORD_BYTES), (1, 1))[start].view(">u4")
    start += _RECORD_BYTES
    remarks.drop("", int(rows[-1, 3]))
    return FrameBatch(
        data=data,
        start=start,
        captured=rows[:, 1].astype(np.int64),
        original=rows[:, 0].astype(np.int64),
        time_ns=rows[:, 4].astype(np.int64) * 1_000_000_000 + rows[:, 5].astype(np.int64) * 1000,
        position=start + window.position,
        link_type=np.full(count, link_type, np.uint16),
        interface=np.zeros(count, np.uint16),
        first_frame=first_frame,
        file=file,
    )
