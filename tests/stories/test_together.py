"""A capture at a proxy through the whole program: four flows between five hosts on one ladder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from proxied import proxied
from tcpladder import __version__
from tcpladder.errors import ExitCode

GOLDEN = Path(__file__).with_name("golden")


def run(command: str, capture: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tcpladder", command, str(capture), *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | {"TZ": "UTC"},
    )


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return proxied(tmp_path_factory.mktemp("together") / "proxied.pcap")


@pytest.mark.parametrize("name", ["together.txt", "together-narrow.txt", "together.mmd"])
def test_the_ladder_is_as_it_was_looked_at(name: str, capture: Path) -> None:
    """TCPLADDER_WRITE_GOLDEN=1 writes it anew."""
    words = {
        "together.txt": ("--as", "text", "--together"),
        "together-narrow.txt": ("--as", "text", "--together", "--width", "60", "--ascii"),
        "together.mmd": ("--as", "mermaid", "--flow", "1,2"),
    }[name]
    text = run("export", capture, *words).stdout.replace(f"tcpladder {__version__}", "tcpladder 0")
    if os.environ.get("TCPLADDER_WRITE_GOLDEN"):
        (GOLDEN / name).write_text(text, encoding="utf-8")
    assert text == (GOLDEN / name).read_text(encoding="utf-8")


def test_show_draws_the_flows_that_are_named_and_says_what_it_cannot(capture: Path) -> None:
    both = run("show", capture, "--flow", "4,1", "--together").stdout
    heads = [line for line in both.splitlines() if line.startswith("flow ")]
    assert heads == [
        "flow 1  10.0.0.1:40001 → 10.0.0.9:3128  time-wait, closed",
        "flow 4  10.0.0.9:51002 → 192.168.7.21:443  closed, no answer",
    ]
    drawn = [line for line in both.splitlines() if "│" in line or "┊" in line]
    assert sum("┊" in line for line in drawn) == 5  # before four probes, and the RST that gave up
    assert len(drawn) == 10 + 9 + 5
    apart = run("show", capture, "--flow", "4,1").stdout
    assert [line[:6] for line in apart.splitlines() if line.startswith("flow ")] == ["flow 1", "flow 4"]
    for words, said in (
        (("--together", "--format", "jsonl"), "--together draws one ladder"),
        (("--flow", "1,9", "--together"), "there is no flow 9"),
        (("--flow", "1,x"), "give numbers of the list of flows, such as 1 or 1,4"),
    ):
        refused = run("show", capture, *words)
        assert refused.returncode == ExitCode.USAGE
        assert said in refused.stderr


def test_lines_for_programs_are_what_they_were(capture: Path) -> None:
    every = run("show", capture, "--format", "jsonl").stdout.splitlines()
    chosen = run("show", capture, "--flow", "2,4", "--format", "jsonl").stdout.splitlines()
    assert chosen == [line for line in every if '"flow": 2' in line or '"flow": 4' in line]
    refused = run("export", capture, "--as", "json", "--together")
    assert (refused.returncode, refused.stdout) == (ExitCode.USAGE, "")


def test_a_mask_hides_the_hosts_above_their_lanes(capture: Path) -> None:
    for form in ("text", "svg", "plantuml", "websequence", "html"):
        masked = run("export", capture, "--as", form, "--together", "--privacy").stdout
        assert "192.0.2." in masked
        assert "10.0.0." not in masked
        assert "192.168.7" not in masked
