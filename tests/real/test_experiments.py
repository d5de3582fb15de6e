"""Every experiment that ships, on this kernel, through the whole program: each checks itself, at its short scale."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tcpladder.lab.table import names

pytestmark = pytest.mark.real("nft")

TCPLADDER = [sys.executable, "-m", "tcpladder"]
LONGEST_S = 45
"""The defaults take 20 s at most; the rest is for a loaded machine."""


@dataclass
class Ran:
    """What a run left."""

    code: int
    records: list[dict[str, Any]]
    talk: str


@pytest.fixture(scope="module")
def ran() -> Iterator[dict[str, Ran]]:
    """All of them at once: they wait for timers, and not for each other."""
    environment = {name: value for name, value in os.environ.items() if name != "TCPLADDER_HANDOVER"}
    running = {
        name: subprocess.Popen(
            [*TCPLADDER, "lab", name, "--format", "jsonl"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in names()
    }
    try:
        done = {}
        for name, process in running.items():
            said, talk = process.communicate(timeout=LONGEST_S)
            done[name] = Ran(process.returncode, [json.loads(line) for line in said.splitlines()], talk)
        yield done
    finally:
        for process in running.values():
            process.kill()


@pytest.mark.parametrize("name", names())
def test_it_goes_as_expected_on_this_kernel(ran: dict[str, Ran], name: str) -> None:
    assert ran[name].code == 0, ran[name].talk
    assert ran[name].talk.splitlines()[-1] == f"tcpladder: {name}: as expected"


def test_gaps_are_those_of_the_timers(ran: dict[str, Ran]) -> None:
    syns = [one["time_ns"] for one in ran["connect-timeout"].records if one["record"] == "segment"]
    gaps_s = [(later - sooner) / 1e9 for sooner, later in pairwise(syns)]
    assert len(gaps_s) == 3
    assert all(nominal <= gap <= nominal * 1.15 for gap, nominal in zip(gaps_s, (1, 2, 4), strict=True))


def test_after_the_segments_comes_what_was_expected_what_the_applications_saw_and_the_sockets(
    ran: dict[str, Ran],
) -> None:
    records = ran["keepalive"].records
    compared = [one for one in records if one["record"] == "comparison"]
    assert compared[0]["what"] == "keepalive ack from the server"
    assert (compared[0]["expected"], compared[0]["observed"]) == ("3", "3")
    gaps = [one["expected"] for one in compared if one["what"].startswith("gap before")]
    assert gaps == ["3 s"] * 4 + ["1 s"] * 3
    call = next(one for one in records if one["record"] == "call" and one["error"])
    assert (call["end"], call["call"], call["error"]) == ("client", "recv()", "ETIMEDOUT")
    steps = {one["did"]: one["sockets"] for one in records if one["record"] == "step"}
    ends = "127.0.0.1:22345 127.0.0.1:12345"
    client = steps["wait for 3 × unanswered probes"][0]
    assert client.startswith(f"ESTAB 0 0 {ends} timer:(keepalive,"), "the article saw it with netstat -o"
    assert client.endswith(",3)"), "three probes without an answer"
    gone = steps["wait for recv() of the client to fail with ETIMEDOUT"]
    assert [line.split()[3] for line in gone] == ["127.0.0.1:12345"], "nobody told the server: half-open"


def test_another_number_changes_the_experiment_and_text_tells_what_no_segment_shows() -> None:
    began = time.monotonic()
    done = subprocess.run(
        [*TCPLADDER, "lab", "connect-timeout", "--set", "retries=1", "--format", "text"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert 3 <= time.monotonic() - began < 15
    assert done.stdout.count("── SYN ") == 2
    after = done.stdout.rpartition("── SYN ")[2]
    assert "client: connect() failed with" in after, "it came when no segment did"
    assert "connect-timeout: as expected" in after
    assert "connect() = -1 ETIMEDOUT (Connection timed out) <3." in after
    assert "SYN-SENT 0 1 127.0.0.1:22345 127.0.0.1:12345 timer:(on," in after


def test_what_is_kept_is_a_capture_with_its_story(tmp_path: Path) -> None:
    command = [*TCPLADDER, "lab", "refused", "--format", "text", "--save", str(tmp_path / "new" / "kept")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_S)
    assert done.returncode == 0, done.stderr
    told = tomllib.loads((tmp_path / "new" / "kept" / "story.toml").read_text())
    assert (told["outcome"], told["ended"]) == ("refused: as expected", "refused")
    (call,) = told["application"]
    assert (call["end"], call["call"], call["error"]) == ("client", "connect()", "ECONNREFUSED")
    assert [segment["kind"] for segment in told["segment"]] == ["syn", "refused"]
    shown = subprocess.run(
        [*TCPLADDER, "show", "--format", "jsonl", str(tmp_path / "new" / "kept" / told["file"])],
        capture_output=True,
        text=True,
        check=True,
    )
    assert [json.loads(line)["kind"] for line in shown.stdout.splitlines()] == ["syn", "refused"]


def test_two_capture_points_are_one_ladder_and_one_file(tmp_path: Path) -> None:
    points = ["--at", "client", "--at", "server"]
    done = subprocess.run(
        [*TCPLADDER, "lab", "lossy", *points, "--format", "jsonl", "--save", str(tmp_path / "two")],
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "tcpladder: lossy: as expected"
    live = [one["kind"] for one in map(json.loads, done.stdout.splitlines()) if one["record"] == "segment"]
    shown = subprocess.run(
        [*TCPLADDER, "show", "--format", "jsonl", str(tmp_path / "two" / "lossy.pcapng")],
        capture_output=True,
        text=True,
        check=True,
    )
    kept = [json.loads(line)["kind"] for line in shown.stdout.splitlines()]
    once = [kind for kind in kept if kind != "copy"]
    assert sorted(live) == sorted(once)
    assert len(kept) == 2 * len(once), "both see all: what the server drops was on its wire"


UNHEARD = """
import socket
for ttl in (1, 1, 1, 1, 64):
    with socket.socket() as one:
        one.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
        one.settimeout(0.3)
        try: one.connect(("10.0.2.1", 81))
        except OSError: pass
"""


def test_what_only_the_first_point_sees_stops_short() -> None:
    """A router takes what has gone through routers enough: the client's wire has it, the server's never."""
    points = ["--network", "routed", "--host", "client", "--at", "client", "--at", "server"]
    done = subprocess.run(
        [*TCPLADDER, "lab", *points, "--format", "jsonl", "--", sys.executable, "-c", UNHEARD],
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
    )
    records = [json.loads(line) for line in done.stdout.splitlines()]
    lost = {one["flow"]: one["lost"] for one in records if one["kind"] == "syn"}
    assert lost.pop(5) is None
    # What is printed as it comes may be printed before it is judged.
    assert set(lost.values()) <= {"not at server", None}
    assert "not at server" in lost.values()


def test_a_command_in_the_lab_keeps_its_exit_code_and_its_words_go_to_stderr() -> None:
    script = "echo in the lab; exec 3<>/dev/tcp/127.0.0.1/1; exit 9"
    done = subprocess.run(
        [*TCPLADDER, "lab", "--format", "jsonl", "--", "bash", "-c", script], capture_output=True, text=True
    )
    assert done.returncode == 9, done.stderr
    kinds = [json.loads(line)["kind"] for line in done.stdout.splitlines()]
    assert kinds == ["syn", "refused"]
    assert "\nin the lab\n" in done.stderr
