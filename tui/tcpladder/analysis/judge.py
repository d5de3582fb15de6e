"""How long each wait should have been, and whether it was: waits against what is believed.

A value that nobody configured for certain yields to what the flow itself shows (Origin.INFERRED).
"""

from __future__ import annotations

from collections.abc import Mapping

from tcpladder.analysis import beliefs
from tcpladder.analysis.beliefs import Believed, TimerValues
from tcpladder.analysis.duration import seconds_text
from tcpladder.analysis.schedule import (
    DELAYED_ACK_MAX_NS,
    DELAYED_ACK_MIN_NS,
    SECOND_NS,
    backed_off,
    first_rto,
    on_time,
    syn_waits,
    synack_wait,
    tail_loss_probe,
    whole_seconds,
)
from tcpladder.analysis.view import Origin, Side, Verdict
from tcpladder.analysis.wait import Schedule, Wait
from tcpladder.analysis.waits import Waits

_NAMES = {
    Schedule.KEEPALIVE_TIME: beliefs.KEEPALIVE_TIME,
    Schedule.KEEPALIVE_INTVL: beliefs.KEEPALIVE_INTVL,
    Schedule.GIVE_UP: beliefs.KEEPALIVE_INTVL,
}


class Judge:
    """Judges the waits of one flow.

    Args:
        values: what each end is believed to run with.
        waits: the waits of the flow; they may grow, each question takes all of them into account.
    """

    def __init__(self, values: Mapping[Side, TimerValues], waits: Waits) -> None:
        self._values = values
        self._observed = waits.by_end

    def keepalive(self, side: Side, name: str) -> Believed:
        """keepalive_time or keepalive_intvl of an end, in ns: believed, or inferred where the flow contradicts it."""
        believed = self._values[side].get(name)
        observed = self._observed[side]
        schedules = [s for s, n in _NAMES.items() if n == name and s in observed.shortest_ns]
        if not schedules or self._values[side].is_firm(name):
            return believed
        shortest_ns = min(observed.shortest_ns[s] for s in schedules)
        longest_ns = max(observed.longest_ns[s] for s in schedules)
        if on_time(shortest_ns, believed.value) and on_time(longest_ns, believed.value):
            return believed
        inferred = whole_seconds(shortest_ns, longest_ns)
        return believed if inferred is None else Believed(inferred, Origin.INFERRED)

    def keepalive_probes(self, side: Side) -> Believed:
        """How many unanswered probes an end sends before it gives up."""
        believed = self._values[side].get(beliefs.KEEPALIVE_PROBES)
        observed = self._observed[side]
        if self._values[side].is_firm(beliefs.KEEPALIVE_PROBES):
            return believed
        if observed.gave_up_after is not None:
            return Believed(observed.gave_up_after, Origin.INFERRED)
        return believed if observed.most_probes <= believed.value else _inferred(observed.most_probes)

    def syn_linear_timeouts(self, side: Side) -> Believed:
        """How many SYN timeouts beyond the first last 1 s."""
        believed = self._values[side].get(beliefs.SYN_LINEAR_TIMEOUTS)
        waits_ns = self._observed[side].syn_waits_ns
        expected_ns = list(syn_waits(len(waits_ns), believed.value))[: len(waits_ns)]
        kept = all(map(on_time, waits_ns, expected_ns))
        if kept or self._values[side].is_firm(beliefs.SYN_LINEAR_TIMEOUTS):
            return believed
        ones = next((i for i, w in enumerate(waits_ns) if not on_time(w, SECOND_NS)), len(waits_ns))
        return _inferred(max(0, ones - 1))

    def syn_retries(self, side: Side) -> Believed:
        """How often an end sends its SYN again, linear timeouts included."""
        retries = self._values[side].get(beliefs.SYN_RETRIES)
        linear = self.syn_linear_timeouts(side)
        total, seen = retries.value + linear.value, len(self._observed[side].syn_waits_ns)
        origin = retries.origin if linear.origin is retries.origin else Origin.ASSUMED
        return Believed(total, origin) if seen <= total else _inferred(seen)

    def expected(self, wait: Wait) -> Believed | None:
        """How long a wait should have been, in ns; None where no value is known for its timer."""
        match wait.schedule:
            case Schedule.KEEPALIVE_TIME | Schedule.KEEPALIVE_INTVL | Schedule.GIVE_UP:
                return self.keepalive(wait.side, _NAMES[wait.schedule])
            case Schedule.SYN:
                linear = self.syn_linear_timeouts(wait.side)
                return Believed(_nth(wait.number, linear.value), linear.origin)
            case Schedule.SYN_ACK:
                return Believed(synack_wait(wait.number - 1), Origin.ASSUMED)
            case Schedule.RTO | Schedule.PERSIST:
                return _doubling(wait)
            case Schedule.TLP | Schedule.TLP_ALONE:
                alone = wait.schedule is Schedule.TLP_ALONE
                return Believed(tail_loss_probe(wait.round_trip_ns, alone=alone), Origin.ASSUMED)
            case Schedule.DELAYED_ACK:
                # The kernel adapts it between the two (tcp_send_delayed_ack).
                fitting_ns = max(DELAYED_ACK_MIN_NS, min(wait.observed_ns, DELAYED_ACK_MAX_NS))
                usual = on_time(wait.observed_ns, DELAYED_ACK_MIN_NS)
                return Believed(DELAYED_ACK_MIN_NS if usual else fitting_ns, Origin.ASSUMED)

    def name(self, wait: Wait, expected: Believed | None) -> str:
        """The timer in the words of the field: `keepalive_time 30 s`, `SYN retry 3/6: RTO 1 s × 2²`."""
        if expected is None:
            return "unexplained"
        length = seconds_text(expected.value)
        match wait.schedule:
            case Schedule.KEEPALIVE_TIME:
                return f"keepalive_time {length}"
            case Schedule.KEEPALIVE_INTVL | Schedule.GIVE_UP:
                return f"keepalive_intvl {length}"
            case Schedule.SYN:
                retries = self.syn_retries(wait.side)
                known = "" if retries.origin is Origin.ASSUMED else f"/{retries.value}"
                return f"SYN retry {wait.number}{known}: {_rto(expected.value)}"
            case Schedule.RTO | Schedule.PERSIST:
                word = "RTO" if wait.schedule is Schedule.RTO else "persist"
                return f"{word} {_multiple(expected.value, wait.number - 1)}"
            case Schedule.TLP | Schedule.TLP_ALONE:
                return "tail loss probe"
            case Schedule.DELAYED_ACK:
                return f"delayed ACK {length}"
            case Schedule.SYN_ACK:
                return f"SYN-ACK retry {wait.number}: {_rto(expected.value)}"


