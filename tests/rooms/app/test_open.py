"""The key `o`: a capture above what is on the screen, by path or part of its name; Esc and errors keep what was."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from rooms.app.scripted import app_for, keepalive_session, screen_text, settle
from rooms.session.test_replay import KEEPALIVE
from tcpladder.app.app import TcpladderApp
from tcpladder.app.flows_screen import FlowsScreen
from tcpladder.app.ladder_screen import LadderScreen
from tcpladder.app.open_dialog import OpenDialog
from tcpladder.app.open_offers import completed, offers
from tcpladder.session.files import FileSession
from tcpladder.session.replay import ReplaySession
from tcpladder.store.recent import recent, remember


@pytest.fixture
def captures(tmp_path: Path) -> Path:
    folder = tmp_path / "captures"
    (folder / "older").mkdir(parents=True)
    (folder / "one.pcap").write_bytes(KEEPALIVE.read_bytes())
    (folder / "one-more.pcap").write_bytes(KEEPALIVE.read_bytes())
    (folder / "notes.md").write_text("no capture\n")
    return folder


async def opened(pilot: Pilot[None], words: str) -> str:
    await pilot.press("o")
    await settle(pilot)
    assert isinstance(pilot.app.screen, OpenDialog)
    pilot.app.screen.query_one(Input).value = words
    await settle(pilot)
    await pilot.press("enter")
    await pilot.app.workers.wait_for_complete()
    return await settle(pilot)


async def test_a_capture_is_opened_above_what_is_there_and_left_again(captures: Path) -> None:
    below = keepalive_session()
    app = app_for(below)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("enter", "P")
        await settle(pilot)
        ladder = app.screen
        assert isinstance(ladder, LadderScreen)
        shown = await opened(pilot, str(captures / "one.pcap"))
        assert isinstance(app.session, FileSession)
        assert isinstance(app.screen, FlowsScreen)
        assert app.session.mask is below.mask, "what was masked stays masked"
        assert "192.0.2." in shown
        assert recent(12) == [captures / "one.pcap"]
        await pilot.press("enter")
        assert "no answer" in await settle(pilot)
        assert app.screen is not ladder
        await pilot.press("R")
        await settle(pilot)
        assert isinstance(app.session, ReplaySession)
        await pilot.press("R")
        await settle(pilot)
        assert isinstance(app.session, FileSession)
        await pilot.press("q", "q")
        await settle(pilot)
        assert app.session is below
        assert app.screen is ladder
        assert below.calls == ["start"]
    assert below.calls == ["start", "close"]


@pytest.mark.parametrize(("name", "why"), [("notes.md", "notes.md"), ("nothing-here.pcap", "no such file")])
async def test_what_cannot_be_opened_is_said_and_nothing_is_lost(captures: Path, name: str, why: str) -> None:
    below = keepalive_session()
    app = app_for(below)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        page = app.screen
        assert why in await opened(pilot, str(captures / name))
        assert isinstance(app.screen, OpenDialog)
        await pilot.press("escape")
        await settle(pilot)
        assert (app.screen, app.session) == (page, below)
        assert "close" not in below.calls


async def test_paths_are_completed_and_the_list_is_walked(captures: Path) -> None:
    app = app_for(keepalive_session())
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("o")
        await settle(pilot)
        assert "comes with tcpladder" in screen_text(app)
        prompt = app.screen.query_one(Input)
        prompt.value = f"{captures}/on"
        await settle(pilot)
        await pilot.press("tab")
        await settle(pilot)
        assert prompt.value == f"{captures}/one"
        await pilot.press("tab")
        await settle(pilot)
        assert prompt.value == f"{captures}/one-more.pcap"
        prompt.value = f"{captures}/"
        await settle(pilot)
        await pilot.press("down", "enter")
        await settle(pilot)
        assert isinstance(app.screen, OpenDialog)
        assert prompt.value == f"{captures}/older/"
        assert isinstance(app, TcpladderApp)


def test_offers(captures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remember([str(captures / "one.pcap")], 12)
    names = [offer.name for offer in offers("", 12)]
    assert names[0] == "one.pcap"
    assert "keepalive" in names
    assert [offer.name for offer in offers(f"{captures}/o", 12)] == ["older/", "one-more.pcap", "one.pcap"]
    assert offers(f"{captures}/one.pcap", 12)[0].path == f"{captures}/one.pcap"
    assert {offer.name for offer in offers("ONE.p", 12)} == {"one.pcap"}
    monkeypatch.chdir(captures)
    assert completed("ol") == "older/"
    assert completed("x") == "x"
    assert offers("/nowhere/x", 12) == []
    (captures / ".Hidden.pcap").touch()
    assert ".Hidden.pcap" not in {offer.name for offer in offers(f"{captures}/", 12)}
    assert [offer.name for offer in offers(f"{captures}/.", 12)] == [".Hidden.pcap"]
    remember([str(captures / ".Hidden.pcap")], 12)
    assert {offer.name for offer in offers("hidden", 12)} == {".Hidden.pcap"}
