"""The app recorded in a real terminal: what stands in the recording is what stood on the screen."""

from __future__ import annotations

import itertools
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tcpladder import samples
from tcpladder.errors import ExitCode
from tcpladder.record.asciicast import Code, size_of
from tcpladder.record.cast_file import Cast, read_cast
from tcpladder.record.frames import film, screen_at
from tcpladder.record.plain import text
from tcpladder.record.terminal import Terminal

pytestmark = pytest.mark.real("tmux", root=False)
TCPLADDER = [sys.executable, "-m", "tcpladder"]
CAPTURE = str(samples.capture("keepalive"))
LATEST_S = 20
_COUNTER = itertools.count()


class Screen:
    """A terminal of 80x24 in a tmux of its own."""

    def __init__(self, before: str, words: list[str]) -> None:
        self._tmux = ["tmux", "-L", f"recording-{os.getpid()}-{next(_COUNTER)}", "-f", "/dev/null"]
        paths = os.pathsep.join(str(Path(path).absolute()) for path in sys.path if path)
        environment = ["-e", f"PYTHONPATH={paths}", "-e", "LANG=C.UTF-8"]
        # Textual believes these rather than the terminal, and then no resize is seen.
        command = f"unset COLUMNS LINES; {before} {' '.join(TCPLADDER)} {' '.join(words)}; echo the app is gone; cat"
        subprocess.run([*self._tmux, "new", "-d", "-x", "80", "-y", "24", *environment, command], check=True)

    def _say(self, *words: str) -> str:
        return subprocess.run([*self._tmux, *words], capture_output=True, text=True, check=True).stdout

    def shows(self, *all_of: str) -> str:
        deadline = time.monotonic() + LATEST_S
        while not all(words in (shown := self._say("capture-pane", "-p")) for words in all_of):
            assert time.monotonic() < deadline, shown
            time.sleep(0.05)
        return shown

    def at_rest(self) -> str:
        """What stands there when nothing is drawn any more."""
        deadline, shown, before = time.monotonic() + LATEST_S, self._say("capture-pane", "-p"), ""
        while shown != before:
            assert time.monotonic() < deadline, shown
            time.sleep(0.3)
            before, shown = shown, self._say("capture-pane", "-p")
        return shown

    def press(self, *keys: str) -> None:
        self._say("send-keys", *keys)

    def resize(self, columns: int, rows: int) -> None:
        self._say("resize-window", "-x", str(columns), "-y", str(rows))

    def kill(self) -> None:
        """The app, at once."""
        shell = self._say("list-panes", "-F", "#{pane_pid}").strip()
        found = subprocess.run(
            ["pgrep", "-P", shell], capture_output=True, text=True, check=True
        ).stdout.split()
        os.kill(int(found[0]), signal.SIGKILL)

    def end(self) -> None:
        subprocess.run([*self._tmux, "kill-server"], check=False, capture_output=True)


@pytest.fixture
def screen() -> Iterator[Callable[..., Screen]]:
    opened: list[Screen] = []

    def open_screen(words: list[str], before: str = "") -> Screen:
        opened.append(Screen(before, words))
        return opened[-1]

    yield open_screen
    for one in opened:
        one.end()


def last_picture(cast: Cast) -> str:
    """Without the blanks that tmux does not give back."""
    return text(list(film(cast))[-1].screen)


def all_screens(cast: Cast) -> Iterator[str]:
    """After each event, also those that a film leaves out because something else stood there soon after."""
    terminal = Terminal(cast.header.width, cast.header.height)
    for event in cast.events:
        if event.code is Code.OUTPUT:
            terminal.feed(event.data)
        elif event.code is Code.RESIZE:
            terminal.resize(*size_of(event.data))
        yield text(terminal.screen())


def plain(shown: str) -> str:
    return "\n".join(line.rstrip() for line in shown.splitlines()).rstrip("\n") + "\n"


def test_the_recording_shows_what_the_screen_showed(screen: Callable[..., Screen], tmp_path: Path) -> None:
    path = tmp_path / "a.cast"
    app = screen(["--record", str(path), "--record-keys", "open", CAPTURE])
    app.shows("no answer", "? help")
    app.press("Enter")
    app.shows("row 1 of 22")
    app.press("End")
    app.shows("RST", "row 22 of 22")
    app.press("P")
    app.shows("addresses masked", "192.0.2.1")
    app.resize(100, 30)
    app.shows("─" * 100, "addresses masked")
    app.press("?")
    app.shows("maximise this pane")
    shown = app.at_rest()
    app.press("C-q")
    app.shows("the app is gone")
    cast = read_cast(path)
    assert cast.warnings == ()
    assert (cast.header.width, cast.header.height, cast.header.title) == (80, 24, "tcpladder open")
    assert last_picture(cast) == plain(shown)
    assert [event.data for event in cast.events if event.code is Code.RESIZE] == ["100x30"]
    typed = "".join(event.data for event in cast.events if event.code is Code.INPUT)
    assert typed == "\r\x1b[FP?\x11"
    sent = "".join(event.data for event in cast.events if event.code is Code.OUTPUT)
    assert not re.search(r"\x1b\[\?1(?:000|003|006|015)h|\x1b\[\?\d+\$p|\x1b\[>\d*u", sent)


