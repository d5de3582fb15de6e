"""The settings as the app takes them: names are checked, keys moved, and the sample says what is so without it."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from textual.app import App

from rooms.app.scripted import app_for, keepalive_session, settle
from tcpladder.analysis import names
from tcpladder.analysis.profiles import LINUX
from tcpladder.app import keymap, preferences
from tcpladder.app.flows_screen import FlowsScreen
from tcpladder.app.help_screen import HelpScreen
from tcpladder.app.keymap import contexts
from tcpladder.app.ladder_screen import LadderScreen
from tcpladder.app.terminal import Taste
from tcpladder.errors import SettingsError
from tcpladder.settings import file
from tcpladder.settings.file import Settings

HERE = Path("config.toml")
S, MS = 1_000_000_000, 1_000_000


def read(text: str) -> Settings:
    return file.parse(text.encode(), HERE)


def test_the_sample_read_back_is_the_default() -> None:
    found, default = read(preferences.sample()), read("")
    assert replace(found, reader=default.reader) == default
    preferences.check(found)


def test_what_the_sample_comments_out_is_the_default_too() -> None:
    everything = re.sub(r"(?m)^# (?=\w+ = |\[)", "", preferences.sample())
    assert set(tomllib.loads(everything)) == {"screen", "flows", "retention", "profiles", "keys"}
    found, default = read(everything), read("")
    assert (found.screen, found.retention) == (default.screen, default.retention)
    assert found.profiles["appliance"].values == {
        **LINUX.values,
        names.KEEPALIVE_TIME: 55 * S,
        names.KEEPALIVE_INTVL: 6 * S,
        names.KEEPALIVE_PROBES: 2,
        names.SYN_RETRIES: 5,
        names.RTO_MIN: 200 * MS,
    }
    preferences.check(found)
    assert set(found.keys) == set(keymap.actions())
    assert keymap.keymap_of(found) == {}


def test_every_action_on_a_page_has_a_name() -> None:
    for context in contexts().values():
        for node in context:
            inherited = App._merge_bindings().key_to_bindings if issubclass(node, App) else {}
            for key, bindings in node._merge_bindings().key_to_bindings.items():
                assert key in inherited or all(
                    re.fullmatch(r"[a-z][a-z0-9_]+", one.id or "") for one in bindings
                )


def test_what_is_in_force_says_where_it_comes_from_and_can_be_read_again() -> None:
    text = '[screen]\nprivacy = "ports"\n[keys]\nfilter = ["f9"]\n[retention]\nlive = "10m"\n'
    lines = [*file.in_force(read(text)), *preferences.in_force(read(text))]
    assert 'privacy = "ports"  # line 2' in lines
    assert 'theme = "auto"  # default' in lines
    assert 'filter = ["f9"]  # line 4: filter the list' in lines
    again = read("\n".join(lines))
    assert (again.screen, again.retention) == (read(text).screen, read(text).retention)
    preferences.check(again)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[screen]\ntheme = "drak"', "config.toml: line 2: screen.theme: there is no theme drak, did you mean dark?"),
        ('[flows]\ncolumns = ["srever"]', "line 2: flows.columns: there is no column srever, did you mean server?"),
        ('[retention]\nlive = "many"', "line 2: retention.live: give a time such as 10m, or 64 KiB and more"),
        ('[keys]\nfiltre = ["x"]', "line 2: keys.filtre: there is no such key, did you mean filter?"),
        ('[keys]\nfilter = ["pgdwon"]', "line 2: keys.filter: there is no key pgdwon, did you mean pagedown?"),
        ('[keys]\nfilter = ["s"]', "line 2: keys.filter: s is the key of next_sort in flows; give one of them another"),
        ('[keys]\nfilter = ["F9"]\nhelp = ["f9"]', "f9 is the key of "),
    ],
)  # fmt: skip
def test_what_no_room_has_is_refused(text: str, says: str) -> None:
    with pytest.raises(SettingsError) as raised:
        preferences.check(read(text))
    assert says in str(raised.value)


def test_two_actions_may_change_places() -> None:
    chosen = keymap.keymap_of(read('[keys]\nfollow = ["p"]\npause = ["f"]\nplay = ["Ctrl+g"]'))
    assert chosen == {"follow": "p", "pause": "f", "play": "ctrl+g"}


@pytest.mark.parametrize(
    ("typed", "key"),
    [("/", "slash"), ("F3", "f3"), ("PgUp", "pageup"), ("^b", "ctrl+b"), ("Esc", "escape"), ("G", "G")],
)  # fmt: skip
def test_a_key_is_written_as_on_a_keyboard(typed: str, key: str) -> None:
    assert keymap.key_of(typed) == key


async def test_a_key_of_the_settings_acts_and_is_named_everywhere() -> None:
    chosen = keymap.keymap_of(read('[keys]\nopen = ["o"]\nhelp = ["f9"]'))
    app = app_for(keepalive_session())
    app = type(app)(app.session, taste=Taste(keymap=chosen))
    async with app.run_test(size=(80, 24)) as pilot:
        assert "o ladder" in await settle(pilot)
        await pilot.press("question_mark")
        await pilot.press("f9")
        await settle(pilot)
        assert isinstance(app.screen, HelpScreen)
        assert re.search(r"^  o +open the ladder", app.screen.text, re.M)
        assert re.search(r"^  F9 +this help", app.screen.text, re.M)
        await pilot.press("escape", "enter")
        await settle(pilot)
        assert isinstance(app.screen, FlowsScreen)
        await pilot.press("o")
        await settle(pilot)
        assert isinstance(app.screen, LadderScreen)


async def test_the_mask_of_the_settings_is_there_from_the_start() -> None:
    app = app_for(keepalive_session())
    app = type(app)(app.session, taste=Taste(mask="ports"))
    async with app.run_test(size=(80, 24)) as pilot:
        assert "addresses and ports masked" in await settle(pilot)
