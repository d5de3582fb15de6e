"""Which timers of a flow did not keep the schedule that must hold: what `tcpladder check` prints.

Judges only the timers that the user gave values for; a profile gives them all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tcpladder.analysis import names
from tcpladder.analysis.beliefs import Believed, TimerValues
from tcpladder.analysis.columns import COLUMNS
from tcpladder.analysis.expected import Given
from tcpladder.analysis.flow_waits import FlowWaits
from tcpladder.analysis.judge import Judge
from tcpladder.analysis.timer_words import timer_words
from tcpladder.analysis.view import SIDES, Side, Timer, Verdict
from tcpladder.analysis.wait import NOTHING, Schedule, Wait

READ = frozenset({
    *COLUMNS, "peer_ack", "peer_ack_known", "ip_id", "has_timestamps", "tsval", "tsecr", "window", "unknown", "frame",
    "file",
})  # fmt: skip
"""The columns of the log that are read for it."""
NEVER_CAME = "never came"
_VALUES = {
    Schedule.KEEPALIVE_TIME: (names.KEEPALIVE_TIME,),
    Schedule.KEEPALIVE_INTVL: (names.KEEPALIVE_INTVL, names.KEEPALIVE_INTVL_MAX),
    Schedule.GIVE_UP: (names.KEEPALIVE_INTVL, names.KEEPALIVE_INTVL_MAX),
    Schedule.SYN: (names.SYN_RETRIES, names.SYN_LINEAR_TIMEOUTS),
    Schedule.SYN_ACK: (names.SYNACK_RETRIES,),
    Schedule.RTO: (names.RTO_MIN, names.RTO_MAX),
    Schedule.PERSIST: (names.RTO_MIN, names.RTO_MAX),
    Schedule.TLP: (names.RTO_MIN,),
    Schedule.TLP_ALONE: (names.RTO_MIN,),
    Schedule.DELAYED_ACK: (names.DELAYED_ACK,),
}
"""The values that the length of each wait is judged by; with one of them given, it is judged."""
_COUNTS = {
    Schedule.KEEPALIVE_INTVL: (names.KEEPALIVE_PROBES,),
    Schedule.GIVE_UP: (names.KEEPALIVE_PROBES,),
    Schedule.SYN: (names.SYN_RETRIES,),
    Schedule.SYN_ACK: (names.SYNACK_RETRIES,),
}
"""Those that say how often it may come, likewise."""
_ON_TIME = Verdict.ON_TIME
"""Asking an enum for a member runs Python code before 3.12."""


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far a timer may be off, early or late: a share of its length and an absolute time, the larger counts."""

    per_mille: int = 0
    length_ns: int = 0

    def allows(self, observed_ns: int, expected_ns: int, jitter_ns: int) -> bool:
        """Whether an observed wait is close enough."""
        room_ns = max(expected_ns * self.per_mille // 1000, self.length_ns) + jitter_ns
        return abs(observed_ns - expected_ns) <= room_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """One timer that did not keep its schedule. Lengths in ns; None where a count is wrong."""

    flow: int
    """Its number in the session."""
    file: int
    frame: int
    """What the timer sent, or, where that never came, what armed it."""
    side: Side
    timer: Timer
    name: str
    """`keepalive_intvl 6 s`."""
    expected_ns: int | None
    observed_ns: int | None
    """Where it never came, how long the silence lasted at least."""
    because: str
    """`late`, `early`, NEVER_CAME, or which number is wrong."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of the waits of one flow that were to be judged."""

    kept: int
    unknown: int
    """Waits whose length the given values do not tell."""
    deviations: tuple[Deviation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MustHold:
    """What timers are judged by."""

    given: Given
    values: Mapping[Side, TimerValues]
    """What the user gave, and the defaults of a stack for the others."""
    tolerance: Tolerance | None
    """None to allow the kernel's own lateness."""
    lengths: frozenset[tuple[Side, Schedule]]
    """The waits whose length is judged."""
    counts: frozenset[tuple[Side, Schedule]]
    """Those whose number is."""

    @property
    def of_quiet_flows(self) -> bool:
        """Whether something is asked of a flow in which no timer has sent anything."""
        return any(names.SO_KEEPALIVE in values for values in self.given.values.values())

    def judges(self, schedule: Schedule) -> bool:
        """Whether any waits of a schedule are judged."""
        return any((side, schedule) in self.lengths for side in SIDES)


def must_hold(given: Given, tolerance: Tolerance | None = None) -> MustHold:
    """What the user gave, as values to judge by."""
    return MustHold(
        given=given,
        values={side: given.believed(side) for side in SIDES},
        tolerance=tolerance,
        lengths=frozenset(_where_given(given, _VALUES)),
        counts=frozenset(_where_given(given, _COUNTS)),
    )


def check(flow: FlowWaits, held: MustHold, until_ns: int) -> Checked:
    """Judge the waits of a flow by what must hold in a capture that goes on until `until_ns`."""
    judge = flow.judged(held.values)
    kept = unknown = 0
    deviations: list[Deviation] = []
    for index, wait in sorted(flow.found.items()):
        which = wait.side, wait.schedule
        wrong = _wrong_count(judge, wait) if which in held.counts else None
        if wrong is not None:
            deviations.append(_deviation(flow, index, wait, *wrong, None, None))
        wait = judge.measured(wait)
        if wait.armed == NOTHING or which not in held.lengths:
            continue
        expected = judge.expected(wait)
        if expected is None:
            unknown += 1
            continue
        verdict = _verdict(judge, wait, expected, held.tolerance)
        if verdict is _ON_TIME:
            kept += wrong is None
            continue
        name = timer_words(judge, wait, expected)
        deviations.append(_deviation(flow, index, wait, name, str(verdict), expected.value, wait.observed_ns))
    deviations += _missing(flow, judge, held, until_ns)
    return Checked(kept, unknown, tuple(deviations))


def _verdict(judge: Judge, wait: Wait, expected: Believed, tolerance: Tolerance | None) -> Verdict:
    if tolerance is None:
        return judge.verdict(wait, expected)
    if tolerance.allows(wait.observed_ns, expected.value, judge.jitter_ns(wait.side)):
        return Verdict.ON_TIME
    return Verdict.EARLY if wait.observed_ns < expected.value else Verdict.LATE


def _missing(flow: FlowWaits, judge: Judge, held: MustHold, until_ns: int) -> Iterator[Deviation]:
    """What had to come and never did."""
    for found in flow.missing(judge, held.given.values, until_ns):
        if held.tolerance is not None and held.tolerance.allows(found.silent_ns, found.expected_ns, 0):
            continue
        yield Deviation(
            flow=flow.number,
            file=flow.file(found.armed),
            frame=flow.frame(found.armed),
            side=found.side,
            timer=found.timer,
            name=found.name,
            expected_ns=found.expected_ns,
            observed_ns=found.silent_ns,
            because=NEVER_CAME,
        )


def _wrong_count(judge: Judge, wait: Wait) -> tuple[str, str] | None:
    """Whether a timer sent more than it may, or gave up too soon: which number, and what it was."""
    side, number = wait.side, wait.number
    match wait.schedule:
        case Schedule.KEEPALIVE_INTVL | Schedule.GIVE_UP:
            count = judge.keepalive_probes(side).value
            gave_up = wait.schedule is Schedule.GIVE_UP
            if (number < count if gave_up else number > count) and not judge.value(
                side, names.USER_TIMEOUT
            ).value:
                said = f"gave up after {number}" if gave_up else f"probe {number} without an answer"
                return f"keepalive_probes {count}", said
        case Schedule.SYN:
            count = judge.syn_retries(side).value
            if number > count:
                return f"syn_retries, {count} in all", f"retry {number}"
        case Schedule.SYN_ACK:
            count = judge.value(side, names.SYNACK_RETRIES).value
            if number > count:
                return f"synack_retries {count}", f"retry {number}"
    return None


def _where_given(given: Given, needed: Mapping[Schedule, Sequence[str]]) -> Iterator[tuple[Side, Schedule]]:
    """The waits of which one of the values `needed` is given."""
    for side in SIDES:
        for schedule, wanted in needed.items():
            if given.profile is not None or any(name in given.values[side] for name in wanted):
                yield side, schedule


def _deviation(
    flow: FlowWaits,
    index: int,
    wait: Wait,
    name: str,
    because: str,
    expected_ns: int | None,
    observed_ns: int | None,
) -> Deviation:
    return Deviation(
        flow=flow.number,
        file=flow.file(index),
        frame=flow.frame(index),
        side=wait.side,
        timer=wait.timer,
        name=name,
        expected_ns=expected_ns,
        observed_ns=observed_ns,
        because=because,
    )
