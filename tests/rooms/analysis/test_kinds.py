"""Every kind has a conversation that yields it and one that nearly does; the traps are those of the field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from talk import RST, SYN, By, Talk, analysed, ethernet, frame, ipv4, kinds, mss, other, tcp
from tcpladder.analysis.kinds import KINDS, Kind


def open_talk(**how: Any) -> Talk:
    """A handshake and one exchange each way, so that windows and numbers are known."""
    return Talk(**how).handshake().data(100).ack("server", window=509).data(50, "server").ack()


def last(talk: Talk) -> str:
    return kinds(talk)[-1]


IS: dict[Kind, Callable[[], Talk]] = {
    Kind.SYN: lambda: Talk().syn(),
    Kind.SYN_RETRANSMISSION: lambda: Talk().syn().silence(1).syn(),
    Kind.SYN_ACK: lambda: Talk().syn().syn_ack(),
    Kind.SYN_ACK_RETRANSMISSION: lambda: Talk().syn().syn_ack().silence(1).syn_ack(),
    Kind.HANDSHAKE_ACK: lambda: Talk().handshake(),
    Kind.DATA: lambda: Talk().handshake().data(),
    Kind.ACK: lambda: Talk().handshake().data().ack("server"),
    Kind.DUPLICATE_ACK: lambda: open_talk().data(lost=True).data().ack("server").ack("server"),
    Kind.WINDOW_UPDATE: lambda: open_talk().ack("server", window=400),
    Kind.WINDOW_FULL: lambda: open_talk(shift=None).ack("server", window=300).data(300),
    Kind.ZERO_WINDOW: lambda: open_talk().data().ack("server", window=0),
    Kind.ZERO_WINDOW_PROBE: lambda: open_talk().data().ack("server", window=0).silence(0.2).keepalive(),
    Kind.ZERO_WINDOW_PROBE_ACK: lambda: (
        open_talk().data().ack("server", window=0).silence(0.2).keepalive().ack("server")
    ),
    Kind.KEEPALIVE_PROBE: lambda: open_talk().silence(75).keepalive(),
    Kind.KEEPALIVE_ACK: lambda: open_talk().silence(75).keepalive().ack("server"),
    Kind.RETRANSMISSION: lambda: open_talk().data(lost=True).silence(0.2).again(),
    Kind.FAST_RETRANSMISSION: lambda: (
        open_talk().data(lost=True).data().ack("server").data().ack("server").data().ack("server").again(7)
    ),
    Kind.SPURIOUS_RETRANSMISSION: lambda: open_talk().data().ack("server").silence(0.3).again(-2),
    Kind.OUT_OF_ORDER: lambda: open_talk().silence(1).data().data().swap(),
    Kind.FIN: lambda: open_talk().fin(),
    Kind.RST: lambda: open_talk().rst(),
    Kind.REFUSED: lambda: Talk().syn().rst("server", seq=0),
    Kind.DELAYED_ACK: lambda: open_talk().data(100).ack("server", after_ns=41_000_000),
    Kind.TAIL_LOSS_PROBE: lambda: open_talk(permits_sack=True).data(lost=True).silence(0.205).again(),
    Kind.SYN_CROSSING: lambda: Talk().syn(lost=True).syn("server"),
    Kind.SYN_DATA: lambda: Talk().say("client", SYN, 20, seq=0, options=mss()),
    Kind.CHALLENGE_ACK: lambda: open_talk().say("client", SYN, seq=5000).ack("server"),
    Kind.AFTER_HOLE: lambda: open_talk().data(unseen=True).data(),
    Kind.RST_GIVES_UP: lambda: open_talk().silence(75).keepalive(lost=True).silence(2).rst(),
    Kind.RST_NO_CONNECTION: lambda: open_talk().silence(75).keepalive().say("server", RST, seq=151),
    Kind.RST_FORGED: lambda: open_talk().say("server", RST, ttl=61),
    Kind.ICMP_ERROR: lambda: Talk().syn().icmp(),
    Kind.CUT_SHORT: lambda: cut(Talk().syn(), 14 + 20 + 12),
    Kind.MALFORMED: lambda: malformed(Talk()),
}


def cut(talk: Talk, captured: int) -> Talk:
    talk.frames[-1] = talk.frames[-1].cut(captured)
    return talk


def malformed(talk: Talk) -> Talk:
    talk.frames.append(frame(ethernet(ipv4(tcp(40000, 80, offset=4)))))
    return talk


def test_every_kind_has_a_conversation() -> None:
    """A copy is shown with the frame that it repeats, so it is no rung of its own."""
    assert set(IS) | {Kind.COPY} == set(Kind)


@pytest.mark.parametrize("every", [1, 2, 100])
def test_a_frame_that_the_capture_holds_twice_is_shown_once(every: int) -> None:
    talk = open_talk().data()
    words = kinds(talk)
    talk.again(after_ns=3_000, doubled=True)
    assert kinds(talk, range(every, len(talk.frames), every)) == words
    assert analysed(talk.frames, range(every, len(talk.frames), every)).copies == 1


@pytest.mark.parametrize("kind", IS, ids=lambda kind: KINDS[kind].word)
def test_each_kind_has_its_conversation(kind: Kind) -> None:
    assert last(IS[kind]()) == KINDS[kind].word


@pytest.mark.parametrize("v6", [False, True])
def test_both_versions_of_ip_say_the_same(v6: bool) -> None:
    talk = open_talk(v6=v6).silence(75).keepalive().ack("server").fin().fin("server").ack()
    assert kinds(talk) == [
        "syn", "syn_ack", "handshake_ack", "data", "ack", "data", "ack",
        "keepalive_probe", "keepalive_ack", "fin", "fin", "ack",
    ]  # fmt: skip


def test_two_keepalives_at_once() -> None:
    """Both ends probe on clocks of their own; a probe does not answer a probe."""
    talk = open_talk().silence(75).keepalive().ack("server").silence(5).keepalive("server").ack()
    assert kinds(talk)[-4:] == ["keepalive_probe", "keepalive_ack"] * 2


@pytest.mark.parametrize("first", ["client", "server"])
@pytest.mark.parametrize("cut", range(3, 8))
def test_keepalives_that_cross_are_both_answered(first: By, cut: int) -> None:
    """Each end probes before it has seen the other's probe, and then answers it."""
    talk = open_talk().silence(75).keepalive().keepalive("server").ack(first).ack(other(first))
    assert kinds(talk, [cut])[-4:] == ["keepalive_probe"] * 2 + ["keepalive_ack"] * 2


