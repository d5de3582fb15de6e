"""Where the records of a pcap file begin: each says how long it is, so they are a chain from the first one on.

A chain is followed a record at a time. In a long piece of a file it is followed from many places at once: from what
looks like the beginning of a record, which is believed where the chain from the place before arrives just there.
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from tcpladder.wire.headers import gather

LANE_BYTES = 32 << 10
"""Between two places that the chain is followed from, where records are found."""
LONGEST_LANE_BYTES = 4 * LANE_BYTES
"""Where none is found for so long, frames are long and few."""
FEWEST_LANES = 32
SEARCH_BYTES = 1600
"""How far behind such a place a record is looked for: a little more than the longest frame of most links."""
LIKELY_CAPTURED = 1 << 18
LIKELY_APART_S = 1 << 16
"""A record is looked for that was captured so near in time to the first one."""

RECORDS = {
    order: np.dtype([(name, order + "u4") for name in ("seconds", "fraction", "captured", "original")])
    for order in "<>"
}
"""What stands before each frame, by byte order."""
_CAPTURED_AT = 8
_CAPTURED = {order: np.dtype(order + "u4") for order in "<>"}


def find_records(
    data: NDArray[np.uint8], have: int, byte_order: str, header: int
) -> tuple[NDArray[np.int64], int]:
    """The complete records of `data[:have]`, whose first byte is that of a record.

    Args:
        data: (have + PADDING,)
        byte_order: `<` or `>`, of the numbers in a record's header.
        header: bytes of a record before the frame.

    Returns:
        (n,) ascending offsets, and where the first incomplete record begins.
    """
    offsets, at = np.empty(0, np.int64), 0
    if have >= FEWEST_LANES * LANE_BYTES:
        stations = np.append(_guess(data, have, byte_order), have)
        far = np.flatnonzero(np.diff(stations) > LONGEST_LANE_BYTES)
        if len(far):
            stations = stations[: far[0] + 1]
        if len(stations) > 1:
            offsets, at = _follow_lanes(data, stations, have, byte_order, header)
    if at < have:
        rest, at = _follow(data.data, at, have, byte_order, header)
        offsets = np.concatenate([offsets, rest])
    if at > have:
        # The last record is not complete, or even its header is in the padding.
        return offsets[:-1], int(offsets[-1])
    return offsets, at


def _follow(
    data: memoryview, at: int, have: int, byte_order: str, header: int
) -> tuple[NDArray[np.int64], int]:
    """Follow the chain from one record to the first one that begins at `have` or behind it: offsets, and where."""
    captured_at = struct.Struct(f"{byte_order}{_CAPTURED_AT}xI").unpack_from
    offsets: list[int] = []
    append = offsets.append
    while at < have:
        append(at)
        at += header + captured_at(data, at)[0]
    return np.array(offsets, np.int64), at


def _guess(data: NDArray[np.uint8], have: int, byte_order: str) -> NDArray[np.int64]:
    """Ascending offsets of what is probably the beginning of a record, about one every LANE_BYTES; 0 is the first."""
    record = RECORDS[byte_order]
    first = gather(data, np.zeros(1, np.int64), record)[0]
    high = 3 if byte_order == "<" else 0
    count = have // LANE_BYTES - 1
    looked_at = as_strided(data[LANE_BYTES + high :], (count, SEARCH_BYTES), (LANE_BYTES, 1))
    lane, behind = np.divmod(np.flatnonzero(looked_at == data[high]), SEARCH_BYTES)
    at = (lane + 1) * LANE_BYTES + behind
    found = gather(data, at, record)
    apart_s = found["seconds"].astype(np.int64) - int(first["seconds"])
    likely = (found["captured"] <= found["original"]) & (found["captured"] < LIKELY_CAPTURED)
    likely &= (np.abs(apart_s) < LIKELY_APART_S) & (found["fraction"] < 1_000_000_000)
    _, nearest = np.unique(lane[likely], return_index=True)
    return np.concatenate([[0], at[likely][nearest]])


def _follow_lanes(
    data: NDArray[np.uint8], stations: NDArray[np.int64], have: int, byte_order: str, header: int
) -> tuple[NDArray[np.int64], int]:
    """Follow the chains from all stations but the last, each to the next one; the result is that of `_follow` from 0.

    Stops early where a chain does not arrive at the next station, which was no beginning then.
    """
    at, until = stations[:-1], stations[1:]
    field = np.ndarray(have + _CAPTURED_AT, "V4", data, _CAPTURED_AT, (1,))
    steps = [at]
    while bool((at < until).any()):
        # Where one has arrived, it goes on; what it finds there is another's.
        at = at + field[at].view(_CAPTURED[byte_order])
        at += header
        np.minimum(at, have + 1, out=at)
        steps.append(at)
    ways = np.stack(steps, axis=1)
    between = ways < until[:, None]
    arrived = ways[np.arange(len(ways)), between.sum(axis=1)]
    missed = np.flatnonzero(arrived != until)
    believed = int(missed[0]) + 1 if len(missed) else len(ways)
    return ways[:believed][between[:believed]], int(arrived[believed - 1])
