"""A capture as it was when it had fewer rows: the flows that had begun, their lines and findings. Exact, in any order.

What a segment is never depends on later ones, so the whole capture is analysed once and looked at through a window that
ends at a row. Only what sums up a flow is made again, for the flows that somebody looks at.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tcpladder.analysis.activity import BUCKETS, activity_of
from tcpladder.analysis.capture import CaptureAnalysis
from tcpladder.analysis.flow_as_of import FlowAsOf
from tcpladder.analysis.flow_view import Findings
from tcpladder.analysis.growing import Growing
from tcpladder.analysis.rows_by_flow import RowsByFlow
from tcpladder.analysis.view import FlowSummary

MOST_FLOWS = 4096
"""Flows whose state at the moment is kept; who looks at more waits for it to be made again."""


class CaptureAsOf:
    """A capture, whole or still growing, with its first `limit` rows."""

    def __init__(self, capture: CaptureAnalysis) -> None:
        self.capture = capture
        self.limit = 0
        """Rows that are there; set it to go anywhere."""
        self.rows = RowsByFlow(capture.log)
        self._time_ns = Growing[np.int64](np.int64)
        self._pieces = 0
        self._flows: OrderedDict[int, FlowAsOf] = OrderedDict()

    @property
    def time_ns(self) -> NDArray[np.int64]:
        """(rows,) when each row of the whole capture has its turn: its time, or that of an earlier row where the
        clock was set back or nobody knows; never falling."""
        log = self.capture.log
        if self._pieces < log.pieces:
            fresh = np.arange(log.start_of_piece(self._pieces), len(log))
            times = log.column("time_ns", fresh)
            if len(self._time_ns):
                times[0] = max(times[0], self._time_ns.values[-1])
            self._time_ns.extend(np.maximum.accumulate(times))
            self._pieces = log.pieces
        return self._time_ns.values

    @property
    def flows(self) -> int:
        """How many flows have begun."""
        return self.rows.begun(self.limit)

    @property
    def last_ns(self) -> int:
        """When the last row had its turn, 0 before the first."""
        return int(self.time_ns[self.limit - 1]) if self.limit else 0

    @property
    def frames(self) -> int:
        """Frames of the capture up to the last row; all of them behind the last."""
        log = self.capture.log
        if self.limit == len(log):
            return self.capture.frames
        return log.value("frame", self.limit - 1) if self.limit else 0

    def summary(self, number: int, *, shown_as: int) -> FlowSummary:
        """The line of a flow by its number in the capture, from 1; `shown_as` is the number that the line says."""
        summary = self._flow(number, shown_as).summary(self.limit)
        owners = self.capture.owners.get(number)
        return replace(summary, owners=owners) if owners else summary

    def activity(self, number: int) -> list[int]:
        """When a flow had segments so far: activity.BUCKETS counts, oldest first."""
        if not self.limit:
            return [0] * BUCKETS
        times = self.time_ns
        rows = self.rows.with_copies(number - 1, self.limit)
        return activity_of(times[rows], int(times[0]), int(times[self.limit - 1]))

    def view(self, number: int, *, shown_as: int) -> Findings:
        """The findings about a flow; the same object each time as long as somebody holds it."""
        return self._flow(number, shown_as).view(self.limit)

    def read_ahead(self, number: int, *, shown_as: int) -> bool:
        """Prepare going to any place of a long flow; returns whether there is more to do."""
        return self._flow(number, shown_as).read_ahead()

    def _flow(self, number: int, shown_as: int) -> FlowAsOf:
        found = self._flows.get(number)
        if found is None:
            capture = self.capture
            found = self._flows[number] = FlowAsOf(
                capture.log,
                self.rows,
                number - 1,
                number=shown_as,
                ends=lambda: capture.endpoints(number),
                shown_ends=lambda: capture.shown_ends(number),
                values=lambda: capture.believed(number),
            )
            if len(self._flows) > MOST_FLOWS:
                self._flows.popitem(last=False)
        found.number = shown_as
        self._flows.move_to_end(number)
        return found
