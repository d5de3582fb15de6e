"""The findings about one flow, as view.FlowView promises them: read from the columns, one segment at a time."""

from __future__ import annotations

import copy
from bisect import bisect_left
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tcpladder.analysis import names
from tcpladder.analysis.advice import advice
from tcpladder.analysis.because import Compared, because
from tcpladder.analysis.beliefs import Believed, TimerValues
from tcpladder.analysis.candidates import CandidateReader, FlowCandidates
from tcpladder.analysis.columns import FlowColumns, PartColumns
from tcpladder.analysis.ending import ending
from tcpladder.analysis.forecast import forecast, give_ups
from tcpladder.analysis.growing import Growing
from tcpladder.analysis.judge import Judge
from tcpladder.analysis.kinds import KINDS, Kind
from tcpladder.analysis.log import SegmentLog
from tcpladder.analysis.missing import Missing, missing
from tcpladder.analysis.rows import FlowRows
from tcpladder.analysis.schedule import SECOND_NS
from tcpladder.analysis.shown import shown
from tcpladder.analysis.timer_words import timer_words
from tcpladder.analysis.view import Endpoint, FlowSummary, Gap, Origin, Pending, Side, Timer, Verdict
from tcpladder.analysis.wait import NOTHING, Schedule, Wait
from tcpladder.analysis.waits import Waits
from tcpladder.flows.seqnum import MODULUS, difference
from tcpladder.flows.state import TcpState
from tcpladder.wire.frames import Unknown
from tcpladder.wire.segments import Flag, SackBlocks, State

SILENCE_NS = SECOND_NS
"""Without a timer that explains it, a pause shorter than this gets no row of its own."""
TIMED_SILENCE_NS = 5_000_000
"""A pause before a segment that a timer sent gets a row from this length on."""
MOST_BEFORE_BOTH = 1024
"""Segments of a flow that are looked at to learn from where both ends count."""
_PRECISE = {Timer.TLP: Kind.TAIL_LOSS_PROBE, Timer.DELAYED_ACK: Kind.DELAYED_ACK}
"""The kinds that only the timer analysis tells from their like."""
_STATES = tuple(State)
_SYN, _ACK = int(Flag.SYN), int(Flag.ACK)  # `&` on an IntFlag makes an object
_NOT_SAVED = frozenset(
    {"_log", "_flow", "_read_values", "_ends", "_summary", "_states", "_asked", "restarts"}
)
_NO_NUMBERS = (State.CUT_SHORT, State.IP_LENGTH)


@cache
def _flag_names(flags: int) -> str:
    return ",".join(f.name for f in Flag if flags & f and f.name) or "none"


