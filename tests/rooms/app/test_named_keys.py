"""Keys that the settings have moved are named as they are now, in every sentence that names one."""

from __future__ import annotations

import ast
import re
from datetime import UTC
from pathlib import Path

import pytest

import tcpladder.app
from rooms.app.scripted import ScriptedSession, keepalive_session, screen_text, settle
from tcpladder import samples
from tcpladder.app import detail_view, explain, keymap, status_words, tour
from tcpladder.app.app import TcpladderApp
from tcpladder.app.flows_screen import FlowsScreen
from tcpladder.app.help_screen import key_name
from tcpladder.app.named_keys import named
from tcpladder.app.terminal import Taste
from tcpladder.ladder.model import NumberMode, SpaceRow
from tcpladder.session.files import FileSession

APP = Path(tcpladder.app.__file__).parent
ALL = {name: f"ctrl+alt+{chr(97 + at % 26)}{at // 26}" for at, name in enumerate(keymap.actions())}
"""Another key for each action; no terminal sends them, so no sentence has one by chance."""
BARE = re.compile(
    r"(?:^|[:;,.] )(?:[A-Za-z/?:+-]|Esc|Enter|space|Space) (?:on|to|and|again|goes|takes|says|says|folds|groups|marks|"
    r"opens|puts|saves|calls|replays|leaves|shows|lifts|breaks|names|finds|exports|copies|gives|changes|keeps|draws)\b"
)
"""A key in a sentence, by its look."""
OWN = {
    "no pane has this letter: Esc leaves",
    "\n\nanother one: tcpladder live -i NAME    Esc closes this.",
    " already; R breaks it once more",
    "R replays by the clock on the wall; give the demo a [replay] table instead",
}
"""Dialogs and demos have keys of their own, which no setting moves."""


def mentioned(sentence: str) -> list[tuple[str, str]]:
    """The actions that a sentence names, each with the key that stands there for it."""
    return re.findall(r"\{([a-z][a-z0-9_]*):([^{} ]+)\}", sentence)


def sentences() -> list[tuple[str, str]]:
    """Every text of the app's sources that is no description of the source, with its file."""
    found = []
    for file in sorted(APP.glob("*.py")):
        tree = ast.parse(file.read_text())
        said = {id(one.value) for one in ast.walk(tree) if isinstance(one, ast.Expr)}
        found += [
            (file.name, one.value)
            for one in ast.walk(tree)
            if isinstance(one, ast.Constant) and isinstance(one.value, str) and id(one) not in said
        ]
    return found


def test_the_key_in_a_sentence_is_the_one_that_the_action_has_by_default() -> None:
    there_are = keymap.actions()
    count = 0
    for file, text in sentences():
        for action, key in mentioned(text):
            count += 1
            names = [key_name(one.key) for one in there_are.get(action, [])]
            assert key in names, (file, text)
    assert count > 40


def test_no_sentence_names_a_key_by_itself() -> None:
    assert [(file, text) for file, text in sentences() if BARE.search(text) and text not in OWN] == []


def test_a_sentence_names_the_first_key_of_the_settings() -> None:
    assert (
        named("{group:b} groups the list, {back:Esc} leaves", {"group": "f9,x"})
        == "F9 groups the list, Esc leaves"
    )


def app_about(session: ScriptedSession | FileSession) -> TcpladderApp:
    return TcpladderApp(session, taste=Taste(timezone=UTC, keymap=ALL))  # type: ignore[arg-type]


async def test_hints_and_the_empty_list_name_moved_keys() -> None:
    async with app_about(ScriptedSession()).run_test(size=(100, 30)) as pilot:
        text = await settle(pilot)
        assert f"{key_name(ALL['interfaces'])} another interface" in text
        await pilot.pause()
        hints = text.splitlines()[-1]
        assert f"{key_name(ALL['filter'])} filter" in hints
        assert f"{key_name(ALL['help'])} help" in hints
        assert f"{key_name(ALL['leave'])} quit" in hints


SAID: list[tuple[tuple[str, ...], str, str]] = [
    ((), "fold", "group"),
    ((), "privacy", "privacy"),
    (("open",), "to_mark", "note"),
    (("open",), "compare", "compare"),
    (("open",), "next_match", "search"),
    (("open",), "scale_0", "scale_1"),
    (("open",), "mark", "time"),
    (("open", "open"), "save", "save"),
    (("open", "open"), "replay", "replay"),
]
"""Actions that lead to a page, one that cannot act there or says what goes on, and the action whose key it names."""


@pytest.mark.parametrize(("way", "action", "names"), SAID)
async def test_what_a_key_says_names_moved_keys(way: tuple[str, ...], action: str, names: str) -> None:
    app = app_about(FileSession([str(samples.capture("keepalive"))], read_again=True))
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await settle(pilot)
        for step in (*way, action):
            app.simulate_key(ALL[step])
            await settle(pilot, 2)
        said = " ".join(one.message for one in app._notifications)
        assert key_name(ALL[names]) in said, said


async def test_pause_and_marks_and_filters_name_moved_keys() -> None:
    app = app_about(keepalive_session())
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        app.simulate_key(ALL["pause"])
        assert f"{key_name(ALL['pause'])} to go on" in await settle(pilot)
        app.simulate_key(ALL["pause"])
        app.simulate_key(ALL["group"])
        app.simulate_key(ALL["first"])
        assert f"{key_name(ALL['fold'])} folds and unfolds" in await settle(pilot)
        app.simulate_key(ALL["filter"])
        await settle(pilot)
        await pilot.press(*"port", "colon", "1", "enter")
        assert f"{key_name(ALL['filter'])} changes the filter" in await settle(pilot)


async def test_the_tour_names_moved_keys() -> None:
    app = app_about(keepalive_session())
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        tour.show(app)
        for step in tour.STEPS:
            text = await settle(pilot, 2)
            assert mentioned(step)
            for action, _ in mentioned(step):
                assert key_name(ALL[action]) in text
            await pilot.press("enter")
        assert isinstance(app.screen, FlowsScreen)
        assert "{" not in screen_text(app)


def test_sentences_about_rows_and_masks_name_moved_keys() -> None:
    hidden = " ".join(line.text for line in detail_view.hidden(ALL))
    assert f"{key_name(ALL['privacy'])} takes it off" in hidden
    view = keepalive_session().view(1)
    row = SpaceRow.__new__(SpaceRow)
    assert f"{key_name(ALL['scale_0'])} evenly" in explain.explain(row, view, NumberMode.RELATIVE, ALL)
    assert f"{key_name(ALL['break_flow'])} {key_name(ALL['reset'])} off" in status_words.privilege(
        FileSession([str(samples.capture("keepalive"))]).status(), ALL
    )[0]  # fmt: skip
