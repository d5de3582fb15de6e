"""From one session to another, a replay or a capture that is opened, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.screen import Screen

from tcpladder.app import open_ladder
from tcpladder.app.contract import Session
from tcpladder.app.feed import Feed
from tcpladder.app.flows_screen import FlowsScreen
from tcpladder.app.named_keys import named
from tcpladder.app.page import Page

if TYPE_CHECKING:
    from tcpladder.app.app import TcpladderApp
    from tcpladder.app.ladder_screen import LadderScreen


def flows_page(app: TcpladderApp) -> FlowsScreen:
    """The list of flows of the session, or of the replay, that the app shows."""
    if app.session.status().mode == "replay":
        from tcpladder.app.replay_screens import ReplayFlowsScreen
        from tcpladder.session.replay import ReplaySession

        assert isinstance(app.session, ReplaySession)
        return ReplayFlowsScreen(app.session, app.feed, app.taste)
    return FlowsScreen(app.session, app.feed, app.taste)


def show_flows(app: TcpladderApp, numbers: tuple[int, ...]) -> None:
    """Put a ladder of flows of the session, or of the replay, on the screen."""
    if app.session.status().mode == "replay":
        from tcpladder.app.replay_screens import ReplayLadderScreen
        from tcpladder.session.replay import ReplaySession

        assert isinstance(app.session, ReplaySession)
        app.push_screen(ReplayLadderScreen(app.session, app.feed, app.taste, numbers=numbers))
    else:
        open_ladder.show(app, numbers)


@dataclass(frozen=True, slots=True)
class _Below:
    """What is no longer on the screen."""

    session: Session
    feed: Feed
    screens: int
    """How many screens there were."""


class Replaying:
    """The sessions below the one on the screen: what is replayed, and what was there before a capture was opened.

    Args:
        app: whose session becomes another one, and is put back.
    """

    def __init__(self, app: TcpladderApp) -> None:
        self._app = app
        self._below: list[_Below] = []

    @property
    def _replays(self) -> bool:
        """Whether the session on the screen is a replay of the one below it."""
        return bool(self._below) and getattr(self._app.session, "source", None) is self._below[-1].session

    def toggle(self, *, step_back: bool = False) -> None:
        """Replay what is on the screen, from its begin or, where it goes on, from now; or go back to it."""
        from tcpladder.app.ladder_screen import LadderScreen

        page = next((screen for screen in reversed(self._app.screen_stack) if isinstance(screen, Page)), None)
        if self._replays:
            self.leave()
        elif self._app.session.status().mode == "replay":
            self._app.notify(self._named("this is the replay: {leave:q} leaves it"), timeout=2)
        elif isinstance(page, FlowsScreen | LadderScreen):
            self._enter(page, step_back=step_back)
        else:
            self._app.notify(
                self._named("{replay:R} replays from the list or a ladder: {back:Esc} goes there"), timeout=3
            )

    def _named(self, sentence: str) -> str:
        return named(sentence, self._app.taste.keymap)

    def _enter(self, screen: FlowsScreen | LadderScreen, *, step_back: bool) -> None:
        from tcpladder.app.ladder_screen import LadderScreen
        from tcpladder.session.base import Session as Replayable
        from tcpladder.session.replay import ReplaySession
        from tcpladder.session.replay_state import ReplayState

        app, source = self._app, self._app.session
        if not isinstance(source, Replayable):
            return
        goes_on = source.phase in ("running", "waiting")
        state = ReplayState(playing=False, now_ns=source.now_ns()) if goes_on else ReplayState()
        replay = ReplaySession(source, state, owns_source=False)
        self._put(replay)
        if isinstance(screen, LadderScreen):
            numbers = tuple(map(replay.number_of, screen.numbers))
            replay.look_at(numbers[0] if len(numbers) == 1 else None)
            show_flows(app, numbers)
        else:
            app.push_screen(flows_page(app))
        if step_back:
            replay.step(-1)
        app.call_after_refresh(app.feed.start)

    def show(self, session: Session) -> None:
        """Put another session on the screen, masked as the one below it."""
        app = self._app
        session.mask = app.session.mask
        self._put(session)
        app.push_screen(flows_page(app))
        app.call_after_refresh(app.feed.start)

    def _put(self, session: Session) -> None:
        app = self._app
        self._below.append(_Below(app.session, app.feed, len(app.screen_stack)))
        app.feed.stop()
        app.session, app.feed = session, Feed(app, session)
        session.start()

    def leave(self) -> None:
        """Go back to what is below, as it is now."""
        if not self._below:
            return
        app, below = self._app, self._below.pop()
        app.feed.stop()
        app.session.close()
        app.session, app.feed = below.session, below.feed
        while len(app.screen_stack) > below.screens:
            app.pop_screen()
        below.feed.wake()

    def leave_from(self, screen: Screen[None]) -> bool:
        """Go back, if this is the first screen of the session and there is something below it."""
        if not self._below or self._app.screen_stack[self._below[-1].screens :] != [screen]:
            return False
        self.leave()
        return True

    def close(self) -> None:
        """Close the session on the screen, and those below it."""
        self._app.session.close()
        for below in reversed(self._below):
            below.session.close()


def ask_what_to_open(app: TcpladderApp) -> None:
    """Ask for a capture, and put it above what is on the screen."""
    from tcpladder.app.open_dialog import OpenDialog
    from tcpladder.session.base import Session as AnySession
    from tcpladder.session.files import FileSession
    from tcpladder.store.recent import remember

    given = app.session.given if isinstance(app.session, AnySession) else None

    def open_capture(path: str) -> AnySession:
        session = FileSession([path], read_again=True, given=given)
        remember([path], app.taste.recent)
        return session

    def opened(session: AnySession | None) -> None:
        if session is not None:
            app.replaying.show(session)

    app.push_screen(OpenDialog(open_capture, app.taste), opened)
