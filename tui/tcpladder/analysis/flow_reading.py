"""One flow as far as it is read: its rows of the log, their kinds, the silences, and the waits for timers in them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tcpladder.analysis.beliefs import TimerValues
from tcpladder.analysis.candidates import CandidateReader, FlowCandidates
from tcpladder.analysis.columns import FlowColumns, PartColumns
from tcpladder.analysis.growing import Growing
from tcpladder.analysis.judge import Judge
from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.log import SegmentLog
from tcpladder.analysis.rows import FlowRows
from tcpladder.analysis.schedule import SECOND_NS
from tcpladder.analysis.view import Endpoint, FlowSummary, Side, Timer
from tcpladder.analysis.wait import NOTHING, Schedule, Wait
from tcpladder.analysis.waits import Waits
from tcpladder.flows.state import TcpState
from tcpladder.wire.segments import SackBlocks

SILENCE_NS = SECOND_NS
"""Without a timer that explains it, a pause shorter than this gets no row of its own."""
TIMED_SILENCE_NS = 5_000_000
"""A pause before a segment that a timer sent gets a row from this length on."""
_PRECISE = {Timer.TLP: Kind.TAIL_LOSS_PROBE, Timer.DELAYED_ACK: Kind.DELAYED_ACK}
"""The kinds that only the timer analysis tells from their like."""
_NOT_SAVED = frozenset(
    {"_log", "_flow", "_read_values", "_ends", "_summary", "_states", "_asked", "restarts"}
)


def is_silence(wait: Wait, pause_ns: int) -> bool:
    """Whether a pause before what a timer sent gets a row of its own; any other does from SILENCE_NS on."""
    return wait.armed != NOTHING and pause_ns >= TIMED_SILENCE_NS


@dataclass(frozen=True, slots=True)
class SavedFindings:
    """What the findings about one flow were at a moment."""

    log: SegmentLog
    """The log that they were read from."""
    parts: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The segments of one flow that were read together with those of others; slices of what they share."""

    columns: tuple[NDArray[Any], ...]
    """FlowColumns.arrays of all of them."""
    begin: int
    """Where the flow begins in them."""
    rows: NDArray[np.int64]
    """(n,) its rows of the log."""
    kind: NDArray[np.uint8]
    """(n,) its own to write to."""
    pause_ns: NDArray[np.int64]
    """(n,)"""
    candidates: FlowCandidates

    def slices(
        self,
        value: Callable[[str, int], int],
        values: Callable[[str, NDArray[np.int64]], NDArray[Any]],
        sack: Callable[[int], SackBlocks | None],
    ) -> PartColumns:
        """Its own columns; arguments as of FlowColumns."""
        return PartColumns(value, values, sack, self.columns, self.begin, self.begin + len(self.rows))