def test_an_ack_behind_the_answer_of_both_answers_nothing() -> None:
    """The server's probe has its answer already when the client probes."""
    talk = open_talk().silence(75).keepalive("server").ack().silence(5).keepalive().ack("server").ack()
    assert kinds(talk)[-1] not in ("keepalive_ack", "keepalive_probe")


def test_a_probe_after_the_window_opened_again_is_a_keepalive() -> None:
    talk = open_talk().data().ack("server", window=0).silence(0.2).keepalive().ack("server")
    talk.ack("server", window=400).silence(75).keepalive().ack("server")
    assert kinds(talk)[-5:] == [
        "zero_window_probe", "zero_window_probe_ack", "window_update", "keepalive_probe", "keepalive_ack",
    ]  # fmt: skip


def test_a_probe_of_one_byte_into_a_closed_window_is_not_sent_for_good() -> None:
    """BSD and Windows send the next byte; when the window opens, the same byte is new data, no retransmission."""
    talk = open_talk().data().ack("server", window=0).silence(0.2).data(1, lost=True)
    talk.sides["client"].next -= 1
    talk.ack("server").ack("server", window=400).data(50)
    assert kinds(talk)[-4:] == ["zero_window_probe", "zero_window_probe_ack", "window_update", "data"]


@pytest.mark.parametrize("isn", [(1 << 32) - 1, (1 << 32) - 50, (1 << 32) - 130])
def test_numbers_that_wrap_change_nothing(isn: int) -> None:
    def conversation(client_isn: int) -> Talk:
        talk = Talk(client_isn=client_isn, server_isn=client_isn).handshake()
        for _ in range(3):
            talk.data(60).ack("server").data(60, "server").ack()
        talk.data(60, lost=True).silence(0.3).again().silence(75).ack("server").keepalive().ack("server")
        return talk

    assert kinds(conversation(isn)) == kinds(conversation(1000))


