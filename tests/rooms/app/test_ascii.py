"""With --ascii no screen draws anything else, wherever a key leads."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

import pytest

from rooms.app.scripted import keepalive_session, many_flows, screen_text, settle
from tcpladder import samples
from tcpladder.app import tour
from tcpladder.app.app import TcpladderApp
from tcpladder.app.confirm import Confirm
from tcpladder.app.start_screen import StartApp
from tcpladder.app.terminal import Taste
from tcpladder.session.files import FileSession

TASTE = Taste(timezone=UTC, ascii_only=True)
WAYS: dict[str, tuple[str, ...]] = {
    "list": (),
    "groups": ("b",),
    "a filter": ("slash", *"ended:re"),
    "ladder": ("enter",),
    "ladder with all panes": ("enter", "2", "T", "v"),
    "gaps to scale": ("enter", "plus"),
    "unfolded": ("enter", "X", "space"),
    "detail": ("enter", "g", "enter"),
    "help": ("question_mark",),
    "help of a ladder": ("enter", "question_mark"),
    "palette": ("colon",),
    "palette, words": ("colon", *"tim"),
    "fault dialog": ("D",),
    "why of a fault": ("D", "f1"),
    "faults": ("D", "enter", "F"),
    "question": ("K",),
    "export": ("e",),
    "save": ("w",),
    "names": ("a",),
    "columns": ("c",),
    "open": ("o",),
    "interfaces": ("i",),
    "number": ("enter", "T", "3", "S"),
    "jump": ("semicolon",),
    "two rungs": ("enter", "g", "space", "j", "j", "j", "d"),
    "note": ("enter", "m"),
    "privacy": ("P",),
    "paused": ("p",),
    "replay": ("R", "right_square_bracket"),
    "replayed ladder": ("R", "G", "enter", "left_square_bracket"),
}


FROM_A_FILE = {"detail", "export", "save", "two rungs", "replay", "replayed ladder"}
"""The others can be scripted."""


def sample() -> FileSession:
    return FileSession([str(samples.capture("keepalive"))], read_again=True)


def beyond(app: TcpladderApp | StartApp) -> set[str]:
    """What is drawn that is not ASCII."""
    text = "\n".join(strip.text for strip in app.screen._compositor.render_strips())
    return {letter for letter in text if not letter.isascii()}


async def test_no_screen_draws_anything_but_ascii(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found: dict[str, set[str]] = {}
    for name, keys in WAYS.items():
        session = sample() if name in FROM_A_FILE else keepalive_session()
        app = TcpladderApp(session, taste=TASTE)  # type: ignore[arg-type]
        async with app.run_test(size=(80, 24), notifications=True) as pilot:
            await settle(pilot, 1)
            for key in keys:
                await pilot.press(key)
                await settle(pilot, 1)
            if drawn := beyond(app):
                found[name] = drawn
    assert found == {}


async def test_nor_do_the_screens_that_no_key_leads_to() -> None:
    app = TcpladderApp(many_flows(40), taste=TASTE)  # type: ignore[arg-type]
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settle(pilot)
        assert not beyond(app)
        tour.show(app)
        for _ in tour.STEPS:
            await settle(pilot, 1)
            assert not beyond(app)
            await pilot.press("enter")
        app.push_screen(Confirm("Reset a → b?", ascii_only=True, word="insist"))
        await settle(pilot, 1)
        assert not beyond(app)
        await pilot.press("escape")
        app.action_change_theme()
        await settle(pilot)
        assert not beyond(app), screen_text(app)
        await pilot.press("escape")
        await pilot.resize_terminal(40, 10)
        await settle(pilot)
        assert not beyond(app)


async def test_nor_does_the_start_screen() -> None:
    app = StartApp(taste=TASTE)
    async with app.run_test(size=(80, 24)) as pilot:
        for key in ("j", "o", "escape", "question_mark"):
            await pilot.press(key)
            await pilot.pause(0.05)
            assert not beyond(app)
