"""The timers panel: where it stands, what it says, how often it asks."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from rooms.app.scripted import ScriptedSession, app_for, keepalive_session, many_flows, settle
from rooms.ladder.talk import S
from tcpladder.analysis import names
from tcpladder.analysis.beliefs import Believed
from tcpladder.analysis.view import Origin, Side
from tcpladder.app.ladder_screen import LadderScreen
from tcpladder.app.ladder_view import LadderView
from tcpladder.app.timers_view import TimersView
from tcpladder.ladder.timers import EndTimers, FlowTimers, Running, RunningTimer, SocketReading

SIZE = (80, 24)


def timed(session: ScriptedSession) -> ScriptedSession:
    """curl probes after 30 s, in 12.4 s from now; the server lives elsewhere."""
    due_ns = session.now.now_ns + 12_400_000_000
    running = RunningTimer(kind=Running.KEEPALIVE, armed_ns=due_ns - 30 * S, due_ns=due_ns, unanswered=0)
    curl = SocketReading(owner="curl 4284", refused="", running=running, rto_ns=204_000_000, unacked=0)
    values = {
        names.SO_KEEPALIVE: Believed(1, Origin.SOCKET),
        names.KEEPALIVE_TIME: Believed(30 * S, Origin.SOCKET),
        names.KEEPALIVE_INTVL: Believed(3 * S, Origin.SOCKET),
        names.KEEPALIVE_PROBES: Believed(3, Origin.NETNS),
    }
    session.timed = FlowTimers(
        ends={
            Side.CLIENT: EndTimers(values=values, reading=curl),
            Side.SERVER: EndTimers(values={}, reading=None),
        },
        pending=(),
        notice="no socket of this machine",
    )
    session.owner = "curl 4284"
    return session


async def ladder(pilot: Pilot[None]) -> None:
    await settle(pilot)
    await pilot.press("enter")
    await settle(pilot)


async def test_below_a_narrow_ladder() -> None:
    app = app_for(timed(keepalive_session()))
    async with app.run_test(size=SIZE) as pilot:
        await ladder(pilot)
        assert "keepalive_probes" not in await settle(pilot)
        await pilot.press("T")
        lines = (await settle(pilot)).splitlines()
        (panel,) = [row for row, line in enumerate(lines) if line.startswith(" client curl 4284")]
        assert "keepalive_time   30 s    socket   in 12 s ▕████" in lines[panel + 1]
        assert "keepalive_probes 3       netns    0 unanswered" in lines[panel + 3]
        assert "rto              204 ms  kernel   idle" in lines[panel + 4]
        assert lines[panel + 5].startswith(" server no socket of this machine")
        assert any("keepalive probe" in line for line in lines[:panel])
        await pilot.press("T")
        assert "keepalive_probes" not in await settle(pilot)


async def test_beside_a_wide_ladder() -> None:
    app = app_for(timed(keepalive_session()))
    async with app.run_test(size=(120, 24)) as pilot:
        await ladder(pilot)
        await pilot.press("T")
        lines = (await settle(pilot)).splitlines()
        view = app.screen.query_one(LadderView)
        assert view.size.width < 70
        (row,) = [line for line in lines if "keepalive_time   30 s" in line]
        assert row.index("keepalive_time") > view.size.width
        assert {":22345", ":12345"} <= set(lines[1].split())


async def test_the_panel_moves_with_the_terminal() -> None:
    app = app_for(timed(keepalive_session()))
    async with app.run_test(size=(120, 24)) as pilot:
        await ladder(pilot)
        await pilot.press("T")
        await settle(pilot)
        await pilot.resize_terminal(*SIZE)
        lines = (await settle(pilot)).splitlines()
        assert any(line.startswith("  keepalive_time   30 s") for line in lines)


async def test_the_head_names_the_process_that_holds_the_socket() -> None:
    app = app_for(timed(keepalive_session()))
    async with app.run_test(size=SIZE) as pilot:
        await ladder(pilot)
        head = (await settle(pilot)).splitlines()[0]
        assert "ESTABLISHED  curl 4284" in head
        await pilot.resize_terminal(60, 24)
        assert "12345" in (await settle(pilot)).splitlines()[0]


async def test_pane_three_takes_the_keys_and_gives_them_back() -> None:
    app = app_for(timed(keepalive_session()))
    async with app.run_test(size=SIZE) as pilot:
        await ladder(pilot)
        await pilot.press("3")
        await settle(pilot)
        assert isinstance(app.focused, TimersView)
        await pilot.press("j", "y")
        await settle(pilot)
        assert app.clipboard.startswith("keepalive_time")
        await pilot.press("3")
        await settle(pilot)
        assert isinstance(app.focused, LadderView)
        assert not app.screen.query_one(TimersView).display
        assert isinstance(app.screen, LadderScreen)


async def test_in_the_list_it_is_about_the_flow_under_the_cursor() -> None:
    session = timed(many_flows(3))
    app = app_for(session)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("T")
        await settle(pilot)
        view = app.screen.query_one(TimersView)
        before = view.number
        await pilot.press("down")
        await settle(pilot)
        assert before is not None
        assert view.number not in (None, before)


async def test_it_counts_down_by_itself_while_open_and_asks_nothing_while_closed() -> None:
    session = timed(keepalive_session())
    app = app_for(session)
    async with app.run_test(size=SIZE) as pilot:
        await ladder(pilot)
        assert session.timers_asked == 0
        await pilot.press("T")
        await settle(pilot)
        session.now = type(session.now)(now_ns=session.now.now_ns + 5 * S)  # no new version
        for _ in range(30):
            if "in 7.4 s" in await settle(pilot, rounds=1):
                break
        assert "in 7.4 s" in await settle(pilot)
        await pilot.press("T")
        await settle(pilot)
        asked = session.timers_asked
        await settle(pilot, rounds=12)
        assert session.timers_asked == asked


async def test_a_capture_is_drawn_once() -> None:
    session = timed(keepalive_session(mode="file", phase="ended"))
    app = app_for(session)
    async with app.run_test(size=SIZE) as pilot:
        await ladder(pilot)
        await pilot.press("T")
        await settle(pilot)
        asked = session.timers_asked
        await settle(pilot, rounds=12)
        assert session.timers_asked == asked


@pytest.mark.parametrize("size", [(80, 24), (120, 24)])
async def test_ascii_only(size: tuple[int, int]) -> None:
    app = app_for(timed(keepalive_session()), ascii_only=True)
    async with app.run_test(size=size) as pilot:
        await ladder(pilot)
        await pilot.press("T")
        assert (await settle(pilot)).isascii()
