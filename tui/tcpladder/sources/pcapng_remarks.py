"""What a pcapng file says beside its frames: comments on single frames, and what each interface dropped."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tcpladder.sources.pcapng_interfaces import Interfaces, options
from tcpladder.sources.remarks import Remarks

_OPT_END = 0
_OPT_COMMENT = 1
_ISB_IFDROP = 5
_ISB_OSDROP = 7
_MAX_OPTIONS = 16
"""Options looked at of one frame."""


def read_statistics(
    body: bytes, byte_order: str, interfaces: Interfaces, described: int, remarks: Remarks
) -> None:
    """Take in the body of an interface statistics block: what the interface and the system dropped, and comments.

    `described`: how many of the interfaces stand before the block.
    """
    if len(body) < 12:
        return
    (interface,) = struct.unpack_from(byte_order + "I", body)
    said = list(options(body, 12, byte_order))
    for code, value in said:
        if code == _OPT_COMMENT:
            remarks.close(value)
    dropped = [
        struct.unpack(byte_order + "Q", value)[0]
        for code, value in said
        if code in (_ISB_IFDROP, _ISB_OSDROP) and len(value) == 8
    ]
    if dropped and interface < described:
        remarks.drop(interfaces.name[interface], sum(dropped))


def comment_options(
    data: NDArray[np.uint8], begin: NDArray[np.int64], end: NDArray[np.int64], byte_order: str
) -> Iterator[tuple[int, bytes]]:
    """The comments in the option areas `data[begin:end]` of n blocks: (row, text), all blocks walked in step."""
    rows = np.flatnonzero(begin + 4 <= end)
    at, end = begin[rows], end[rows]
    low, high = (0, 1) if byte_order == "<" else (1, 0)
    for _ in range(_MAX_OPTIONS):
        if not len(rows):
            return
        code = data[at + low].astype(np.int64) | data[at + high].astype(np.int64) << 8
        size = data[at + 2 + low].astype(np.int64) | data[at + 2 + high].astype(np.int64) << 8
        inside = at + 4 + size <= end
        for row in np.flatnonzero((code == _OPT_COMMENT) & inside).tolist():
            text = int(at[row]) + 4
            yield int(rows[row]), data[text : text + int(size[row])].tobytes()
        at = at + 4 + (size + 3 & ~3)
        more = np.flatnonzero((code != _OPT_END) & inside & (at + 4 <= end))
        rows, at, end = rows[more], at[more], end[more]
