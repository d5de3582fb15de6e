"""Captures that are long: flows read ahead, memory that stops growing."""

from __future__ import annotations

from talk import Talk, batches
from tcpladder.analysis.capture import CaptureAnalysis

SALT = bytes(range(64))


def long_talk() -> Talk:
    talk = Talk().handshake()
    for _ in range(30):
        talk = talk.data(100).ack("server").silence(2.0).keepalive()
    return talk


def test_a_flow_read_ahead_says_what_a_fresh_one_says() -> None:
    frames = long_talk().frames
    ahead, fresh = CaptureAnalysis(SALT), CaptureAnalysis(SALT)
    for one in batches(frames, cuts=range(7, len(frames), 7)):
        ahead.feed(one)
        fresh.feed(one)
    steps = 1
    while ahead.read_ahead(1):
        steps += 1
    assert steps > 1
    before = len(ahead.view(1).time_ns)
    assert before == len(frames)
    for index in range(before):
        assert ahead.view(1).label(index) == fresh.view(1).label(index)
        assert ahead.view(1).gap(index) == fresh.view(1).gap(index)


def test_only_long_flows_are_read_ahead() -> None:
    capture = CaptureAnalysis(SALT)
    for one in batches(long_talk().frames):
        capture.feed(one)
    assert capture.long_flows() == []


def test_a_capture_that_keeps_no_more_goes_on_counting() -> None:
    frames = long_talk().frames
    capture = CaptureAnalysis(SALT)
    for part, one in enumerate(batches(frames, cuts=[20])):
        capture.feed(one)
        if part == 0:
            capture.stop_keeping()
    assert not capture.keeps_segments
    assert len(capture.view(1).time_ns) == len(capture.log) == 20
    assert capture.summary(1).segments == len(frames)
