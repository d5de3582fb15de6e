"""The program in the terminals that people have: what TERM says, what the locale says, every size; ^z and fg."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable

import pytest

from bench.terminal import Terminal, running
from tcpladder import samples

pytestmark = pytest.mark.real(root=False)

PATIENCE_S = 30.0
OPEN = [sys.executable, "-m", "tcpladder", "open", str(samples.capture("keepalive"))]
BOX, ASCII = "─", "-"
TRUECOLOR, PALETTE = b"\x1b[38;2;", re.compile(rb"\x1b\[[0-9;]*3[1-6][;m]")
ANY_COLOUR = re.compile(rb"\x1b\[(?:[0-9;]*;)?(?:3[0-7]|4[0-7]|9[0-7]|38;[25];)[0-9;]*m")


def environment(**changes: str | None) -> dict[str, str]:
    """What the program gets: no settings of a user, kitty keys left out, which pyte shows as letters."""
    plain = {
        name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "COLORTERM"))
    }
    plain |= {"TCPLADDER_RECENT": "off", "TEXTUAL_DISABLE_KITTY_KEY": "1", "XDG_CONFIG_HOME": "/nonexistent"}
    return {name: value for name, value in {**plain, **changes}.items() if value is not None}


def until(terminal: Terminal, holds: Callable[[str], object]) -> str:
    """The first screen of which something holds."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds(screen := terminal.screen()):
        assert time.monotonic() < deadline, screen
        terminal.read_once(0.05)
    return screen


def ends(terminal: Terminal) -> int:
    """The exit code, when it has ended."""
    deadline = time.monotonic() + PATIENCE_S
    while (info := os.waitid(os.P_PID, terminal.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)) is None:
        assert time.monotonic() < deadline, terminal.screen()
        terminal.read_once(0.05)
    terminal.read(0.1)
    return info.si_status


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"TERM": "xterm-256color", "LANG": "C.UTF-8", "COLORTERM": "truecolor"}, BOX),
        ({"TERM": "linux", "LANG": "C.UTF-8"}, ASCII),
        ({"TERM": "screen", "LANG": "C.UTF-8"}, BOX),
        ({"TERM": "tmux-256color", "LANG": "C"}, ASCII),
        ({"TERM": "xterm-256color", "LANG": "C.UTF-8", "NO_COLOR": "1"}, BOX),
    ],
    ids=["xterm", "linux", "screen", "tmux without UTF-8", "NO_COLOR"],
)
def test_it_draws_what_the_terminal_can_show(changes: dict[str, str], rule: str) -> None:
    with running(OPEN, environment=environment(**changes)) as terminal:
        screen = until(terminal, lambda screen: "12345" in screen and "? help" in screen)
        assert re.search(f"^{rule}{{79,}}", screen, re.M)
        terminal.press("\r")
        screen = until(terminal, lambda screen: "keepalive probe" in screen)
        assert screen.isascii() is (rule == ASCII)
        drawn = bytes(terminal.drawn)
        assert (TRUECOLOR in drawn) is ("COLORTERM" in changes)
        if "NO_COLOR" in changes:
            assert not ANY_COLOUR.search(drawn)
        elif changes["TERM"] in ("linux", "screen"):
            assert PALETTE.search(drawn)
            assert b"38;5;" not in drawn
        terminal.press("qq")
        assert ends(terminal) == 0


@pytest.mark.parametrize("term", ["dumb", None, "unknown"])
def test_a_terminal_that_cannot_draw_is_refused_with_what_to_do(term: str | None) -> None:
    with running(OPEN, environment=environment(TERM=term, LANG="C.UTF-8")) as terminal:
        assert ends(terminal) == 2
        said = terminal.screen().replace("\n", "")
        assert f"TERM is {term or 'not set'}, and such a terminal cannot draw" in said
        assert "`tcpladder show FILE` prints the same" in said


def is_filled(screen: str, columns: int) -> bool:
    """Whether a ladder stands there from the first line to the last, as wide as the terminal."""
    lines = screen.splitlines()
    whole = "127.0.0.1:22345" in lines[0] or columns < 80
    whole = whole and "? help" in lines[-1] and "frames" in lines[-2] and len(lines[0].rstrip()) > columns - 4
    return whole and any("─" * (columns // 4) in line and "│" in line for line in lines[1:-5])


def test_every_size_is_used_and_one_that_is_too_small_says_what_it_needs() -> None:
    exported = environment(TERM="xterm-256color", LANG="C.UTF-8", COLUMNS="80", LINES="24")
    with running(OPEN, environment=exported) as terminal:
        until(terminal, lambda screen: "12345" in screen)
        terminal.press("\r")
        until(terminal, lambda screen: is_filled(screen, 80))
        for columns, rows in ((60, 20), (200, 50), (300, 80), (80, 24)):
            terminal.resize(columns, rows)
            screen = until(terminal, lambda screen, columns=columns: is_filled(screen, columns))
            assert ("because" in screen) is (rows >= 50), screen
        for columns, rows in ((59, 24), (80, 14), (20, 5)):
            terminal.resize(columns, rows)
            words = until(terminal, lambda screen, size=f"{columns}x{rows}": size in screen)
            assert "tcpladder needs 60x15" in " ".join(words.split())
        terminal.resize(80, 24)
        until(terminal, lambda screen: "keepalive probe" in screen)
        terminal.press("qq")
        assert ends(terminal) == 0


def test_ctrl_z_gives_the_shell_back_and_fg_the_screen() -> None:
    shell = ["bash", "--norc", "-i"]
    with running(
        shell, environment=environment(TERM="xterm-256color", LANG="C.UTF-8", PS1="PROMPT> ")
    ) as terminal:
        until(terminal, lambda screen: "PROMPT>" in screen)
        terminal.press(" ".join(OPEN) + "\r")
        until(terminal, lambda screen: "? help" in screen and "12345" in screen)
        terminal.press("\x1a")
        until(terminal, lambda screen: "Stopped" in screen)
        terminal.forget()
        terminal.press("echo here$((40 + 2))\r")
        until(terminal, lambda screen: "here42" in screen)
        terminal.forget()
        terminal.press("fg\r")
        until(terminal, lambda screen: "? help" in screen and "12345" in screen and "client" in screen)
        terminal.forget()
        terminal.press("q")
        until(terminal, lambda _: b"PROMPT>" in terminal.drawn)
