"""Jump mode: each pane and control of a screen has a letter, and the letter gives it the keys."""

from __future__ import annotations

import re

import pytest
from textual.pilot import Pilot

from rooms.app.scripted import app_for, keepalive_session, screen_text, settle
from tcpladder.app.app import TcpladderApp
from tcpladder.app.detail_view import DetailView
from tcpladder.app.fault_dialog import FaultDialog
from tcpladder.app.flows_screen import FlowsScreen
from tcpladder.app.help_screen import HelpScreen
from tcpladder.app.hex_view import HexView
from tcpladder.app.jump import LETTERS, JumpScreen
from tcpladder.app.ladder_screen import LadderScreen
from tcpladder.app.ladder_view import LadderView
from tcpladder.app.timers_view import TimersView

SIZES = [(80, 24), (60, 20), (200, 50)]


def labels(app: TcpladderApp) -> dict[str, tuple[int, int]]:
    """The letters on the screen, and where each stands."""
    assert isinstance(app.screen, JumpScreen)
    return {
        one.id[-1]: (one.region.x, one.region.y) for one in app.screen.query("Static") if one.id != "keys"
    }  # type: ignore[index]


async def jump(pilot: Pilot[None], key: str) -> None:
    await pilot.press(key)
    await settle(pilot, 2)


@pytest.mark.parametrize("size", SIZES)
async def test_each_pane_of_a_ladder_has_its_letter_and_gets_the_keys(size: tuple[int, int]) -> None:
    app = app_for(keepalive_session())
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        for key in ("enter", "2", "T"):
            await jump(pilot, key)
        page = app.screen
        assert isinstance(page, LadderScreen)
        panes = page.focus_chain
        assert {type(pane) for pane in panes} >= {LadderView, DetailView, TimersView}
        for letter, pane in zip(LETTERS, panes, strict=False):
            await jump(pilot, "semicolon")
            places = labels(app)
            assert places[letter] == (pane.region.x, pane.region.y)
            assert f" {letter} " in screen_text(app).splitlines()[pane.region.y]
            await jump(pilot, letter)
            assert app.screen is page
            assert page.focused is pane


async def test_the_bytes_of_a_segment_have_a_letter() -> None:
    app = app_for(keepalive_session())
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        for key in ("enter", "g", "enter"):
            await jump(pilot, key)
        await app.workers.wait_for_complete()
        await jump(pilot, "semicolon")
        await jump(pilot, LETTERS[1])
        assert isinstance(app.screen.focused, HexView)


async def test_each_question_of_a_dialog_has_a_letter_while_words_are_typed_too() -> None:
    app = app_for(keepalive_session())
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await jump(pilot, "D")
        dialog = app.screen
        assert isinstance(dialog, FaultDialog)
        for letter, control in zip(LETTERS, dialog.focus_chain, strict=False):
            await jump(pilot, "ctrl+o")
            assert len(labels(app)) == len(dialog.focus_chain) > 3
            await jump(pilot, letter)
            assert app.screen is dialog
            assert dialog.focused is control


@pytest.mark.parametrize("key", ["escape", "q", "semicolon", "ctrl+o"])
async def test_it_is_left_and_nothing_has_changed(key: str) -> None:
    app = app_for(keepalive_session())
    async with app.run_test(size=(80, 24)) as pilot:
        before = await settle(pilot)
        focused = app.screen.focused
        await jump(pilot, "semicolon")
        await jump(pilot, key)
        assert isinstance(app.screen, FlowsScreen)
        assert app.screen.focused is focused
        assert screen_text(app) == before


async def test_a_letter_that_nothing_has_says_so_and_help_names_the_keys() -> None:
    app = app_for(keepalive_session())
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settle(pilot)
        await jump(pilot, "semicolon")
        await jump(pilot, "m")
        assert [one.message for one in app._notifications] == ["no pane has this letter: Esc leaves"]
        assert isinstance(app.screen, JumpScreen)
        await jump(pilot, "question_mark")
        assert isinstance(app.screen, HelpScreen)
        assert re.search(r"Esc q ; +leave jump mode", app.screen.text)


async def test_a_dialog_says_in_its_help_that_there_is_a_jump() -> None:
    app = app_for(keepalive_session())
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await jump(pilot, "c")
        await jump(pilot, "question_mark")
        assert isinstance(app.screen, HelpScreen)
        one_thing = "jump, also in a dialog" not in app.screen.text
        assert one_thing == (len(app.screen_stack[-2].focus_chain) < 2)