class FlowReading:
    """The segments of one flow, read from the log as it grows, and what is found in them.

    Args:
        log: the capture's segments.
        flow: which flow, from 0.
        values: what each end is believed to run with, asked anew at each refresh.
        ends: client and server, by their addresses.
        summary: the flow's line in the list, as it is now.
        states: the TCP state of each end, as it is now.
        part: the flow's segments, where the caller has read them together with those of others.
        at_once: False where the caller reads a long flow with `read_on`.
    """

    def __init__(
        self,
        log: SegmentLog,
        flow: int,
        values: Callable[[], Mapping[Side, TimerValues]],
        ends: Callable[[], tuple[Endpoint, Endpoint]],
        summary: Callable[[], FlowSummary],
        states: Callable[[], Mapping[Side, TcpState]],
        *,
        part: Part | None = None,
        at_once: bool = True,
    ) -> None:
        self._log, self._flow = log, flow
        self._read_values, self._summary, self._states = values, summary, states
        self._ends = ends
        self.restarts = -1
        """How often it began anew: then rows that were known may be others."""
        self.start_over(part)
        if part is not None:
            self._take_part(part)
        elif at_once:
            self.refresh()

    def start_over(self, part: Part | None = None) -> None:
        """Know nothing; `part` is what will be read together with others."""
        self.restarts += 1
        self._pieces = 0
        self._amendments = self._log.amendments(self._flow)
        self._rows = FlowRows(self._log)
        self._kind: Growing[np.uint8] = Growing(np.uint8)
        self._silent: Growing[np.bool_] = Growing(np.bool_)
        read = self._rows.value, self._rows.values, self._rows.sack
        self._columns = FlowColumns(*read) if part is None else part.slices(*read)
        self._reader: CandidateReader | None = None
        """None before the first segment, and for what was read together with others: that does not go on."""
        self._waits = Waits(self._columns)
        self._asked: Judge | None = None
        """None until somebody asks what is believed."""

    def read_on(self, pieces: int) -> bool:
        """Take in some pieces of the log, so that `refresh` finds less to do; returns whether there is more."""
        end = min(self._pieces + pieces, self._log.pieces)
        fresh = self._log.rows_of(self._flow, self._pieces, end)
        self._pieces = end
        if len(fresh):
            self._take(fresh)
        return end < self._log.pieces

    def refresh(self) -> bool:
        """Take in what came since the last call; returns whether anything did."""
        grown = self._pieces != self._log.pieces and self._reader is None and len(self._rows)
        if self._amendments != self._log.amendments(self._flow) or grown:
            self.start_over()
        changed = self._asked is not None and self._asked.values != self._read_values()
        if changed:
            self._asked = None
        fresh = self._log.rows_of(self._flow, self._pieces)
        self._pieces = self._log.pieces
        if len(fresh):
            self._take(fresh)
        return changed or bool(len(fresh))

    def save(self) -> SavedFindings:
        """All that is known now, for `restore`; the arrays are shared as far as they go."""
        parts = {name: part for name, part in vars(self).items() if name not in _NOT_SAVED}
        return SavedFindings(self._log, copy.deepcopy(parts))

    def restore(self, saved: SavedFindings) -> None:
        """Know again what these findings, or others about the same flow, knew then, and nothing else."""
        # What was read from the other log reads from ours.
        vars(self).update(copy.deepcopy(saved.parts, {id(saved.log): self._log}))
        self._asked = None
        self.restarts += 1

    @property
    def _judge(self) -> Judge:
        """By what is believed now."""
        if self._asked is None:
            self._asked = Judge(self._read_values(), self._waits)
        return self._asked

    def _take(self, rows: NDArray[np.int64]) -> None:
        begin = len(self._rows)
        self._rows.extend(rows)
        self._columns.extend(lambda name: self._log.column(name, rows))
        if self._reader is None:
            self._reader = CandidateReader(self._columns)
        pause_ns = self._columns.pause_ns(begin)
        self._kind.extend(self._columns.kind[begin:].copy())
        self._silent.extend(pause_ns >= SILENCE_NS)
        for candidates in self._reader.read(begin):
            self._wait_for(candidates, begin, pause_ns)

    def _take_part(self, part: Part) -> None:
        """Take over what was read together with other flows."""
        self._pieces = self._log.pieces
        self._rows.extend(part.rows)
        self._kind.begin_with(part.kind)
        self._silent.begin_with(part.pause_ns >= SILENCE_NS)
        self._wait_for(part.candidates, 0, part.pause_ns)

    def _wait_for(self, candidates: FlowCandidates, begin: int, pause_ns: NDArray[np.int64]) -> None:
        """Find the waits, give them rows of their own, and make the kinds of the segments behind them precise."""
        self._waits.take(candidates)
        kind, silent = self._kind.values, self._silent.values
        for index in self._waits.fresh:
            wait = self._waits.found[index]
            if is_silence(wait, pause_ns.item(index - begin)):
                silent[index] = True
            precise = Kind.RST_GIVES_UP if wait.schedule is Schedule.GIVE_UP else _PRECISE.get(wait.timer)
            # That an ACK closes the window says more than that it was delayed.
            if precise is not None and kind.item(index) != Kind.ZERO_WINDOW:
                kind[index] = precise

    @property
    def summary(self) -> FlowSummary:
        return self._summary()

    @property
    def time_ns(self) -> NDArray[np.int64]:
        return self._columns.time_ns

    @property
    def from_client(self) -> NDArray[np.bool_]:
        return self._columns.from_client

    @property
    def kind(self) -> NDArray[np.uint8]:
        return self._kind.values

    @property
    def silent(self) -> NDArray[np.bool_]:
        return self._silent.values

    def _side(self, index: int) -> Side:
        return Side.CLIENT if self._columns.from_client[index] else Side.SERVER
