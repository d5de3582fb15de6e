"""The segments that a rule ate are found in the capture, exactly those, however the capture comes in pieces."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from talk import SALT, Frame, Talk, analysed, batch
from tcpladder.analysis.capture import CaptureAnalysis
from tcpladder.session.eaten import SETTLED_NS, EatenSegments
from tcpladder.sources.fault_log import Eaten
from tcpladder.wire.frames import LINKTYPE_RAW

ETHERNET = 14
MICROSECOND_NS = 1_000
SECOND_NS = 1_000_000_000


def told(frames: list[Frame], *, rule: int = 1, before_tap: bool = False) -> Eaten:
    """What the log says when these are eaten: from the IP header on, a few microseconds after the tap."""
    later_ns = 0 if before_tap else 7 * MICROSECOND_NS
    records = [
        replace(one, time_ns=one.time_ns + later_ns, data=one.data[ETHERNET:], original=one.original - ETHERNET,
                link_type=LINKTYPE_RAW)
        for one in frames
    ]  # fmt: skip
    return Eaten(
        frames=batch(records),
        rule=np.full(len(records), rule),
        before_tap=np.full(len(records), before_tap),
        sequence=np.arange(len(records)),
    )


class Watched:
    """A capture that comes in pieces, with a log beside it."""

    def __init__(self) -> None:
        self.capture = CaptureAnalysis(SALT)
        self.eaten = EatenSegments(self.capture)

    def look(self, frames: list[Frame], log: list[Eaten], now_ns: int) -> None:
        """One look: the frames that came, then what the log has."""
        for records in log:
            self.eaten.take(records)
        came = self.eaten.with_unseen(batch(frames) if frames else None, now_ns)
        if came is not None:
            self.capture.feed(replace(came, first_frame=self.capture.frames + 1))
        self.eaten.mark(now_ns)

    def marks(self, number: int = 1) -> dict[int, str]:
        view = self.capture.view(number)
        return {index: words for index in range(len(view.time_ns)) if (words := view.lost(index))}


def probing(v6: bool, probes: int) -> list[Frame]:
    """Probes a second apart that are alike to the last bit with IPv6, answered and not."""
    talk = Talk(v6=v6, stamps=False).handshake()
    for number in range(probes):
        talk.silence(1).keepalive()
        if number % 2:
            talk.ack("server")
    return talk.frames


@settings(deadline=None, max_examples=150)
@given(st.booleans(), st.data())
def test_exactly_what_was_eaten_is_marked_however_the_capture_is_cut(v6: bool, data: st.DataObject) -> None:
    frames = probing(v6, 6)
    indices = st.integers(0, len(frames) - 1)
    gone = sorted(data.draw(st.sets(indices), label="eaten"))
    unseen = sorted(data.draw(st.sets(indices), label="before the tap"))
    gone = [index for index in gone if index not in unseen]
    cuts = [
        0,
        *sorted(data.draw(st.sets(st.integers(1, len(frames)), max_size=6), label="cuts")),
        len(frames),
    ]
    late_ns = data.draw(st.sampled_from([0, 60_000_000, 130_000_000]), label="how late the ring is")
    watched = Watched()
    for begin, end in pairwise(cuts):
        piece = range(begin, end)
        now_ns = frames[max(begin, end - 1)].time_ns + late_ns if begin < len(frames) else 0
        ate, hid = ([frames[i] for i in which if i in piece] for which in (gone, unseen))
        log = [told(ate)] if ate else []
        log += [told(hid, rule=2, before_tap=True)] if hid else []
        watched.look([frames[i] for i in piece if i not in unseen], log, now_ns)
    watched.look([], [], frames[-1].time_ns + 2 * SETTLED_NS)
    whole = analysed(frames)
    assert watched.capture.kinds(1) == whole.kinds(1), "as if the tap had seen everything"
    assert watched.marks() == dict.fromkeys(gone, "rule 1") | dict.fromkeys(unseen, "rule 2, log")
    assert (watched.eaten.told[1], watched.eaten.marked[1]) == (len(gone), len(gone))


def test_another_flow_with_the_same_numbers_is_another_segment() -> None:
    one = Talk(client_port=40000, v6=True, stamps=False).handshake().silence(1).keepalive()
    other = Talk(client_port=40001, v6=True, stamps=False).handshake().silence(1).keepalive()
    frames = sorted(one.frames + other.frames, key=lambda frame: frame.time_ns)
    watched = Watched()
    watched.look(frames, [told([other.frames[-1]])], frames[-1].time_ns + SECOND_NS)
    found = {watched.capture.summary(n).client.port: watched.marks(n) for n in (1, 2)}
    assert found == {40000: {}, 40001: {3: "rule 1"}}


def test_a_segment_that_went_through_twice_and_was_eaten_once() -> None:
    """IPv4: the copy has another identification. IPv6: the times tell."""
    for v6 in (False, True):
        talk = Talk(v6=v6, stamps=False).handshake().data(10).again(after_ns=200_000_000)
        for which in (3, 4):
            watched = Watched()
            watched.look(talk.frames, [told([talk.frames[which]])], talk.frames[-1].time_ns + SECOND_NS)
            assert watched.marks() == {which: "rule 1"}


def test_a_record_waits_for_a_frame_that_is_still_in_the_ring() -> None:
    """A probe that is alike came shortly before: the nearest frame so far is not the one."""
    talk = Talk(v6=True, stamps=False).handshake().keepalive().silence(0.03).keepalive()
    first, second = talk.frames[3:]
    watched = Watched()
    watched.look(talk.frames[:4], [told([second])], second.time_ns + 1_000_000)
    assert watched.marks() == {}
    watched.look([second], [], second.time_ns + 60_000_000)
    assert watched.marks() == {4: "rule 1"}
    assert first.data == second.data


def test_a_frame_that_the_capture_never_had_marks_nothing() -> None:
    talk = Talk().handshake().data(10).data(20)
    watched = Watched()
    missing = talk.frames[3]
    kept = talk.frames[:3] + talk.frames[4:]
    watched.look(kept, [told([missing])], missing.time_ns + 10 * SECOND_NS)
    watched.look([], [], missing.time_ns + 20 * SECOND_NS)
    assert (watched.eaten.told[1], watched.eaten.marked[1], watched.marks()) == (1, 0, {})


def test_a_frame_that_is_alike_and_came_much_later_is_another_one() -> None:
    talk = Talk(v6=True, stamps=False).handshake().keepalive().silence(1).keepalive()
    missing, later = talk.frames[3:]
    watched = Watched()
    watched.look([*talk.frames[:3], later], [told([missing])], later.time_ns + SECOND_NS)
    assert watched.marks() == {}
    assert missing.data == later.data


def test_while_nothing_is_broken_nothing_is_kept() -> None:
    watched = Watched()
    talk = Talk(v6=True, stamps=False).handshake().keepalive()
    watched.capture.feed(batch(talk.frames))
    watched.eaten.pass_over()
    watched.look([], [told([talk.frames[3]])], talk.frames[3].time_ns + 1_000_000)
    assert watched.marks() == {}
