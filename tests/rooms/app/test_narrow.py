"""60x20 is usable: no dialog breaks a word or loses its keys, no line for words is hidden."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from rooms.app.scripted import app_for, keepalive_session, settle
from rooms.ladder.diagrams import CAPTURES
from tcpladder.agent.messages import InterfaceState
from tcpladder.app.app import TcpladderApp
from tcpladder.app.bar import Bar
from tcpladder.app.interfaces_screen import table
from tcpladder.app.start_screen import StartApp
from tcpladder.app.terminal import Taste
from tcpladder.session.files import FileSession

NARROW = (60, 20)
LONG = "2001:db8:1234:5678:9abc:def0:1234:5678"


async def shown(pilot: Pilot[None], *keys: str) -> list[str]:
    await pilot.press(*keys)
    await settle(pilot)
    await pilot.app.workers.wait_for_complete()
    return (await settle(pilot)).splitlines()


async def test_the_line_for_words_is_seen_from_a_maximised_list() -> None:
    app = app_for(keepalive_session())
    async with app.run_test(size=NARROW) as pilot:
        await settle(pilot)
        await shown(pilot, "z", "slash", "x")
        prompt = app.screen.query_one("#prompt")
        assert prompt.region in app.screen.region
        assert prompt.region.height == 1


async def test_what_a_filter_cannot_be_leaves_room_for_the_mark() -> None:
    app = app_for(keepalive_session())
    async with app.run_test(size=NARROW) as pilot:
        await settle(pilot)
        lines = await shown(pilot, "slash", *"state:xy")
        at = next(at for at, line in enumerate(lines) if "cannot filter by state:xy" in line)
        assert lines[at + 1].rstrip().endswith("…")
        assert lines[at + 2].strip() == "▁" * len("state:xy")
        assert "state:xy" in lines[at + 3]


async def test_the_hint_of_a_note_ends_in_an_ellipsis() -> None:
    app = app_for(keepalive_session(mode="file", phase="ended"))
    async with app.run_test(size=NARROW) as pilot:
        await settle(pilot)
        lines = await shown(pilot, "enter", "m")
        assert any("a letter marks it" in line and line.rstrip().endswith("…") for line in lines)


async def test_what_a_key_does_goes_on_below_itself() -> None:
    app = app_for(keepalive_session(mode="file", phase="ended"))
    async with app.run_test(size=NARROW) as pilot:
        await settle(pilot)
        lines = await shown(pilot, "question_mark", "pagedown")
        at = next(at for at, line in enumerate(lines) if "break this flow" in line)
        assert lines[at + 1].index("...") == lines[at].index("break")
        await pilot.resize_terminal(80, 24)
        assert any("break this flow: drop, reject, lose ..." in line for line in await shown(pilot))


async def test_the_keys_of_the_open_dialog_are_on_the_screen(tmp_path: Path) -> None:
    for name in "abcdefghijklmnopqrst":
        (tmp_path / f"{name}.pcap").touch()
    app = app_for(keepalive_session())
    async with app.run_test(size=NARROW) as pilot:
        await settle(pilot)
        await shown(pilot, "o")
        lines = await shown(pilot, *f"{tmp_path}/")
        assert any("more" in line for line in lines)
        assert any("enter open  esc back" in line for line in lines)


async def test_no_answer_of_a_dialog_is_broken() -> None:
    app = app_for(keepalive_session())
    async with app.run_test(size=NARROW) as pilot:
        await settle(pilot)
        lines = await shown(pilot, "e")
        assert any("addresses and ports" in line for line in lines)


async def test_two_rungs_are_compared_in_lines_of_their_own() -> None:
    app = TcpladderApp(FileSession([str(CAPTURES["keepalive"])], read_again=True), taste=Taste())
    async with app.run_test(size=NARROW) as pilot:
        await settle(pilot)
        lines = await shown(pilot, "enter", "space", "down", "down", "d")
        assert any("2078951058" in line and "2078951059" in line for line in lines)
        assert "↑↓ scroll  Esc close" in lines[-1]


async def test_the_start_screen_keeps_the_key_that_tells_the_others() -> None:
    app = StartApp(taste=Taste())
    async with app.run_test(size=NARROW) as pilot:
        await pilot.pause()
        keys = app.screen.query_one("#keys", Bar).render().plain.rstrip()
        assert keys == " ↑↓ choose  tab section  enter open  ? help  q quit"


@pytest.mark.parametrize(("columns", "beside"), [(90, True), (55, False)])
def test_an_address_is_never_broken(columns: int, beside: bool) -> None:
    lo = InterfaceState(
        name="lo",
        index=1,
        state="up",
        addresses=["127.0.0.1", LONG],
        received_packets=0,
        sent_packets=0,
        received_bytes=0,
        sent_bytes=0,
    )
    lines = table([lo], {}, 0, columns).splitlines()
    assert max(map(len, lines)) <= columns
    assert lines[-1].endswith(LONG)
    assert ("127.0.0.1" in lines[1]) is beside
    assert lines[-1].index(LONG) == lines[-2].index("127.0.0.1")
