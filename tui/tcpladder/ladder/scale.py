"""Gaps to scale: how many empty rows stand for the time between two segments, and where that is cut short."""

from __future__ import annotations

from bisect import bisect_left

import numpy as np
from numpy.typing import NDArray

from tcpladder.ladder.words import HOUR, MICROSECOND, MILLISECOND, MINUTE, SECOND
from tcpladder.wire.frames import UNKNOWN_TIME_NS

UNITS_NS = (
    *(size * unit for unit in (MICROSECOND, MILLISECOND) for size in (1, 3, 10, 30, 100, 300)),
    *(size * SECOND for size in (1, 3, 10, 30)),
    *(size * MINUTE for size in (1, 5, 15)),
    *(size * HOUR for size in (1, 4, 24)),
)
"""What one row can stand for, ascending."""
LONGEST = 10
"""Rows of a gap; a longer one is a break, with its true length written in it."""
BREAK_ROWS = 3


def rows_between(time_ns: NDArray[np.int64], silent: NDArray[np.bool_], unit_ns: int) -> NDArray[np.int32]:
    """(n - 1,) the empty rows above each segment but the first, in times (n,) and silences (n,).

    A silence has a row of its own, which counts as one of them. Where a time is unknown there is no gap.
    """
    wanted = wanted_rows(time_ns, unit_ns)
    spaces = np.where(wanted > LONGEST, BREAK_ROWS, np.maximum(wanted - silent[1:], 0))
    return spaces.astype(np.int32)


def wanted_rows(time_ns: NDArray[np.int64], unit_ns: int) -> NDArray[np.int64]:
    """(n - 1,) how many rows the time before each segment but the first would take, all of it."""
    known = time_ns != UNKNOWN_TIME_NS
    gaps = np.where(known[1:] & known[:-1], time_ns[1:] - time_ns[:-1], 0)
    return np.maximum(gaps, 0) // unit_ns


def first_unit_ns(time_ns: NDArray[np.int64]) -> int:
    """What a row stands for to begin with: as much as makes the longest gap just no break."""
    gaps = wanted_rows(time_ns, 1)
    longest = int(gaps.max()) if len(gaps) else 0
    return UNITS_NS[min(bisect_left(UNITS_NS, -(-longest // LONGEST)), len(UNITS_NS) - 1)]


def next_unit_ns(unit_ns: int, by: int) -> int | None:
    """The next finer (1) or coarser (-1) scale; None where there is none."""
    place = UNITS_NS.index(unit_ns) - by
    return UNITS_NS[place] if 0 <= place < len(UNITS_NS) else None
