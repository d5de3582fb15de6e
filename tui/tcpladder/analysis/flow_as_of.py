"""One flow as it was at an earlier row of its capture: its line in the list and the findings about it.

Going on costs as much as what is new. Going back begins at the last state that was saved, so that it costs the same
anywhere in a flow of a million segments.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tcpladder.analysis.beliefs import TimerValues
from tcpladder.analysis.flow_reading import SavedFindings
from tcpladder.analysis.flow_view import Findings
from tcpladder.analysis.log import SegmentLog
from tcpladder.analysis.log_as_of import LogAsOf
from tcpladder.analysis.rows_by_flow import RowsByFlow
from tcpladder.analysis.summary import summed_up
from tcpladder.analysis.tracked_again import follow_again
from tcpladder.analysis.tracking import Tracker
from tcpladder.analysis.view import Endpoint, FlowSummary, Side
from tcpladder.flows.state import TcpState

SAVED_EVERY = 1 << 14
"""Segments of the flow from one saved state to the next: read in about 8 ms."""

Values = Callable[[], Mapping[Side, TimerValues]]
Ends = Callable[[], tuple[Endpoint, Endpoint]]


class FlowAsOf:
    """Flow `flow`, from 0, of a log.

    Args:
        log: the whole log; may grow.
        rows: the rows of its flows.
        flow: which.
        number: of the flow, as shown.
        ends: its client and its server.
        shown_ends: these as its line shows them.
        values: what each end is believed to run with.
    """

    def __init__(
        self,
        log: SegmentLog,
        rows: RowsByFlow,
        flow: int,
        *,
        number: int,
        ends: Ends,
        shown_ends: Ends,
        values: Values,
    ) -> None:
        self._log, self._rows, self._flow = log, rows, flow
        self.number, self._values = number, values
        self._ends, self._shown_ends = ends, shown_ends
        self._saved: list[_Saved] = []
        self._shown = self._new_reading()
        self._ahead: _Reading | None = None

    def summary(self, limit: int) -> FlowSummary:
        """The flow's line when the capture had `limit` rows."""
        self._shown.track(limit, self._saved)
        return self._shown.summary(self.number, self._shown_ends())

    def view(self, limit: int) -> Findings:
        """The findings when the capture had `limit` rows; the same object each time."""
        self._shown.track(limit, self._saved)
        return self._shown.find(limit, self._saved)

    def read_ahead(self) -> bool:
        """Save the next state on the way to the end, so that `view` has less to do; returns whether there is more."""
        rows = self._rows.segments(self._flow, len(self._log))
        last = (len(self._saved) + 1) * SAVED_EVERY - 1
        if last >= len(rows):
            return False
        if self._ahead is None:
            self._ahead = self._new_reading()
        limit = int(rows[last]) + 1
        self._ahead.track(limit, ())
        self._ahead.find(limit, ())
        self._saved.append(self._ahead.saved())
        return True

    def _new_reading(self) -> _Reading:
        shown = self._shown_ends
        return _Reading(
            self._log,
            self._rows,
            self._flow,
            self._values,
            self._ends,
            lambda r: r.summary(self.number, shown()),
        )


@dataclass(frozen=True, slots=True)
class _Saved:
    """A state of a reading."""

    limit: int
    amendments: int
    findings: SavedFindings
    tracker: Tracker


class _Reading:
    """How far a flow is read: its rows below a limit."""

    def __init__(
        self,
        log: SegmentLog,
        rows: RowsByFlow,
        flow: int,
        values: Values,
        ends: Ends,
        summary: Callable[[_Reading], FlowSummary],
    ) -> None:
        self._log, self._rows, self._flow = log, rows, flow
        self._values, self._ends, self._summary = values, ends, summary
        self._window = LogAsOf(log, rows, flow)
        self._tracker, self._tracked = Tracker(flows=1), 0
        self._findings: Findings | None = None

    def saved(self) -> _Saved:
        """A state to come back to."""
        assert self._findings is not None
        limit = self._window.limit
        amendments = self._window.amendments(self._flow)
        return _Saved(limit, amendments, self._findings.save(), copy.deepcopy(self._tracker))

    def track(self, limit: int, saved: Sequence[_Saved]) -> None:
        """Bring the TCP states and the counts to a limit."""
        if limit == self._tracked:
            return
        last = next((one for one in reversed(saved) if one.limit <= limit), None)
        if last is not None and not last.limit <= self._tracked <= limit:
            self._tracker, self._tracked = copy.deepcopy(last.tracker), last.limit
        elif limit < self._tracked:
            self._tracker, self._tracked = Tracker(flows=1), 0
        rows = self._rows.with_copies(self._flow, limit)
        begin = int(np.searchsorted(rows, self._tracked))
        self._tracked = limit
        if begin < len(rows):
            follow_again(self._tracker, self._log, self._flow, rows, begin)

    def find(self, limit: int, saved: Sequence[_Saved]) -> Findings:
        """Bring the findings to a limit, by way of the nearest state that was saved before it."""
        window = self._window
        if self._findings is None:
            self._findings = Findings(
                window,
                self._flow,
                values=self._values,
                ends=self._ends,
                summary=lambda: self._summary(self),
                states=lambda: self._states(),
            )
        before, window.limit = window.limit, limit
        amendments = window.amendments(self._flow)
        last = next((s for s in reversed(saved) if s.limit <= limit and s.amendments == amendments), None)
        if last is not None and not last.limit <= before <= limit:
            self._findings.restore(last.findings)
        elif limit < before:
            self._findings.start_over()
        self._findings.refresh()
        return self._findings

    def summary(self, number: int, ends: tuple[Endpoint, Endpoint]) -> FlowSummary:
        """The line in the list."""
        if self._tracker.tracks:
            return summed_up(self._tracker, 0, number, ends)
        unknown = TcpState.UNKNOWN.value
        return FlowSummary(
            number=number,
            client=ends[0],
            server=ends[1],
            state="-",
            states=(unknown, unknown),
            segments=0,
            bytes=0,
            first_ns=0,
            last_ns=0,
            keepalive_probes=0,
            retransmissions=0,
            began="not yet",
            ended=None,
            why="has not begun yet",
        )

    def _states(self) -> Mapping[Side, TcpState]:
        if not self._tracker.tracks:
            return dict.fromkeys(Side, TcpState.UNKNOWN)
        return {side: end.state for side, end in self._tracker.tracks[0].ends.items()}
