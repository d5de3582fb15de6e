"""Captures cut before each segment that a timer sent: what is foretold there against what came next.

The expectation is the capture itself, that is the kernel that was recorded: nothing here was said by tcpladder before.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import recordings
from stories.test_truth import CAPTURES, CAUSES, causes, configured
from tcpladder.analysis.capture import CaptureAnalysis
from tcpladder.analysis.capture_as_of import CaptureAsOf
from tcpladder.analysis.expected import given
from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.view import Pending, Side, Timer
from tcpladder.session.files import FileSession

MS = 1_000_000
EARLY_NS = 2 * MS
LATE_SHARE, LATE_NS = 8, 12 * MS
"""An eighth, and three jiffies at HZ=250 for what lies where the timer wheel's steps become coarser."""
NOBODY_CAN_KNOW = {
    (
        "b1_ka_server_5_2_2",
        16,
    ): "that the answer to the first probe did not get through the prober's firewall",
    (
        "r1_synack_lost_client",
        3,
    ): "that the SYN-ACK which the capture shows did not get through to the client",
    ("t1_ipv6_veth_keepalive_client", 26): "that the server's cable is cut, whose probe is due first",
    ("t1_ipv6_veth_keepalive_client", 29): "the same",
    (
        "w3_solaris251_backoff_synthetic",
        6,
    ): "that this end probes, and after 12.5 s: nobody had configured that",
}
LOOKED_NS = LATE_NS + 40 * MS
"""Until somebody has looked, 20 ms apart, on a machine that was busy."""
KINDS = {
    Timer.KEEPALIVE: {Kind.KEEPALIVE_PROBE, Kind.RST},
    Timer.RTO: {Kind.RETRANSMISSION, Kind.SYN_RETRANSMISSION},
    Timer.TLP: {Kind.TAIL_LOSS_PROBE},
    Timer.PERSIST: {Kind.ZERO_WINDOW_PROBE},
    Timer.SYNACK: {Kind.SYN_ACK_RETRANSMISSION},
}


class Cut(NamedTuple):
    """A place in a capture, before a segment that a timer sent."""

    frame: int
    timer: Timer
    side: Side
    came_ns: int
    foretold: tuple[Pending, ...]


def analysed(capture: Path, timers: Sequence[str] = (), profile: str | None = None) -> CaptureAnalysis:
    """A capture whose ends are believed to run with these values."""
    session = FileSession([str(capture)], given=given(timers, profile))
    (analysis,) = session.read()
    session.close()
    return analysis


def cuts(analysis: CaptureAnalysis, sent_by: dict[int, Timer]) -> Iterator[Cut]:
    """The capture, cut before each of some frames."""
    as_of = CaptureAsOf(analysis)
    for number in range(1, analysis.flows + 1):
        whole, rows = analysis.view(number), as_of.rows.segments(number - 1, len(analysis.log))
        for index in range(1, len(rows)):
            timer = sent_by.get(whole.frame(index))
            if timer is None:
                continue
            as_of.limit = int(rows[index - 1]) + 1
            view = as_of.view(number, shown_as=number)
            side = Side.CLIENT if whole.from_client[index] else Side.SERVER
            foretold = view.pending(int(view.time_ns[-1]))
            yield Cut(whole.frame(index), timer, side, int(whole.time_ns[index]), foretold)


def assert_came(cut: Cut) -> None:
    """The first of what was foretold is what came: from that end, of that kind, at that time."""
    assert cut.foretold, cut
    first = cut.foretold[0]
    length_ns = first.due_ns - first.armed_ns
    assert (first.side, first.kind in KINDS[cut.timer]) == (cut.side, True), cut
    late_ns = cut.came_ns - first.due_ns
    assert -EARLY_NS <= late_ns <= length_ns // LATE_SHARE + LATE_NS, (late_ns / MS, cut)


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: path.stem)
def test_what_comes_next_was_foretold(capture: Path) -> None:
    """With the configuration given, each segment that the kernel says a timer sent; not delayed ACKs, which depend on
    what an application is about to do."""
    options = configured(capture)[1::2]
    # Of whom keepalive times are given, that end has SO_KEEPALIVE set.
    options += {f"{o.partition(':')[0]}:keepalive=on" for o in options if "keepalive" in o}
    profile = "solaris" if capture.stem.startswith("w3_") else None
    names = {frame: CAUSES.get(cause or "") for frame, cause in causes(capture).items()}
    sent = {frame: Timer(name) for frame, name in names.items() if name not in (None, "delayed_ack")}
    analysis = analysed(capture, options, profile)
    found = list(cuts(analysis, sent))
    first = {analysis.view(number).frame(0) for number in range(1, analysis.flows + 1)}
    assert {cut.frame for cut in found} == sent.keys() - first
    for cut in found:
        if (capture.stem, cut.frame) not in NOBODY_CAN_KNOW:
            assert_came(cut)


TOLD = {
    "connect-timeout": 0,
    "connect-timeout-modern": 0,
    "retransmission": 0,
    "user-timeout": 0,
    "unplugged": 1,
}
"""Captures that carry the values of their ends, of connections that a timer ended; and how many segments a timer sent
that were answered."""


@pytest.mark.parametrize("name", TOLD)
def test_the_give_up_was_foretold_from_each_retry_on(name: str) -> None:
    """When the application's call failed, on the clock of the capture: nothing on the wire marks it."""
    story = tomllib.loads((recordings.CAPTURES / name / "story.toml").read_text(encoding="utf-8"))
    (failed_ns,) = [c["time_ns"] for c in story["application"] if c.get("error") == "ETIMEDOUT"]
    analysis = analysed(recordings.CAPTURES / name / story["file"])
    view = analysis.view(1)
    sent = {view.frame(i): timer for i in range(len(view.time_ns)) if (timer := view.timer(i)) is not None}
    found = list(cuts(analysis, sent))
    assert found
    for cut in found:
        assert_came(cut)
    for cut in found[TOLD[name] :]:
        last = cut.foretold[-1]
        assert "ETIMEDOUT" in last.text
        left_ns = last.due_ns - cut.foretold[0].armed_ns
        # Each wait is late by a little, and the call of another process returns a little later.
        assert -EARLY_NS <= failed_ns - last.due_ns <= left_ns // LATE_SHARE + LATE_NS, cut


SILENT = json.loads(Path(__file__).with_name("silent_ends.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("connection", SILENT["connections"], ids=lambda c: c["what"])
def test_an_end_that_no_segment_shows_was_foretold(connection: dict[str, Any]) -> None:
    """When the kernel's own table of sockets lost a connection, foretold behind each segment of its last silence."""
    timers = [
        SILENT["timers"],
        *([f"user_timeout={connection['user_timeout_ms']}ms"] if connection["user_timeout_ms"] else []),
    ]
    analysis = analysed(Path(__file__).with_name("silent_ends.pcap"), timers)
    ports = [analysis.summary(number).client.port for number in range(1, analysis.flows + 1)]
    number = ports.index(connection["port"]) + 1
    as_of = CaptureAsOf(analysis)
    rows = as_of.rows.segments(number - 1, len(analysis.log))
    for index in range(connection["silent_from"], len(rows)):
        as_of.limit = int(rows[index]) + 1
        view = as_of.view(number, shown_as=number)
        last = view.pending(int(view.time_ns[-1]) + 1)[-1]
        assert last.kind is None
        left_ns = last.due_ns - int(view.time_ns[-1])
        late_ns = connection["gone_ns"] - last.due_ns
        assert -EARLY_NS <= late_ns <= left_ns // LATE_SHARE + LOOKED_NS, (index, late_ns / MS)
