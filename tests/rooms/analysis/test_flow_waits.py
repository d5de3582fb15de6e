"""The law: what `check` reads of a capture, in one pass and without what it does not ask for, is what the app shows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from talk import Frame, Talk, analysed, kinds
from tcpladder.analysis import together
from tcpladder.analysis.capture import CaptureAnalysis
from tcpladder.analysis.check import READ, Deviation, check, must_hold
from tcpladder.analysis.expected import given as values_given
from tcpladder.analysis.view import Timer
from tcpladder.analysis.wait import Schedule
from tcpladder.sources.files import open_capture
from traffic import captures

TRUTH = Path(__file__).parent.parent.parent / "truth"
FILES = sorted(path for path in TRUTH.iterdir() if path.suffix in {".pcap", ".pcapng"})
TIMERS = (
    ["keepalive=1/1/2,rto_min=200ms,retries2=2"],
    ["client:keepalive=75/1/1", "server:keepalive=on,keepalive=5/1/3"],
    ["delayed_ack=40ms,syn_retries=1,synack_retries=1"],
)


def read(capture: CaptureAnalysis) -> list[Any]:
    """Waits, silences and frames of each flow, as `check` reads them."""
    return [
        (flow.number, dict(flow.found), flow.silent().tolist(), [flow.frame(index) for index in flow.found])
        for flow in capture.all_waits(delayed=True, quiet=True)
    ]


def shown(capture: CaptureAnalysis) -> list[Any]:
    """The same, as the app shows them, flow by flow."""
    views = [capture.view(number) for number in range(1, capture.flows + 1)]
    return [
        (number, dict(view.waits()), view.silent.tolist(), [view.frame(index) for index in view.waits()])
        for number, view in enumerate(views, 1)
    ]


@settings(deadline=None, max_examples=80)
@given(captures(), st.data())
def test_check_reads_the_waits_that_the_app_shows(frames: list[Frame], data: st.DataObject) -> None:
    cuts = data.draw(st.sets(st.integers(1, max(1, len(frames) - 1))), label="cuts")
    assert read(analysed(frames, cuts, columns=READ)) == shown(analysed(frames))


@settings(deadline=None, max_examples=60)
@given(captures(), st.sampled_from(TIMERS))
def test_what_is_left_out_has_nothing_to_judge(frames: list[Frame], timers: list[str]) -> None:
    capture, held = analysed(frames, columns=READ), must_hold(values_given(timers, None))
    delayed, quiet = held.judges(Schedule.DELAYED_ACK), held.of_quiet_flows

    def said(*, delayed: bool, quiet: bool) -> tuple[int, list[Deviation]]:
        flows = capture.all_waits(delayed=delayed, quiet=quiet)
        checked = [check(flow, held, capture.last_ns + 200_000_000_000) for flow in flows]
        return sum(one.kept for one in checked), [wrong for one in checked for wrong in one.deviations]

    assert said(delayed=delayed, quiet=quiet) == said(delayed=True, quiet=True)


def test_real_captures_are_read_as_the_app_shows_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """All as one capture of many flows, in companies of a few."""
    monkeypatch.setattr(together, "MOST_SEGMENTS", 2000)
    app, reader = analysed([]), analysed([], columns=READ)
    for path in FILES:
        file = open_capture(str(path), 0)
        for piece in file.batches():
            app.feed(piece)
            reader.feed(piece)
        file.close()
    assert read(reader) == shown(app)


def test_an_ack_that_others_overtook_is_no_probe() -> None:
    """It has the number below the next one, as a probe has, and its datagram was sent before the one in front of it."""
    talk = Talk().handshake().data(100).ack("server").silence(10).ack().data(1).ack("server")
    overtaken = talk.frames.pop(-3)
    talk.frames.append(replace(overtaken, time_ns=talk.now_ns + 2_000_000))
    assert kinds(talk)[-1] == "keepalive_probe"
    [flow] = analysed(talk.frames, columns=READ).all_waits(delayed=False, quiet=True)
    assert Timer.KEEPALIVE not in [wait.timer for wait in flow.found.values()]
