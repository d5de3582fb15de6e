"""Into a replay of what is on the screen, and back to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.screen import Screen

from tcpladder.app import open_ladder
from tcpladder.app.contract import Session
from tcpladder.app.feed import Feed
from tcpladder.app.flows_screen import FlowsScreen
from tcpladder.app.ladder_screen import LadderScreen

if TYPE_CHECKING:
    from tcpladder.app.app import TcpladderApp


def flows_page(app: TcpladderApp) -> FlowsScreen:
    """The list of flows of the session, or of the replay, that the app shows."""
    if app.session.status().mode == "replay":
        from tcpladder.app.replay_screens import ReplayFlowsScreen
        from tcpladder.session.replay import ReplaySession

        assert isinstance(app.session, ReplaySession)
        return ReplayFlowsScreen(app.session, app.feed, app.taste)
    return FlowsScreen(app.session, app.feed, app.taste)


def show_flow(app: TcpladderApp, number: int) -> None:
    """Put the ladder of a flow of the session, or of the replay, on the screen."""
    if app.session.status().mode == "replay":
        from tcpladder.app.replay_screens import ReplayLadderScreen
        from tcpladder.session.replay import ReplaySession

        assert isinstance(app.session, ReplaySession)
        app.push_screen(ReplayLadderScreen(app.session, app.feed, app.taste, number=number))
    else:
        open_ladder.show(app, number)


class Replaying:
    """The session that is replayed, while its replay is on the screen.

    Args:
        app: whose session becomes the replay, and is put back.
    """

    def __init__(self, app: TcpladderApp) -> None:
        self._app = app
        self._below: tuple[Session, Feed, int] | None = None
        """What was on the screen before, and how many screens there were."""

    def toggle(self, *, step_back: bool = False) -> None:
        """Replay what is on the screen, from its begin or, where it goes on, from now; or go back to it."""
        screen = self._app.screen
        if self._below is not None:
            self.leave()
        elif self._app.session.status().mode == "replay":
            self._app.notify("this is the replay: q leaves it", timeout=2)
        elif isinstance(screen, FlowsScreen | LadderScreen):
            self._enter(screen, step_back=step_back)
        else:
            self._app.notify("R replays from the list or a ladder: Esc goes there", timeout=3)

    def _enter(self, screen: FlowsScreen | LadderScreen, *, step_back: bool) -> None:
        from tcpladder.session.base import Session as Replayable
        from tcpladder.session.replay import ReplaySession
        from tcpladder.session.replay_state import ReplayState

        app, source = self._app, self._app.session
        if not isinstance(source, Replayable):
            return
        goes_on = source.phase in ("running", "waiting")
        state = ReplayState(playing=False, now_ns=source.now_ns()) if goes_on else ReplayState()
        replay = ReplaySession(source, state, owns_source=False)
        self._below = source, app.feed, len(app.screen_stack)
        app.feed.stop()
        app.session, app.feed = replay, Feed(app, replay)
        replay.start()
        if isinstance(screen, LadderScreen):
            number = replay.number_of(screen.number)
            replay.look_at(number)
            show_flow(app, number)
        else:
            app.push_screen(flows_page(app))
        if step_back:
            replay.step(-1)
        app.call_after_refresh(app.feed.start)

    def leave(self) -> None:
        """Go back to what was replayed, as it is now."""
        if self._below is None:
            return
        app = self._app
        (source, feed, screens), self._below = self._below, None
        app.feed.stop()
        app.session.close()
        app.session, app.feed = source, feed
        while len(app.screen_stack) > screens:
            app.pop_screen()
        feed.wake()

    def leave_from(self, screen: Screen[None]) -> bool:
        """Go back, if this is the first screen of the replay and there is something below it."""
        if self._below is None or self._app.screen_stack[self._below[2] :] != [screen]:
            return False
        self.leave()
        return True

    def close(self) -> None:
        """Close the replay, and the session below it."""
        session = self._app.session
        session.close()
        if self._below is not None:
            self._below[0].close()