def verdict(observed_ns: int, expected: Believed | None) -> Verdict:
    """Whether a wait was as long as expected, within the kernel's lateness."""
    if expected is None:
        return Verdict.UNEXPLAINED
    if on_time(observed_ns, expected.value):
        return Verdict.ON_TIME
    return Verdict.EARLY if observed_ns < expected.value else Verdict.LATE


def _doubling(wait: Wait) -> Believed | None:
    """A wait of a run in which each doubles the one before: the first from the round trip, or as the run shows it."""
    doublings = wait.number - 1
    computed_ns = backed_off(first_rto(wait.round_trip_ns), doublings)
    if on_time(wait.observed_ns, computed_ns):
        return Believed(computed_ns, Origin.ASSUMED)
    # The first wait was itself late by up to an eighth, so what it doubles may be that much shorter.
    for first_ns in (wait.first_ns, wait.first_ns * 8 // 9):
        shown_ns = backed_off(first_ns, doublings)
        if first_ns and on_time(wait.observed_ns, shown_ns):
            return Believed(shown_ns, Origin.INFERRED)
    return None


def _inferred(value: int) -> Believed:
    return Believed(value, Origin.INFERRED)


def _nth(number: int, linear_timeouts: int) -> int:
    """The wait before the SYN's `number`-th retransmission, in ns."""
    return list(syn_waits(number, linear_timeouts))[number - 1]


_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def _multiple(wait_ns: int, doublings: int) -> str:
    """`204 ms`, `204 ms × 2²`."""
    base = seconds_text(wait_ns >> doublings) if not doublings else ""
    return base or f"{seconds_text(wait_ns >> doublings)} × 2{str(doublings).translate(_SUPERSCRIPTS)}"


def _rto(wait_ns: int) -> str:
    """`RTO 1 s`, `RTO 1 s × 2²`."""
    doublings = (wait_ns // SECOND_NS).bit_length() - 1
    if doublings <= 0 or wait_ns != SECOND_NS << doublings:
        return f"RTO {seconds_text(wait_ns)}"
    return f"RTO 1 s × 2{str(doublings).translate(_SUPERSCRIPTS)}"
