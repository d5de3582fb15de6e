"""Which repetitions a timer sent, where the path is slower than it once was, or delivers out of order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from talk import Talk, analysed, sack
from tcpladder.analysis.view import Timer, Verdict

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


def test_acks_that_a_byte_of_data_overtook_are_no_keepalive_probes() -> None:
    """Two of them, in any order: the one that came last is newer than the one before it, and older than the data."""
    talk = Talk().handshake().data(by="client").ack("server").data(by="client", length=500)
    talk.ack("server").data(by="client", length=500).ack("server").data(1, by="server").ack("client")
    older, _, newer, byte, answer = frames = talk.frames[-5:]
    talk.frames = [one for one in talk.frames if one not in (older, newer, byte, answer)]
    times = [frames[-1].time_ns + place * 100_000 for place in range(4)]
    arrived = zip((byte, answer, older, newer), times, strict=True)
    talk.frames += [replace(one, time_ns=time_ns) for one, time_ns in arrived]
    view = analysed(talk.frames).view(1)
    assert [view.timer(index) for index in range(len(view.time_ns))] == [None] * len(view.time_ns)


def test_a_datagram_is_not_missing_because_of_a_timer_if_its_end_was_not_silent() -> None:
    """One identification is skipped, and the datagram before it came a moment ago: it is only late."""
    talk = Talk().handshake().data(by="client").ack("server").silence(0.3)
    talk.datagrams = 100
    talk.ack("client", ack=1).ack("server").ack("client", ack=1)
    talk.datagrams = 104
    talk.data(1, by="client")
    assert last_timer(talk) is None


def test_what_was_never_seen_before_is_repeated_by_nobody_knows_what() -> None:
    """An ACK shows that a hundred bytes were sent; their first copy that the capture has comes 12 ms later."""
    talk = Talk(permits_sack=True).handshake().data(by="client").ack("server")
    talk.data(by="client", unseen=True, lost=True).silence(2).ack("client")
    talk.say("client", length=100, seq=101, after_ns=12 * MS)
    assert last_timer(talk) is None


def test_a_tail_loss_probe_is_on_time_by_the_round_trip_that_its_end_had_smoothed() -> None:
    """40 µs and then 44 ms: 2 × 5.5 ms, of several segments (tcp_schedule_loss_probe), not twice the shortest."""
    talk = Talk(permits_sack=True).handshake().data().ack("server").data().ack("server", after_ns=44 * MS)
    talk.data().data(lost=True)
    talk.say(length=100, seq=301, after_ns=20 * MS)
    view = analysed(talk.frames).view(1)
    gap = view.gap(len(view.time_ns) - 1)
    assert gap is not None
    assert (gap.timer, gap.verdict) == (Timer.TLP, Verdict.ON_TIME)
