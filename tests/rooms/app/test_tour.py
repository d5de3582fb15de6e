"""The tour: once, over the real screen, five steps, left at any time, and never where nobody asked for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from rooms.app.scripted import app_for, keepalive_session, screen_text, settle
from tcpladder.app import tour
from tcpladder.app.app import TcpladderApp
from tcpladder.app.flows_screen import FlowsScreen
from tcpladder.app.terminal import Taste
from tcpladder.app.tour import STEPS, Tour


def app_with_tour() -> TcpladderApp:
    return TcpladderApp(keepalive_session(), taste=Taste(tour=True))


@pytest.fixture
def first_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv(tour.OFF)
    monkeypatch.setattr(tour, "SETTLES_S", 0.05)
    return tmp_path


async def test_it_comes_once_and_goes_through_its_steps(first_start: Path) -> None:
    app = app_with_tour()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await settle(pilot)
        assert isinstance(app.screen, Tour)
        assert "1 of 5" in screen
        for number in range(1, len(STEPS) + 1):
            assert f"{number} of 5" in screen_text(app)
            assert ("Enter ends" if number == 5 else "Enter next") in screen_text(app)
            await pilot.press("enter")
            await pilot.pause()
        assert isinstance(app.screen, FlowsScreen)
    again = app_with_tour()
    async with again.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert isinstance(again.screen, FlowsScreen)


async def test_escape_leaves_it_and_the_palette_brings_it_back(first_start: Path) -> None:
    app = app_with_tour()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("left")
        assert "1 of 5" in screen_text(app)
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app.screen, FlowsScreen)
        (command,) = [one for one in app.get_system_commands(app.screen) if one.title == "Tour"]
        command.callback()
        await pilot.pause()
        assert isinstance(app.screen, Tour)


@pytest.mark.parametrize("reason", ["off", "state", "taste"])
async def test_it_does_not_come(reason: str, first_start: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if reason == "off":
        monkeypatch.setenv(tour.OFF, "off")
    if reason == "state":  # what cannot be remembered would come every time
        (first_start / "file").touch()
        monkeypatch.setenv("XDG_STATE_HOME", str(first_start / "file"))
    app = app_for(keepalive_session()) if reason == "taste" else app_with_tour()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert isinstance(app.screen, FlowsScreen)
