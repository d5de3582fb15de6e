"""The narration of the lab: opened by its key, goes on while it is open, masks what is masked."""

from __future__ import annotations

import pytest
from textual.app import App
from textual.containers import VerticalScroll
from textual.widgets import Input, Static

from rooms.app.scripted import ScriptedSession, app_for, keepalive_session, settle
from tcpladder.app.fault_dialog import FaultDialog
from tcpladder.app.flow_table import FlowTable
from tcpladder.app.help_screen import HelpScreen
from tcpladder.app.ladder_screen import LadderScreen
from tcpladder.app.narration_screen import NarrationScreen
from tcpladder.app.timers_view import WithTimers


class InLab(ScriptedSession):
    """A session with a narration."""

    finished = False
    sums_up = False
    awaits_its_user = False
    why_not = ""
    taken = 0
    lines: tuple[str, ...] = ()

    def step_on(self) -> str:
        self.taken += self.awaits_its_user
        return self.why_not

    def narration(self, width: int) -> list[str]:
        assert width < 80
        return list(self.lines)


def in_lab(*lines: str) -> InLab:
    session = keepalive_session()
    session.__class__ = InLab
    assert isinstance(session, InLab)
    session.lines = lines
    return session


async def test_a_lab_opens_with_it_and_what_is_new_appears() -> None:
    session = in_lab("now   wait for the last probe")
    async with app_for(session).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert isinstance(pilot.app.screen, NarrationScreen)
        said = pilot.app.screen.query_one(Static)
        assert "wait for the last probe" in str(said.content)
        session.lines += ("next  wait for reset",)
        for _ in range(40):
            await pilot.pause(0.05)
            if "reset" in str(said.content):
                break
        assert "next  wait for reset" in str(said.content)
        await pilot.press("L")
        await settle(pilot)
        assert not isinstance(pilot.app.screen, NarrationScreen)
        await pilot.press("L")
        await settle(pilot)
        assert isinstance(pilot.app.screen, NarrationScreen)


async def test_n_takes_the_users_step_and_says_why_where_there_is_none() -> None:
    session = in_lab("now   your step, n takes it:")
    async with app_for(session).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        session.why_not = "not yet"
        await pilot.press("n")
        await settle(pilot)
        assert any("not yet" in note.message for note in pilot.app._notifications)
        assert not session.taken
        session.awaits_its_user, session.why_not = True, ""
        await pilot.press("n")
        await settle(pilot)
        assert session.taken == 1


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (200, 50)])
async def test_it_hides_nothing_of_the_page_below(columns: int, rows: int) -> None:
    async with app_for(in_lab("now   wait for the last probe")).run_test(size=(columns, rows)) as pilot:
        await settle(pilot)
        pane = pilot.app.screen.query_one(VerticalScroll)
        for _ in range(40):
            await pilot.pause(0.05)
            body = pilot.app.screen_stack[-2].query_one(FlowTable)
            if not pane.region.overlaps(body.region):
                break
        assert not pane.region.overlaps(body.region)
        await pilot.press("L")
        await settle(pilot)
        assert pilot.app.screen.query_one(FlowTable).region.width >= columns - 2


async def test_the_ladder_that_was_asked_for_opens_beneath_it() -> None:
    app = app_for(in_lab("now   wait"), start_flow=1)
    async with app.run_test(size=(80, 24)) as pilot:
        for _ in range(60):
            await pilot.pause(0.05)
            if isinstance(app.screen, NarrationScreen) and isinstance(app.screen_stack[-2], LadderScreen):
                break
        assert isinstance(app.screen, NarrationScreen)
        assert isinstance(app.screen_stack[-2], LadderScreen)


def ladder_below(app: App[None]) -> LadderScreen:
    """The ladder under the narration."""
    below = app.screen_stack[app.screen_stack.index(app.screen) - 1]
    assert isinstance(app.screen, NarrationScreen)
    assert isinstance(below, LadderScreen)
    return below


async def test_keys_that_it_has_no_use_for_are_those_of_the_page_below() -> None:
    app = app_for(in_lab("now   your step, n takes it:"))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        ladder = ladder_below(app)
        await pilot.press("g", "down", "j")
        assert ladder.ladder.cursor == 2
        await pilot.press("D")
        await settle(pilot)
        assert isinstance(app.screen, FaultDialog)
        await pilot.press("escape", "T")
        await settle(pilot)
        assert ladder_below(app) is ladder
        assert ladder.query_one(WithTimers).is_open
        await pilot.press("escape")
        await settle(pilot)
        assert app.screen is ladder


async def test_n_is_the_step_while_one_waits_else_the_next_match() -> None:
    session = in_lab("now   your step, n takes it:")
    app = app_for(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        ladder = ladder_below(app)
        session.why_not = "not yet"
        await pilot.press("slash", *"syn", "n", "L", "q", *["backspace"] * 3)
        await settle(pilot)
        assert ladder.query_one(Input).value == "syn"
        await pilot.press("g", "escape")
        assert not ladder.prompt.has_class("-open")
        await pilot.press("slash", *"syn", "enter", "g")
        await settle(pilot)
        await pilot.press("n")
        await settle(pilot)
        assert ladder_below(app).ladder.cursor > 0
        place, session.awaits_its_user, session.why_not = ladder.ladder.cursor, True, ""
        await pilot.press("n")
        await settle(pilot)
        assert session.taken == 1
        assert ladder.ladder.cursor == place


async def test_its_help_names_its_keys_and_those_of_the_page_below() -> None:
    app = app_for(in_lab("now   wait"))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        ladder_below(app)
        await pilot.press("question_mark")
        await settle(pilot)
        assert isinstance(app.screen, HelpScreen)
        lines = app.screen.text.splitlines()
        assert lines[0] == "Keys in the narration, and in the ladder below it"
        said = {line.split()[0]: line for line in lines if line.startswith("  ")}
        assert "your step" in said["n"]
        assert "break this flow" in said["D"]
        assert "previous match" in said["N"]


async def test_without_a_lab_it_says_so() -> None:
    async with app_for(keepalive_session()).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("L")
        await settle(pilot)
        assert not isinstance(pilot.app.screen, NarrationScreen)
        assert any("no experiment runs here" in note.message for note in pilot.app._notifications)
