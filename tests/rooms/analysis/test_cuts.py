"""The law: a capture read whole, in pieces or frame by frame says the same of every segment and every flow."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from talk import Frame, Talk, analysed, batch, kinds
from tcpladder.analysis import together
from tcpladder.analysis.capture import CaptureAnalysis
from tcpladder.analysis.flow_view import Findings
from tcpladder.analysis.kinds import KINDS, Kind
from tcpladder.sources.files import open_capture
from tcpladder.wire.segments import Flag
from traffic import captures

TRUTH = Path(__file__).parent.parent.parent / "truth"
FILES = sorted(path for path in TRUTH.iterdir() if path.suffix in {".pcap", ".pcapng"})
EVERY_FRAME_UP_TO = 1500
"""Longer captures are cut into pieces of a prime number of frames."""


def said(capture: CaptureAnalysis, views: Iterable[Findings] | None = None) -> list[Any]:
    """All that a user can be told of a capture; flat, so that a difference is short."""
    flows: list[Any] = []
    alone = (capture.view(number) for number in range(1, capture.flows + 1))
    for number, view in enumerate(alone if views is None else views, 1):
        segments = [
            (
                view.frame(index),
                bool(view.from_client[index]),
                KINDS[Kind(int(view.kind[index]))].word,
                view.label(index),
                view.because(index),
                view.relative_seq(index),
                view.relative_ack(index),
                view.window(index),
                view.timer(index),
                bool(view.silent[index]),
                view.gap(index),
            )
            for index in range(len(view.time_ns))
        ]
        flows += [*segments, capture.summary(number), view.pending(capture.last_ns)]
    return flows


@settings(deadline=None, max_examples=400)
@given(captures(), st.data())
def test_any_cut_changes_nothing(frames: list[Frame], data: st.DataObject) -> None:
    cuts = data.draw(st.sets(st.integers(1, max(1, len(frames) - 1))), label="cuts")
    assert said(analysed(frames, cuts)) == said(analysed(frames))


@settings(deadline=None, max_examples=150)
@given(captures())
def test_a_view_that_grows_says_what_a_fresh_one_says(frames: list[Frame]) -> None:
    """What is looked at while it comes in, as the app does, ends up as what is read from a file."""
    growing = CaptureAnalysis(bytes(range(64)))
    for index in range(len(frames)):
        growing.feed(batch(frames[index : index + 1], index + 1))
        for number in range(1, growing.flows + 1):
            growing.view(number)
    assert said(growing) == said(analysed(frames))


@settings(deadline=None, max_examples=150)
@given(captures(), st.data())
def test_the_list_alone_counts_the_same(frames: list[Frame], data: st.DataObject) -> None:
    """`flows` keeps no segments, and says the same as `show`."""
    cuts = data.draw(st.sets(st.integers(1, max(1, len(frames) - 1))), label="cuts")
    whole, listed = analysed(frames), analysed(frames, cuts, keep_segments=False)
    numbers = range(1, whole.flows + 1)
    assert [listed.summary(n) for n in numbers] == [whole.summary(n) for n in numbers]


@settings(deadline=None, max_examples=200)
@given(captures())
def test_flows_read_together_say_what_each_says_alone(frames: list[Frame]) -> None:
    """`check` and JSON lines read all flows in one pass over their columns, the app one after the other."""
    capture = analysed(frames)
    assert said(capture, capture.all_views()) == said(capture)


def frames_of(path: Path) -> list[Frame]:
    file = open_capture(str(path), 0)
    frames = []
    for piece in file.batches():
        for row in range(len(piece)):
            begin = int(piece.start[row])
            data = piece.data[begin : begin + int(piece.captured[row])].tobytes()
            frames.append(
                Frame(int(piece.time_ns[row]), data, int(piece.original[row]), int(piece.link_type[row]))
            )
    file.close()
    return frames


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_real_capture_read_frame_by_frame(path: Path) -> None:
    frames = frames_of(path)
    every = 1 if len(frames) <= EVERY_FRAME_UP_TO else 97
    assert said(analysed(frames, range(every, len(frames), every))) == said(analysed(frames))


def test_real_captures_read_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them as one capture of many flows, in companies of a few."""
    monkeypatch.setattr(together, "MOST_SEGMENTS", 2000)
    frames = [frame for path in FILES for frame in frames_of(path)[:EVERY_FRAME_UP_TO]]
    capture = analysed(sorted(frames, key=lambda frame: frame.time_ns))
    assert capture.flows > len(FILES) / 2
    assert said(capture, capture.all_views()) == said(capture)


def test_what_was_read_together_goes_on_growing() -> None:
    talk = Talk().handshake().data(10).silence(7).data(10)
    capture = analysed(talk.frames)
    [view] = capture.all_views()
    talk.silence(3).data(20)
    capture.feed(batch(talk.frames[len(view.time_ns) :], len(view.time_ns) + 1))
    view.refresh()
    assert said(capture, [view]) == said(capture)


NONSENSE = Flag.SYN | Flag.RST | Flag.FIN
SECOND_OPEN = Talk().syn().syn_ack().data(1, "server").syn("server").syn_ack("client").ack("server")

SYN_BEHIND_DATA = Talk().data(1, window=501).data(501, "server").syn_ack("client").rst("server", NONSENSE)


@pytest.mark.parametrize(
    ("talk", "expected"),
    [
        (Talk().rst("server", flags=NONSENSE, seq=5_000_000).syn().syn_ack().ack(), "handshake_ack"),
        (SECOND_OPEN, "handshake_ack"),
        (SYN_BEHIND_DATA, "rst_no_connection"),
    ],
    ids=[
        "a RST far above what follows",
        "a second SYN-ACK behind what answers the first",
        "data that fills a window before a SYN says how it is scaled",
    ],
)
def test_what_a_cut_once_changed(talk: Talk, expected: str) -> None:
    for cut in range(1, len(talk.frames)):
        assert said(analysed(talk.frames, {cut})) == said(analysed(talk.frames))
    assert kinds(talk)[-1] == expected


def test_a_null_scan_is_a_copy_of_one_in_any_batch() -> None:
    """No flag of TCP is set, and yet there was a segment before."""
    talk = Talk(stamps=False).established().say(flags=0).again(doubled=True)
    assert said(analysed(talk.frames, {1})) == said(analysed(talk.frames))
    assert analysed(talk.frames, {1}).summary(1).segments == 1


def test_a_null_scan_between_two_probes_is_heard_in_any_batch() -> None:
    """What came between them is no answer to a probe, and no silence either."""
    talk = Talk(stamps=False).established().ack()
    talk.keepalive(after_ns=2_000_000_000).say("server", flags=0).keepalive(after_ns=2_000_000_000)
    whole, listed = analysed(talk.frames), analysed(talk.frames, {3}, keep_segments=False)
    assert listed.summary(1) == whole.summary(1)
    assert "without an answer" not in whole.summary(1).why
    assert whole.summary(1).keepalive_probes == 2


def test_the_law_would_notice() -> None:
    """The comparison itself: another capture does not say the same."""
    one, two = Talk().handshake().data(10), Talk().handshake().data(11)
    assert said(analysed(one.frames)) != said(analysed(two.frames))
