"""How long each wait should have been, and whether it was: waits against what is believed, or against what must hold.

A believed value that nobody configured for certain yields to what the flow itself shows (Origin.INFERRED). What must
hold yields to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from tcpladder.analysis import names
from tcpladder.analysis.beliefs import Believed, TimerValues
from tcpladder.analysis.inference import Backoff, constant, doubling, linear_timeouts
from tcpladder.analysis.profiles import SOLARIS
from tcpladder.analysis.schedule import (
    DELAYED_ACK_MAX_NS,
    LATE_NS,
    SECOND_NS,
    backed_off,
    first_rto,
    keepalive_wait,
    on_time,
    syn_retransmissions,
    syn_waits,
    synack_wait,
    tail_loss_probe,
)
from tcpladder.analysis.view import Origin, Side, Timer, Verdict
from tcpladder.analysis.wait import NOTHING, Schedule, Wait
from tcpladder.analysis.waits import Waits

LOOKED_NS = 4 * SECOND_NS
"""How long a changed socket option or sysctl may have held before somebody looked at it."""
_NAMES = {
    Schedule.KEEPALIVE_TIME: names.KEEPALIVE_TIME,
    Schedule.KEEPALIVE_INTVL: names.KEEPALIVE_INTVL,
    Schedule.GIVE_UP: names.KEEPALIVE_INTVL,
}


class Judge:
    """Judges the waits of one flow.

    Args:
        values: what each end is believed to run with.
        waits: the waits of the flow; they may grow, each question takes all of them into account.
        strict: whether the values must hold, whatever the flow shows.
    """

    def __init__(self, values: Mapping[Side, TimerValues], waits: Waits, *, strict: bool = False) -> None:
        self.values = values
        self.strict = strict
        self._waits = waits
        self._observed = waits.by_end

    def jitter_ns(self, side: Side) -> int:
        """By how much the path between an end and the capture point varies; 0 where the capture is beside it."""
        return self._waits.jitter_ns(side)

    def value(self, side: Side, name: str, time_ns: int | None = None) -> Believed:
        """A value as it is believed, whatever the flow shows."""
        return self.values[side].get(name, time_ns)

    def backoff(self, side: Side) -> Backoff | None:
        """How the unanswered keepalive probes of an end double their distance, if they do: Solaris-like, inferred."""
        known = names.KEEPALIVE_INTVL in self.values[side].known or self.values[side].chosen
        return None if self.strict or known else doubling(self._observed[side].unanswered_ns)

    def keepalive_is_on(self, side: Side) -> bool:
        """Whether an end sends keepalive probes: as SO_KEEPALIVE says, where nobody knows it, whether one was seen."""
        switch = self.values[side].known.get(names.SO_KEEPALIVE)
        return self._waits.ends[side].probe != NOTHING if switch is None else bool(switch.value)

    def keepalive(self, side: Side, name: str, time_ns: int | None = None) -> Believed:
        """keepalive_time or keepalive_intvl of an end, in ns: believed, or inferred where the flow contradicts it."""
        return self._shown(side, name, time_ns) or self.value(side, name, time_ns)

    def _shown(self, side: Side, name: str, time_ns: int | None) -> Believed | None:
        """The same; None where the flow contradicts what is merely assumed and shows nothing else."""
        believed = self.value(side, name, time_ns)
        if self.strict or self.values[side].is_firm(name):
            return believed
        if name == names.KEEPALIVE_INTVL:
            backoff = self.backoff(side)
            if backoff is not None:
                return _inferred(backoff.first_ns)
            if self.keepalive_intvl_max(side):
                return believed
        jitter_ns = self.jitter_ns(side)
        observed = self.observed_ns(side, name)
        if all(on_time(wait, believed.value, jitter_ns) for wait in observed):
            return believed
        shown = constant(observed, jitter_ns)
        if shown is not None:
            return _inferred(shown.value_ns)
        return None if believed.origin is Origin.ASSUMED else believed

    def observed_ns(self, side: Side, name: str) -> list[int]:
        """The waits of an end that show keepalive_time or keepalive_intvl."""
        kept = self._observed[side].kept_ns
        return [wait for schedule, n in _NAMES.items() if n == name for wait in kept.get(schedule, ())]

    def least_spacing_ns(self, side: Side) -> int:
        """keepalive_intvl, which answered probes are apart at least; 0 where it is not known, or is another one, as
        those that were seen show."""
        intvl = self.keepalive(side, names.KEEPALIVE_INTVL)
        answered = self._observed[side].kept_ns.get(Schedule.KEEPALIVE_TIME, [])[1:]
        seen_ns = min(answered, default=intvl.value) + self.jitter_ns(side) + LATE_NS
        return intvl.value if intvl.origin is not Origin.ASSUMED and intvl.value <= seen_ns else 0

    def keepalive_probes(self, side: Side) -> Believed:
        """How many unanswered probes an end sends before it gives up."""
        believed = self.value(side, names.KEEPALIVE_PROBES)
        observed = self._observed[side]
        if self.strict or self.values[side].is_firm(names.KEEPALIVE_PROBES):
            return believed
        if observed.gave_up_after is not None:
            return _inferred(observed.gave_up_after)
        if self.backoff(side) is not None:
            believed = _inferred(SOLARIS.values[names.KEEPALIVE_PROBES])
        return believed if observed.most_probes <= believed.value else _inferred(observed.most_probes)

    def keepalive_intvl_max(self, side: Side) -> int:
        """Up to where unanswered probes double their distance, in ns; 0 where they do not."""
        backoff = self.backoff(side)
        if backoff is None:
            return self.value(side, names.KEEPALIVE_INTVL_MAX).value
        return backoff.most_ns or max(SOLARIS.values[names.KEEPALIVE_INTVL_MAX], backoff.first_ns)

    def resets(self, side: Side) -> bool:
        """Whether an end whose keepalive gives up sends a RST."""
        return self.values[side].profile.resets and self.backoff(side) is None

    def syn_linear_timeouts(self, side: Side) -> Believed:
        """How many SYN timeouts beyond the first last 1 s."""
        believed = self.value(side, names.SYN_LINEAR_TIMEOUTS)
        if self.strict or self.values[side].is_firm(names.SYN_LINEAR_TIMEOUTS):
            return believed
        waits_ns, jitter_ns = self._observed[side].syn_waits_ns, self.jitter_ns(side)
        expected_ns = list(syn_waits(len(waits_ns), believed.value))
        if all(on_time(w, e, jitter_ns) for w, e in zip(waits_ns, expected_ns, strict=False)):
            return believed
        return _inferred(linear_timeouts(waits_ns))

    def syn_retries(self, side: Side) -> Believed:
        """How often an end sends its SYN again, linear timeouts included."""
        retries = self.value(side, names.SYN_RETRIES)
        linear = self.syn_linear_timeouts(side)
        least = self.tcp_syn_retries(side)
        total = syn_retransmissions(least, linear.value)
        if least != retries.value:
            return _inferred(total)
        origin = retries.origin if linear.origin in (retries.origin, Origin.INFERRED) else Origin.ASSUMED
        return Believed(total, retries.origin if self.strict else origin)

    def tcp_syn_retries(self, side: Side) -> int:
        """That sysctl or TCP_SYNCNT of an end, and at least what explains the SYNs that were seen."""
        retries = self.value(side, names.SYN_RETRIES).value
        if self.strict:
            return retries
        linear, seen = self.syn_linear_timeouts(side).value, len(self._observed[side].syn_waits_ns)
        while syn_retransmissions(retries, linear) < seen:
            retries += 1
        return retries

    def measured(self, wait: Wait) -> Wait:
        """A wait from what armed its timer: on some stacks the end's own last segment arms keepalive_time, too."""
        if wait.own <= wait.armed or wait.schedule is not Schedule.KEEPALIVE_TIME:
            return wait
        profile = self.values[wait.side].profile if self.backoff(wait.side) is None else SOLARIS
        return wait._replace(armed=wait.own, observed_ns=wait.own_ns) if profile.idles_from_own else wait

    def follows_probe(self, wait: Wait) -> bool:
        """Whether a tail loss probe armed the timer of a wait: then its first RTO is as long as the probe took."""
        before = self._waits.found.get(wait.armed)
        return wait.number == 1 and before is not None and before.timer is Timer.TLP

    def expected(self, wait: Wait) -> Believed | None:
        """How long a wait should have been, in ns; None where no value is known for its timer."""
        side = wait.side
        match wait.schedule:
            case Schedule.KEEPALIVE_TIME | Schedule.KEEPALIVE_INTVL | Schedule.GIVE_UP:
                return self._keepalive_wait(wait)
            case Schedule.SYN:
                linear = self.syn_linear_timeouts(side)
                return Believed(_nth(wait.number, linear.value), linear.origin)
            case Schedule.SYN_ACK:
                return Believed(synack_wait(wait.number - 1), Origin.ASSUMED)
            case Schedule.RTO | Schedule.PERSIST:
                return self._doubling(wait)
            case Schedule.TLP | Schedule.TLP_ALONE:
                return self._tail_loss_probe(wait)
            case Schedule.DELAYED_ACK:
                # The kernel adapts it between the two (tcp_send_delayed_ack).
                least = self.value(side, names.DELAYED_ACK)
                if self.on_time(wait, least.value):
                    return least
                fitting_ns = max(least.value, min(wait.observed_ns, DELAYED_ACK_MAX_NS))
                return Believed(fitting_ns, least.origin)

    def on_time(self, wait: Wait, expected_ns: int) -> bool:
        """Whether a timer of expected_ns explains a wait, over the path between its end and the capture point."""
        return on_time(wait.observed_ns, expected_ns, self.jitter_ns(wait.side))

    def verdict(self, wait: Wait, expected: Believed | None) -> Verdict:
        """Whether a wait was as long as expected, within the kernel's lateness and the jitter of the path."""
        if expected is None:
            return Verdict.UNEXPLAINED
        if self.on_time(wait, expected.value):
            return Verdict.ON_TIME
        return Verdict.EARLY if wait.observed_ns < expected.value else Verdict.LATE

    def is_spaced_by_intvl(self, wait: Wait) -> bool:
        """Whether the probe before a wait was answered and keepalive_intvl is the longer one: it decides then."""
        name = names.KEEPALIVE_TIME
        if wait.schedule is not Schedule.KEEPALIVE_TIME:
            return False
        return self._least_ns(wait) > self.keepalive(wait.side, name, self._waits.armed_ns(wait)).value

    def _keepalive_wait(self, wait: Wait) -> Believed | None:
        name = _NAMES[wait.schedule]
        held = self._held(wait, name)
        for value in held:
            # What held is asked before what the flow shows: it shows one length, and values change.
            expected = self._spaced(wait, value)
            if value.origin is not Origin.ASSUMED and self.on_time(wait, expected.value):
                return expected
        from_option = self.from_option(wait)
        if from_option is not None:
            return Believed(from_option.value + self._option_ns(wait), from_option.origin)
        shown = self._shown(wait.side, name, self._waits.armed_ns(wait))
        return None if shown is None else self._spaced(wait, shown)

    def from_option(self, wait: Wait) -> Believed | None:
        """keepalive_time where it explains a wait only from where SO_KEEPALIVE was set (tcp_set_keepalive)."""
        option_ns = self._option_ns(wait)
        held = self._held(wait, names.KEEPALIVE_TIME) if option_ns else []
        if any(self.on_time(wait, value.value) for value in held):
            return None
        return next((value for value in held if self.on_time(wait, value.value + option_ns)), None)

    def _option_ns(self, wait: Wait) -> int:
        """How far into a wait for the first probe SO_KEEPALIVE armed its timer; 0 where it was not set in it."""
        armed_ns, enabled = self._waits.armed_ns(wait), self.values[wait.side].known.get(names.SO_KEEPALIVE)
        if wait.schedule is not Schedule.KEEPALIVE_TIME or armed_ns is None or enabled is None:
            return 0
        enabled = enabled.at(armed_ns + wait.observed_ns)
        return max(0, enabled.since_ns - armed_ns) if enabled.value and enabled.before is not None else 0

    def _held(self, wait: Wait, name: str) -> list[Believed]:
        """What may have held for a wait, likeliest first: a change is known as exactly as somebody looked."""
        armed_ns, side = self._waits.armed_ns(wait), wait.side
        now = self.value(side, name, armed_ns)
        if armed_ns is None or self.value(side, name).before is None:
            return [now]
        end_ns = armed_ns + wait.observed_ns
        later = [self.value(side, name, at_ns) for at_ns in (end_ns, end_ns + LOOKED_NS)]
        if now.origin is Origin.SOCKET and name == names.KEEPALIVE_TIME:
            # Setting SO_KEEPALIVE or TCP_KEEPIDLE arms the timer anew (tcp_set_keepalive, tcp_sock_set_keepidle).
            return [later[0], now, later[1]]
        return [now, *later]

    def _spaced(self, wait: Wait, value: Believed) -> Believed:
        """The length of a keepalive wait by keepalive_time or keepalive_intvl."""
        if wait.schedule is Schedule.KEEPALIVE_TIME:
            return Believed(max(value.value, self._least_ns(wait)), value.origin)
        before = wait.number if wait.schedule is Schedule.GIVE_UP else wait.number - 1
        expected_ns = keepalive_wait(value.value, before, self.keepalive_intvl_max(wait.side))
        return Believed(expected_ns, value.origin)

    def _least_ns(self, wait: Wait) -> int:
        """An expiry behind an answered probe comes no sooner than keepalive_intvl (tcp_keepalive_timer)."""
        probe = self._waits.found.get(wait.own)
        intvl_ns = self.least_spacing_ns(wait.side) if probe and probe.timer is Timer.KEEPALIVE else 0
        return intvl_ns - (wait.own_ns - wait.observed_ns) if intvl_ns else 0

    def _tail_loss_probe(self, wait: Wait) -> Believed | None:
        """2 RTT and an allowance, but never later than the RTO (tcp_schedule_loss_probe)."""
        rto_min = self.value(wait.side, names.RTO_MIN)
        probe_ns = tail_loss_probe(wait.round_trip_ns, alone=wait.schedule is Schedule.TLP_ALONE)
        rto_ns = first_rto(wait.round_trip_ns, rto_min.value)
        for expected_ns in (probe_ns, min(probe_ns, rto_ns)):
            if self.on_time(wait, expected_ns):
                return Believed(expected_ns, rto_min.origin)
        if min(probe_ns, rto_ns) <= wait.observed_ns <= probe_ns:
            # The smoothed round trip, from which the RTO is made, is longer than the shortest one.
            return Believed(wait.observed_ns, Origin.INFERRED)
        smoothed_ns = self._waits.smoothed(wait.side, rto_min.value, wait.armed + 1).round_trip_ns
        slower_ns = tail_loss_probe(smoothed_ns, alone=wait.schedule is Schedule.TLP_ALONE)
        return _inferred(slower_ns) if self.on_time(wait, slower_ns) else Believed(probe_ns, rto_min.origin)

    def _doubling(self, wait: Wait) -> Believed | None:
        """A wait of a run in which each doubles the one before: the first from the round trip, or as the run shows."""
        doublings = wait.number - 1
        if wait.schedule is Schedule.PERSIST:
            doublings = min(doublings, self.value(wait.side, names.RETRIES2).value)
        rto_min, rto_max = self.value(wait.side, names.RTO_MIN), self.value(wait.side, names.RTO_MAX)
        computed_ns = backed_off(first_rto(wait.round_trip_ns, rto_min.value), doublings, rto_max.value)
        if self.on_time(wait, computed_ns):
            return Believed(computed_ns, rto_min.origin)
        # The first wait was itself late by up to an eighth, so what it doubles may be that much shorter.
        for first_ns in (wait.first_ns, wait.first_ns * 8 // 9):
            shown_ns = backed_off(first_ns, doublings, rto_max.value)
            if first_ns and self.on_time(wait, shown_ns):
                return _inferred(shown_ns)
        return None


def _inferred(value: int) -> Believed:
    return Believed(value, Origin.INFERRED)


def _nth(number: int, linear_timeouts: int) -> int:
    """The wait before the SYN's `number`-th retransmission, in ns."""
    return list(syn_waits(number, linear_timeouts))[number - 1]
