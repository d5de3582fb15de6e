"""Every capture in tests/truth through the whole program: ladder, JSON lines, timers as the kernel names them."""

from __future__ import annotations

import functools
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

TRUTH = Path(__file__).parent.parent / "truth"
CAPTURES = sorted(path for path in TRUTH.iterdir() if path.suffix in {".pcap", ".pcapng"})
KEYS = {
    "record": str,
    "file": int,
    "frame": int,
    "time_ns": int,
    "flow": int,
    "src": str,
    "dst": str,
    "kind": str,
    "because": str,
    "seq": int | None,
    "ack": int | None,
    "length": int | None,
    "window": int | None,
    "flags": str | None,
    "lost": str | None,
    "timer": str | None,
    "gap": dict | None,
}
GAP_KEYS = {
    "observed_ns": int,
    "expected_ns": int | None,
    "since_frame": int,
    "timer": str | None,
    "verdict": str,
    "origin": str | None,
}
TIMERS = {"keepalive", "rto", "tlp", "persist", "synack", "delayed_ack", None}
KEEPALIVE_CAUSES = {
    "keepalive_timer:probe",
    "keepalive_timer:RST",
    "keepalive probe unanswered",
    "injected_raw_socket",
}
UNSCORED = {None, "", "exclude", "middlebox_forward"}


@functools.cache
def show(capture: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """`tcpladder show OPTIONS CAPTURE` as a user runs it."""
    command = [sys.executable, "-m", "tcpladder", "show", *options, str(capture)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def records(capture: Path) -> list[dict[str, Any]]:
    """The JSON lines of a capture."""
    return [json.loads(line) for line in show(capture, "--format", "jsonl").stdout.splitlines()]


def causes(capture: Path) -> dict[int, str | None]:
    """Frame number -> what the kernel says, as seen at its sender."""
    story = json.loads(capture.with_suffix(".json").read_text(encoding="utf-8"))
    return {
        frame["n"]: frame["cause"] and frame["cause"].replace(" (forwarded)", "") for frame in story["frames"]
    }


def assert_went_well(run: subprocess.CompletedProcess[str]) -> None:
    """Exit 0, and stderr says at most that there were other frames too."""
    assert run.returncode == 0, run.stderr
    assert re.fullmatch(r"(tcpladder: \d+ of \d+ frames are not TCP(: [^\n]+)?\n)?", run.stderr)


def assert_typed(record: dict[str, Any], keys: dict[str, Any]) -> None:
    """`record` has all of `keys`, each with a value of its type."""
    for key, kind in keys.items():
        assert isinstance(record[key], kind), (key, record)
        assert not isinstance(record[key], bool), (key, record)


def test_every_capture_is_here() -> None:
    """A folder that lost its captures would make every test below pass."""
    assert len(CAPTURES) == 29


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: path.stem)
def test_show_prints_a_ladder(capture: Path) -> None:
    """Arrows, no complaint, nothing that moves a terminal."""
    run = show(capture)
    assert_went_well(run)
    assert any("▶" in line or "◀" in line for line in run.stdout.splitlines())
    assert all(line.isprintable() for line in run.stdout.splitlines())


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: path.stem)
def test_json_lines_keep_the_contract(capture: Path) -> None:
    """README's contract: one object a segment, in file order, every key there, what is not known null."""
    run = show(capture, "--format", "jsonl")
    assert_went_well(run)
    frames = []
    for record in records(capture):
        assert_typed(record, KEYS)
        assert record["record"] in {"segment", "icmp"}
        assert record["timer"] in TIMERS
        assert record["because"]
        if record["gap"] is not None:
            assert_typed(record["gap"], GAP_KEYS)
            assert record["gap"]["timer"] in TIMERS
            assert record["gap"]["since_frame"] < record["frame"]
        frames.append(record["frame"])
    assert frames
    assert frames == sorted(frames)


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: path.stem)
def test_flows_are_numbered_in_order_of_their_first_segment(capture: Path) -> None:
    """From 1, without holes."""
    numbers = list(dict.fromkeys(record["flow"] for record in records(capture)))
    assert numbers == list(range(1, len(numbers) + 1))


def scored() -> Iterator[tuple[str, int, str, str | None]]:
    """(capture, frame, what the kernel says, the timer that we name) of every frame that can be scored."""
    for capture in CAPTURES:
        named = {record["frame"]: record["timer"] for record in records(capture)}
        for frame, cause in causes(capture).items():
            if cause not in UNSCORED:
                yield capture.stem, frame, str(cause), named.get(frame)


def test_keepalive_is_what_the_kernel_says() -> None:
    """Of the frames that we say the keepalive timer sent, and of those it sent, at least 95 % are both."""
    frames = list(scored())
    claimed = {(name, frame) for name, frame, _, timer in frames if timer == "keepalive"}
    true = {(name, frame) for name, frame, cause, _ in frames if cause in KEEPALIVE_CAUSES}
    wrong = {"claimed, not so": sorted(claimed - true), "missed": sorted(true - claimed)}
    assert len(claimed & true) >= 0.95 * len(claimed), wrong
    assert len(claimed & true) >= 0.95 * len(true), wrong


