"""Two capture points in one file: each datagram counts once, however many others were under way between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from talk import Frame, Talk, analysed, kinds
from tcpladder.wire.frames import LINKTYPE_ETHERNET
from traffic import captures

MILLISECOND_NS = 1_000_000


def at_two_points(frames: Sequence[Frame], apart_ns: int) -> list[Frame]:
    """What a second point, so much farther along the path, adds to a capture."""
    both = [*frames, *(replace(routed(one), time_ns=one.time_ns + apart_ns) for one in frames)]
    return sorted(both, key=lambda one: one.time_ns)


def routed(one: Frame) -> Frame:
    """The frame behind a router, if it is IPv6: one hop less (RFC 8200 3)."""
    if one.data[12:14] != b"\x86\xdd":
        return one
    return replace(one, data=one.data[:21] + bytes([one.data[21] - 1]) + one.data[22:])


def burst(segments: int, *, v6: bool = False) -> Talk:
    """A window of data that is under way at once, and its acknowledgments."""
    talk = Talk(v6=v6).handshake()
    for _ in range(segments):
        talk.data(1000, after_ns=10_000)
    talk.silence(0.02)
    for number in range(segments):
        talk.ack("server", ack=1 + 1000 * (number + 1), after_ns=10_000)
    return talk


@pytest.mark.parametrize("v6", [False, True])
@pytest.mark.parametrize("every", [7, 10_000])
def test_a_window_of_segments_lies_between_a_segment_and_its_copy(every: int, v6: bool) -> None:
    talk = burst(100, v6=v6)
    both = at_two_points(talk.frames, 8 * MILLISECOND_NS)
    cuts = range(every, len(both), every)
    assert analysed(both, cuts).copies == len(talk.frames)
    assert kinds(both, cuts) == kinds(talk)


def test_a_datagram_that_comes_later_than_a_path_holds_it_is_another() -> None:
    talk = Talk().handshake().data()
    for apart_ms, copies in ((249, 1), (251, 0)):
        again = replace(talk.frames[-1], time_ns=talk.frames[-1].time_ns + apart_ms * MILLISECOND_NS)
        assert analysed([*talk.frames, again]).copies == copies


@pytest.mark.parametrize(
    "talk",
    [
        Talk().handshake().data().rst(length=5),
        Talk().handshake().data().ack("server", window=0).data(1),
    ],
    ids=["a RST with data", "a byte into a closed window"],
)
def test_what_counts_as_sent_nowhere_has_copies_too(talk: Talk) -> None:
    assert analysed(at_two_points(talk.frames, 8 * MILLISECOND_NS)).copies == len(talk.frames)


def test_what_comes_late_and_out_of_order_is_the_same_wherever_it_is_cut() -> None:
    """A batch is forgotten by the latest time that was seen, so that time counts for a copy, too."""
    talk = Talk().handshake().data()
    other = Talk(client_port=41000).established().silence(0.3).data()
    copy = replace(talk.frames[-1], time_ns=talk.frames[-1].time_ns + 10 * MILLISECOND_NS)
    frames = [*talk.frames, *other.frames, copy]
    for cuts in ((), (4,), (5,), (4, 5)):
        assert analysed(frames, cuts).copies == 0, cuts


def test_a_retransmission_is_seen_at_both_points_and_is_none_of_the_first() -> None:
    talk = Talk().handshake().data().again(after_ns=30 * MILLISECOND_NS)
    assert kinds(talk)[-1] == "retransmission"
    assert kinds(at_two_points(talk.frames, 8 * MILLISECOND_NS)) == kinds(talk)


def test_what_another_interface_sent_a_moment_later_is_sent_again() -> None:
    """IPv6 without timestamps: nothing in it tells a retransmission over another path from a copy, only the time."""
    talk = Talk(v6=True, stamps=False).handshake().data()
    for apart_us, copies in ((900, 1), (1100, 0)):
        again = replace(routed(talk.frames[-1]), time_ns=talk.frames[-1].time_ns + apart_us * 1000)
        assert analysed([*talk.frames, again]).copies == copies


@pytest.mark.parametrize("cut", [1, 50_000])
def test_rows_too_far_apart_are_not_held(cut: int) -> None:
    """Where time stands still only the number of rows bounds what is remembered."""
    talk = burst(1)
    far = Talk(client_port=41000).established()
    for _ in range(50):
        far.data(1, after_ns=0)
    frames = [*talk.frames[:4], *far.frames * 3000, talk.frames[3]]
    still = [replace(one, time_ns=talk.now_ns) for one in frames]
    assert analysed(still, {cut}).summary(1).segments == 5


@settings(deadline=None, max_examples=200)
@given(captures(), st.integers(1, 120), st.data())
def test_a_second_point_adds_nothing(frames: list[Frame], apart_ms: int, data: st.DataObject) -> None:
    """Of what has an identification and a whole header (IPv6 has none), and where no connection
    takes the ports of another while its segments are under way."""
    alone = [one for one in frames if is_whole_tcp_of_ipv4(one)]
    assume(analysed(alone).flows == len({frozenset((one.data[34:36], one.data[36:38])) for one in alone}))
    both = at_two_points(alone, apart_ms * MILLISECOND_NS)
    cuts = data.draw(st.sets(st.integers(1, max(1, len(both) - 1))), label="cuts")
    assert kinds(both, cuts) == kinds(alone)


def is_whole_tcp_of_ipv4(one: Frame) -> bool:
    whole = len(one.data) == one.original and one.link_type == LINKTYPE_ETHERNET
    return whole and one.data[12:14] == b"\x08\0" and one.data[23] == 6
