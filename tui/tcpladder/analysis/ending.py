"""How a flow ends where no segment says so: which timer gives up, after what, and what the application gets.

Read from the timers; how the segments themselves end a flow is in verdicts.py.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tcpladder.analysis import names
from tcpladder.analysis.duration import about, seconds_text
from tcpladder.analysis.forecast import ORPHANS, give_ups
from tcpladder.analysis.judge import Judge
from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.view import Origin, Pending, Side
from tcpladder.analysis.wait import Schedule, Wait
from tcpladder.analysis.waits import Waits
from tcpladder.flows.state import TcpState

_NAME = {Side.CLIENT: "client", Side.SERVER: "server"}


def ending(
    waits: Waits, judge: Judge, states: Mapping[Side, TcpState], time_ns: NDArray[np.int64], now_ns: int
) -> tuple[str, ...]:
    """One sentence for each timer that gave up, or that will if nobody answers; empty where none does."""
    gave_up = [wait for wait in waits.found.values() if wait.schedule is Schedule.GIVE_UP]
    if gave_up:
        return (_keepalive_gave_up(gave_up[-1], judge),)
    return tuple(
        _in_vain(waits, states[pending.side], pending, now_ns, int(time_ns[-1]))
        for pending in give_ups(waits, judge, states, time_ns)
    )


def _keepalive_gave_up(wait: Wait, judge: Judge) -> str:
    name = _NAME[wait.side]
    probes = "1 probe" if wait.number == 1 else f"{wait.number} probes"
    user_timeout = judge.value(wait.side, names.USER_TIMEOUT).value
    decided = f", because of TCP_USER_TIMEOUT {seconds_text(user_timeout)}" if user_timeout else ""
    return (
        f"keepalive of the {name} gave up after {probes} to which it heard no answer, "
        f"{about(wait.observed_ns)} after the last{decided}: the {name}'s application gets ETIMEDOUT"
    )


def _in_vain(waits: Waits, state: TcpState, pending: Pending, now_ns: int, last_ns: int) -> str:
    name = _NAME[pending.side]
    over = pending.due_ns <= now_ns
    when = f"{about(max(pending.due_ns - last_ns, 0))} after the last segment"
    when += " if the defaults hold" if pending.origin is Origin.ASSUMED else ""
    if state is TcpState.SYN_SENT:
        sent, who = _counted(waits.ends[pending.side].syns, "SYN"), f"connect() of the {name}"
        fails = "has failed" if over else "fails"
        return f"{sent} without an answer: {who} {fails} with ETIMEDOUT {when}; nothing on the wire marks the end"
    if state is TcpState.SYN_RECEIVED:
        sent = _counted(waits.ends[pending.side].syn_acks_by_timer + 1, "SYN-ACK")
        forgets = "has forgotten" if over else "forgets"
        return f"{sent} without an answer: the listener {forgets} the connection {when}, in silence"
    data = waits.unacknowledged(pending.side)
    gets = "has got ETIMEDOUT by now" if over else "has got nothing yet, and gets ETIMEDOUT then"
    gives_up = "gave up" if over else "gives up"
    if data is not None:
        sent = _counted(data.retransmissions, "retransmission")
        hears = (
            "no application hears of it, the socket is closed"
            if state in ORPHANS
            else f"the application {gets}"
        )
        return (
            f"{sent} of the {name} without an answer: its RTO {gives_up} {when}, in silence, no RST; {hears}"
        )
    sent = _counted(waits.ends[pending.side].unanswered, "keepalive probe")
    how = "with a RST" if pending.kind is Kind.RST else "in silence"
    if over and pending.kind is Kind.RST:
        gives_up, how = "should have given up", "with a RST that the capture does not show"
    return f"{sent} of the {name} without an answer: it {gives_up} {when}, {how}; the application {gets}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
