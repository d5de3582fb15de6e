"""Every experiment that ships, on this kernel, through the whole program: each checks itself, at its short scale."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
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
    syns = [one["time_ns"] for one in ran["connect-timeout"].records]
    gaps_s = [(later - sooner) / 1e9 for sooner, later in pairwise(syns)]
    assert len(gaps_s) == 3
    assert all(nominal <= gap <= nominal * 1.15 for gap, nominal in zip(gaps_s, (1, 2, 4), strict=True))


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


def test_a_command_in_the_lab_keeps_its_exit_code_and_its_words_go_to_stderr() -> None:
    script = "echo in the lab; exec 3<>/dev/tcp/127.0.0.1/1; exit 9"
    done = subprocess.run(
        [*TCPLADDER, "lab", "--format", "jsonl", "--", "bash", "-c", script], capture_output=True, text=True
    )
    assert done.returncode == 9, done.stderr
    kinds = [json.loads(line)["kind"] for line in done.stdout.splitlines()]
    assert kinds == ["syn", "refused"]
    assert "\nin the lab\n" in done.stderr
