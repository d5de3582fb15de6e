"""A whole flow in one line of cells: how dense its segments are, where it was silent, and where something happened.

A place on the line is half by time and half by the number of segments: a burst of a thousand segments in an hour of
silence has room to be looked into, and so has the silence.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from tcpladder.analysis.kinds import PROBES, RESETS, RETRANSMISSIONS
from tcpladder.analysis.view import Timeline
from tcpladder.wire.frames import UNKNOWN_TIME_NS


class Sign(IntEnum):
    """What happened in the time of a cell; where it was several things, the highest."""

    NOTHING = 0
    PROBE = 1
    RETRANSMISSION = 2
    NOTE = 3
    LOST = 4
    RESET = 5


_NONE = np.zeros(0, np.int64)
_SIGNS = np.zeros(256, np.uint8)
"""Of each kind, by its value."""
for _sign, _kinds in (
    (Sign.PROBE, PROBES),
    (Sign.RETRANSMISSION, RETRANSMISSIONS),
    (Sign.RESET, RESETS),
):
    _SIGNS[[int(kind) for kind in _kinds]] = _sign


@dataclass(frozen=True, slots=True)
class Overview:
    """Cells from the first segment to the last."""

    span_ns: int
    """From the first segment to the last."""
    end_ns: int
    segments: NDArray[np.int64]
    """(cells,) how many there are in each: 0 is a silence."""
    signs: NDArray[np.uint8]
    """(cells,) Sign of each."""
    first: NDArray[np.int64]
    """(cells,) the first segment in each or behind it, ascending; the number of all where there is none."""

    def cell_of(self, segment: int) -> int:
        """The cell that has a segment."""
        return max(int(np.searchsorted(self.first, segment, "right")) - 1, 0)

    def heights(self, steps: int) -> NDArray[np.int64]:
        """(cells,) 0 for a silence, else 1 to `steps`, by the logarithm: one segment among thousands can be seen."""
        most = int(self.segments.max(initial=1))
        if most == 1:
            return np.minimum(self.segments, 1)
        grown = np.ceil(np.log1p(self.segments) / np.log1p(most) * steps)
        return np.asarray(grown, np.int64)


def overview(view: Timeline, cells: int, notes_ns: Iterable[int] = ()) -> Overview | None:
    """A flow in so many cells, 2 at least; None where no time is known. Costs 10 ms for a million segments."""
    times, kinds = view.time_ns, view.kind
    known: NDArray[np.int64] | None = None
    if (times == UNKNOWN_TIME_NS).any():
        known = np.flatnonzero(times != UNKNOWN_TIME_NS)
        times, kinds = times[known], kinds[known]
    if not len(times) or cells < 2:
        return None
    # What comes late by the clock, as in a capture of several interfaces, keeps its place among the others.
    times = np.maximum.accumulate(times)
    first = _first_of_cells(times, cells)
    lost = view.lost_segments()
    happened = _SIGNS[kinds]
    happened[lost if known is None else np.searchsorted(known, lost)] = Sign.LOST
    signs = np.zeros(cells, np.uint8)
    for sign in sorted(Sign):
        at = np.flatnonzero(happened == sign) if sign else _NONE
        signs[np.searchsorted(first, at, "right") - 1] = sign
        if sign is Sign.NOTE:
            notes = np.array([time for time in notes_ns if times[0] <= time <= times[-1]], np.int64)
            signs[_place(notes, np.searchsorted(times, notes), times, cells).astype(np.int64)] = sign
    return Overview(
        span_ns=int(times[-1] - times[0]),
        end_ns=int(times[-1]),
        segments=np.diff(first, append=len(times)),
        signs=signs,
        first=first if known is None else np.append(known, len(view.time_ns))[first],
    )


def _first_of_cells(times_ns: NDArray[np.int64], cells: int) -> NDArray[np.int64]:
    """(cells,) the first segment in each or behind it: all cells halve what is left of their segments at once."""
    wanted = np.arange(cells)
    low, high = np.zeros(cells, np.int64), np.full(cells, len(times_ns), np.int64)
    while (low < high).any():
        middle = np.minimum((low + high) // 2, len(times_ns) - 1)
        behind = (_place(times_ns[middle], middle, times_ns, cells) >= wanted) | (low >= high)
        low, high = np.where(behind, low, middle + 1), np.where(behind, np.minimum(middle, high), high)
    return low


def _place(
    times_ns: NDArray[np.int64], indices: NDArray[np.int64], every_ns: NDArray[np.int64], cells: int
) -> NDArray[np.float64]:
    """(n,) where moments stand on the line, in cells: half by their time, half by how many segments were before."""
    # In floating point, because nanoseconds of a year times some hundred cells do not fit into 64 bits.
    by_time = (times_ns - every_ns[0]) / max(int(every_ns[-1] - every_ns[0]), 1)
    by_number = indices / max(len(every_ns) - 1, 1)
    return np.asarray((by_time + by_number) / 2 * (cells - 1), np.float64)
