"""`e` and `P` as a person presses them: what is asked, what is written and where, what is hidden."""

from __future__ import annotations

import re
from datetime import UTC
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from rooms.app.scripted import app_for, many_flows, screen_text, settle
from rooms.ladder.diagrams import CAPTURES
from talk import Talk, write_pcap
from tcpladder.app.app import TcpladderApp
from tcpladder.app.export_dialog import ExportDialog
from tcpladder.app.flows_screen import FlowsScreen
from tcpladder.app.ladder_screen import LadderScreen
from tcpladder.app.terminal import Taste
from tcpladder.session.files import FileSession

SIZE = (80, 24)
HEX = r"^\W*0010\b"
"""The second line of a hex dump."""


def app_of(capture: Path, *, ascii_only: bool = False) -> TcpladderApp:
    session = FileSession([str(capture)], read_again=True)
    return TcpladderApp(session, taste=Taste(ascii_only=ascii_only, timezone=UTC))


async def press(pilot: Pilot[None], *keys: str) -> str:
    """Press, and let the screen and the threads come to rest."""
    for key in keys:
        await pilot.press(key)
        await settle(pilot, 1)
    await pilot.app.workers.wait_for_complete()
    return await settle(pilot, 2)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def test_enter_writes_the_ladder_that_is_open_and_says_where(folder: Path) -> None:
    app = app_of(CAPTURES["keepalive"])
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await press(pilot, "enter", "e")
        text = screen_text(app)
        assert "Export flow 1, 127.0.0.1:22345 → 127.0.0.1:12345" in text
        assert "[svg]" in text
        assert "keepalive-flow1.svg" in text
        text = await press(pilot, "enter")
        assert isinstance(app.screen, LadderScreen)
        written = folder / "keepalive-flow1.svg"
        assert written.read_text(encoding="utf-8").startswith("<svg ")
        assert f"svg, {written.stat().st_size:,} bytes:" in text


async def test_a_file_that_is_there_is_written_over_only_when_asked_again(folder: Path) -> None:
    there = folder / "keepalive-flow1.svg"
    there.write_text("mine", encoding="utf-8")
    app = app_of(CAPTURES["keepalive"])
    async with app.run_test(size=SIZE) as pilot:
        text = await press(pilot, "f2", "enter")
        assert isinstance(app.screen, ExportDialog)
        assert "is there already: enter again writes over it" in text
        assert there.read_text(encoding="utf-8") == "mine"
        await press(pilot, "right", "left", "enter")  # another thought: asked anew
        assert there.read_text(encoding="utf-8") == "mine"
        await press(pilot, "enter")
        assert there.read_text(encoding="utf-8").startswith("<svg ")
        assert isinstance(app.screen, FlowsScreen)


async def test_the_name_follows_the_format_and_what_was_typed(folder: Path) -> None:
    app = app_of(CAPTURES["keepalive"])
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "e", "right", "right")
        name = app.screen.query_one(Input)
        assert name.value == "keepalive-flow1.html"
        name.value = "mine.html"
        text = await press(pilot, "right")
        assert name.value == "mine.mmd"
        assert "theme" not in text  # a source has no colours
        name.value = "nowhere/mine.mmd"
        text = await press(pilot, "enter")
        assert "cannot write nowhere/mine.mmd: no such file or directory" in text
        await press(pilot, "escape")
        assert isinstance(app.screen, FlowsScreen)
        assert not list(folder.iterdir())


async def test_marked_flows_are_exported_together(folder: Path) -> None:
    frames = [*Talk().handshake().frames, *Talk(client_port=41000).handshake().frames]
    app = app_of(write_pcap(folder / "two.pcap", frames))
    async with app.run_test(size=SIZE) as pilot:
        text = await press(pilot, "space", "down", "space", "e")
        assert "Export 2 flows" in text
        assert "svg" not in text
        await press(pilot, "enter")
        page = (folder / "two-flows.html").read_text(encoding="utf-8")
        assert 'id="flow-1"' in page
        assert 'id="flow-2"' in page


async def test_a_mask_can_be_put_on_for_the_file_alone(folder: Path) -> None:
    app = app_of(CAPTURES["keepalive"], ascii_only=True)
    async with app.run_test(size=SIZE) as pilot:
        text = await press(pilot, "e", "h", "down", "down", "down")
        assert text.isascii()
        app.screen.query_one("#privacy").focus()
        await press(pilot, "right", "right", "enter")
        written = (folder / "keepalive-flow1.txt").read_text(encoding="utf-8")
        assert "192.0.2.1:1 -> 192.0.2.1:2" in written
        assert "127.0.0.1" in await settle(pilot)  # the screen shows what it showed


async def test_p_hides_addresses_everywhere_then_ports_then_nothing(folder: Path) -> None:
    app = app_of(CAPTURES["ipv6"])
    async with app.run_test(size=(110, 44)) as pilot:
        shown = await settle(pilot)
        assert "fd00::1" in shown
        for keys in (("P",), ("enter",), ("enter",), ("e",), ("escape", "escape", "T")):
            text = await press(pilot, *keys)
            assert "fd00" not in text, keys
            assert "2001:db8::" in text
            assert ":41200" in text or "masked" in text
            if not isinstance(app.screen, ExportDialog):
                assert "addresses masked" in text
        await press(pilot, "P")
        text = await press(pilot, "escape")
        assert "addresses and ports masked" in text
        assert not re.search("fd00|41200|8300", text)
        text = await press(pilot, "P")
        assert "[fd00::1]:41200" in text
        assert "masked  " not in text.splitlines()[-2]


async def test_p_hides_the_bytes_that_are_on_the_screen(folder: Path) -> None:
    app = app_of(write_pcap(folder / "one.pcap", Talk().handshake().data(40).frames))
    async with app.run_test(size=(110, 60)) as pilot:
        text = await press(pilot, "enter", "end", "enter")
        assert re.search(HEX, text, re.M)
        text = await press(pilot, "P")
        assert "hidden by the privacy mask" in text
        assert not re.search(HEX, text, re.M)
        text = await press(pilot, "left_square_bracket")
        assert "hidden by the privacy mask" in text
        text = await press(pilot, "P", "P")
        assert re.search(HEX, text, re.M)


async def test_a_paused_list_is_masked_too() -> None:
    """What the list kept from before the pause still has addresses."""
    session = many_flows(3)
    app = app_for(session)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "p", "P")
        frozen = app.screen
        assert isinstance(frozen, FlowsScreen)
        assert session.mask is not None
        asked = frozen.table.summary(1)
        assert asked is not None
        assert "paused" in screen_text(app)
        session.flows[0].state = "masked-now"
        await press(pilot, "P")
        assert "masked-now" in await settle(pilot)


async def test_without_a_flow_there_is_nothing_to_export(folder: Path) -> None:
    app = app_of(write_pcap(folder / "none.pcap", []))
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        assert "there is no flow to export" in await press(pilot, "e")
