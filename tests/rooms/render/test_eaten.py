"""A segment that was eaten, in words and as a JSON line."""

from __future__ import annotations

from datetime import UTC

import pytest

from tcpladder.agent.fault_messages import FaultState
from tcpladder.faults.fault import Action, Fault, Match, Place
from tcpladder.render.eaten import EatenSegment, line, record
from tcpladder.render.faults import ate, fault_record, left
from tcpladder.wire.segments import Flag

PUSH = EatenSegment(
    fault=3, time_ns=1_700_000_000_217_999_999, source="10.0.0.1", source_port=5, destination="10.0.0.2",
    destination_port=80, flags=Flag.PSH | Flag.ACK, seq=(1 << 32) - 1, ack=9, window=512, length=3,
)  # fmt: skip


def segment(flags: Flag, *, length: int = 0) -> EatenSegment:
    return EatenSegment(
        fault=1, time_ns=0, source="::1", source_port=5, destination="::2", destination_port=80, flags=flags, seq=7,
        ack=0, window=1, length=length,
    )  # fmt: skip


def test_a_line_is_what_tcpdump_would_print() -> None:
    assert line(PUSH, UTC) == (
        "22:13:20.217 10.0.0.1.5 > 10.0.0.2.80: Flags [P.], seq 4294967295:2, ack 9, win 512, length 3"
    )
    assert line(segment(Flag.SYN), UTC) == ("00:00:00.000 ::1.5 > ::2.80: Flags [S], seq 7, win 1, length 0")


@pytest.mark.parametrize(
    ("flags", "letters"),
    [
        (Flag.SYN | Flag.ACK, "S."),
        (Flag.FIN | Flag.ACK, "F."),
        (Flag.RST, "R"),
        (Flag.SYN | Flag.ECE | Flag.CWR, "SEW"),
        (Flag(0), "none"),
    ],
)
def test_flags_are_the_letters_of_tcpdump(flags: Flag, letters: str) -> None:
    assert f"Flags [{letters}]," in line(segment(flags), UTC)


def test_a_json_line_has_the_ends_as_the_other_lines_do() -> None:
    assert record(PUSH) == {
        "record": "eaten", "fault": 3, "time_ns": 1_700_000_000_217_999_999, "src": "10.0.0.1:5", "dst": "10.0.0.2:80",
        "flags": "PSH,ACK", "seq": (1 << 32) - 1, "ack": 9, "window": 512, "length": 3,
    }  # fmt: skip
    bare = record(segment(Flag.SYN))
    assert (bare["src"], bare["dst"], bare["ack"]) == ("[::1]:5", "[::2]:80", None)


def state(action: Action, **more: object) -> FaultState:
    values = {"ended_ns": None, "left_ms": None, "packets": 1, "bytes": 60} | more
    fault = Fault(match=Match(destination_port=80), probe_sequences=[], action=action)
    return FaultState(number=3, fault=fault, places=[Place.INPUT], since_ns=7, interfaces=[], **values)  # type: ignore[arg-type]


def test_what_is_left_and_what_was_eaten() -> None:
    assert left(state(Action.DROP)) == "until it is lifted"
    assert left(state(Action.DROP, left_ms=41_700)) == "41 s left"
    assert ate(state(Action.DROP)) == ", ate 1 segment (60 B)"
    assert ate(state(Action.DROP, packets=48_211, bytes=3_000_000)) == ", ate 48k segments (3.0 MB)"
    assert ate(state(Action.DROP, packets=20, bytes=1204)) == ", ate 20 segments (1.2 kB)"
    assert ate(state(Action.LINK_DOWN)) == ""


def test_what_a_fault_does_not_name_is_null() -> None:
    said = fault_record(state(Action.DROP, left_ms=5))
    assert (said["src"], said["sport"], said["dst"], said["dport"], said["amount"]) == (
        None,
        None,
        None,
        80,
        None,
    )
    assert (said["places"], said["left_ms"], said["ended_ns"]) == (["input"], 5, None)
