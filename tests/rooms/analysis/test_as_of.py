"""The law of replay: a capture at any of its rows says what a capture that ended there says, in whatever order."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rooms.analysis.test_cuts import FILES, frames_of, said
from talk import Frame, Talk, analysed, batch
from tcpladder.analysis import flow_as_of
from tcpladder.analysis.capture import CaptureAnalysis
from tcpladder.analysis.capture_as_of import CaptureAsOf
from traffic import captures


class Window:
    """A CaptureAsOf at a limit, with the names of a CaptureAnalysis."""

    def __init__(self, at: CaptureAsOf, limit: int) -> None:
        self._at, self.limit = at, limit
        at.limit = limit
        self.flows, self.last_ns = at.flows, at.last_ns

    def view(self, number: int) -> Any:
        return self._at.view(number, shown_as=number)

    def summary(self, number: int) -> Any:
        return self._at.summary(number, shown_as=number)


def until(frames: list[Frame], cut: int) -> tuple[CaptureAnalysis, int]:
    """The capture of the first frames, and how many rows it has."""
    capture = analysed(frames[:cut])
    return capture, len(capture.log)


@settings(deadline=None, max_examples=300)
@given(captures(), st.data())
def test_any_moment_in_any_order_is_what_it_was(frames: list[Frame], data: st.DataObject) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(frames)), min_size=1, max_size=6), label="cuts")
    at = CaptureAsOf(analysed(frames))
    for cut in cuts:
        capture, rows = until(frames, cut)
        assert said(Window(at, rows)) == said(capture)


@settings(deadline=None, max_examples=100)
@given(captures(), st.data())
def test_states_that_are_saved_on_the_way_change_nothing(frames: list[Frame], data: st.DataObject) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(frames)), min_size=1, max_size=6), label="cuts")
    with patch.object(flow_as_of, "SAVED_EVERY", 3):
        at = CaptureAsOf(analysed(frames))
        for cut in cuts:
            if at.rows.flows:
                number = data.draw(st.integers(1, at.rows.flows), label="read ahead")
                at.read_ahead(number, shown_as=number)
            capture, rows = until(frames, cut)
            assert said(Window(at, rows)) == said(capture)


@settings(deadline=None, max_examples=100)
@given(captures(), st.data())
def test_a_capture_that_grows_meanwhile_changes_nothing(frames: list[Frame], data: st.DataObject) -> None:
    """Time shift: what is looked at is the past, while the capture goes on."""
    growing = CaptureAnalysis(bytes(range(64)))
    at = CaptureAsOf(growing)
    for index in range(len(frames)):
        growing.feed(batch(frames[index : index + 1], index + 1))
        cut = data.draw(st.integers(0, index + 1), label="cut")
        capture, rows = until(frames, cut)
        assert said(Window(at, rows)) == said(capture)


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_real_captures_at_several_moments(path: Path) -> None:
    frames = frames_of(path)
    at = CaptureAsOf(analysed(frames))
    count = min(len(frames), 1500)
    for cut in (count, count // 3, 0, 2 * count // 3, 1, count // 2, count):
        capture, rows = until(frames, cut)
        assert said(Window(at, rows)) == said(capture), cut


def test_a_probe_that_only_its_answer_shows_is_none_before() -> None:
    talk = Talk().established().keepalive().ack("server").silence(75).keepalive()
    at = CaptureAsOf(analysed(talk.frames))
    words = {}
    for rows in (3, 1, 2, 1, 3):
        at.limit = rows
        words[rows] = [at.view(1, shown_as=1).label(index) for index in range(rows)]
        assert said(Window(at, rows)) == said(analysed(talk.frames[:rows]))
    assert words[1] == ["ACK"]
    assert words[2] == ["keepalive probe", "keepalive ACK"]


def test_a_flow_that_has_not_begun_says_so() -> None:
    at = CaptureAsOf(analysed(Talk().handshake().frames))
    assert at.flows == 0
    summary = at.summary(1, shown_as=7)
    assert (summary.number, summary.state, summary.segments) == (7, "-", 0)
    assert str(summary.client) == "10.0.0.1:40000"
    assert not len(at.view(1, shown_as=7).time_ns)
    assert at.view(1, shown_as=7).pending(0) == ()
