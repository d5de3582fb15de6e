"""The list of flows and the ladder of a replay: the pages of a session, with a bar and the keys of a player."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from tcpladder.app.contract import SessionStatus
from tcpladder.app.feed import Feed
from tcpladder.app.flows_screen import FlowsScreen
from tcpladder.app.ladder_screen import LadderScreen
from tcpladder.app.page import Page
from tcpladder.app.replay_bar import ReplayBar
from tcpladder.app.terminal import Taste
from tcpladder.errors import UsageError
from tcpladder.session.moment import FORMS
from tcpladder.session.replay import ReplaySession

if TYPE_CHECKING:
    from tcpladder.app.app import TcpladderApp

    MixedIn = Page
else:
    MixedIn = (
        object  # Textual takes styles from the first base that is a widget alone: the page has to be that one
    )

BINDINGS: list[BindingType] = [
    Binding("p", "play", "play, pause"),
    Binding("comma", "step(-1)", "a segment back"),
    Binding("full_stop", "step(1)", "a segment on"),
    Binding("less_than_sign", "pace(-1)", "slower"),
    Binding("greater_than_sign", "pace(1)", "faster"),
    Binding("left_square_bracket", "replay_event(-1)", "back to the previous event"),
    Binding(
        "right_square_bracket",
        "replay_event(1)",
        "on to the next event: handshake, probe, retransmission, reset, loss, fault, note",
    ),
    Binding("at", "seek", "go to a time: 14:02:10, +90, -2m, 35.5, 50%"),
    Binding("underscore", "idle", "longest silence: 1 s, 3 s, 10 s, all of it"),
    Binding("l", "loop", "loop: begin again at the end"),
]


class _Replayed(MixedIn):
    """What both pages have; mixed in before the page that draws the session."""

    session: ReplaySession
    scope: int | None = None
    """The flow whose silences are shortened and whose events are walked; None for all."""

    def __init__(self, session: ReplaySession, feed: Feed, taste: Taste, **about: tuple[int, ...]) -> None:
        super().__init__(session, feed, taste, **about)
        self.bar = ReplayBar(taste, self.seek)
        self._asks_time = False

    def compose_body(self) -> ComposeResult:
        yield from super().compose_body()
        yield self.bar

    def on_screen_resume(self) -> None:
        self.session.look_at(self.scope)
        super().on_screen_resume()

    def show(self, status: SessionStatus) -> None:
        super().show(status)
        if status.replay is not None:
            self.bar.say(status.replay, self.session.event_times_ns())

    def go_back(self) -> bool:
        return super().go_back() or self._app.replaying.leave_from(self)

    @property
    def _app(self) -> TcpladderApp:
        from tcpladder.app.app import TcpladderApp

        assert isinstance(self.app, TcpladderApp)
        return self.app

    def on_row_view_last(self) -> None:
        """The end of a capture that goes on is now."""
        if self.session.behind_ns is not None:
            self._app.replaying.leave()

    # Keys

    def _moved(self) -> None:
        """Draw at once what a key did."""
        self.show(self.session.status())
        self.feed.wake()

    def seek(self, time_ns: int) -> None:
        """Go to a moment."""
        self.session.seek(time_ns)
        self._moved()

    def action_play(self) -> None:
        self.session.play(not self.session.state.playing)
        self._moved()

    def action_step(self, by: int) -> None:
        if not self.session.step(by):
            self.notify(f"no {'later' if by > 0 else 'earlier'} segment", timeout=2)
        self._moved()

    def action_replay_event(self, by: int) -> None:
        if not self.session.event(by):
            self.notify(f"no {'later' if by > 0 else 'earlier'} event", timeout=2)
        self._moved()

    def action_pace(self, by: int) -> None:
        self.session.faster(by)
        self._moved()

    def action_idle(self) -> None:
        self.session.next_idle()
        self._moved()

    def action_loop(self) -> None:
        self.session.loop()
        self._moved()

    def action_seek(self) -> None:
        self._asks_time = True
        self.prompt.suggester = None
        self.ask(FORMS, "")

    def close_prompt(self) -> bool:
        self._asks_time = False
        return super().close_prompt()

    def on_input_changed(self, event: Input.Changed) -> None:
        if self._asks_time:
            event.prevent_default()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if not self._asks_time:
            return
        event.prevent_default()
        try:
            self.session.seek_text(event.value, self.taste.timezone)
        except UsageError as wrong:
            self.notify(str(wrong), severity="warning", markup=False)
            return
        self.close_prompt()
        self._moved()


class ReplayFlowsScreen(_Replayed, FlowsScreen):
    """The flows that had begun by the moment that is shown."""

    TITLE = "replayed flows"
    BINDINGS: ClassVar[list[BindingType]] = BINDINGS
    KEYS = "p play  , . step  < > pace  [ ] event  @ time  enter ladder  R back  ? help  q quit"


class ReplayLadderScreen(_Replayed, LadderScreen):
    """A flow, or several on one ladder, as they were at the moment that is shown."""

    TITLE = "replayed ladder"
    BINDINGS: ClassVar[list[BindingType]] = BINDINGS
    KEYS = "p play  , . step  < > pace  [ ] event  @ time  R back  _ silences  ? help"

    def __init__(self, session: ReplaySession, feed: Feed, taste: Taste, *, numbers: tuple[int, ...]) -> None:
        super().__init__(session, feed, taste, numbers=numbers)
        self._places = [session.place_of(number) for number in numbers]
        self._find()

    def show(self, status: SessionStatus) -> None:
        self._find()
        super().show(status)

    def _find(self) -> None:
        """Flows are numbered as they begin, and more files are read: what is looked at may have another number now."""
        self.numbers = tuple(map(self.session.number_at, self._places))
        self.scope = self.numbers[0] if len(self.numbers) == 1 else None

    def action_open(self) -> None:
        self.session.play(False)
        super().action_open()