def test_the_start_screen_and_what_is_chosen_on_it_are_one_recording(
    screen: Callable[..., Screen], tmp_path: Path
) -> None:
    path = tmp_path / "whole.cast"
    app = screen(["--record", str(path), "--record-format", "v3"])
    app.shows("Experiments", "o open a file")
    app.press("o")
    app.shows("a capture: pcap")
    app.press(*CAPTURE, "Enter")
    app.shows("no answer", "? help")
    app.resize(100, 30)
    app.shows("─" * 100)
    app.press("Enter")
    app.shows("row 1 of 22")
    app.press("q", "q")
    app.shows("Experiments", "─" * 100)
    app.press("q")
    assert "recorded in" in app.shows("the app is gone")
    cast = read_cast(path)
    assert cast.warnings == ()
    assert (cast.header.version, cast.header.title) == (3, "tcpladder")
    pictures = list(all_screens(cast))
    stages = [
        next(at for at, shown in enumerate(pictures) if "o open a file" in shown),
        next(at for at, shown in enumerate(pictures) if "no answer" in shown),
        next(at for at, shown in enumerate(pictures) if "row 1 of 22" in shown),
        max(at for at, shown in enumerate(pictures) if "o open a file" in shown),
    ]
    assert stages == sorted(stages)
    assert len(set(stages)) == 4
    assert [event.data for event in cast.events if event.code is Code.RESIZE] == ["100x30"]


@pytest.mark.real
def test_what_is_refused_leaves_no_empty_recording(tmp_path: Path) -> None:
    path = tmp_path / "none.cast"
    for words in ("live -i nowhere0", "open /nowhere.pcap", "live tcp prot 80"):
        done = subprocess.run(
            ["script", "-qec", f"{' '.join(TCPLADDER)} --record {path} {words}", "/dev/null"],
            capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, cwd=tmp_path,
        )  # fmt: skip
        assert done.returncode not in (0, 1), done.stdout
        assert not path.exists()


def test_a_recorder_that_is_killed_leaves_a_recording(screen: Callable[..., Screen], tmp_path: Path) -> None:
    path = tmp_path / "a.cast"
    app = screen(["open", CAPTURE, "--record", str(path), "--record-format", "v3"])
    app.shows("no answer", "? help")
    app.press("Enter")
    shown = app.shows("row 1 of 22", "? help")
    app.kill()
    app.shows("the app is gone")
    cast = read_cast(path)
    assert cast.header.version == 3
    assert last_picture(cast) == plain(shown)
    assert not [event for event in cast.events if event.code is Code.INPUT]


def test_a_full_disk_is_told_and_the_app_goes_on(screen: Callable[..., Screen], tmp_path: Path) -> None:
    path = tmp_path / "a.cast"
    app = screen(["open", CAPTURE, "--record", str(path)], before="ulimit -f 24;")
    app.shows("no answer", "? help")
    app.press("Enter")
    app.shows("server :")
    app.press("End", "Home", "End")
    app.shows("the recording ended")
    app.press("?")
    app.shows("maximise this pane")
    app.press("C-q")
    assert "the recording ended after" in app.shows("the app is gone")
    assert "no answer" in text(screen_at(read_cast(path), None))


def test_nothing_is_written_over(tmp_path: Path) -> None:
    path = tmp_path / "a.cast"
    path.write_text("precious")
    done = subprocess.run(
        ["script", "-qec", f"{' '.join(TCPLADDER)} open {CAPTURE} --record {path}", "/dev/null"],
        capture_output=True, text=True, env={**os.environ, "TERM": "xterm"}, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == ExitCode.USAGE
    assert f"cannot write {path}: it exists, and nothing is written over; name another file" in done.stdout
    assert path.read_text() == "precious"


@pytest.mark.real("asciinema", root=False)
def test_asciinema_plays_it(screen: Callable[..., Screen], tmp_path: Path) -> None:
    """What it writes on a terminal is the recording, byte for byte."""
    path = tmp_path / "a.cast"
    app = screen(["open", CAPTURE, "--record", str(path)])
    app.shows("no answer", "? help")
    app.press("Enter")
    app.shows("row 1 of 22")
    app.press("C-q")
    app.shows("the app is gone")
    done = subprocess.run(
        ["script", "-qec", f"asciinema cat {path}", "/dev/null"],
        capture_output=True, check=True, timeout=LATEST_S, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    sent = "".join(event.data for event in read_cast(path).events if event.code is Code.OUTPUT)
    assert done.stdout.decode().replace("\r\n", "\n") == sent
