"""What the faults in force say to a person: in the status line, in their list, and when they end."""

from __future__ import annotations

from tcpladder.agent.fault_messages import End, FaultState, Place
from tcpladder.app.contract import SessionStatus
from tcpladder.faults import phrases
from tcpladder.faults.fault import ROUTING

PLACES: dict[Place, str] = {
    Place.INPUT: "dropped on arrival, after the tap",
    Place.FORWARD: "dropped on its way through, after the tap",
    Place.SINK: "sent into a device that leads nowhere, before the tap",
    Place.OUTPUT: "refused on its way out, before the tap",
    Place.ROUTE: "no way there",
    Place.LINK: "interface down",
}
"""Where a fault takes segments away."""


def faults(status: SessionStatus) -> str:
    """`fault 1: 40 s left, ate 3`, `faults 1, 3: next ends in 40 s, ate 12`; empty where nothing is broken."""
    standing = status.faults
    if not standing:
        return ""
    eaten = f"ate {sum(state.packets for state in standing):,}"
    if len(standing) == 1:
        return f"fault {standing[0].number}: {time_left(standing[0])}, {eaten}"
    numbers = ", ".join(str(state.number) for state in standing[-3:])
    more = "…, " if len(standing) > 3 else ""
    ends = min((state.left_ms for state in standing if state.left_ms is not None), default=None)
    next_end = "no end" if ends is None else f"next ends in {seconds_left(ends)}"
    return f"faults {more}{numbers}: {next_end}, {eaten}"


def time_left(state: FaultState) -> str:
    """`40 s left`, `no end`, `over`, `lifted`; `not put back` for one that should be over."""
    if state.ended_ns is not None:
        return "lifted" if state.end is End.LIFTED else "over"
    if state.stuck:
        return "not put back"
    return "no end" if state.left_ms is None else f"{seconds_left(state.left_ms)} left"


def seconds_left(left_ms: int) -> str:
    """Whole seconds, so that a line changes once a second: `40 s`, `2 min 05 s`."""
    return phrases.length(max(0, -(-left_ms // 1000)) * 1000)


def fault_ended(state: FaultState) -> str:
    """What was put back: `rule 1 lifted: ate 3 segments, 156 bytes; the rule is gone`."""
    how = phrases.ENDED[state.end]
    if state.fault.action in ROUTING:
        return f"rule {state.number} {how}: routes and links are as they were"
    return f"rule {state.number} {how}: {phrases.ate(state.packets, state.bytes)}; the rule is gone"
