"""Which timers of a flow did not keep the schedule that must hold: what `tcpladder check` prints.

Judges only the timers that the user gave values for; a profile gives them all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tcpladder.analysis import names
from tcpladder.analysis.beliefs import TimerValues
from tcpladder.analysis.expected import Given
from tcpladder.analysis.flow_view import Findings
from tcpladder.analysis.judge import Judge
from tcpladder.analysis.timer_words import timer_words
from tcpladder.analysis.view import Side, Timer, Verdict
from tcpladder.analysis.wait import NOTHING, Schedule, Wait

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
"""The values that each wait is judged by; with one of them given, it is judged."""


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


def must_hold(given: Given) -> Mapping[Side, TimerValues]:
    """What the user gave, as values to judge by."""
    return {side: given.believed(side) for side in Side}


def judges(given: Given, schedule: Schedule) -> bool:
    """Whether `check` judges any waits of a schedule."""
    return any(_is_given(given, side, *_VALUES[schedule]) for side in Side)


def check(
    view: Findings,
    given: Given,
    values: Mapping[Side, TimerValues],
    tolerance: Tolerance | None,
    until_ns: int,
) -> Checked:
    """Judge the waits of a flow by what must hold, `values`, in a capture that goes on until `until_ns`.

    The kernel's own lateness is allowed where no tolerance is given.
    """
    judge = view.judged(values)
    kept = unknown = 0
    deviations: list[Deviation] = []
    for index, found in sorted(view.waits().items()):
        wait = judge.measured(found)
        wrong = list(_counts(view, judge, given, index, wait))
        deviations += wrong
        if wait.armed == NOTHING or not _is_given(given, wait.side, *_VALUES[wait.schedule]):
            continue
        expected = judge.expected(wait)
        if expected is None:
            unknown += 1
            continue
        if tolerance is None:
            verdict = judge.verdict(wait, expected)
        elif tolerance.allows(wait.observed_ns, expected.value, judge.jitter_ns(wait.side)):
            verdict = Verdict.ON_TIME
        else:
            verdict = Verdict.EARLY if wait.observed_ns < expected.value else Verdict.LATE
        if verdict is Verdict.ON_TIME:
            kept += not wrong
            continue
        name = timer_words(judge, wait, expected)
        deviations.append(_deviation(view, index, wait, name, str(verdict), expected.value, wait.observed_ns))
    deviations += _missing(view, judge, given, tolerance, until_ns)
    return Checked(kept, unknown, tuple(deviations))


def _missing(
    view: Findings, judge: Judge, given: Given, tolerance: Tolerance | None, until_ns: int
) -> Iterator[Deviation]:
    """What had to come and never did."""
    for found in view.missing(judge, given.values, until_ns):
        if tolerance is not None and tolerance.allows(found.silent_ns, found.expected_ns, 0):
            continue
        yield Deviation(
            flow=view.summary.number,
            file=view.file(found.armed),
            frame=view.frame(found.armed),
            side=found.side,
            timer=found.timer,
            name=found.name,
            expected_ns=found.expected_ns,
            observed_ns=found.silent_ns,
            because=NEVER_CAME,
        )


def _counts(view: Findings, judge: Judge, given: Given, index: int, wait: Wait) -> Iterator[Deviation]:
    """Whether a timer sent more than it may, or gave up too soon."""
    side = wait.side
    match wait.schedule:
        case Schedule.KEEPALIVE_INTVL if _is_given(given, side, names.KEEPALIVE_PROBES):
            count = judge.keepalive_probes(side).value
            if wait.number > count and not judge.value(side, names.USER_TIMEOUT).value:
                yield _count(
                    view, index, wait, f"keepalive_probes {count}", f"probe {wait.number} without an answer"
                )
        case Schedule.GIVE_UP if _is_given(given, side, names.KEEPALIVE_PROBES):
            count = judge.keepalive_probes(side).value
            if wait.number < count and not judge.value(side, names.USER_TIMEOUT).value:
                yield _count(view, index, wait, f"keepalive_probes {count}", f"gave up after {wait.number}")
        case Schedule.SYN if _is_given(given, side, names.SYN_RETRIES):
            count = judge.syn_retries(side).value
            if wait.number > count:
                yield _count(view, index, wait, f"syn_retries, {count} in all", f"retry {wait.number}")
        case Schedule.SYN_ACK if _is_given(given, side, names.SYNACK_RETRIES):
            count = judge.value(side, names.SYNACK_RETRIES).value
            if wait.number > count:
                yield _count(view, index, wait, f"synack_retries {count}", f"retry {wait.number}")


def _is_given(given: Given, side: Side, *wanted: str) -> bool:
    return given.profile is not None or any(name in given.values[side] for name in wanted)


def _count(view: Findings, index: int, wait: Wait, name: str, because: str) -> Deviation:
    return _deviation(view, index, wait, name, because, None, None)


def _deviation(
    view: Findings,
    index: int,
    wait: Wait,
    name: str,
    because: str,
    expected_ns: int | None,
    observed_ns: int | None,
) -> Deviation:
    return Deviation(
        flow=view.summary.number,
        file=view.file(index),
        frame=view.frame(index),
        side=wait.side,
        timer=wait.timer,
        name=name,
        expected_ns=expected_ns,
        observed_ns=observed_ns,
        because=because,
    )
