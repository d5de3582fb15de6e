"""The start screen, by its keys; and the list of captures that were opened lately."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from tcpladder import samples
from tcpladder.agent.messages import InterfaceState
from tcpladder.app import start_entries, start_screen
from tcpladder.app.help_screen import HelpScreen
from tcpladder.app.start_entries import Entry
from tcpladder.app.start_screen import StartApp
from tcpladder.app.terminal import Taste
from tcpladder.lab import table
from tcpladder.store import recent

MOST = 12

SIZE = (80, 24)


def interface(name: str, octets: int) -> InterfaceState:
    return InterfaceState(
        name=name,
        index=1,
        state="up",
        addresses=["127.0.0.1"],
        received_packets=1,
        sent_packets=1,
        received_bytes=octets,
        sent_bytes=0,
    )


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A state directory of this test's own, and one interface."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv(recent.OFF, raising=False)
    with patch.object(start_screen, "interfaces_now", lambda: [interface("lo", 0)]):
        yield tmp_path


async def shown(pilot: Pilot[tuple[str, ...]]) -> str:
    await pilot.pause(0.05)
    return "\n".join(strip.text for strip in pilot.app.screen._compositor.render_strips())


async def test_everything_is_there_and_enter_says_the_command(tmp_path: Path) -> None:
    capture = tmp_path / "mine.pcap"
    capture.write_bytes(b"x")
    recent.remember([str(capture)], MOST)
    app = StartApp(taste=Taste())
    async with app.run_test(size=SIZE) as pilot:
        text = await shown(pilot)
        for words in ("Interfaces", "Opened lately", "mine.pcap", "Experiments"):
            assert words in text
        assert "▌  lo" in text
        await pilot.press("tab")
        assert f"tcpladder open {capture}"[:70] in await shown(pilot)
        await pilot.press("tab")
        assert f"tcpladder lab {table.names()[0]}" in await shown(pilot)
        await pilot.press("tab")
        assert "Captures that come with" in await shown(pilot)
        await pilot.press("shift+tab", "k")
        assert f"tcpladder open {capture}"[:70] in await shown(pilot), "the cursor steps over headings"
        await pilot.press("j", "enter")
    assert app.return_value == ("lab", table.names()[0])


async def test_a_capture_can_be_replayed_and_a_file_typed() -> None:
    app = StartApp(taste=Taste(ascii_only=True))
    async with app.run_test(size=SIZE) as pilot:
        text = await shown(pilot)
        assert text.isascii()
        await pilot.press("R")
        assert app.return_value is None
        await pilot.press("tab", "tab", "R")
    assert app.return_value is not None
    assert app.return_value[0] == "replay"
    app = StartApp(taste=Taste())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("o", *"x.pcap")
        assert app.query_one(Input).value == "x.pcap"
        await pilot.press("escape", "o", "enter")
    assert app.return_value == ("open", "x.pcap")


async def test_the_help_names_the_keys_and_closes() -> None:
    app = StartApp(taste=Taste())
    async with app.run_test(size=SIZE) as pilot:
        assert "? help" in await shown(pilot)
        await pilot.press("question_mark")
        assert isinstance(app.screen, HelpScreen)
        assert "Keys in the start screen" in app.screen.text
        assert "replay this capture" in app.screen.text
        await pilot.press("q")
        assert not isinstance(app.screen, HelpScreen)
    assert app.return_value is None


async def test_a_typed_name_that_begins_with_a_dash_is_no_option() -> None:
    app = StartApp(taste=Taste())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("o", "minus", *"x.pcap", "enter")
    assert app.return_value == ("open", "./-x.pcap")


async def test_the_cursor_stays_in_its_section_under_its_heading() -> None:
    recent.remember([str(samples.capture("keepalive"))], MOST)
    app = StartApp(taste=Taste())
    async with app.run_test(size=SIZE) as pilot:
        assert "Interfaces" in await shown(pilot)
        await pilot.press("tab")
        app._measure()
        await shown(pilot)
        assert app.list.selected is not None
        assert app.list.selected.section == "recent"
        await pilot.press("shift+tab")
        assert "Interfaces" in await shown(pilot)


async def test_without_privilege_it_says_what_to_type() -> None:
    with patch.object(start_entries.confine, "effective", lambda: frozenset[int]()):
        app = StartApp(taste=Taste())
        async with app.run_test(size=SIZE, notifications=True) as pilot:
            assert "needs root, type: sudo tcpladder live -i lo" in await shown(pilot)
            await pilot.press("enter")
            assert app.is_running
            assert "sniffing needs root" in await shown(pilot)
            await pilot.press("q")
    assert app.return_value is None


def test_rates_are_of_both_directions() -> None:
    rows = start_entries.rows([interface("lo", 1000)], [interface("lo", 5000)], 2.0, MOST)
    (line,) = [row for row in rows if isinstance(row, Entry) and row.section == "interfaces"]
    assert "2000 B/s" in line.remark


def test_the_list_is_short_private_and_forgets_what_is_gone(own_state: Path) -> None:
    paths = [own_state / f"{number}.pcap" for number in range(MOST + 3)]
    for path in paths:
        path.write_bytes(b"x")
        recent.remember(["-", str(path)], MOST)
    recent.remember([str(paths[5])], MOST)
    listed = recent.recent(MOST)
    assert listed[0] == paths[5]
    assert listed[1] == paths[-1]
    assert len(listed) == len(set(listed)) == MOST
    paths[5].unlink()
    assert paths[5] not in recent.recent(MOST)
    file = own_state / "state" / "tcpladder" / "recent.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.write_text("{broken")
    assert recent.recent(MOST) == []
    recent.remember([str(paths[1])], MOST)
    assert json.loads(file.read_text()) == [str(paths[1])]


def test_it_can_be_turned_off(own_state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = own_state / "x.pcap"
    path.write_bytes(b"x")
    recent.remember([str(path)], MOST)
    monkeypatch.setenv(recent.OFF, "off")
    assert recent.recent(MOST) == []
    recent.remember([str(path)], MOST)
    monkeypatch.delenv(recent.OFF)
    assert recent.recent(MOST) == [path]
