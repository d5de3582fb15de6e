"""What an end sends again by itself: data without an ACK, probes of a closed window, and where it gives up.

The schedules of schedule.py read forward from what is in flight; forecast.py asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tcpladder.analysis import names
from tcpladder.analysis.judge import Judge
from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.schedule import (
    Firing,
    on_time,
    persist,
    retransmission_limit,
    rto,
    tail_loss_probe,
)
from tcpladder.analysis.smoothed import Smoothed
from tcpladder.analysis.timer_words import multiple
from tcpladder.analysis.view import Origin, Pending, Side
from tcpladder.analysis.wait import NOTHING, Schedule
from tcpladder.analysis.waits import Unacknowledged, Waits


class Resending:
    """One end of a flow, as far as its RTO, its tail loss probe and its persist timer go."""

    def __init__(self, waits: Waits, judge: Judge, side: Side, time_ns: NDArray[np.int64]) -> None:
        self._waits, self._judge, self._side, self._time_ns = waits, judge, side, time_ns

    @cached_property
    def _estimate(self) -> Smoothed:
        return self._waits.smoothed(self._side, self._judge.value(self._side, names.RTO_MIN).value)

    def data(self, data: Unacknowledged, *, orphan: bool, now_ns: int | None = None) -> list[Pending]:
        """The tail loss probe, each retransmission and the give-up.

        A tail loss probe that has not come for twice its time, at `now_ns`, is left out: the RTO comes all the same.
        """
        judge, side, sent = self._judge, self._side, data.retransmissions
        rto_max = judge.value(side, names.RTO_MAX)
        first_ns = min(self._first_ns(Schedule.RTO, data.last if sent else NOTHING), rto_max.value)
        retries = judge.value(side, names.ORPHAN_RETRIES if orphan else names.RETRIES2)
        firings = rto(
            first_ns,
            retransmission_limit(retries.value, rto_max.value),
            rto_max.value,
            judge.value(side, names.USER_TIMEOUT).value,
            sent,
            self._at_ns(data.last) - self._at_ns(data.first_retransmission) if sent else 0,
        )
        if sent:
            return self._retransmissions(firings, self._at_ns(data.last), first_ns, orphan=orphan)
        heard_ns = self._at_ns(data.acked) + self._waits.loop_ns(side) if data.acked != NOTHING else 0
        armed_ns = max(heard_ns, self._at_ns(data.oldest))
        probe = self._tail_loss_probe(data, max(heard_ns, self._at_ns(data.last)), first_ns)
        if probe and (now_ns is None or now_ns - probe.armed_ns <= 2 * (probe.due_ns - probe.armed_ns)):
            armed_ns = self._after_probe(data, armed_ns, probe.due_ns, first_ns)
            return [
                probe,
                *self._retransmissions(firings, armed_ns, first_ns, behind_probe=True, orphan=orphan),
            ]
        if data.probed:
            armed_ns = self._after_probe(data, armed_ns, self._at_ns(data.last), first_ns)
        return self._retransmissions(firings, armed_ns, first_ns, behind_probe=data.probed, orphan=orphan)

    def window(self) -> list[Pending]:
        """Each further probe of the closed window, if nobody answers, and the give-up."""
        judge, side, end = self._judge, self._side, self._waits.ends[self._side]
        armed_ns = self._at_ns(end.window_probe)
        first_ns = self._first_ns(Schedule.PERSIST, end.window_probe)
        rto_max, retries = judge.value(side, names.RTO_MAX), judge.value(side, names.RETRIES2)
        timeout_ns = judge.value(side, names.USER_TIMEOUT).value
        if timeout_ns:
            timeout_ns = max(1, timeout_ns - (armed_ns - self._at_ns(end.first_window_probe)))
        unanswered = end.window_unanswered if end.heard < end.window_probe else 0
        rungs = []
        for firing in persist(
            first_ns, rto_max.value, retries.value, timeout_ns, end.window_probes, unanswered
        ):
            due_ns = armed_ns + firing.after_ns
            if firing.gives_up:
                text = "gives up in silence: no RST; application: ETIMEDOUT"
                text = text if timeout_ns else f"without an answer {text}"
                rungs.append(self._pending(due_ns, armed_ns, None, text, retries.origin))
            else:
                rungs.append(self._window_probe(firing.number, due_ns, armed_ns, rto_max.origin))
            armed_ns = due_ns
        return rungs

    def closed_window(self) -> list[Pending]:
        """The first probe of a window that has just closed, which comes if its end has more to send."""
        heard = self._waits.ends[self._side].heard
        armed_ns = self._at_ns(heard) + self._waits.loop_ns(self._side)
        first_ns = self._first_ns(Schedule.PERSIST, NOTHING)
        origin = self._judge.value(self._side, names.RTO_MIN).origin
        return [self._window_probe(1, armed_ns + first_ns, armed_ns, origin, ", if more waits to be sent")]

    def _retransmissions(
        self,
        firings: Iterator[Firing],
        armed_ns: int,
        first_ns: int,
        *,
        orphan: bool,
        behind_probe: bool = False,
    ) -> list[Pending]:
        retry, timeout, limit = (
            self._judge.value(self._side, name)
            for name in (
                names.RTO_MIN,
                names.USER_TIMEOUT,
                names.ORPHAN_RETRIES if orphan else names.RETRIES2,
            )
        )
        rungs = []
        for firing in firings:
            due_ns = armed_ns + firing.after_ns
            if firing.gives_up:
                hears = "no application hears of it" if orphan else "application: ETIMEDOUT"
                text, origin = (
                    f"RTO gives up in silence: no RST; {hears}",
                    (timeout if timeout.value else limit).origin,
                )
                rungs.append(self._pending(due_ns, armed_ns, None, text, origin))
            else:
                backed_off = firing.after_ns == first_ns << (firing.number - 1)
                wait = multiple(firing.after_ns, firing.number - 1 if backed_off else 0)
                text = f"RTO retry {firing.number}: {wait}"
                text = "RTO after tail loss probe" if behind_probe and firing.number == 1 else text
                rungs.append(self._pending(due_ns, armed_ns, Kind.RETRANSMISSION, text, retry.origin))
            armed_ns = due_ns
        return rungs

    def _tail_loss_probe(self, data: Unacknowledged, armed_ns: int, first_ns: int) -> Pending | None:
        """The probe of the last segment in flight: 2 RTT and an allowance, no later than the RTO (RFC 8985 7.2)."""
        if data.probed or not data.may_probe:
            return None
        due_ns = armed_ns + min(tail_loss_probe(self._estimate.round_trip_ns, alone=data.alone), first_ns)
        origin = self._judge.value(self._side, names.RTO_MIN).origin
        return self._pending(due_ns, armed_ns, Kind.TAIL_LOSS_PROBE, "tail loss probe", origin)

    def _first_ns(self, schedule: Schedule, last: int) -> int:
        """The timeout before any doubling: of the round trip, or as the run up to `last` shows where it is longer."""
        computed_ns = self._estimate.rto_ns
        wait = self._waits.found.get(last)
        shown_ns = self._waits.by_end[self._side].first_ns.get(schedule, 0)
        if wait is None or wait.schedule is not schedule or not shown_ns:
            return computed_ns
        # Each wait is late by a little, so the relatively shortest is nearest.
        shown_ns = min(shown_ns, wait.observed_ns >> (wait.number - 1))
        if shown_ns <= computed_ns or on_time(shown_ns, computed_ns, self._judge.jitter_ns(self._side)):
            return computed_ns
        return shown_ns

    def _after_probe(self, data: Unacknowledged, armed_ns: int, probe_ns: int, first_ns: int) -> int:
        """When the RTO behind a tail loss probe is armed: with the oldest segment in flight (tcp_rtx_queue_head)."""
        return probe_ns if data.alone else max(armed_ns, probe_ns - first_ns)

    def _window_probe(
        self, number: int, due_ns: int, armed_ns: int, origin: Origin, condition: str = ""
    ) -> Pending:
        text = f"zero-window probe {number}{condition}"
        return self._pending(due_ns, armed_ns, Kind.ZERO_WINDOW_PROBE, text, origin)

    def _at_ns(self, index: int) -> int:
        return int(self._time_ns[index])

    def _pending(self, due_ns: int, armed_ns: int, kind: Kind | None, text: str, origin: Origin) -> Pending:
        return Pending(due_ns=due_ns, armed_ns=armed_ns, side=self._side, kind=kind, text=text, origin=origin)
