"""What must come next if nothing else happens: the schedules read forward from what the flow shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from tcpladder.analysis import beliefs
from tcpladder.analysis.beliefs import TimerValues
from tcpladder.analysis.judge import Judge
from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.schedule import syn_waits
from tcpladder.analysis.view import Origin, Pending, Side
from tcpladder.analysis.wait import NOTHING
from tcpladder.analysis.waits import Waits
from tcpladder.flows.state import TcpState

_QUIET = (TcpState.CLOSED, TcpState.TIME_WAIT, TcpState.UNKNOWN, TcpState.SYN_SENT, TcpState.SYN_RECEIVED)
"""States in which keepalive does not probe (tcp_keepalive_timer)."""


def forecast(
    waits: Waits,
    judge: Judge,
    values: Mapping[Side, TimerValues],
    states: Mapping[Side, TcpState],
    time_ns: NDArray[np.int64],
) -> tuple[Pending, ...]:
    """The next rungs of a flow, soonest first; empty where no timer is known to run."""
    pending: list[Pending] = []
    for side in Side:
        if states[side] is TcpState.SYN_SENT and waits.ends[side].syn != NOTHING:
            pending.extend(_connect(waits, judge, side, time_ns))
        elif states[side] not in _QUIET:
            pending.extend(_keepalive(waits, judge, values[side], side, time_ns))
    return tuple(sorted(pending, key=lambda p: p.due_ns))


def _keepalive(
    waits: Waits, judge: Judge, values: TimerValues, side: Side, time_ns: NDArray[np.int64]
) -> Iterator[Pending]:
    end = waits.ends[side]
    enabled = values.known.get(beliefs.SO_KEEPALIVE)
    if end.probe == NOTHING and not (enabled and enabled.value):
        return
    if enabled is not None and not enabled.value:
        return
    count = judge.keepalive_probes(side)
    time = judge.keepalive(side, beliefs.KEEPALIVE_TIME)
    intvl = judge.keepalive(side, beliefs.KEEPALIVE_INTVL)
    sent = 0 if end.probe < end.heard else end.unanswered
    if sent == 0:
        if end.heard == NOTHING:
            return
        armed_ns, origin = int(time_ns[end.heard]), time.origin
        due_ns = armed_ns + time.value
    else:
        armed_ns, origin = int(time_ns[end.probe]), intvl.origin
        due_ns = armed_ns + intvl.value
    for number in range(sent + 1, count.value + 1):
        text = f"keepalive probe {number}/{count.value}"
        yield _pending(due_ns, armed_ns, side, Kind.KEEPALIVE_PROBE, text, origin)
        armed_ns, due_ns, origin = due_ns, due_ns + intvl.value, intvl.origin
    yield _pending(due_ns, armed_ns, side, Kind.RST, "RST; application: ETIMEDOUT", origin)


def _connect(waits: Waits, judge: Judge, side: Side, time_ns: NDArray[np.int64]) -> Iterator[Pending]:
    end = waits.ends[side]
    linear, total = judge.syn_linear_timeouts(side), judge.syn_retries(side)
    lengths_ns = list(syn_waits(total.value - linear.value, linear.value))
    armed_ns = int(time_ns[end.syn])
    for number in range(end.syns, len(lengths_ns) + 1):
        due_ns = armed_ns + lengths_ns[number - 1]
        if number == len(lengths_ns):
            text, kind = "gives up; connect() fails with ETIMEDOUT", None
        else:
            text, kind = f"SYN retry {number}/{total.value}", Kind.SYN_RETRANSMISSION
        yield _pending(due_ns, armed_ns, side, kind, text, total.origin)
        armed_ns = due_ns


def _pending(due_ns: int, armed_ns: int, side: Side, kind: Kind | None, text: str, origin: Origin) -> Pending:
    return Pending(due_ns=due_ns, armed_ns=armed_ns, side=side, kind=kind, text=text, origin=origin)
