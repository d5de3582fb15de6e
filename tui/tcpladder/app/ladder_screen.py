"""A flow as a ladder, or several on one, with the sentence that explains the row under the cursor."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Resize
from textual.message import Message
from textual.timer import Timer

from tcpladder.analysis.view import FlowSummary, Timeline
from tcpladder.app import explain, status_words
from tcpladder.app.bar import Bar
from tcpladder.app.contract import Session, SessionStatus
from tcpladder.app.detail_view import DetailView, findings
from tcpladder.app.fault_keys import FaultKeys
from tcpladder.app.feed import Feed
from tcpladder.app.ladder_head import head, heading, sharing
from tcpladder.app.ladder_map import LadderMap, MapKeys
from tcpladder.app.ladder_notes import NoteKeys
from tcpladder.app.ladder_pair import PairKeys
from tcpladder.app.ladder_search import SearchKeys
from tcpladder.app.ladder_shape import ShapeKeys
from tcpladder.app.ladder_view import LadderView
from tcpladder.app.line_driver import is_congested
from tcpladder.app.terminal import Taste
from tcpladder.app.timers_view import TimersView, WithTimers
from tcpladder.ladder import words
from tcpladder.ladder.merged import timeline_of
from tcpladder.ladder.model import FoldRow, GapRow, Rung
from tcpladder.render.cells import elide
from tcpladder.render.layout import Layout
from tcpladder.session.exportable import notes_of

TALL = 40
"""Lines from which on the detail stands below the ladder without being asked for."""


class LadderScreen(ShapeKeys, SearchKeys, NoteKeys, PairKeys, MapKeys, FaultKeys):
    """The flows `numbers` on one ladder, or those that it is handed later."""

    TITLE = "ladder"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "detail; from a gap: to the rung that armed its timer"),
        Binding("f", "follow", "follow the newest rung"),
        Binding(
            "right_square_bracket",
            "event(1)",
            "next event: handshake, probe, retransmission, reset, loss, fault, note",
        ),
        Binding("left_square_bracket", "event(-1)", "previous event"),
        Binding("1", "pane(1)", "pane 1: the ladder"),
        Binding("2", "pane(2)", "pane 2: the detail below it"),
        Binding("3", "pane(3)", "pane 3: the timers"),
        Binding("comma", "app.replay(True)", "a segment back, in a replay"),
        Binding("T", "timers", "timers of both ends, counting down"),
    ]
    KEYS = "↑↓ rung  enter detail  D fault  U lift  w save  f follow  T timers  p pause  e export  ? help"
    DEFAULT_CSS = """
    LadderScreen #columns { text-style: bold; color: $text-muted; }
    LadderScreen DetailView { display: none; height: 12; border-top: solid $accent; }
    LadderScreen.-ascii DetailView { border-top: ascii $accent; }
    LadderScreen.-two DetailView { display: block; }
    """

    class Opened(Message):
        """A person wants to see a segment in full."""

        def __init__(self, number: int, index: int) -> None:
            super().__init__()
            self.number = number
            self.index = index

    def __init__(self, session: Session, feed: Feed, taste: Taste, *, numbers: tuple[int, ...]) -> None:
        super().__init__(session, feed, taste)
        self.numbers = numbers
        self._sharing = 1
        """How many hosts had no lane of their own when that was said last."""
        self._timer: Timer | None = None
        self._new_rows = 0
        self._tall = False
        self.set_class(taste.ascii_only, "-ascii")
        self.ladder = LadderView(self._timeline(), notes_of(session, numbers), taste)
        self._columns = Bar(id="columns", ascii_only=taste.ascii_only)
        self._detail = DetailView(ascii_only=taste.ascii_only)
        self.map = LadderMap(self.ladder, taste)
        self._beside = WithTimers(
            session, self._columns, self.ladder, self.map, self._detail, ascii_only=taste.ascii_only
        )

    def compose_body(self) -> ComposeResult:
        yield self._beside

    def on_mount(self) -> None:
        self._begin()

    def _timeline(self) -> Timeline:
        """The findings about what is drawn, brought up to date."""
        return timeline_of([self.session.view(number) for number in self.numbers])

    def show_flows(self, numbers: tuple[int, ...]) -> None:
        """Be about other flows, from the beginning; panes, time and numbers stay as a person has left them."""
        self.workers.cancel_node(self)
        self.numbers = numbers
        self.words = ""
        self.paused_at = None
        self._sharing = 1
        self.ladder.show_flow(self._timeline(), notes_of(self.session, numbers))
        self._begin()

    def _begin(self) -> None:
        self.focus_body()
        status = self.session.status()
        self.ladder.refresh_ladder(notes_of(self.session, self.numbers), status.now_ns)
        self._fit(self.app.size.height)
        if status.phase != "ended" and status.mode != "file":
            self.call_after_refresh(self._follow, True)

    @property
    def is_open(self) -> bool:
        """Whether a person looks at this ladder, or will when what stands over it is closed."""
        return self in self.app.screen_stack

    def on_screen_suspend(self) -> None:
        if not self.is_open:
            self.workers.cancel_node(self)

    def on_resize(self, event: Resize) -> None:
        self._fit(event.size.height)
        self.call_after_refresh(lambda: self.show_lines(self.session.status()))

    def _fit(self, height: int) -> None:
        """Show the detail where there is room for it; what a person chose stays until that changes."""
        if (height >= TALL) != self._tall:
            self._tall = not self._tall
            self.set_class(self._tall, "-two")
        self._show_detail()

    def focus_body(self) -> None:
        self.ladder.focus()

    @property
    def number(self) -> int:
        """That of the flow of the row under the cursor."""
        return self.numbers[self.ladder.place]

    @property
    def flow_number(self) -> int | None:
        return self.number

    # Following the session

    def show_body(self, status: SessionStatus) -> None:
        for number in self.numbers:
            self.session.view(number)  # brings the findings up to date
        before = len(self.ladder.ladder)
        self.ladder.refresh_ladder(notes_of(self.session, self.numbers), status.now_ns)
        self._new_rows = len(self.ladder.ladder) - before
        if self._new_rows and self.ladder.following and not self.racing:
            self._show_detail()
        self._beside.show(self.number)
        self._plan_tick(self.ladder.seconds_to_next_tick(status.now_ns), status)

    @property
    def racing(self) -> bool:
        return self._new_rows > self.ladder.page // 4

    def _plan_tick(self, seconds: float | None, status: SessionStatus) -> None:
        """Wake for the countdown when its next figure is due; only a clock that runs makes it move."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if seconds is not None and status.phase in ("running", "waiting") and self.paused_at is None:
            self._timer = self.set_timer(seconds, self._tick)

    def _tick(self) -> None:
        if not self.is_open:
            return
        status = self.session.status()
        seconds = self.ladder.seconds_to_next_tick(status.now_ns)
        if self.is_current and not is_congested(self.app):
            seconds = self.ladder.tick(status.now_ns)
        self._plan_tick(seconds, status)

    def show_lines(self, status: SessionStatus) -> None:
        number = self.number
        summary = self.session.summary(number)
        state = status_words.phase(status, ascii_only=self.ascii_only, seconds_left=self.feed.seconds_left)
        following = "  follow" if self.ladder.following else ""
        right = Content.assemble(state, self.shape_words(), (following, "bold"), " ")
        self.head.say(
            head(
                summary,
                name=status_words.short_name(status),
                number=number if len(self.numbers) > 1 else None,
                owners=self.session.owners(number),
                width=self.size.width,
                taken=right.cell_length,
                ascii_only=self.ascii_only,
            ),
            right,
        )
        self._show_heading(summary)
        rows, place = len(self.ladder.ladder), self.ladder.cursor + 1
        count = status_words.plural(summary.segments, "segment")
        if len(self.numbers) > 1:
            count = (
                f"{status_words.plural(self.ladder.ladder.segments, 'segment')} of {len(self.numbers)} flows"
            )
        self.say_status(status, f"{count}  row {place:,} of {rows:,}  {status.filter}")
        self._show_why(status)
        self.show_map()

    def _show_heading(self, summary: FlowSummary) -> None:
        """Who each lifeline is; of several flows also, once, which hosts have none of their own."""
        layout = self._layout()
        self._columns.say(heading(summary, self.ladder.ladder.lanes, layout))
        before, self._sharing = self._sharing, layout.sharing
        if self._sharing not in (1, before):
            self.notify(self.named(sharing(layout)), markup=False, timeout=5)

    def _layout(self) -> Layout:
        return replace(self.ladder.ladder_layout, width=max(40, self.ladder.row_width))

    def _show_why(self, status: SessionStatus) -> None:
        row = self.ladder.selected
        text = explain.explain(
            row, self.ladder.view, self.ladder.ladder_layout.number_mode, self.taste.keymap
        )
        if self.marked is not None and isinstance(row, Rung) and row.segment != self.marked:
            times = self.ladder.view.time_ns
            apart = words.delta(int(times[row.segment]) - int(times[self.marked]))
            view, index = self.ladder.view.within(self.marked)
            text = f"{apart} from the marked frame {view.frame(index)}; {text}"
        alarm = self.said_by(status)
        if alarm:
            room = max(1, self.size.width - 2)
            first = text.splitlines()[0] if text else ""
            said = () if first in alarm else (first,)  # in the lab, the last note is what there is to say
            text = "\n".join(elide(line, room, self.ascii_only) for line in (*said, alarm))
        self.say_why("\n".join(text.splitlines()[:2]))

    def on_row_view_moved(self) -> None:
        if self.ladder.following:  # show() says it all, once
            return
        self._beside.show(self.number)
        self.show_lines(self.session.status())
        self._show_detail()

    def on_row_view_chosen(self) -> None:
        self.action_open()

    def mask_changed(self) -> None:
        self._show_detail()
        self.show_body(self.session.status())

    def on_pause(self, paused: bool) -> None:
        if paused:
            self.ladder.following = False

    # Keys

    def action_open(self) -> None:
        row = self.ladder.selected
        if isinstance(row, GapRow):
            armed = self.ladder.ladder.armed_by(row)
            if armed is None:
                self.notify(explain.silence(row.gap), markup=False)
            else:
                self.ladder.jump_to_segment(armed)
        elif isinstance(row, FoldRow):
            self.action_fold()
        elif isinstance(row, Rung):
            self.post_message(self.Opened(self.number, self.ladder.view.within(row.segment)[1]))

    def action_follow(self) -> None:
        self._follow(not self.ladder.following)

    def _follow(self, following: bool) -> None:
        self.ladder.follow(following)
        self._show_detail()
        self.show_lines(self.session.status())

    def action_event(self, by: int) -> None:
        row = self.ladder.ladder.next_event(self.ladder.cursor, backward=by < 0)
        if row is None:
            self.notify(f"no {'later' if by > 0 else 'earlier'} event", timeout=2)
        else:
            self.ladder.jump(row)

    def action_timers(self) -> None:
        if self._beside.is_open:
            if isinstance(self.focused, TimersView):
                self.focus_body()
            self._beside.close()
        else:
            self._beside.open(self.number)
        self.call_after_refresh(lambda: self.show_lines(self.session.status()))

    def action_pane(self, number: int) -> None:
        if number == 3:
            if isinstance(self.focused, TimersView) or not self._beside.is_open:
                self.action_timers()
            if self._beside.is_open:
                self.call_after_refresh(self._beside.view.focus)
            return
        if number == 2 and not self.has_class("-two"):
            self.add_class("-two")
            self._show_detail()
        elif number == 2 and isinstance(self.focused, DetailView):
            self.remove_class("-two")
            self.focus_body()
            return
        (self.ladder if number == 1 else self._detail).focus()

    def _show_detail(self) -> None:
        segment = self.ladder.segment
        if self.has_class("-two") and segment is not None:
            self._detail.show_lines(findings(*self.ladder.view.within(segment)), keep_place=False)

    @property
    def flows_to_export(self) -> list[int]:
        return list(self.numbers)

    @property
    def exports_together(self) -> bool:
        return True

    def row_text(self) -> str:
        if isinstance(self.focused, DetailView | TimersView):
            return self.focused.row_text()
        return self.ladder.row_text()