@dataclass(frozen=True, slots=True)
class SavedFindings:
    """What the findings about one flow were at a moment."""

    log: SegmentLog
    """The log that they were read from."""
    parts: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The segments of one flow that were read together with those of others; slices of what they share."""

    columns: FlowColumns
    """Of all of them."""
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


class Findings:
    """One flow of a log; implements view.FlowView.

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
        self._based = 0
        """How many segments the bases were learned from."""
        self._base: dict[Side, int] = {}
        self._shift: dict[Side, int] = {}
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
            if wait.armed != NOTHING and pause_ns[index - begin] >= TIMED_SILENCE_NS:
                silent[index] = True
            precise = Kind.RST_GIVES_UP if wait.schedule is Schedule.GIVE_UP else _PRECISE.get(wait.timer)
            # That an ACK closes the window says more than that it was delayed.
            if precise is not None and kind.item(index) != Kind.ZERO_WINDOW:
                kind[index] = precise

    def _learn_bases(self) -> None:
        """Relative numbers count from the SYN; without one, so that the first segment seen has number 1."""
        while self._based < min(len(self._rows), MOST_BEFORE_BOTH) and not (
            len(self._base) == 2 and self._based >= 4
        ):
            index = self._based
            self._based += 1
            if self._state(index) is not State.WHOLE:
                continue
            side, flags = self._side(index), self._rows.value("flags", index)
            other = Side.SERVER if side is Side.CLIENT else Side.CLIENT
            seq, ack = self._rows.value("seq", index), self._rows.value("ack", index)
            if flags & Flag.SYN:
                self._base[side] = seq
                self._shift[side] = self._log.shifts.get(self._rows.row(index), -1)
            self._base.setdefault(side, (seq - 1) % MODULUS)
            if flags & Flag.ACK:
                self._base.setdefault(other, (ack - 1) % MODULUS)

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

    def frame(self, index: int) -> int:
        return self._rows.value("frame", index)

    def index_of_frame(self, frame: int) -> int | None:
        # Frames of a flow ascend, so half of them can be left out with each look.
        index = bisect_left(range(len(self._rows)), frame, key=self.frame)
        return index if index < len(self._rows) and self.frame(index) == frame else None

    def file(self, index: int) -> int:
        return self._rows.value("file", index)

    def position(self, index: int) -> int:
        return self._rows.value("position", index)

    def captured(self, index: int) -> int:
        return self._rows.value("captured", index)

    def original(self, index: int) -> int:
        return self._rows.value("original", index)

    def link_type(self, index: int) -> int:
        return self._rows.value("link_type", index)

    def relative_seq(self, index: int) -> int | None:
        return self._relative(self.raw_seq(index), self._side(index))

    def relative_ack(self, index: int) -> int | None:
        side = self._side(index)
        return self._relative(self.raw_ack(index), Side.SERVER if side is Side.CLIENT else Side.CLIENT)

    def raw_seq(self, index: int) -> int | None:
        if self._state(index) in _NO_NUMBERS or self._is_unknown(index, Unknown.SEQ):
            return None
        return self._rows.value("seq", index)

    def raw_ack(self, index: int) -> int | None:
        if self._state(index) not in (State.WHOLE, State.DATA_OFFSET) or self._is_unknown(index, Unknown.ACK):
            return None
        return self._rows.value("ack", index) if self._rows.value("flags", index) & _ACK else None

    def length(self, index: int) -> int | None:
        if self._state(index) is not State.WHOLE or self._is_unknown(index, Unknown.LENGTH):
            return None
        return self._rows.value("length", index)

    def window(self, index: int) -> int | None:
        if self._state(index) is not State.WHOLE or self._is_unknown(index, Unknown.WINDOW):
            return None
        return self._rows.value("window", index) << self._window_shift(index)

    def flags(self, index: int) -> str | None:
        if self._state(index) not in (State.WHOLE, State.DATA_OFFSET):
            return None
        return _flag_names(self._rows.value("flags", index))

    def label(self, index: int) -> str:
        copies = self._log.copies_of(self._rows.row(index))
        return self._words(index) + (f" ×{copies + 1}" if copies else "")

    def _words(self, index: int) -> str:
        kind = Kind(int(self._kind.values[index]))
        word = KINDS[kind].label
        wait = self._waits.found.get(index)
        if kind is Kind.KEEPALIVE_PROBE and wait is not None:
            return f"{word} {self._of(wait)}" if self._is_unanswered(index, wait.number) else word
        if kind is Kind.SYN_RETRANSMISSION and wait is not None:
            return f"SYN retry {wait.number}"
        if kind is Kind.ICMP_ERROR:
            return f"ICMP {self._log.icmp.get(self._rows.row(index), 'error')}"
        length = self.length(index)
        if not length or kind is Kind.KEEPALIVE_PROBE:
            return word
        return (
            f"{word} {length}"
            if not self._rows.value("flags", index) & Flag.FIN
            else f"{word}, data {length}"
        )

    def lost(self, index: int) -> str | None:
        return self._log.lost.get(self._rows.row(index))

    def lost_segments(self) -> NDArray[np.int64]:
        return self._rows.among(self._log.lost)

    @property
    def losses(self) -> int:
        return len(self._log.lost)

    def because(self, index: int) -> str:
        side = self._side(index)
        wait = self._waits.found.get(index)
        known, acked = self._rows.value("expected_known", index), self._rows.value("peer_ack_known", index)
        kind = Kind(int(self._kind.values[index]))
        return because(
            Compared(
                kind=kind,
                state=self._state(index),
                seq=self.relative_seq(index),
                raw_seq=self.raw_seq(index),
                ttl=self._rows.value("ttl", index),
                ttl_before=self._ttl_before(index) if kind is Kind.RST_FORGED else None,
                ack=self.relative_ack(index),
                length=self._rows.value("length", index),
                window=self.window(index) or 0,
                expected=self._relative(self._rows.value("expected", index), side) if known else None,
                peer_ack=self._relative(self._rows.value("peer_ack", index), side) if acked else None,
                captured=self.captured(index),
                original=self.original(index),
                icmp=self._log.icmp.get(self._rows.row(index)),
                wait_ns=wait.observed_ns if wait is not None and wait.armed != NOTHING else None,
            )
        )

    def timer(self, index: int) -> Timer | None:
        wait = self._waits.found.get(index)
        return None if wait is None else wait.timer

    def gap(self, index: int) -> Gap | None:
        wait = self._waits.found.get(index)
        wait = None if wait is None else self._judge.measured(wait)
        armed = wait.armed if wait is not None else NOTHING
        # A clock that was set back in between makes the time since then negative: that is no silence of a timer.
        if wait is None or armed == NOTHING or wait.observed_ns < 0:
            return self._unexplained(index)
        expected = self._judge.expected(wait)
        return Gap(
            observed_ns=wait.observed_ns,
            since_frame=self.frame(armed),
            since_ns=int(self._columns.time_ns[armed]),
            timer=wait.timer,
            expected_ns=None if expected is None else expected.value,
            verdict=self._judge.verdict(wait, expected),
            origin=None if expected is None else expected.origin,
            name=timer_words(self._judge, wait, expected),
        )

    def believed(self, side: Side) -> dict[str, Believed]:
        """What an end is believed to run with, by name, what the flow itself shows included.

        A value that the flow contradicts without showing another is left out.
        """
        judge, held = self._judge, self._judge.values[side]
        known = {name: held.get(name) for name in held.known}
        shown = {
            names.KEEPALIVE_TIME: judge.keepalive(side, names.KEEPALIVE_TIME),
            names.KEEPALIVE_INTVL: judge.keepalive(side, names.KEEPALIVE_INTVL),
            names.KEEPALIVE_PROBES: judge.keepalive_probes(side),
            names.SYN_RETRIES: judge.syn_retries(side),
        }
        return known | {name: value for name, value in shown.items() if value is not None}

    def pending(self, now_ns: int) -> tuple[Pending, ...]:
        if not len(self._rows):
            return ()
        return forecast(self._waits, self._judge, self._states(), self._columns.time_ns, now_ns)

    def ending(self, now_ns: int) -> tuple[str, ...]:
        """Which timer gave up, or will, after what, and what the application gets: one sentence each."""
        if not len(self._rows):
            return ()
        return ending(self._waits, self._judge, self._states(), self._columns.time_ns, now_ns)

    def gives_up_ns(self) -> int | None:
        """When the first timer gives up that has sent in vain so far, if nothing else comes; None where none has."""
        if not len(self._rows):
            return None
        timers = give_ups(self._waits, self._judge, self._states(), self._columns.time_ns)
        return min((pending.due_ns for pending in timers), default=None)

    def inferred(self) -> tuple[str, ...]:
        """What the flow shows of the timers of its ends, one sentence an end, with how sure that is."""
        return shown(self._waits, self._judge)

    def advice(self) -> tuple[str, ...]:
        """Where the numbers of this flow collide, one sentence each."""
        ends = dict(zip(Side, self._ends(), strict=True))
        return advice(self._waits, self._judge, self._states(), ends)

    def judged(self, values: Mapping[Side, TimerValues]) -> Judge:
        """A judge of this flow by values that must hold."""
        return Judge(values, self._waits, strict=True)

    def missing(self, judge: Judge, named: Mapping[Side, Container[str]], until_ns: int) -> Iterator[Missing]:
        """What had to come in this flow by `until_ns`, the end of the capture, and never did; see missing.py."""
        return missing(self._columns, self.silent, self._waits, judge, named, until_ns)

    def waits(self) -> Mapping[int, Wait]:
        """Index of each segment that a timer sent -> the wait before it."""
        return self._waits.found

    def _unexplained(self, index: int) -> Gap | None:
        if not self._silent.values[index]:
            return None
        return Gap(
            observed_ns=int(self._columns.time_ns[index] - self._columns.time_ns[index - 1]),
            since_frame=self.frame(index - 1),
            since_ns=int(self._columns.time_ns[index - 1]),
            timer=None,
            expected_ns=None,
            verdict=Verdict.UNEXPLAINED,
            origin=None,
            name="unexplained",
        )

    def _of(self, wait: Wait) -> str:
        """`2/3`: which probe of how many; without the number that nobody knows."""
        probes = self._judge.keepalive_probes(wait.side)
        known = probes.origin is not Origin.ASSUMED and probes.value >= wait.number
        return f"{wait.number}/{probes.value}" if known else str(wait.number)

    def _is_unanswered(self, index: int, number: int) -> bool:
        """Whether a probe is one of several without an answer, or stays the last word so far."""
        end = self._waits.ends[self._side(index)]
        if number > 1 or (end.probe == index and end.heard < index):
            return True
        later = self._waits.found.get(self._next_probe(index))
        return later is not None and later.schedule in (Schedule.KEEPALIVE_INTVL, Schedule.GIVE_UP)

    def _next_probe(self, index: int) -> int:
        """Index of the same end's next segment that a keepalive timer sent."""
        side = self._side(index)
        for later in range(index + 1, min(index + 16, len(self._rows))):
            wait = self._waits.found.get(later)
            if wait is not None and wait.timer is Timer.KEEPALIVE and wait.side is side:
                return later
        return NOTHING

    def _window_shift(self, index: int) -> int:
        """By how much a window field is scaled (RFC 7323 2.3): never in a SYN, and only if both ends offered it."""
        self._learn_bases()
        if self._rows.value("flags", index) & _SYN or len(self._shift) < 2 or min(self._shift.values()) < 0:
            return 0
        return self._shift[self._side(index)]

    def _relative(self, raw: int | None, side: Side) -> int | None:
        self._learn_bases()
        base = self._base.get(side)
        if raw is None or base is None:
            return None
        # A number just below the initial one is negative; all others count up to 2^32 - 1, as Wireshark shows them.
        distance = difference(raw, base)
        return distance if distance > -(1 << 16) else (raw - base) % MODULUS

    def _side(self, index: int) -> Side:
        return Side.CLIENT if self._columns.from_client[index] else Side.SERVER

    def _state(self, index: int) -> State:
        return _STATES[self._rows.value("state", index)]

    def _ttl_before(self, index: int) -> int | None:
        """Time to live of the same end's segment before, None where it is far back or the first."""
        own = self._columns.from_client
        earlier = (at for at in range(index - 1, max(-1, index - 64), -1) if own[at] == own[index])
        at = next(earlier, None)
        return None if at is None else self._rows.value("ttl", at)

    def _is_unknown(self, index: int, field: Unknown) -> bool:
        """Whether the source does not give a field, and its column holds a guess."""
        unknown = self._rows.value("unknown", index)
        return bool(unknown and unknown & field)
