"""Several marked flows on one ladder: opened, told apart, each key about the flow of the row under the cursor."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

import pytest
from textual.pilot import Pilot

from proxied import proxied
from rooms.app.scripted import app_for, many_flows, screen_text, settle
from rooms.app.test_no_dead_key import dead_keys
from tcpladder.analysis.view import Endpoint
from tcpladder.app.app import TcpladderApp
from tcpladder.app.detail_screen import DetailScreen
from tcpladder.app.export_dialog import ExportDialog
from tcpladder.app.flows_screen import FlowsScreen
from tcpladder.app.ladder_screen import LadderScreen
from tcpladder.app.replay_screens import ReplayLadderScreen
from tcpladder.app.terminal import Taste
from tcpladder.ladder.model import Rung
from tcpladder.render.formats import Format
from tcpladder.session.files import FileSession

MARK_ALL = ("space", "space", "space", "space", "enter")


def app_of(path: Path, *, ascii_only: bool = False) -> TcpladderApp:
    session = FileSession([str(proxied(path / "proxied.pcap"))], read_again=True)
    return TcpladderApp(session, taste=Taste(timezone=UTC, ascii_only=ascii_only))


async def opened(app: TcpladderApp, pilot: Pilot[None], keys: tuple[str, ...] = MARK_ALL) -> LadderScreen:
    await settle(pilot)
    await pilot.press(*keys)
    await settle(pilot)
    await app.workers.wait_for_complete()
    assert isinstance(app.screen, LadderScreen)
    return app.screen


async def test_enter_on_marks_opens_them_together_and_says_so(tmp_path: Path) -> None:
    app = app_of(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("space", "space")
        await settle(pilot)
        assert "2 marked, Enter: on one ladder" in screen_text(app)
        ladder = await opened(app, pilot, ("enter",))
        assert ladder.numbers == (1, 2)
        text = screen_text(app)
        assert "flow 1  10.0.0.1:40001" in text
        assert "19 segments of 2 flows" in text
        assert [word in text for word in ("10.0.0.1 ", "10.0.0.9", "7.20")] == [True] * 3
        await pilot.press("escape", "escape", "enter")
        await settle(pilot)
        assert isinstance(app.screen, LadderScreen)
        assert len(app.screen.numbers) == 1


async def test_the_keys_are_about_the_flow_under_the_cursor(tmp_path: Path) -> None:
    app = app_of(tmp_path)
    async with app.run_test(size=(100, 30)) as pilot:
        ladder = await opened(app, pilot)
        assert (ladder.flow_number, ladder.flows_to_export) == (1, [1, 2, 3, 4])
        ladder.ladder.go_to(5)
        row = ladder.ladder.selected
        assert isinstance(row, Rung)
        assert (row.track.flow, ladder.flow_number) == (2, 2)
        await pilot.press("m", "b", "enter")
        await settle(pilot)
        (note,) = app.session.user_notes(2)
        assert (note.mark, note.frame) == ("b", row.numbers.frame)
        await pilot.press("g", "apostrophe", "b")
        await settle(pilot)
        assert ladder.ladder.selected == row
        await pilot.press("space", "G", "up", "d")
        await settle(pilot)
        assert app.screen is ladder
        assert any("rungs of two flows" in one.message for one in app._notifications)
        ladder.ladder.go_to(5)
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(app.screen, DetailScreen)
        assert (app.screen.flows_to_export, app.screen.index) == ([2], 0)


async def test_an_export_has_all_of_them_on_one_ladder(tmp_path: Path) -> None:
    app = app_of(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        await pilot.press("e")
        await settle(pilot)
        assert isinstance(app.screen, ExportDialog)
        assert "Export 4 flows, on one ladder" in screen_text(app)
        assert app.screen.form is Format.SVG
        assert app.screen._wish().together


async def test_a_replay_has_the_same_flows_and_grows(tmp_path: Path) -> None:
    app = app_of(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        whole = await opened(app, pilot)
        await pilot.press("R")
        await settle(pilot)
        replay = app.screen
        assert isinstance(replay, ReplayLadderScreen)
        assert len(replay.numbers) == 4
        replay.session.play(False)
        seen = []
        for percent in ("0%", "50%", "100%", "1%"):
            replay.session.seek_text(percent, UTC)
            replay.show(replay.session.status())
            seen.append(replay.ladder.ladder.segments)
        assert seen[0] <= seen[3] < seen[1] < seen[2] == whole.ladder.ladder.segments


async def test_too_many_marks_are_refused_with_what_to_do() -> None:
    app = app_for(many_flows(17))
    async with app.run_test(size=(80, 40)) as pilot:
        await settle(pilot)
        await pilot.press("g", *["space"] * 17, "enter")
        await settle(pilot)
        assert isinstance(app.screen, FlowsScreen)
        said = [one.message for one in app._notifications]
        assert said == [
            "one ladder takes 16 flows, and 17 are chosen: choose fewer of them; Esc takes the marks away"
        ]


async def test_hosts_without_a_lane_of_their_own_are_said_once_and_again_when_that_changes() -> None:
    session = many_flows(12)
    for number, talk in enumerate(session.flows):
        talk.server = Endpoint(f"10.0.1.{number}", 443)
        talk.client = Endpoint("10.0.0.7", 40_000 + number)
    app = app_for(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot, ("g", *["space"] * 12, "enter"))
        said = [one.message for one in app._notifications if "share the last lane" in one.message]
        assert len(said) == 1
        assert said[0].startswith("9 of 13 hosts share")
        assert "+9 hosts" in screen_text(app)
        await pilot.press("t", "t")
        await settle(pilot)
        assert any(one.message.startswith("7 of 13 hosts share") for one in app._notifications)


async def test_a_live_ladder_grows_in_the_order_of_time() -> None:
    session = many_flows(2)
    app = app_for(session)
    async with app.run_test(size=(80, 24)) as pilot:
        ladder = await opened(app, pilot, ("space", "space", "enter"))
        before = ladder.ladder.ladder.segments
        for talk in session.flows:
            talk.said.append(talk.said[-1])
        session.change()
        ladder.show(session.status())
        assert ladder.ladder.ladder.segments == before + 2


@pytest.mark.parametrize("size", [(60, 20), (200, 50)])
async def test_small_and_wide_screens_show_every_host(size: tuple[int, int], tmp_path: Path) -> None:
    app = app_of(tmp_path, ascii_only=True)
    async with app.run_test(size=size) as pilot:
        await opened(app, pilot)
        text = screen_text(app)
        assert text.isascii()
        assert [name in text for name in ("10.0.0.1", "10.0.0.2", "10.0.0.9", ".7.20")] == [True] * 4


async def test_no_key_is_dead_on_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert not await dead_keys(app_of(tmp_path), "ladder", MARK_ALL)
