"""The table of states against the diagram of RFC 9293 3.3.2, figure 5."""

from __future__ import annotations

import pytest

from tcpladder.flows.state import TRANSITIONS, Event, TcpState, after

LIVES: dict[str, list[tuple[Event, TcpState]]] = {
    "who connects and closes": [
        (Event.SENDS_SYN, TcpState.SYN_SENT),
        (Event.GETS_SYN_ACK, TcpState.ESTABLISHED),
        (Event.SENDS_FIN, TcpState.FIN_WAIT_1),
        (Event.GETS_ACK_OF_FIN, TcpState.FIN_WAIT_2),
        (Event.GETS_FIN, TcpState.TIME_WAIT),
    ],
    "who listens and is closed": [
        (Event.SENDS_SYN_ACK, TcpState.SYN_RECEIVED),
        (Event.GETS_ACK_OF_SYN, TcpState.ESTABLISHED),
        (Event.GETS_FIN, TcpState.CLOSE_WAIT),
        (Event.SENDS_FIN, TcpState.LAST_ACK),
        (Event.GETS_ACK_OF_FIN, TcpState.CLOSED),
    ],
    "both close at once": [
        (Event.TALKS, TcpState.ESTABLISHED),
        (Event.SENDS_FIN, TcpState.FIN_WAIT_1),
        (Event.GETS_FIN, TcpState.CLOSING),
        (Event.GETS_ACK_OF_FIN, TcpState.TIME_WAIT),
    ],
    "both connect at once": [
        (Event.SENDS_SYN, TcpState.SYN_SENT),
        (Event.SENDS_SYN_ACK, TcpState.SYN_RECEIVED),
        (Event.GETS_SYN_ACK, TcpState.ESTABLISHED),
    ],
}


@pytest.mark.parametrize("life", LIVES)
def test_the_diagram_of_the_rfc(life: str) -> None:
    state = TcpState.UNKNOWN
    for event, following in LIVES[life]:
        state = after(state, event)
        assert state is following


def test_every_state_can_be_reached() -> None:
    reached = {TcpState.UNKNOWN}
    while fresh := {n for (s, _), n in TRANSITIONS.items() if s in reached} - reached:
        reached |= fresh
    assert reached == set(TcpState)


@pytest.mark.parametrize("state", [s for s in TcpState if s not in (TcpState.CLOSED, TcpState.TIME_WAIT)])
@pytest.mark.parametrize("event", [Event.SENDS_RST, Event.GETS_RST])
def test_a_reset_closes_whatever_is_open(state: TcpState, event: Event) -> None:
    assert after(state, event) is TcpState.CLOSED


def test_what_is_closed_stays_closed() -> None:
    assert {after(TcpState.CLOSED, event) for event in Event} == {TcpState.CLOSED}
