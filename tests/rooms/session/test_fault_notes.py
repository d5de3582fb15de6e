"""What stands across the lanes when a fault comes and goes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tcpladder.agent.fault_messages import FaultState, Place
from tcpladder.analysis.view import Endpoint
from tcpladder.faults.fault import Action, End, Fault, Match
from tcpladder.ladder.model import Note
from tcpladder.session.fault_notes import fault_notes

CLIENT, SERVER = Endpoint("10.0.0.1", 5000), Endpoint("10.0.0.2", 80)
STATE = FaultState(
    number=1,
    fault=Fault(match=Match(destination="10.0.0.2", destination_port=80), probe_sequences=[]),
    places=[Place.INPUT],
    since_ns=100,
    ended_ns=None,
    left_ms=60_000,
    packets=3,
    bytes=156,
    interfaces=[],
)


def told(state: FaultState) -> str:
    return " ".join(note.text for note in fault_notes(state, CLIENT, SERVER))


def test_it_comes_and_goes() -> None:
    assert fault_notes(STATE, CLIENT, SERVER) == [
        Note(100, "DROP client → server, rule 1, 60 s"),
    ]
    ended = replace(STATE, ended_ns=200, left_ms=None, end=End.LIFTED)
    came, *went = fault_notes(ended, CLIENT, SERVER)
    assert came.time_ns == 100
    assert [(note.time_ns, note.continues) for note in went] == [(200, False), (200, True)]
    assert told(ended).endswith("rule 1 lifted: ate 3 segments, 156 bytes")


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (End.TIME_UP, "rule 1 is over: ate 3 segments, 156 bytes"),
        (End.GUARDIAN_GONE, "rule 1 ended with its guardian: ate 3 segments, 156 bytes"),
        (End.AGENT_GONE, "rule 1 ended with the agent: ate 3 segments, 156 bytes"),
    ],
)
def test_how_it_ended_is_what_the_agent_says_whatever_its_length_was(end: End, words: str) -> None:
    assert told(replace(STATE, ended_ns=200, end=end)).endswith(words)


def test_a_flow_that_it_does_not_touch_says_nothing() -> None:
    assert fault_notes(STATE, CLIENT, Endpoint("10.0.0.2", 81)) == []


def test_directions_are_those_of_the_flow() -> None:
    back = replace(STATE, fault=replace(STATE.fault, match=STATE.fault.match.reverse()))
    assert told(back).startswith("DROP server → client")
    assert told(replace(STATE, fault=replace(STATE.fault, both=True))).startswith("DROP both ways")


def test_what_no_capture_can_see_is_said() -> None:
    assert "before the tap: its segments are shown from the fault log" in told(
        replace(STATE, places=[Place.SINK])
    )
    route = replace(
        STATE,
        fault=replace(STATE.fault, action=Action.BLACKHOLE),
        places=[Place.ROUTE],
        ended_ns=200,
        end=End.LIFTED,
        packets=0,
        bytes=0,
    )
    assert "what would be sent is in no capture" in told(route)
    assert told(route).endswith("rule 1 lifted: routes and links are as before")
