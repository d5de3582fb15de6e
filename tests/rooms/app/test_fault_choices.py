"""What is chosen in the fault dialog, and the fault that it means."""

from __future__ import annotations

import pytest

from rooms.ladder.talk import CLIENT, SERVER, START_NS, S, Talk, keepalive
from talk import Talk as Frames
from talk import analysed
from tcpladder.analysis.view import Endpoint
from tcpladder.app.fault_choices import (
    Choices,
    Direction,
    Scope,
    probe_sequences,
    proposed_length,
    read_endpoint,
    read_length,
)
from tcpladder.errors import UsageError
from tcpladder.faults.fault import Action, Fault, Match, Segments

TO_SERVER = Match(source="127.0.0.1", source_port=22345, destination="127.0.0.1", destination_port=12345)


def fault(**chosen: object) -> Fault:
    return Choices(client=CLIENT, server=SERVER, length="60 s", **chosen).fault()  # type: ignore[arg-type]


def test_directions_and_scopes() -> None:
    assert fault().match == TO_SERVER
    assert fault(direction=Direction.TO_CLIENT).match == TO_SERVER.reverse()
    both = fault(direction=Direction.BOTH)
    assert (both.match, both.both, both.for_ms) == (TO_SERVER, True, 60_000)
    assert fault(scope=Scope.PORT).match == Match(destination_port=12345)
    assert fault(scope=Scope.PORT, direction=Direction.TO_CLIENT).match == Match(source_port=12345)
    assert fault(scope=Scope.HOST).match == Match(destination="127.0.0.1")
    typed = fault(scope=Scope.TYPED, typed="[2001:db8::9]:443", direction=Direction.TO_CLIENT)
    assert typed.match == Match(source="2001:db8::9", source_port=443)


def test_amounts() -> None:
    assert fault(action=Action.LOSE, amount=" 30 %").amount == 30
    assert fault(action=Action.DROP_NEXT, amount="3").amount == 3
    assert fault(amount="rubbish").amount == 0, "a drop has none"
    for action, amount in (
        (Action.LOSE, "100"),
        (Action.LOSE, "0"),
        (Action.DROP_NEXT, ""),
        (Action.DROP_NEXT, "x"),
    ):
        with pytest.raises(UsageError, match="a number from 1 to"):
            fault(action=action, amount=amount)


def test_probes_belong_to_one_flow() -> None:
    probes = Segments.KEEPALIVE_PROBE
    assert fault(segments=probes, probes=(7, 9)).probe_sequences == [7]
    assert fault(segments=probes, probes=(7, 9), direction=Direction.TO_CLIENT).probe_sequences == [9]
    assert fault(segments=probes, probes=(7, 9), direction=Direction.BOTH).probe_sequences == [7, 9]
    with pytest.raises(UsageError, match="choose this flow"):
        fault(segments=probes, probes=(7, 9), scope=Scope.PORT)


def test_a_route_knows_no_segments_and_no_direction_back() -> None:
    found = fault(action=Action.BLACKHOLE, segments=Segments.SYN, direction=Direction.BOTH)
    assert (found.segments, found.both) == (Segments.ALL, False)


def test_without_a_flow_a_host_is_typed() -> None:
    nothing = Choices(client=None, server=None, length="60")
    with pytest.raises(UsageError, match="HOST:PORT"):
        nothing.fault()


LENGTHS = {
    "60": 60_000,
    "60 s": 60_000,
    "1.5min": 90_000,
    "2 h": 7_200_000,
    "250ms": 250,
    "∞": None,
    " Forever": None,
}


@pytest.mark.parametrize(("text", "length_ms"), LENGTHS.items())
def test_lengths(text: str, length_ms: int | None) -> None:
    assert read_length(text) == length_ms


@pytest.mark.parametrize("text", ["", "0", "soon", "-1", "8000 h", "1e3", "٣"])
def test_what_is_no_length(text: str) -> None:
    with pytest.raises(UsageError, match="for how long"):
        read_length(text)


def test_endpoints_that_are_typed() -> None:
    assert read_endpoint("10.0.0.9:443") == Endpoint("10.0.0.9", 443)
    assert read_endpoint("2001:db8::9") == Endpoint("2001:db8::9", 0)
    assert read_endpoint("[2001:db8::9]:443") == Endpoint("2001:db8::9", 443)
    assert read_endpoint(":443") == Endpoint("", 443)
    for wrong in ("", "example.com:80", "10.0.0.9:0", "10.0.0.9:70000", "10.0.0.9:x"):
        with pytest.raises(UsageError):
            read_endpoint(wrong)


def test_it_lasts_until_the_timer_has_given_up_and_a_margin() -> None:
    talk, _ = keepalive()
    now_ns = talk.coming[0].due_ns - 41 * S + 1
    assert proposed_length(talk, now_ns)[0] == "60 s", "an RST alone does not say which timer"
    frames = Frames().handshake()
    for _ in range(2):
        frames.silence(30).keepalive().ack("server")
    view = analysed(frames.frames).view(1)
    last_ns = int(view.time_ns[-1])
    length, why = proposed_length(view, last_ns)
    assert length == f"{30 + 9 * 75 + 10} s", "idle, nine probes 75 s apart, the margin"
    assert why == "until keepalive gives up: 705 s + 10 s"


def test_without_a_timer_it_lasts_a_minute() -> None:
    assert proposed_length(Talk(), START_NS)[0] == "60 s"
    assert proposed_length(None, START_NS)[0] == "60 s"


def test_probes_have_the_number_below_the_next() -> None:
    frames = Frames(client_isn=1000, server_isn=5000).handshake().data(100).ack("server").data(7, "server")
    view = analysed(frames.frames).view(1)
    assert probe_sequences(view) == (1000 + 1 + 100 - 1, 5000 + 1 + 7 - 1)
    frames.ack().silence(30).keepalive()
    assert probe_sequences(analysed(frames.frames).view(1)) == (1100, 5007)
