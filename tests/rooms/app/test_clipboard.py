"""What is copied reaches the terminal in front of the person, and a file, and the app says which."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path

import pytest

from rooms.app.scripted import app_for, keepalive_session, settle
from rooms.app.test_ladder_keys import session_of
from rooms.ladder.test_folds import transfer
from tcpladder.app import clipboard, ladder_pair
from tcpladder.app.ladder_view import LadderView

SIZE = (80, 24)
TEXT = "│── SYN ──▶│\n" * 100


def test_gnu_screen_gets_pieces_that_it_hands_on() -> None:
    sent = clipboard.wrapped(TEXT, {"STY": "1.host", "TERM": "screen"})
    pieces = sent.removeprefix("\x1bP").removesuffix("\x1b\\").split("\x1b\\\x1bP")
    assert max(map(len, pieces)) <= 512
    whole = "".join(pieces)
    assert whole.startswith("\x1b]52;c;")
    assert b64decode(whole.removeprefix("\x1b]52;c;").removesuffix("\x07")).decode() == TEXT


def test_a_tmux_that_is_far_gets_what_it_passes_through() -> None:
    sent = clipboard.wrapped("SYN", {"TERM": "tmux-256color"})
    assert sent == "\x1bPtmux;\x1b\x1b]52;c;U1lO\x07\x1b\\"
    assert clipboard.wrapped("SYN", {"TERM": "xterm-256color"}) == ""


async def test_a_row_a_range_and_the_ladder(state_home: Path) -> None:
    app = app_for(keepalive_session(mode="file", phase="ended"), start_flow=1)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("y")
        assert app.clipboard.count("\n") == 0
        await pilot.press("j", "space", "j", "j", "y")
        assert "SYN-ACK" in app.clipboard.splitlines()[0]
        assert app.clipboard.count("\n") == 2
        said = str(list(app._notifications)[-1].message)
        assert said.startswith("copied 3 rows, from the marked rung to this one: on the clipboard, if")
        assert (state_home / "tcpladder" / "copied.txt").read_text() == app.clipboard + "\n"
        assert (state_home / "tcpladder" / "copied.txt").stat().st_mode & 0o777 == 0o600
        await pilot.press("Y")
        assert app.clipboard.startswith("flow 1  127.0.0.1:22345")
        assert "RST; application: ETIMEDOUT" in app.clipboard


async def test_what_is_too_long_for_a_clipboard_is_in_the_file_alone(
    state_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clipboard, "LONGEST", 500)
    app = app_for(session_of(transfer(30)), start_flow=1)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("Y")
        assert app.clipboard == ""
        assert str(state_home) in str(list(app._notifications)[-1].message)
        monkeypatch.setattr(ladder_pair, "MOST_ROWS", 3)
        await pilot.press("Y")
        assert "e exports them" in str(list(app._notifications)[-1].message)
        assert len(app.screen.query_one(LadderView).ladder) == 6
