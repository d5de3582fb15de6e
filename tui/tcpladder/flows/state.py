"""The TCP state of one end of a connection, as a table: RFC 9293 3.3.2, seen from outside.

Rule 1: what an end does to its state is in TRANSITIONS and nowhere else; docs/STATES.md is drawn from it.
Rule 2: an observer sees segments, not calls. A state that a silent call would enter (LISTEN, CLOSED by a timer) is
left to the analysis, which knows timers.
"""

from __future__ import annotations

from enum import Enum


class TcpState(Enum):
    """The states, written as `ss` prints them."""

    UNKNOWN = "UNKNOWN"
    CLOSED = "CLOSED"
    SYN_SENT = "SYN-SENT"
    SYN_RECEIVED = "SYN-RECV"
    ESTABLISHED = "ESTAB"
    FIN_WAIT_1 = "FIN-WAIT-1"
    FIN_WAIT_2 = "FIN-WAIT-2"
    CLOSE_WAIT = "CLOSE-WAIT"
    CLOSING = "CLOSING"
    LAST_ACK = "LAST-ACK"
    TIME_WAIT = "TIME-WAIT"

    __hash__ = object.__hash__  # Enum's own hashes the name in Python, once for every segment that is walked


class Event(Enum):
    """What an observer sees an end send or get."""

    SENDS_SYN = "sends SYN"
    SENDS_SYN_ACK = "sends SYN-ACK"
    SENDS_FIN = "sends FIN"
    SENDS_CROSSING_FIN = "sends FIN before it has the peer's"
    SENDS_RST = "sends RST"
    GETS_SYN_ACK = "gets SYN-ACK"
    GETS_ACK_OF_SYN = "gets ACK of its SYN"
    GETS_FIN = "gets FIN"
    GETS_ACK_OF_FIN = "gets ACK of its FIN"
    GETS_RST = "gets RST"
    TALKS = "sends or gets anything else"

    __hash__ = object.__hash__


_ANY_OPEN = (
    TcpState.UNKNOWN, TcpState.SYN_SENT, TcpState.SYN_RECEIVED, TcpState.ESTABLISHED, TcpState.FIN_WAIT_1,
    TcpState.FIN_WAIT_2, TcpState.CLOSE_WAIT, TcpState.CLOSING, TcpState.LAST_ACK,
)  # fmt: skip

TRANSITIONS: dict[tuple[TcpState, Event], TcpState] = {
    (TcpState.UNKNOWN, Event.SENDS_SYN): TcpState.SYN_SENT,
    (TcpState.UNKNOWN, Event.SENDS_SYN_ACK): TcpState.SYN_RECEIVED,
    (TcpState.UNKNOWN, Event.GETS_SYN_ACK): TcpState.ESTABLISHED,
    (TcpState.UNKNOWN, Event.TALKS): TcpState.ESTABLISHED,
    (TcpState.UNKNOWN, Event.SENDS_FIN): TcpState.FIN_WAIT_1,
    (TcpState.UNKNOWN, Event.GETS_FIN): TcpState.CLOSE_WAIT,
    (TcpState.SYN_SENT, Event.GETS_SYN_ACK): TcpState.ESTABLISHED,
    # Simultaneous open: a SYN-ACK in answer to a SYN (RFC 9293 3.5, figure 8).
    (TcpState.SYN_SENT, Event.SENDS_SYN_ACK): TcpState.SYN_RECEIVED,
    (TcpState.SYN_RECEIVED, Event.GETS_ACK_OF_SYN): TcpState.ESTABLISHED,
    (TcpState.SYN_RECEIVED, Event.GETS_SYN_ACK): TcpState.ESTABLISHED,
    (TcpState.SYN_RECEIVED, Event.SENDS_FIN): TcpState.FIN_WAIT_1,
    (TcpState.ESTABLISHED, Event.SENDS_FIN): TcpState.FIN_WAIT_1,
    (TcpState.ESTABLISHED, Event.GETS_FIN): TcpState.CLOSE_WAIT,
    (TcpState.FIN_WAIT_1, Event.GETS_ACK_OF_FIN): TcpState.FIN_WAIT_2,
    (TcpState.FIN_WAIT_1, Event.GETS_FIN): TcpState.CLOSING,
    (TcpState.FIN_WAIT_2, Event.GETS_FIN): TcpState.TIME_WAIT,
    (TcpState.CLOSING, Event.GETS_ACK_OF_FIN): TcpState.TIME_WAIT,
    (TcpState.CLOSE_WAIT, Event.SENDS_FIN): TcpState.LAST_ACK,
    # A FIN is taken to have arrived when it is seen; the peer's own FIN shows that it was still on its way.
    (TcpState.CLOSE_WAIT, Event.SENDS_CROSSING_FIN): TcpState.CLOSING,
    (TcpState.LAST_ACK, Event.GETS_ACK_OF_FIN): TcpState.CLOSED,
    **{(state, Event.SENDS_RST): TcpState.CLOSED for state in _ANY_OPEN},
    **{(state, Event.GETS_RST): TcpState.CLOSED for state in _ANY_OPEN},
}
"""(state, event) -> next state; what is not here leaves the state as it is."""


def after(state: TcpState, event: Event) -> TcpState:
    """The state of an end after an event."""
    return TRANSITIONS.get((state, event), state)