def test_time_that_runs_backwards_is_no_reason_to_fail() -> None:
    talk = open_talk().silence(-3).data().ack("server").silence(-70).keepalive().ack("server")
    assert kinds(talk)[-4:] == ["data", "ack", "keepalive_probe", "keepalive_ack"]


NEARLY: dict[str, tuple[str, Callable[[], Talk]]] = {
    "a SYN with another number is another connection": (
        "syn",
        lambda: Talk().syn().reuse(client_isn=77, server_isn=9).syn(),
    ),
    "an ACK of the SYN-ACK that brings data is data": ("data", lambda: Talk().syn().syn_ack().data()),
    "the second ACK is no handshake ACK": ("ack", lambda: Talk().handshake().data(10, "server").ack()),
    "an ACK repeated with nothing outstanding is no duplicate": ("ack", lambda: open_talk().ack()),
    "an ACK repeated with another window is no duplicate": (
        "window_update",
        lambda: open_talk().data(lost=True).data().ack("server").ack("server", window=400),
    ),
    "another window and another number is an ACK": (
        "ack",
        lambda: open_talk().data().ack("server", window=400),
    ),
    "the first ACK after the SYN changes the window's scale, not the window": (
        "handshake_ack",
        lambda: Talk().handshake(),
    ),
    "one byte less does not fill the window": (
        "data",
        lambda: open_talk(shift=None).ack("server", window=300).data(299),
    ),
    "a window whose scale was not seen is not called full": (
        "data",
        lambda: Talk(shift=None).established().data().ack("server", window=300).data(300),
    ),
    "a window of zero in a RST says nothing": ("rst", lambda: open_talk().rst(window=0)),
    "a window of zero in a FIN says nothing": ("fin", lambda: open_talk().fin(window=0)),
    "one below the next number while data is outstanding is a retransmission of nothing": (
        "ack",
        lambda: open_talk().data(lost=True).keepalive(),
    ),
    "one below the next number without ACK is no probe": (
        "ack",
        lambda: open_talk().silence(75).say(flags=0, seq=100),
    ),
    "an ACK behind the answer to a probe is an ACK": (
        "ack",
        lambda: open_talk().silence(75).keepalive().ack("server").data(10).ack("server"),
    ),
    "an answer with data is data": (
        "data",
        lambda: open_talk().silence(75).keepalive().data(20, "server"),
    ),
    "a third copy after 20 ms is no fast retransmission": (
        "retransmission",
        lambda: (
            open_talk().data(lost=True).data().ack("server").data().ack("server").data().ack("server")
            .silence(0.025).again(7)
        ),
    ),
    "one duplicate ACK does not make it fast": (
        "retransmission",
        lambda: open_talk().data(lost=True).data().ack("server").silence(0.005).again(7),
    ),
    "reordered late is a retransmission": (
        "retransmission",
        lambda: open_talk().data(lost=True, unseen=True).data().silence(0.3).data(seq=101, length=100),
    ),
    "a RST that answers data is no refusal": ("rst", lambda: Talk().handshake().data().rst("server")),
    "cut behind the TCP header is whole": ("syn", lambda: cut(Talk(stamps=False, shift=None).syn(), 14 + 20 + 24)),
}  # fmt: skip


@pytest.mark.parametrize("name", NEARLY)
def test_what_nearly_is_one_is_another(name: str) -> None:
    word, conversation = NEARLY[name]
    assert last(conversation()) == word
