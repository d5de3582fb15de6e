"""A replay on the screen, by its keys: the same moment is the same screen, whatever way led there."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

import numpy as np
import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from rooms.app.scripted import screen_text, settle
from rooms.session.test_replay import pass_by, replay
from talk import START_NS, Talk, batch
from tcpladder.app.app import TcpladderApp
from tcpladder.app.detail_screen import DetailScreen
from tcpladder.app.flow_table import FlowTable
from tcpladder.app.flows_screen import FlowsScreen
from tcpladder.app.ladder_screen import LadderScreen
from tcpladder.app.replay_bar import ReplayBar, bar_parts
from tcpladder.app.replay_screens import ReplayFlowsScreen, ReplayLadderScreen
from tcpladder.app.terminal import Taste
from tcpladder.session.base import Session
from tcpladder.session.files import FileSession
from tcpladder.session.replay import ReplaySession
from tcpladder.session.replay_state import ReplayState

S = 1_000_000_000
TRUTH = Path(__file__).parent.parent.parent / "truth"
KEEPALIVE = TRUTH / "a1_ka_client_3_1_3.pcap"
LOSS = TRUTH / "i2_random_loss_3pct_client.pcap"


def app_about(session: Session, *, ascii_only: bool = False) -> TcpladderApp:
    return TcpladderApp(session, taste=Taste(ascii_only=ascii_only, timezone=UTC))


async def pressed(pilot: Pilot[None], *keys: str) -> str:
    for key in keys:
        await pilot.press(key)
    return await settle(pilot)


async def opened(pilot: Pilot[None]) -> ReplaySession:
    """The ladder of the first flow, paused at the begin."""
    await settle(pilot)
    await pressed(pilot, "enter")
    assert isinstance(pilot.app, TcpladderApp)
    session = pilot.app.session
    assert isinstance(session, ReplaySession)
    session.play(False)
    return session


@pytest.mark.parametrize("path", [KEEPALIVE, LOSS], ids=["keepalive", "loss"])
async def test_the_same_moment_is_the_same_screen(path: Path) -> None:
    """Played, sought from the end, and in any order: the same text."""
    session, clock = replay([path], pace=10.0, idle_s=0.5)
    screens: dict[int, str] = {}
    app = app_about(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        session.seek(session.state.begin_ns)
        while len(screens) < 12 and session.now_ns() < session.state.end_ns:
            session.play(True)
            pass_by(session, clock, 0.4)
            session.play(False)
            screens[session.now_ns()] = await settle(pilot, 2)
        session.seek(session.state.end_ns)
        await settle(pilot)
        dice = np.random.default_rng(1)
        for now_ns in [*reversed(screens), *dice.permutation(list(screens)).tolist()]:
            session.seek(now_ns)
            assert await settle(pilot, 2) == screens[now_ns]


async def test_the_bar_says_where_and_how_fast() -> None:
    session, clock = replay([KEEPALIVE], playing=False)
    app = app_about(session)
    async with app.run_test(size=(80, 24)) as pilot:
        text = await settle(pilot)
        assert isinstance(app.screen, ReplayFlowsScreen)
        assert app.screen.query_one(FlowTable).size.height > 12, "nothing but the list has the room"
        assert app.screen.why.size.height == 3
        bar = next(line for line in text.splitlines() if "◀◀" in line)
        assert "1×" in bar
        assert "●" in bar
        assert "┼" in bar
        assert "silences to 3 s" in bar
        assert "▮▮ paused" in text
        text = await pressed(pilot, "greater_than_sign", "greater_than_sign", "l", "underscore")
        bar = next(line for line in text.splitlines() if "◀◀" in line)
        assert "5×" in bar
        assert "silences to 10 s  loop" in bar
        text = await pressed(pilot, "less_than_sign", "p")
        assert "▶▶ replay 2×" in text
        clock.now_s += 1
        before = session.now_ns()
        await settle(pilot)
        assert session.now_ns() - before <= 2 * S
        assert session.now_ns() - session.state.begin_ns == 2 * S


async def test_ascii_has_a_twin_of_everything() -> None:
    session, _ = replay([KEEPALIVE], playing=False)
    app = app_about(session, ascii_only=True)
    async with app.run_test(size=(80, 24)) as pilot:
        text = await settle(pilot)
        assert "<< " in text
        assert "1x  [O" in text
        assert text.isascii()


async def test_keys_step_and_jump_and_seek() -> None:
    session, _ = replay([KEEPALIVE])
    app = app_about(session)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await opened(pilot)
        await pressed(pilot, "at", *"0%", "enter")
        assert session.now_ns() == session.state.begin_ns
        rows = len(session.view(1).time_ns)
        await pressed(pilot, "full_stop")
        assert len(session.view(1).time_ns) == rows + 1
        await pressed(pilot, "comma")
        assert len(session.view(1).time_ns) == rows
        text = await pressed(pilot, "right_square_bracket", "right_square_bracket", "right_square_bracket")
        assert "probe" in text
        await pressed(pilot, "left_square_bracket")
        text = await pressed(pilot, "at", *"soon", "enter")
        assert "cannot read the time soon" in text
        assert isinstance(app.screen, ReplayLadderScreen)
        assert app.screen.ladder.size.height > 12, "the detail takes no room before it is asked for"
        before_ns = session.now_ns()
        await pressed(pilot, "escape", "at", *"+2.5", "enter")
        assert isinstance(app.screen, ReplayLadderScreen)
        assert session.now_ns() - before_ns == 5 * S // 2


async def test_a_seek_is_no_filter_of_the_list() -> None:
    session, _ = replay([KEEPALIVE], playing=False)
    app = app_about(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        text = await pressed(pilot, "at", *"50%", "enter")
        assert "filter: -" in text
        assert session.now_ns() > session.state.begin_ns
        text = await pressed(pilot, "slash", *"nothing", "enter")
        assert "no flow passes the filter nothing" in text


async def test_a_click_on_the_bar_goes_there_and_a_drag_further() -> None:
    session, _ = replay([KEEPALIVE], playing=False)
    app = app_about(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        bar = app.screen.query_one(ReplayBar)
        await pilot.click(bar, offset=(bar._bar_at + bar._bar_cells - 1, 0))
        await settle(pilot)
        assert session.now_ns() == session.state.end_ns
        await pilot.mouse_down(bar, offset=(bar._bar_at + bar._bar_cells // 2, 0))
        middle = session.now_ns()
        await pilot.hover(bar, offset=(bar._bar_at, 0))
        await pilot.mouse_up(bar, offset=(bar._bar_at, 0))
        await settle(pilot)
        assert session.state.begin_ns == session.now_ns() < middle < session.state.end_ns
        await pilot.hover(bar, offset=(bar._bar_at + 9, 0))
        assert session.now_ns() == session.state.begin_ns


def test_the_bar_has_a_mark_for_each_event() -> None:
    state = ReplayState(begin_ns=100, now_ns=105, end_ns=110)
    drawn = bar_parts(state, np.array([100, 102, 109, 110]), 11, ascii_only=True)
    assert "".join(text for text, _ in drawn) == "#=#==O---##"


async def test_replay_of_an_open_capture_and_back() -> None:
    source = FileSession([str(KEEPALIVE)], read_again=True)
    app = app_about(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pressed(pilot, "enter")
        assert isinstance(app.screen, LadderScreen)
        before = screen_text(app)
        text = await pressed(pilot, "R")
        assert isinstance(app.screen, ReplayLadderScreen)
        assert "replay 1×" in text
        await pressed(pilot, "p", "enter")
        assert isinstance(app.screen, DetailScreen)
        await pressed(pilot, "escape")
        assert isinstance(app.screen, ReplayLadderScreen)
        await pressed(pilot, "escape")
        assert type(app.screen) is LadderScreen
        assert screen_text(app) == before
        await pressed(pilot, "escape", "R", "enter")
        assert isinstance(app.screen, ReplayLadderScreen)
        await pressed(pilot, "escape")
        assert isinstance(app.screen, ReplayFlowsScreen)
        await pressed(pilot, "R")
        assert type(app.screen) is FlowsScreen
        assert app.session is source
        await pressed(pilot, "R")
        assert isinstance(app.screen, ReplayFlowsScreen)
        await pressed(pilot, "q")
        assert type(app.screen) is FlowsScreen


class Growing(Session):
    """A live capture that a test plays by hand."""

    mode = "live"

    def __init__(self) -> None:
        super().__init__("lo")
        self.capture = self.begin_capture()
        self._phase = "running"
        self.clock_ns = START_NS
        self.talk = Talk(now_ns=START_NS)
        self._fed = 0

    def go_on(self) -> None:
        """Capture what was said meanwhile."""
        frames = self.talk.frames[self._fed :]
        self.feed(self.capture, batch(frames, self._fed + 1))
        self._fed += len(frames)
        self.clock_ns = self.talk.now_ns

    def now_ns(self) -> int:
        return self.clock_ns

    def start(self) -> None:
        pass

    def close(self) -> None:
        self._phase = "ended"


async def test_a_live_capture_is_scrubbed_back_while_it_goes_on() -> None:
    source = Growing()
    source.talk.handshake().silence(2).data(10)
    source.go_on()
    app = app_about(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pressed(pilot, "enter")
        text = await pressed(pilot, "comma")
        assert isinstance(app.screen, ReplayLadderScreen)
        assert "2.0 s behind live" in text
        assert "data 10" not in text
        source.talk.silence(10).data(20)
        source.go_on()
        text = await settle(pilot)
        assert "12 s behind live" in text
        assert "data 20" not in text
        text = await pressed(pilot, "full_stop")
        assert "data 10" in text
        text = await pressed(pilot, "full_stop")
        assert "data 20" in text
        text = await pressed(pilot, "R")
        assert type(app.screen) is LadderScreen
        assert "● live" in text
        assert "data 20" in text
        source.talk.silence(1).data(30)
        source.go_on()
        assert "data 30" in await settle(pilot)


async def test_the_end_of_a_capture_that_goes_on_is_now() -> None:
    source = Growing()
    source.talk.handshake().silence(2).data(10)
    source.go_on()
    app = app_about(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pressed(pilot, "enter", "comma")
        assert isinstance(app.screen, ReplayLadderScreen)
        text = await pressed(pilot, "end")
        assert type(app.screen) is LadderScreen
        assert "● live" in text


async def test_the_end_of_a_file_is_its_last_row() -> None:
    session, _ = replay([KEEPALIVE], playing=False)
    app = app_about(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await pressed(pilot, "end")
        assert isinstance(app.screen, ReplayLadderScreen)


async def test_what_an_answer_settles_is_drawn_again_while_live() -> None:
    source = Growing()
    source.talk.handshake().silence(3).keepalive()
    source.go_on()
    app = app_about(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "keepalive probe 1 " in await pressed(pilot, "enter", "home")
        source.talk.ack("server")
        source.go_on()
        text = await settle(pilot)
        assert "keepalive ACK" in text
        assert "keepalive probe ─" in text
        assert "keepalive probe 1 " not in text


async def test_save_asks_and_says_what_was_saved(tmp_path: Path) -> None:
    session, _ = replay([KEEPALIVE], playing=False)
    path = tmp_path / "saved.pcapng"
    app = app_about(session)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await opened(pilot)
        session.seek(session.state.end_ns)
        text = await pressed(pilot, "w")
        assert "(•) flow 1" in text
        assert "all flows, up to the moment that is shown" in text
        assert "real addresses" not in text
        await pressed(pilot, "escape", "P")
        assert "real addresses" in await pressed(pilot, "w")
        text = await pressed(pilot, "down", "f3")
        assert "(•) all flows" in text
        assert "without kinds" in text
        app.screen.query_one(Input).value = str(path)
        await pressed(pilot, "enter")
        await app.workers.wait_for_complete()
        assert "frames saved to" in await settle(pilot)
        assert path.exists()
        await pressed(pilot, "w")
        app.screen.query_one(Input).value = str(path)
        await pressed(pilot, "enter")
        await app.workers.wait_for_complete()
        assert "it exists" in await settle(pilot)
        await pressed(pilot, "w", "escape")
        assert isinstance(app.screen, ReplayLadderScreen)
