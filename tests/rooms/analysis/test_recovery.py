"""Which repetitions a timer sent, where the path is slower than it once was, or delivers out of order."""

from __future__ import annotations

import pytest

from talk import Talk, analysed, sack
from tcpladder.analysis.view import Timer

MS = 1_000_000


def last_timer(talk: Talk) -> Timer | None:
    """What is said to have sent the last segment."""
    view = analysed(talk.frames).view(1)
    return view.timer(len(view.time_ns) - 1)


def hole(talk: Talk) -> Talk:
    """The first of two segments of the client is lost before the capture point, and the server reports the second."""
    talk.handshake().data(by="client").ack("server")
    client = talk.sides["client"]
    first = client.next
    talk.data(by="client", unseen=True, lost=True).data(by="client", lost=True)
    second = (client.isn + first + 100, client.isn + first + 200)
    return talk.ack("server", options=sack(second))


@pytest.mark.parametrize(("after_ms", "timer"), [(2, None), (40, None), (150, None), (230, Timer.RTO)])
def test_what_was_asked_for_over_a_path_that_got_slow_is_no_rto(after_ms: int, timer: Timer | None) -> None:
    talk = hole(Talk(permits_sack=True))
    first = talk.sides["client"].next - 200
    talk.say("client", length=100, seq=first, after_ns=after_ms * MS)
    assert last_timer(talk) is timer


def test_an_overtaken_report_of_a_hole_does_not_hide_a_tail_loss_probe() -> None:
    """The ACK of all came first; the older one, with SACK, behind it."""
    talk = Talk(permits_sack=True).handshake().data(by="client").ack("server")
    client = talk.sides["client"]
    old = client.isn + client.next
    talk.data(by="client").data(by="client").ack("server")
    talk.ack("server", ack=client.next - 200, options=sack((old + 100, old + 200)))
    talk.data(by="client", lost=True)
    length = client.next - 100
    talk.say("client", length=100, seq=length, after_ns=230 * MS)
    assert last_timer(talk) is Timer.TLP


def test_datagrams_that_were_overtaken_are_not_missing() -> None:
    """Their identifications stand between, so nothing was lost before the segment behind the pause."""
    talk = Talk().handshake().data(by="client").ack("server")
    for _ in range(4):
        talk.data(by="client")
    late = talk.frames.pop(-4)
    talk.frames.append(late)
    talk.ack("server").silence(0.3)
    talk.datagrams -= 1  # each end counts its own, and a talk counts both
    talk.data(by="client")
    assert last_timer(talk) is None