def test_a_retransmitted_syn_is_named_rto() -> None:
    """Every SYN that the retransmission timer sent, and no first SYN."""
    named = Counter((cause, timer) for _, _, cause, timer in scored() if cause in {"RTO:SYN", "connect()"})
    assert named["RTO:SYN", "rto"] >= 0.95 * sum(
        count for (cause, _), count in named.items() if cause == "RTO:SYN"
    )
    assert named["connect()", "rto"] == 0


CAUSES = {
    "keepalive_timer:probe": "keepalive",
    "keepalive_timer:RST": "keepalive",
    "keepalive probe unanswered": "keepalive",
    "injected_raw_socket": "keepalive",
    "RTO:SYN": "rto",
    "RTO:retransmit": "rto",
    "TLP": "tlp",
    "persist:zero_window_probe": "persist",
    "SYNACK_timer:retransmit": "synack",
    "delayed_ack_timer": "delayed_ack",
}
LEAST_MEAN, LEAST = 0.98, 0.93


def test_each_timer_is_told_from_the_others() -> None:
    """F1 of each timer against the kernel's word, nothing configured: the harmonic mean of precision and recall."""
    frames = [(CAUSES.get(cause), timer) for _, _, cause, timer in scored()]
    found = {}
    for name in sorted({cause for cause, _ in frames if cause}):
        right = sum(cause == timer == name for cause, timer in frames)
        found[name] = 2 * right / sum((cause == name) + (timer == name) for cause, timer in frames)
    assert set(found) == TIMERS - {None}
    assert min(found.values()) >= LEAST, found
    assert sum(found.values()) / len(found) >= LEAST_MEAN, found


OPTIONS = {
    "TCP_KEEPIDLE": "keepalive_time={}s",
    "TCP_KEEPINTVL": "keepalive_intvl={}s",
    "TCP_KEEPCNT": "keepalive_probes={}",
    "TCP_USER_TIMEOUT": "user_timeout={}ms",
}
SYSCTLS = {
    "net.ipv4.tcp_syn_retries": "syn_retries={}",
    "net.ipv4.tcp_syn_linear_timeouts": "syn_linear_timeouts={}",
    "net.ipv4.tcp_retries2": "retries2={}",
    "net.ipv4.tcp_orphan_retries": "orphan_retries={}",
}
PLACES = {"c": "client:", "s": "server:", "n": ""}


def configured(capture: Path) -> list[str]:
    """`--timers` as the story says the ends were configured."""
    story = json.loads(capture.with_suffix(".json").read_text(encoding="utf-8"))
    values = [
        PLACES[place] + SYSCTLS[name].format(value)
        for place, sysctls in story["sysctls"].items()
        for name, value in sysctls.items()
        if name in SYSCTLS
    ]
    values += [
        f"{end}:" + OPTIONS[name].format(value)
        for end, options in story["socket_options"].items()
        for name, value in options.items()
        if name in OPTIONS
    ]
    return [word for value in values for word in ("--timers", value)]


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: path.stem)
def test_every_gap_that_a_timer_made_is_on_time_as_it_was_configured(capture: Path) -> None:
    """Frames that nothing in the capture can tell apart may stay unexplained; a frame of the kernel's timer may not."""
    options = ["--profile", "solaris"] if capture.stem.startswith("w3_") else configured(capture)
    run = show(capture, "--format", "jsonl", *options)
    assert run.returncode == 0, run.stderr
    true = causes(capture)
    wrong = [
        (record["frame"], record["gap"], true.get(record["frame"]))
        for record in map(json.loads, run.stdout.splitlines())
        if record["gap"] and CAUSES.get(true.get(record["frame"])) and record["gap"]["verdict"] != "on time"
    ]
    assert not wrong


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: path.stem)
def test_check_accepts_what_was_configured(capture: Path) -> None:
    """Every timer of a real kernel keeps the schedule that it was told to; the Solaris trace has another kernel's."""
    options = configured(capture) or ["--profile", "linux"]
    command = [sys.executable, "-m", "tcpladder", "check", *options, str(capture)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert run.returncode == (1 if capture.stem.startswith("w3_") else 0), run.stdout + run.stderr


def test_answers_that_the_prober_never_got_end_the_flow_as_no_answer() -> None:
    """b1: the server's own firewall drops the answers behind the capture point; the kernel gave up after two."""
    capture = next(
        path for path in TRUTH.iterdir() if path.name.startswith("b1_") and path.suffix == ".pcapng"
    )
    command = [sys.executable, "-m", "tcpladder", "flows", "--format", "jsonl", str(capture)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60)
    (flow,) = [json.loads(line) for line in run.stdout.splitlines()]
    assert flow["ended"] == "no answer"


def test_the_first_rto_behind_a_tail_loss_probe_is_named_as_such() -> None:
    """g1: two nearly equal gaps, because the RTO is armed anew by the probe; from then on it doubles."""
    (capture,) = (path for path in CAPTURES if path.name.startswith("g1_"))
    gaps = [line for line in show(capture).stdout.splitlines() if "┊" in line]
    assert [re.sub(r".*?┊ | [✓?].*", "", line) for line in gaps if "RTO" in line or "probe" in line] == [
        "tail loss probe",
        "RTO after tail loss probe",
        "RTO 200 ms × 2¹",
        "RTO 200 ms × 2²",
        "RTO 200 ms × 2³",
    ]
