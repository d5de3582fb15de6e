"""Every key on every page either changes something or says why it cannot."""

from __future__ import annotations

import asyncio
from datetime import UTC
from pathlib import Path

import pytest

from rooms.app.scripted import screen_text, settle
from tcpladder import samples
from tcpladder.app.app import TcpladderApp
from tcpladder.app.keymap import bindings, contexts
from tcpladder.app.terminal import Taste
from tcpladder.session.files import FileSession

PRESSES: dict[str, tuple[str, ...]] = {
    "flows": (),
    "ladder": ("enter",),
    "ladder, third pane": ("enter", "3"),
    "detail": ("enter", "enter"),
}
"""Context -> the keys that lead there; the other panes have no keys but these."""
ENDS = {"leave", "quit", "suspend", "redraw"}
"""These are tested where they have a terminal."""
AT_THE_EDGE = {"up", "down", "page_up", "page_down", "first", "last", "next_pane", "previous_pane", "pane_1"}
"""On the row or the pane where they lead already, nothing more can be said than the cursor says."""


def seen(app: TcpladderApp) -> tuple[object, ...]:
    """All that a person could notice."""
    screen = app.screen
    said = tuple(one.message for one in app._notifications)
    return screen_text(app), type(screen), screen.focused, said, screen.maximized


async def is_seen(app: TcpladderApp, before: tuple[object, ...]) -> bool:
    """Whether something else than `before` is there to be noticed, or comes soon."""
    for _ in range(100):
        await asyncio.sleep(0.01)
        if seen(app) != before:
            return True
    return False


async def dead_keys(app: TcpladderApp, context: str, presses: tuple[str, ...]) -> list[str]:
    """The keys of a context that change nothing and say nothing, on the page that some keys lead to."""
    nodes = contexts()[context]
    names = {one.id: one.key for one in bindings(nodes[:1] if "pane" in context else nodes)}
    dead = []
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await settle(pilot)
        for key in presses:
            await pilot.press(key)
            await pilot.pause()
        await app.workers.wait_for_complete()
        for name, key in names.items():
            if name in ENDS | AT_THE_EDGE | {"back"}:
                continue
            stack, place = len(app.screen_stack), app.screen
            focused, before = place.focused, seen(app)
            app.simulate_key(key)
            if not await is_seen(app, before):
                dead.append(f"{name} ({key})")
            await pilot.pause()
            app.replaying.leave()
            while len(app.screen_stack) > stack:
                app.pop_screen()
            assert app.screen is place, name
            place.close_prompt()  # type: ignore[attr-defined]
            if place.maximized is not None:
                place.minimize()
            app.clear_notifications()
            if focused is not None and focused.display:
                focused.focus()
            await pilot.pause()
    return dead


@pytest.mark.parametrize("context", PRESSES)
async def test_no_key_is_dead(context: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    # A capture that has been read: nothing can be broken here, and nothing will come any more.
    session = FileSession([str(samples.capture("keepalive"))], read_again=True)
    app = TcpladderApp(session, taste=Taste(timezone=UTC))
    assert not await dead_keys(app, context, PRESSES[context])
