"""Which timer gives up when a flow goes silent, and when: how long a fault must last to show it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tcpladder.analysis import names
from tcpladder.analysis.beliefs import TimerValues
from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.schedule import syn
from tcpladder.analysis.view import Pending

_TIMERS: dict[Kind | None, str] = {
    Kind.KEEPALIVE_PROBE: "keepalive",
    Kind.RETRANSMISSION: "retransmission",
    Kind.TAIL_LOSS_PROBE: "retransmission",
    Kind.SYN_RETRANSMISSION: "connect()",
    Kind.SYN_ACK_RETRANSMISSION: "the handshake",
}


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The end of a timer whose segments stay without an answer."""

    timer: str
    """`keepalive`, `retransmission`, `connect()`, `the handshake`."""
    due_ns: int


def first_give_up(pending: Iterable[Pending]) -> GiveUp | None:
    """The timer that gives up first, of those that run; None where none is known to run."""
    coming = list(pending)
    found = []
    for side in {one.side for one in coming}:
        rungs = [one for one in coming if one.side is side]
        timer = next((_TIMERS[one.kind] for one in rungs if one.kind in _TIMERS), None)
        if timer is not None and rungs[-1].kind in (None, Kind.RST):
            found.append(GiveUp(timer, rungs[-1].due_ns))
    return min(found, key=lambda one: one.due_ns, default=None)


def connect_gives_up_ns(values: TimerValues) -> int:
    """From the first SYN of a client that runs with `values` and hears nothing, until connect() fails."""
    retries, linear, user_timeout = (
        values.get(name).value for name in (names.SYN_RETRIES, names.SYN_LINEAR_TIMEOUTS, names.USER_TIMEOUT)
    )
    return sum(firing.after_ns for firing in syn(retries, linear, user_timeout))
