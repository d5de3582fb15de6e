"""Which bare ACKs the delayed ACK timer is said to have sent."""

from __future__ import annotations

import pytest

from talk import Talk, analysed, sack
from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.view import Timer

MS = 1_000_000


def acknowledged(after_ms: int, window: int = 501) -> tuple[Timer | None, Kind]:
    """What is said of the server's ACK so long after the client's data, seen beside both."""
    talk = Talk().handshake().data(by="client").ack("server").data(by="client")
    talk.ack("server", after_ns=after_ms * MS, window=window)
    view = analysed(talk.frames).view(1)
    last = len(view.time_ns) - 1
    return view.timer(last), Kind(int(view.kind[last]))


@pytest.mark.parametrize(("after_ms", "timer"), [(2, None), (30, None), (42, Timer.DELAYED_ACK), (300, None)])
def test_only_an_ack_as_late_as_the_timer_is_its(after_ms: int, timer: Timer | None) -> None:
    assert acknowledged(after_ms)[0] is timer


def test_an_ack_that_closes_the_window_may_be_delayed_and_keeps_its_kind() -> None:
    assert acknowledged(42) == (Timer.DELAYED_ACK, Kind.DELAYED_ACK)
    assert acknowledged(42, window=0) == (Timer.DELAYED_ACK, Kind.ZERO_WINDOW)


@pytest.mark.parametrize(("repeat_ms", "timer"), [(7, Timer.DELAYED_ACK), (30, None)])
def test_a_report_of_a_repeat_is_delayed_if_the_repeat_came_as_long_ago(
    repeat_ms: int, timer: Timer | None
) -> None:
    """As h1 of tests/truth: a tail loss probe after 7 ms, the ACK with a DSACK 43 ms after the data."""
    talk = Talk(permits_sack=True).handshake().data().ack("server").data()
    client = talk.sides["client"]
    begin = client.next - 100
    talk.say(length=100, seq=begin, after_ns=repeat_ms * MS)
    repeated = sack((client.isn + begin, client.isn + begin + 100))
    talk.ack("server", options=repeated, after_ns=(44 - repeat_ms) * MS)
    view = analysed(talk.frames).view(1)
    assert view.timer(len(view.time_ns) - 1) is timer
