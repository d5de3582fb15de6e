"""`tcpladder replay` and `tcpladder` alone in a real terminal."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rooms.session.test_replay import KEEPALIVE
from tcpladder.lab import table

pytestmark = pytest.mark.real("tmux", root=False)
LATEST_S = 30


class Screen:
    """A terminal of 80x24 in a tmux of its own."""

    def __init__(self, socket: str, words: list[str], state: Path) -> None:
        self._tmux = ["tmux", "-L", socket, "-f", "/dev/null"]
        tcpladder = f"{sys.executable} -m tcpladder {' '.join(words)}"
        paths = os.pathsep.join(str(Path(path).absolute()) for path in sys.path if path)
        environment = ["-e", f"PYTHONPATH={paths}", "-e", f"XDG_STATE_HOME={state}", "-e", "LANG=C.UTF-8"]
        subprocess.run(
            [*self._tmux, "new", "-d", "-x", "80", "-y", "24", *environment, f"{tcpladder}; echo left; cat"],
            check=True,
        )

    def text(self) -> str:
        return subprocess.run(
            [*self._tmux, "capture-pane", "-p"], capture_output=True, text=True, check=True
        ).stdout

    def shows(self, words: str) -> str:
        deadline = time.monotonic() + LATEST_S
        while words not in (text := self.text()):
            assert time.monotonic() < deadline, text
            time.sleep(0.05)
        return text

    def press(self, *keys: str) -> None:
        subprocess.run([*self._tmux, "send-keys", *keys], check=True)

    def end(self) -> None:
        subprocess.run([*self._tmux, "kill-server"], check=False)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def screens(state: Path) -> Iterator[list[Screen]]:
    opened: list[Screen] = []
    yield opened
    for screen in opened:
        screen.end()


def test_a_replay_plays_by_itself_and_stops_at_the_end(screens: list[Screen], state: Path) -> None:
    screen = Screen(
        f"replay-{os.getpid()}", ["replay", "--pace", "30", "--idle", "300ms", str(KEEPALIVE)], state
    )
    screens.append(screen)
    screen.shows("◀◀")
    screen.press("Enter")
    screen.shows("server :")
    screen.shows("▮▮ end")
    screen.press("@")
    screen.shows("from here")
    screen.press("0%", "Enter")
    screen.shows("▮▮ paused")
    screen.press("p")
    screen.shows("▶▶ replay 30×")
    screen.shows("▮▮ end")
    screen.press("q")
    screen.shows("sort: first seen")
    screen.press("q")
    screen.shows("left")


def test_the_start_screen_leads_to_a_capture_and_is_there_again(screens: list[Screen], state: Path) -> None:
    screen = Screen(f"start-{os.getpid()}", [], state)
    screens.append(screen)
    screen.shows("Captures that come with")
    screen.press("Tab")
    screen.shows(f"tcpladder lab {table.names()[0]}")
    screen.press("Tab")
    screen.shows("tcpladder open")
    screen.press("R")
    screen.shows("◀◀")
    screen.press("q")
    screen.shows("Interfaces")
    screen.press("Tab", "Tab", "Tab")
    screen.shows("Opened lately")
    screen.press("q")
    screen.shows("left")


def test_without_a_terminal_it_is_the_help() -> None:
    assert shutil.which("tmux")
    done = subprocess.run(
        [sys.executable, "-m", "tcpladder"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Usage: tcpladder" in done.stdout
    assert "replay" in done.stdout
    assert "save" in done.stdout
