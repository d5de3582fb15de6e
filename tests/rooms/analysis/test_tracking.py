"""The life of a flow: states, how it began, how it ended and why, in the words of the list."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from talk import ACK, PSH, RST, Talk, analysed
from tcpladder.analysis.capture_as_of import CaptureAsOf
from tcpladder.analysis.view import FlowSummary


def summary(talk: Talk, number: int = 1) -> FlowSummary:
    return analysed(talk.frames).summary(number)


STATES: dict[str, tuple[tuple[str, str], Callable[[], Talk]]] = {
    "SYN": (("SYN-SENT", "UNKNOWN"), lambda: Talk().syn()),
    "SYN-ACK": (("ESTAB", "SYN-RECV"), lambda: Talk().syn().syn_ack()),
    "handshake": (("ESTAB", "ESTAB"), lambda: Talk().handshake()),
    "data instead of the handshake's ACK": (("ESTAB", "ESTAB"), lambda: Talk().syn().syn_ack().data()),
    "an ACK behind a repeated SYN-ACK": (
        ("ESTAB", "ESTAB"),
        lambda: Talk().syn().syn_ack().silence(1).syn_ack().ack(),
    ),
    "in the middle": (("ESTAB", "ESTAB"), lambda: Talk().established().data()),
    "begins with a SYN-ACK": (("ESTAB", "SYN-RECV"), lambda: Talk().syn(unseen=True).syn_ack()),
    "FIN": (("FIN-WAIT-1", "CLOSE-WAIT"), lambda: Talk().handshake().fin()),
    "FIN, ACK": (("FIN-WAIT-2", "CLOSE-WAIT"), lambda: Talk().handshake().fin().ack("server")),
    "an ACK of less than the FIN": (
        ("FIN-WAIT-1", "CLOSE-WAIT"),
        lambda: Talk().handshake().data(lost=True).fin().ack("server"),
    ),
    "FIN, ACK, FIN": (
        ("TIME-WAIT", "LAST-ACK"),
        lambda: Talk().handshake().fin().ack("server").fin("server"),
    ),
    "closed in order": (
        ("TIME-WAIT", "CLOSED"),
        lambda: Talk().handshake().fin().ack("server").fin("server").ack(),
    ),
    "closed in three": (("TIME-WAIT", "CLOSED"), lambda: Talk().handshake().fin().fin("server").ack()),
    "the server closes first": (
        ("CLOSED", "TIME-WAIT"),
        lambda: Talk().handshake().fin("server").ack().fin().ack("server"),
    ),
    "both FINs cross": (
        ("CLOSING", "CLOSING"),
        lambda: Talk().handshake().fin(lost=True).fin("server", lost=True),
    ),
    "both FINs cross and are acknowledged": (
        ("TIME-WAIT", "TIME-WAIT"),
        lambda: Talk().handshake().fin(lost=True).fin("server", lost=True).ack(ack=2).ack("server", ack=2),
    ),
    "both SYNs cross": (
        ("SYN-RECV", "SYN-RECV"),
        lambda: Talk().syn().syn("server").say("client", 0x12, seq=0).say("server", 0x12, seq=0),
    ),
    "RST": (("CLOSED", "CLOSED"), lambda: Talk().handshake().rst("server")),
    "refused": (("CLOSED", "CLOSED"), lambda: Talk().syn().rst("server", seq=0)),
}


@pytest.mark.parametrize("name", STATES)
def test_states_of_client_and_server(name: str) -> None:
    states, conversation = STATES[name]
    if name == "both SYNs cross":
        # The first SYN-ACK opens its receiver, the second one its sender (RFC 9293 3.5, figure 8).
        states = ("ESTAB", "ESTAB")
    assert summary(conversation()).states == states


def probes(talk: Talk, count: int, apart_s: float = 2, answers_s: float = 75) -> Talk:
    talk.silence(answers_s)
    for number in range(count):
        talk.silence(apart_s if number else 0).keepalive(lost=True)
    return talk


ENDS: dict[str, tuple[str | None, str, Callable[[], Talk]]] = {
    "connecting": (None, "connecting: 1 SYN without an answer", lambda: Talk().syn()),
    "connecting in vain": (
        None,
        "connecting: 3 SYNs without an answer",
        lambda: Talk().syn().silence(1).syn().silence(2).syn(),
    ),
    "opening": (None, "opening: the SYN-ACK is not acknowledged yet", lambda: Talk().syn().syn_ack()),
    "open": (None, "open", lambda: Talk().handshake()),
    "opened by data": (None, "open", lambda: Talk().syn().syn_ack().data()),
    "middle": (
        None,
        "open; the capture begins in the middle of the connection",
        lambda: Talk().established().data(),
    ),
    "half-closed": (
        None,
        "half-closed: the client sent FIN, the server did not",
        lambda: Talk().handshake().fin().ack("server"),
    ),
    "closing": (None, "closing: both ends sent FIN", lambda: Talk().handshake().fin().fin("server")),
    "closed": (
        "closed",
        "closed in order: the server sent the first FIN",
        lambda: Talk().handshake().fin("server").fin().ack("server"),
    ),
    "refused": (
        "refused",
        "refused: a RST answered the SYN; connect() fails with ECONNREFUSED",
        lambda: Talk().syn().rst("server", seq=0),
    ),
    "an ICMP error answers the SYN": (
        "port unreachable",
        "an ICMP error answered the SYN: port unreachable",
        lambda: Talk().syn().icmp(),
    ),
    "an ICMP error answers the first SYN, the second one gets through": (
        None,
        "open",
        lambda: Talk().syn().icmp().silence(1).syn().syn_ack().ack(),
    ),
    "an ICMP error about data is no end": (None, "open", lambda: Talk().handshake().data().icmp()),
    "reset": (
        "RST",
        "reset by the server; the client gets ECONNRESET",
        lambda: Talk().handshake().data().rst("server"),
    ),
    "reset after FIN": (
        "RST",
        "reset by the server after a FIN",
        lambda: Talk().handshake().fin().rst("server"),
    ),
    "keepalive goes on": (
        None,
        "the client probes: 2 keepalive probes without an answer so far",
        lambda: probes(Talk().handshake(), 2),
    ),
    "keepalive gives up": (
        "no answer",
        "no answer: 3 keepalive probes, 2.0 s apart, unanswered; the client gets ETIMEDOUT",
        lambda: probes(Talk().handshake(), 3).silence(2).rst(),
    ),
    "one probe and out": (
        "no answer",
        "no answer: 1 keepalive probe, unanswered; the client gets ETIMEDOUT",
        lambda: probes(Talk().handshake(), 1).silence(2).rst(),
    ),
    "a host without the connection answers the probe": (
        "RST",
        "a RST answered a keepalive probe: the server no longer knows the connection; the client gets ECONNRESET",
        lambda: probes(Talk().handshake(), 1).say("server", RST),
    ),
    "an answered probe before the RST": (
        "RST",
        "reset by the client; the server gets ECONNRESET",
        lambda: probes(Talk().handshake(), 1).ack("server").silence(3).rst(),
    ),
    "an abort right behind a probe is no giving up": (
        "RST",
        "reset by the client; the server gets ECONNRESET",
        lambda: probes(Talk().handshake(), 1).silence(0.1).rst(),
    ),
}


@pytest.mark.parametrize("name", ENDS)
def test_how_it_ended_and_why(name: str) -> None:
    ended, why, conversation = ENDS[name]
    said = summary(conversation())
    assert (said.ended, said.why) == (ended, why)


def test_counts() -> None:
    talk = Talk().handshake().data(100).ack("server").data(50, "server").silence(0.3).again().ack()
    talk.silence(75).keepalive(length=1).ack("server").keepalive("server").ack()
    said = summary(talk)
    assert (said.segments, said.bytes) == (12, 100 + 50 + 50), "the byte of a probe is garbage"
    assert (said.keepalive_probes, said.retransmissions) == (2, 1)
    assert (said.first_ns, said.last_ns) == (talk.frames[0].time_ns, talk.frames[-1].time_ns)


@pytest.mark.parametrize("length", [0, 1])
def test_a_first_probe_that_its_answer_shows_is_counted(length: int) -> None:
    talk = Talk().established().keepalive(length=length).ack("server")
    for cuts in ((), (1,)):
        said = analysed(talk.frames, cuts).summary(1)
        assert (said.keepalive_probes, said.bytes) == (1, 0), "the byte of a probe is garbage"
    assert analysed(talk.frames[:1]).summary(1).bytes == length
    at = CaptureAsOf(analysed(talk.frames))
    for at.limit, payload in ((2, 0), (1, length), (2, 0)):
        assert at.summary(1, shown_as=1).bytes == payload, "a replay counts as the capture did"


def test_the_client_is_who_sent_the_syn_whatever_the_ports() -> None:
    said = summary(Talk(client_port=80, server_port=40000).handshake())
    assert (said.client.port, said.server.port) == (80, 40000)


def test_in_the_middle_the_lower_port_is_the_server() -> None:
    said = summary(Talk(client_port=80, server_port=40000).established().data())
    assert (said.client.port, said.server.port) == (40000, 80)


def test_after_a_reset_another_connection_begins_anew() -> None:
    talk = Talk().handshake().rst().reuse(client_isn=9, server_isn=8).handshake()
    assert summary(talk, 1).ended == "RST"
    assert summary(talk, 2).states == ("ESTAB", "ESTAB")


def test_a_segment_behind_a_reset_does_not_open_it_again() -> None:
    assert summary(Talk().handshake().rst().say("server", PSH | ACK, 10)).states == ("CLOSED", "CLOSED")


def test_equal_times_keep_the_order_of_the_file() -> None:
    """With a clock as coarse as a pasted listing's, the answer has the probe's time, and is an answer all the same."""
    talk = Talk().handshake().silence(75).keepalive().ack("server", after_ns=0).silence(2).rst()
    assert summary(talk).why == "reset by the client; the server gets ECONNRESET"
