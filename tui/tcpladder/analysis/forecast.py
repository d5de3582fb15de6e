"""What must come next if nothing else happens: the schedules read forward from what the flow shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import chain, islice

import numpy as np
from numpy.typing import NDArray

from tcpladder.analysis import names
from tcpladder.analysis.judge import Judge
from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.resending import Resending
from tcpladder.analysis.schedule import (
    Firing,
    keepalive,
    syn,
    syn_ack,
)
from tcpladder.analysis.view import Origin, Pending, Side
from tcpladder.analysis.wait import NOTHING
from tcpladder.analysis.waits import Waits
from tcpladder.flows.state import TcpState

_Text = Callable[[Firing], str]
_QUIET = (TcpState.CLOSED, TcpState.TIME_WAIT, TcpState.UNKNOWN, TcpState.SYN_SENT, TcpState.SYN_RECEIVED)
"""States in which keepalive does not probe (tcp_keepalive_timer)."""
ORPHANS = (TcpState.FIN_WAIT_1, TcpState.CLOSING, TcpState.LAST_ACK)
"""States in which the application has closed the socket, so that tcp_orphan_retries counts."""


def forecast(
    waits: Waits, judge: Judge, states: Mapping[Side, TcpState], time_ns: NDArray[np.int64], now_ns: int
) -> tuple[Pending, ...]:
    """The next rungs of a flow, soonest first; empty where no timer is known to run.

    A timer that is overdue by its own length does not run: then something wrong was believed, and it is left out.
    """
    found = (_Reader(waits, judge, side, states, time_ns) for side in Side)
    running = [
        timer for reader in found for timer in reader.timers(now_ns) if timer and _may_run(timer, now_ns)
    ]
    return tuple(sorted(chain.from_iterable(running), key=lambda p: p.due_ns))


def give_ups(
    waits: Waits, judge: Judge, states: Mapping[Side, TcpState], time_ns: NDArray[np.int64]
) -> tuple[Pending, ...]:
    """Where each timer that has sent something in vain ends, even if that should have been long ago."""
    readers = (_Reader(waits, judge, side, states, time_ns) for side in Side)
    timers = [timer for reader in readers for timer in reader.in_vain() if timer]
    return tuple(timer[-1] for timer in timers)


def _may_run(timer: list[Pending], now_ns: int) -> bool:
    return now_ns - timer[0].due_ns <= timer[0].due_ns - timer[0].armed_ns


class _Reader:
    """The running timers of one end, each as a list of rungs."""

    def __init__(
        self,
        waits: Waits,
        judge: Judge,
        side: Side,
        states: Mapping[Side, TcpState],
        time_ns: NDArray[np.int64],
    ) -> None:
        self._waits, self._judge, self._side = waits, judge, side
        self._end, self._state, self._time_ns = waits.ends[side], states[side], time_ns
        self._closed = TcpState.CLOSED in states.values()
        self._resending = Resending(waits, judge, side, time_ns)

    def timers(self, now_ns: int) -> Iterator[list[Pending]]:
        """Each running timer: what it sends next, until it gives up."""
        end, state = self._end, self._state
        if state is TcpState.SYN_SENT or self._still_connects():
            yield self._connect() if end.syn != NOTHING else []
        elif state is TcpState.SYN_RECEIVED:
            yield self._handshake() if end.syn_ack != NOTHING else []
        elif state is TcpState.TIME_WAIT:
            yield self._silent_end(names.TIME_WAIT, "TIME-WAIT is over, the port is free again", now_ns)
        elif state is not TcpState.CLOSED and not self._closed:
            yield from self._open(now_ns)

    def _still_connects(self) -> bool:
        """Whether it sent its SYN again although the capture shows a SYN-ACK: that one did not arrive."""
        return self._end.syns > 1 and self._end.latest == self._end.syn

    def in_vain(self) -> Iterator[list[Pending]]:
        """The timers that have sent something again, or asked for an answer, without one."""
        end, state = self._end, self._state
        if state is TcpState.SYN_SENT and end.syn != NOTHING:
            yield self._connect()
        elif state is TcpState.SYN_RECEIVED and end.syn_acks_by_timer:
            yield self._handshake()
        elif state is TcpState.CLOSED or self._closed:
            return
        elif (data := self._waits.unacknowledged(self._side)) is not None:
            yield self._resending.data(data, orphan=state in ORPHANS) if data.retransmissions else []
        elif end.probe > end.heard:
            yield self._keepalive()

    def _open(self, now_ns: int) -> Iterator[list[Pending]]:
        unacknowledged = self._waits.unacknowledged(self._side)
        if self._waits.is_window_closed(self._side):
            yield self._resending.window()
        elif unacknowledged is not None:
            yield self._resending.data(unacknowledged, orphan=self._state in ORPHANS, now_ns=now_ns)
        elif self._state not in _QUIET:
            yield self._keepalive()
            yield self._resending.closed_window() if self._waits.has_closed_window(self._side) else []
        if self._state is TcpState.FIN_WAIT_2 and unacknowledged is None:
            text = "FIN-WAIT-2 is over in silence, if the application has closed the socket"
            yield self._silent_end(names.FIN_TIMEOUT, text, now_ns)

    def _connect(self) -> list[Pending]:
        linear, total = self._judge.syn_linear_timeouts(self._side), self._judge.syn_retries(self._side)
        user_timeout = self._judge.value(self._side, names.USER_TIMEOUT)
        firings = syn(self._judge.tcp_syn_retries(self._side), linear.value, user_timeout.value)
        return self._rungs(
            islice(firings, self._end.syns - 1, None),
            int(self._time_ns[self._end.syn]),
            lambda f: f"SYN retry {f.number}/{total.value}",
            Kind.SYN_RETRANSMISSION,
            "gives up; connect() fails with ETIMEDOUT",
            total.origin,
        )

    def _handshake(self) -> list[Pending]:
        retries = self._judge.value(self._side, names.SYNACK_RETRIES)
        return self._rungs(
            islice(syn_ack(retries.value), self._end.syn_acks_by_timer, None),
            int(self._time_ns[self._end.syn_ack]),
            lambda f: f"SYN-ACK retry {f.number}/{retries.value}",
            Kind.SYN_ACK_RETRANSMISSION,
            "the listener forgets the half-open connection, in silence",
            retries.origin,
        )

    def _keepalive(self) -> list[Pending]:
        judge, side, end = self._judge, self._side, self._end
        if not judge.keepalive_is_on(side) or end.heard == end.probe == NOTHING:
            return []
        count = judge.keepalive_probes(side)
        time, intvl = (judge.keepalive(side, n) for n in (names.KEEPALIVE_TIME, names.KEEPALIVE_INTVL))
        user_timeout_ns = judge.value(side, names.USER_TIMEOUT).value
        sent = 0 if end.probe < end.heard and not end.deaf else end.unanswered
        armed_ns = self._idle_since_ns() if sent == 0 else int(self._time_ns[end.probe])
        time_ns, least_ns = time.value, judge.least_spacing_ns(side)
        if end.probe != NOTHING and least_ns:
            # The expiry behind an answered probe comes no sooner than keepalive_intvl (tcp_keepalive_timer).
            time_ns = max(time_ns, int(self._time_ns[end.probe]) + least_ns - armed_ns)
        firings = keepalive(
            time_ns, intvl.value, count.value, judge.keepalive_intvl_max(side), user_timeout_ns
        )
        of = "" if user_timeout_ns else f"/{count.value}"
        resets = judge.resets(side)
        return self._rungs(
            islice(firings, sent, None),
            armed_ns,
            lambda f: f"keepalive probe {f.number}{of}",
            Kind.KEEPALIVE_PROBE,
            "RST; application: ETIMEDOUT" if resets else "gives up in silence; application: ETIMEDOUT",
            (time if sent == 0 else intvl).origin,
            last=Kind.RST if resets else None,
        )

    def _idle_since_ns(self) -> int:
        """When the wait for keepalive_time began: with the last word of the peer, or with SO_KEEPALIVE later."""
        heard = self._waits.idle_since(self._side)
        heard_ns = int(self._time_ns[heard if heard != NOTHING else self._end.probe])
        enabled = self._judge.values[self._side].known.get(names.SO_KEEPALIVE)
        return heard_ns if enabled is None or enabled.before is None else max(heard_ns, enabled.since_ns)

    def _silent_end(self, name: str, text: str, now_ns: int) -> list[Pending]:
        """The end of a state that leaves no segment; told only where time has gone on behind the last one."""
        length, armed_ns = self._judge.value(self._side, name), int(self._time_ns[-1])
        if now_ns <= armed_ns or length.value <= 0:
            return []
        return [self._pending(armed_ns + length.value, armed_ns, None, text, length.origin)]

    def _rungs(
        self,
        firings: Iterator[Firing],
        armed_ns: int,
        text: _Text,
        kind: Kind,
        at_the_end: str,
        origin: Origin,
        *,
        last: Kind | None = None,
    ) -> list[Pending]:
        rungs = []
        for firing in firings:
            due_ns = armed_ns + firing.after_ns
            if firing.gives_up:
                rungs.append(self._pending(due_ns, armed_ns, last, at_the_end, origin))
            else:
                rungs.append(self._pending(due_ns, armed_ns, kind, text(firing), origin))
            armed_ns = due_ns
        return rungs

    def _pending(self, due_ns: int, armed_ns: int, kind: Kind | None, text: str, origin: Origin) -> Pending:
        return Pending(due_ns=due_ns, armed_ns=armed_ns, side=self._side, kind=kind, text=text, origin=origin)
