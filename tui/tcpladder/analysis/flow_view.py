"""The findings about one flow, as view.FlowView promises them: what each segment is and why, and what its timers do."""

from __future__ import annotations

from collections.abc import Mapping

from tcpladder.analysis import names
from tcpladder.analysis.advice import advice
from tcpladder.analysis.because import Compared, because
from tcpladder.analysis.beliefs import Believed
from tcpladder.analysis.ending import ending
from tcpladder.analysis.flow_fields import FlowFields
from tcpladder.analysis.forecast import forecast, give_ups
from tcpladder.analysis.kinds import KINDS, Kind
from tcpladder.analysis.shown import shown
from tcpladder.analysis.timer_words import timer_words
from tcpladder.analysis.view import Gap, Origin, Pending, Side, Timer, Verdict
from tcpladder.analysis.wait import NOTHING, Schedule, Wait
from tcpladder.wire.segments import Flag


class Findings(FlowFields):
    """One flow of a log; implements view.FlowView. Made as a FlowReading is."""

    def label(self, index: int) -> str:
        copies = self._log.copies_of(self._rows.row(index))
        return self._words(index) + (f" ×{copies + 1}" if copies else "")

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

    def waits(self) -> Mapping[int, Wait]:
        """Index of each segment that a timer sent -> the wait before it."""
        return self._waits.found

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
