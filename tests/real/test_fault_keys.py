"""The program in a terminal: D breaks a real connection, the ladder shows what the kernel counted, U mends, K ends."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.real("nft", "nsenter", "tmux")

PATIENCE_S = 30.0


class Terminal:
    """tcpladder in a tmux of its own, 80x24."""

    def __init__(self, command: str) -> None:
        self._socket = f"tcpladder-test-{uuid.uuid4().hex[:8]}"
        # What a program that ended has said stays on the screen, so that a failure shows it.
        keep = ("set", "-g", "remain-on-exit", "on", ";")
        self._tmux(
            "-f", "/dev/null", "start", ";", *keep, "new", "-d", "-x", "80", "-y", "24", f"exec {command}"
        )
        self.pid = int(self._tmux("list-panes", "-F", "#{pane_pid}"))

    def _tmux(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-L", self._socket, *words], capture_output=True, text=True, check=True
        )
        return done.stdout

    def screen(self) -> str:
        return self._tmux("capture-pane", "-p")

    def press(self, *keys: str) -> None:
        self._tmux("send-keys", *keys)

    def until(self, holds: Callable[[str], object]) -> str:
        """The first screen of which something holds."""
        deadline = time.monotonic() + PATIENCE_S
        while not holds(screen := self.screen()):
            assert time.monotonic() < deadline, screen
            time.sleep(0.05)
        return screen

    def close(self) -> None:
        subprocess.run(["tmux", "-L", self._socket, "kill-server"], check=False)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    command = f"{sys.executable} -m tcpladder lab keepalive --set idle=1 --set answered=100 --set probes=9"
    opened = Terminal(f"env LC_ALL=C.UTF-8 {command}")
    # What the experiment says, above the ladder, which opens as soon as its flow is there.
    opened.until(lambda screen: "L close" in screen and "ESTAB" in screen)
    yield opened
    opened.close()


def agent_of(app: int) -> int:
    """The pid of the agent, as the app was told."""
    entries = Path(f"/proc/{app}/environ").read_bytes().split(b"\0")
    left = next(entry for entry in entries if entry.startswith(b"TCPLADDER_HANDOVER="))
    return int(json.loads(left.partition(b"=")[2])["agent_pid"])


def ruleset(agent: int) -> str:
    """nft's own word about the agent's network."""
    command = ["nsenter", "-t", str(agent), "-n", "nft", "list", "ruleset"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def eaten(agent: int) -> int:
    """What nft counted in its rules."""
    return sum(int(count) for count in re.findall(r"counter packets (\d+)", ruleset(agent)))


def marked(screen: str) -> int:
    return sum("✗" in line for line in screen.splitlines())


def test_break_watch_mend_and_reset(terminal: Terminal) -> None:
    terminal.press("Escape")
    terminal.until(lambda screen: "L close" not in screen)
    screen = terminal.until(lambda screen: "keepalive ACK" in screen)
    assert re.search(r"kernel drops 0 .* own netns *$", screen, re.M), screen
    agent = agent_of(terminal.pid)
    assert "table" not in ruleset(agent)
    terminal.press("D")
    dialog = terminal.until(lambda screen: "iptables" in screen)
    assert "Break 127.0.0.1:22345" in dialog
    terminal.press("S")
    screen = terminal.until(lambda screen: marked(screen) >= 2 and re.search("fault 1: .* ate [1-9]", screen))
    assert all("probe" in line for line in screen.splitlines() if "✗" in line)
    counted = eaten(agent)
    terminal.until(lambda screen: marked(screen) >= counted)
    assert marked(terminal.screen()) <= eaten(agent)
    terminal.press("U")
    screen = terminal.until(lambda screen: "rule 1 lifted: ate" in screen)
    said = re.search(r"rule 1 lifted: ate (\d) segments", screen)
    assert said is not None
    assert int(said[1]) == marked(screen), screen
    assert "counter" not in ruleset(agent)
    terminal.until(lambda screen: "keepalive ACK" in screen.rpartition("lifted")[2])
    terminal.press("K")
    terminal.until(lambda screen: "Reset 127.0.0.1:22345" in screen)
    terminal.press("y")
    screen = terminal.until(lambda screen: "RST" in screen.rpartition("keepalive ACK")[2])
    terminal.until(lambda screen: "CLOSED" in screen.splitlines()[0])
    terminal.press("q", "q")
    deadline = time.monotonic() + 10
    while any(alive(pid) for pid in (terminal.pid, agent)):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] not in "ZX"
    except OSError:
        return False


def test_q_asks_and_killing_the_app_lifts(terminal: Terminal) -> None:
    terminal.press("D")  # with the narration open, which says what to break
    terminal.until(lambda screen: "iptables" in screen)
    terminal.press("C")
    terminal.until(lambda screen: "L close" in screen and "fault 1:" in screen)
    terminal.press("Escape")
    terminal.until(lambda screen: "L close" not in screen)
    terminal.press("q", "q")
    terminal.until(lambda screen: "Leave, and lift it?" in screen)
    terminal.press("n")
    terminal.until(lambda screen: "Leave" not in screen)
    agent = agent_of(terminal.pid)
    assert "counter" in ruleset(agent)
    os.kill(terminal.pid, 9)
    deadline = time.monotonic() + 10
    while alive(agent):
        assert time.monotonic() < deadline
        time.sleep(0.05)
