"""Which connection a segment belongs to, and which end is the client."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from talk import SYN, Frame, Talk, analysed, batch
from tcpladder.analysis.capture import CaptureAnalysis


def flows(frames: list[Frame], cuts: range = range(0)) -> list[int]:
    """The flow of each segment, from 1."""
    capture = analysed(frames, cuts)
    found: dict[int, int] = {}
    for number in range(1, capture.flows + 1):
        view = capture.view(number)
        found |= {view.frame(i): number for i in range(len(view.time_ns))}
    return [number for _, number in sorted(found.items())]


@pytest.mark.parametrize("every", [1, 2, 3, 1000])
def test_a_port_that_is_used_again_is_another_flow(every: int) -> None:
    talk = Talk().handshake().fin().fin("server").ack()
    for number in range(1, 6):
        talk.reuse(client_isn=number * 7, server_isn=number * 9).handshake().data().rst()
    expected = [1] * 6 + [flow for flow in range(2, 7) for _ in range(5)]
    assert flows(talk.frames, range(every, len(talk.frames), every)) == expected


def test_a_syn_sent_again_is_the_same_flow() -> None:
    assert flows(Talk().syn().silence(1).syn().silence(2).syn().syn_ack().ack().frames) == [1] * 5


def test_syns_that_cross_are_one_flow() -> None:
    """RFC 9293 3.5, figure 8."""
    assert flows(Talk().syn().syn("server").syn_ack("client").syn_ack("server").frames) == [1] * 4


def test_a_syn_ack_may_be_first() -> None:
    talk = Talk().syn(unseen=True).syn_ack().ack()
    assert flows(talk.frames) == [1, 1]
    assert analysed(talk.frames).summary(1).client.port == 40000


def test_a_syn_that_overtakes_is_behind_its_syn_ack() -> None:
    talk = Talk().syn().syn_ack().swap()
    assert flows(talk.frames) == [1, 1]
    assert analysed(talk.frames).summary(1).client.port == 40000


def test_a_syn_behind_a_capture_that_begins_in_the_middle_is_another_flow() -> None:
    talk = Talk().established().data().rst().reuse(client_isn=5, server_isn=6).handshake()
    assert flows(talk.frames) == [1, 1, 2, 2, 2]


def test_the_other_end_may_connect_on_the_same_ports() -> None:
    talk = Talk().handshake().rst().reuse(client_isn=5, server_isn=6)
    talk.syn("server").syn_ack("client").ack("server")
    assert flows(talk.frames) == [1, 1, 1, 1, 2, 2, 2]
    assert analysed(talk.frames).summary(2).client.port == 80


def test_the_same_ports_over_ipv6_are_another_flow() -> None:
    assert flows([*Talk().syn().frames, *Talk(v6=True).syn().frames, *Talk().syn_ack().frames]) == [1, 2, 1]


def test_many_flows_are_numbered_in_order_of_their_first_segment() -> None:
    talks = [Talk(client_port=port + 1024).syn().syn_ack() for port in range(1, 3000)]
    frames = [talk.frames[0] for talk in talks] + [talk.frames[1] for talk in reversed(talks)]
    assert flows(frames) == [*range(1, 3000), *range(2999, 0, -1)]


def test_many_new_flows_at_once_some_of_whose_tuples_collide() -> None:
    """Those that collide get their numbers last, far ahead of what the first rows have made room for."""
    one = Talk(client_port=1024).syn().frames[0]
    ports = range(1024, 1024 + 2500)
    frames = [replace(one, data=one.data[:34] + port.to_bytes(2, "big") + one.data[36:]) for port in ports]
    capture = CaptureAnalysis(random.Random(19).randbytes(64))
    capture.feed(batch(frames))
    assert [capture.endpoints(flow + 1)[0].port for flow in range(capture.flows)] == list(ports)


def test_a_flow_may_begin_with_what_is_malformed() -> None:
    talk = Talk().say(flags=SYN)
    talk.frames[0] = talk.frames[0].cut(14 + 20 + 8)
    assert flows(talk.syn_ack().frames) == [1, 1]
