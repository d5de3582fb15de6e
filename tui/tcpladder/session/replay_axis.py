"""All rows of a session's captures in one order, by time: what a replay walks along."""

from __future__ import annotations

from bisect import bisect_left

import numpy as np
from numpy.typing import NDArray

from tcpladder.analysis.capture_as_of import CaptureAsOf
from tcpladder.analysis.log import SegmentLog
from tcpladder.ladder.ladder import is_event
from tcpladder.wire.frames import UNKNOWN_TIME_NS

AGAIN = 4
"""Several captures that grow are merged again when a fourth more has come."""


class Axis:
    """The rows of one capture, which may grow, or those that several captures have now, merged by time.

    A position is how many rows have had their turn. Flows of several captures are numbered as they begin.
    """

    def __init__(self, captures: list[CaptureAsOf]) -> None:
        self._captures = captures
        self._places: list[NDArray[np.int64]] = []
        """Of each capture: where each of its rows stands on the axis; nothing for a single capture."""
        self._time_ns = np.empty(0, np.int64)
        self._flows: list[tuple[int, int, int]] = []
        """Of several captures: (position of the first row, capture, number in it) of each flow, ascending."""
        if len(captures) > 1:
            self._merge()

    def _merge(self) -> None:
        times = [at.time_ns for at in self._captures]
        order = np.argsort(np.concatenate(times), kind="stable")
        self._time_ns = np.concatenate(times)[order]
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order))
        self._places = np.split(place, np.cumsum([len(part) for part in times])[:-1])
        self._flows = sorted(
            (int(self._places[index][at.rows.first_row(flow)]), index, flow + 1)
            for index, at in enumerate(self._captures)
            for flow in range(at.rows.flows)
        )

    def is_behind(self, captures: list[CaptureAsOf], *, complete: bool) -> bool:
        """Whether it lacks so much of these captures that it should be made again; `complete`: anything."""
        if not self._places and len(captures) == len(self._captures) < 2:
            return False
        lacks = sum(len(at.capture.log) for at in captures) - len(self)
        return lacks > (0 if complete else len(self) // AGAIN)

    def keeps_numbers_of(self, other: Axis) -> bool:
        """Whether each flow of another axis has the same number here."""
        return self._in_order()[: len(other._in_order())] == other._in_order()

    def _in_order(self) -> list[tuple[int, int]]:
        """The capture of each flow and its number there."""
        if self._places:
            return [flow[1:] for flow in self._flows]
        return (
            [(0, number) for number in range(1, self._captures[0].rows.flows + 1)] if self._captures else []
        )

    def position_behind(self, limits: list[int]) -> int:
        """The position at which each capture has had at least so many rows."""
        if not self._places:
            return limits[0] if limits else 0
        ends = [int(places[n - 1]) + 1 for places, n in zip(self._places, limits, strict=True) if n]
        return max(ends, default=0)

    def __len__(self) -> int:
        return (
            len(self._captures[0].capture.log) if self._captures and not self._places else len(self._time_ns)
        )

    @property
    def time_ns(self) -> NDArray[np.int64]:
        """(rows,) when each row has its turn; never falling, UNKNOWN_TIME_NS before the first known time."""
        return self._captures[0].time_ns if self._captures and not self._places else self._time_ns

    @property
    def losses(self) -> int:
        """How many segments are known to be lost."""
        return sum(len(at.capture.log.lost) for at in self._captures)

    @property
    def begin_ns(self) -> int | None:
        """The first known time, None without one."""
        times = self.time_ns
        first = int(np.searchsorted(times, UNKNOWN_TIME_NS, "right"))
        return int(times[first]) if first < len(times) else None

    def position(self, time_ns: int) -> int:
        """How many rows have had their turn at a moment."""
        return int(np.searchsorted(self.time_ns, time_ns, "right"))

    def move(self, position: int) -> None:
        """Let every capture be as it was at a position."""
        if not self._places:
            for at in self._captures:
                at.limit = position
            return
        for at, places in zip(self._captures, self._places, strict=True):
            at.limit = int(np.searchsorted(places, position))

    def flows(self, position: int) -> int:
        """How many flows have begun."""
        if not self._places:
            return self._captures[0].rows.begun(position) if self._captures else 0
        return bisect_left(self._flows, (position,))

    def find(self, number: int) -> tuple[int, int]:
        """The capture of a flow, and its number there. Raises LookupError where there is none."""
        if not self._places and self._captures and 0 < number <= self._captures[0].rows.flows:
            return 0, number
        if self._places and 0 < number <= len(self._flows):
            return self._flows[number - 1][1:]
        raise LookupError(f"there is no flow {number}")

    def number(self, capture: int, number: int) -> int:
        """The number on the axis of a flow that a capture numbers `number`. Raises LookupError likewise."""
        if not self._places:
            return number
        for place, flow in enumerate(self._flows, 1):
            if flow[1:] == (capture, number):
                return place
        raise LookupError(f"flow {number} of capture {capture} is not merged yet")

    def positions(self, flow: int | None) -> NDArray[np.int64]:
        """(n,) where the rows of a flow stand, or all rows; ascending."""
        if flow is None:
            return np.arange(len(self))
        capture, number = self.find(flow)
        at = self._captures[capture]
        rows = at.rows.segments(number - 1, len(at.capture.log))
        return self._places[capture][rows] if self._places else rows

    def events(self, flow: int | None) -> NDArray[np.int64]:
        """(n,) where the rows stand, of a flow or of all, whose segments are worth a look or were lost; ascending."""
        if flow is not None:
            capture, number = self.find(flow)
            at = self._captures[capture]
            rows = _events_among(at.capture.log, at.rows.segments(number - 1, len(at.capture.log)))
            return self._places[capture][rows] if self._places else rows
        found = [_events_among(at.capture.log, np.arange(len(at.capture.log))) for at in self._captures]
        if self._places:
            found = [places[rows] for places, rows in zip(self._places, found, strict=True)]
        return np.sort(np.concatenate(found)) if found else np.empty(0, np.int64)


def _events_among(log: SegmentLog, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    chosen = is_event(log.column("kind", rows))
    if log.lost:
        chosen |= np.isin(rows, np.fromiter(log.lost, np.int64))
    return rows[chosen]
