"""The key table, read from the code: no context binds a key twice, and the help names every key."""

from __future__ import annotations

from collections import Counter

import pytest
from textual.app import App
from textual.binding import Binding
from textual.dom import DOMNode
from textual.widgets import Input

from rooms.app.scripted import app_for, keepalive_session, settle
from rooms.ladder.talk import CLIENT, SERVER
from tcpladder.app import help_screen
from tcpladder.app.ask_number import AskNumber
from tcpladder.app.choice import Choice
from tcpladder.app.choice_row import ChoiceRow
from tcpladder.app.columns_dialog import ColumnsDialog
from tcpladder.app.confirm import Confirm
from tcpladder.app.dialog import COLUMNS
from tcpladder.app.export_dialog import ExportDialog
from tcpladder.app.fault_answers import ACTIONS, DIRECTIONS, SEGMENTS, scopes
from tcpladder.app.fault_choices import Choices
from tcpladder.app.fault_dialog import FaultDialog
from tcpladder.app.fault_keys import FaultKeys
from tcpladder.app.faults_screen import FaultList, FaultsScreen
from tcpladder.app.flows_screen import FlowsScreen
from tcpladder.app.help_screen import HelpScreen, key_lines, key_name
from tcpladder.app.interfaces_screen import InterfacesScreen
from tcpladder.app.jump import JumpScreen
from tcpladder.app.keymap import contexts
from tcpladder.app.names_dialog import NamesDialog
from tcpladder.app.narration_screen import NarrationScreen
from tcpladder.app.open_dialog import OpenDialog
from tcpladder.app.save_screen import SaveScreen
from tcpladder.app.too_small import TooSmallScreen
from tcpladder.app.tour import Tour

CONTEXTS: dict[str, tuple[type[DOMNode], ...]] = {
    **contexts(),
    "export": (Choice, ExportDialog),
    "help": (HelpScreen,),
    "interfaces": (InterfacesScreen,),
    "save": (SaveScreen,),
    "narration": (NarrationScreen,),
    "fault dialog": (FaultDialog,),
    "fault dialog, answers": (ChoiceRow, FaultDialog),
    "faults": (FaultList, FaultsScreen),
    "a question": (Confirm,),
    "names": (NamesDialog,),
    "columns": (ColumnsDialog,),
    "open": (OpenDialog,),
    "a number": (AskNumber,),
    "tour": (Tour,),
    "too small": (TooSmallScreen,),
    "jump mode": (JumpScreen,),
}


def bound(context: tuple[type[DOMNode], ...]) -> list[str]:
    """Every key of a context, one entry a binding."""
    keys = []
    for node in context:
        inherited = node._merge_bindings()
        keys += [key for key, bindings in inherited.key_to_bindings.items() for _ in bindings]
    return keys


@pytest.mark.parametrize("context", CONTEXTS.values(), ids=CONTEXTS)
def test_no_context_binds_a_key_twice(context: tuple[type[DOMNode], ...]) -> None:
    twice = [key for key, count in Counter(bound(context)).items() if count > 1]
    assert not twice


@pytest.mark.parametrize("presses", [(), ("enter",), ("enter", "enter")], ids=["flows", "ladder", "detail"])
async def test_help_names_every_key(presses: tuple[str, ...]) -> None:
    app = app_for(keepalive_session(mode="file", phase="ended"))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        for key in presses:
            await pilot.press(key)
            await settle(pilot)
        await app.workers.wait_for_complete()
        page = app.screen
        own = set(bound(CONTEXTS[str(page.TITLE)])) - set(App._merge_bindings().key_to_bindings)
        await pilot.press("question_mark")
        await settle(pilot)
        screen = app.screen
        assert isinstance(screen, HelpScreen)
        listed = {name for line in screen.text.splitlines() for name in line[:18].split()}
        assert {key_name(key) for key in own} <= listed
        await pilot.press("escape")
        await settle(pilot)
        assert app.screen is page


def test_every_binding_says_what_it_does() -> None:
    for context in CONTEXTS.values():
        for node in context:
            for entry in node.__dict__.get("BINDINGS", []):
                assert isinstance(entry, Binding)
                assert entry.description


def test_keys_of_one_action_share_a_line() -> None:
    lines = key_lines(FlowsScreen.BINDINGS, ascii_only=False)  # type: ignore[arg-type]
    assert any(line.split()[:2] == ["/", "F3"] for line in lines)


def test_no_line_of_the_help_is_broken_by_its_frame() -> None:
    lines = [*help_screen.SIGNS.splitlines(), *help_screen.SIGNS_ASCII.splitlines()]
    for context in CONTEXTS.values():
        every = [entry for node in context for entry in node.__dict__.get("BINDINGS", [])]
        lines += key_lines(every, ascii_only=True, greyed=FaultKeys.CHANGES)
    assert [line for line in lines if len(line) > COLUMNS] == []


def test_each_answer_of_the_fault_dialog_has_a_letter_of_its_own() -> None:
    flow = Choices(client=CLIENT, server=SERVER)
    answers = [*DIRECTIONS, *scopes(flow, str), *SEGMENTS, *ACTIONS]
    assert max(Counter(answer.letter for answer in answers).values()) == 1
    assert {answer.letter for answer in answers} <= {
        {"greater_than_sign": ">", "less_than_sign": "<"}.get(key, key) for key in bound((FaultDialog,))
    }


async def test_words_that_are_typed_are_no_commands() -> None:
    app = app_for(keepalive_session())
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("slash", "q", "p", "question_mark", "s", "space", "z")
        await settle(pilot)
        assert app.screen.query_one(Input).value == "qp?s z"
        await pilot.press("escape")
        await settle(pilot)
        assert isinstance(app.screen, FlowsScreen)
        assert not app.screen.query_one(Input).display
