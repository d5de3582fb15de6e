"""The first screen: every flow that was seen, how it ended and why."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from tcpladder.analysis import flow_filter
from tcpladder.analysis.flow_filter import FilterError, FlowFilter
from tcpladder.app import filter_prompt, status_words
from tcpladder.app.bar import Bar
from tcpladder.app.contract import Session, SessionStatus
from tcpladder.app.fault_keys import FaultKeys
from tcpladder.app.feed import Feed
from tcpladder.app.filter_prompt import FilterSuggester
from tcpladder.app.flow_groups import Grouping
from tcpladder.app.flow_order import Sort
from tcpladder.app.flow_table import FlowTable
from tcpladder.app.terminal import Taste
from tcpladder.app.timers_view import TimersView, WithTimers
from tcpladder.ladder.merged import MOST_FLOWS, too_many
from tcpladder.render.cells import elide

if TYPE_CHECKING:
    from tcpladder.app.app import TcpladderApp

RACING_SEGMENTS = 1000
"""Segments between two looks from which on the counts are a blur."""


class FlowsScreen(FaultKeys):
    """The list of flows."""

    TITLE = "flows"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "open the ladder of this flow, or one of all marked"),
        Binding("slash,f3", "filter", "filter the list"),
        Binding("s,greater_than_sign", "sort(1)", "next sort order"),
        Binding("less_than_sign", "sort(-1)", "previous sort order"),
        Binding("space", "mark", "mark this flow or group; back takes all marks away"),
        Binding("b", "group", "group by server, client, end, process"),
        Binding("x", "fold", "fold, unfold this group"),
        Binding("a", "names", "names for these addresses; look names up"),
        Binding("c", "columns", "columns: which, in which order"),
        Binding("f", "follow", "follow the newest flow"),
        Binding("comma", "app.replay(True)", "a segment back, in a replay"),
        Binding("T", "timers", "timers of this flow, counting down"),
    ]
    KEYS = (
        "↑↓ flow  enter ladder  / filter  D fault  U lift  w save  s sort  b group  c columns  space mark  p pause  "
        "? help  q quit"
    )
    DEFAULT_CSS = """
    FlowsScreen #why { height: 3; }
    FlowsScreen #columns { color: $text-muted; text-style: bold; }
    FlowsScreen #empty { display: none; height: 1fr; width: 1fr; content-align: center middle; text-align: center; }
    FlowsScreen.-empty #empty { display: block; }
    FlowsScreen.-empty FlowTable, FlowsScreen.-empty #columns { display: none; }
    """

    class Opened(Message):
        """A person wants to see the ladder of a flow, or of several together."""

        def __init__(self, *numbers: int) -> None:
            super().__init__()
            self.numbers = numbers

    def __init__(self, session: Session, feed: Feed, taste: Taste) -> None:
        super().__init__(session, feed, taste)
        self._since_ns = 0
        self._segments = 0
        self._racing = False
        self._hint = ""
        """What stands above the words of a filter while they are typed, instead of why the flow ended."""
        live = session.status().mode == "live"
        sort = Sort.ACTIVITY if live else Sort.FIRST_SEEN
        self.table = FlowTable(session, taste, sort=sort)
        self._columns = Bar(id="columns", ascii_only=taste.ascii_only)
        self._empty = Static(id="empty", markup=False)
        self._beside = WithTimers(
            session, self._columns, self.table, self._empty, ascii_only=taste.ascii_only
        )

    def compose_body(self) -> ComposeResult:
        yield self._beside

    def on_mount(self) -> None:
        self._since_ns = self.session.status().now_ns
        self.focus_body()

    def on_resize(self) -> None:
        self.call_after_refresh(lambda: self.show_lines(self.session.status()))

    def focus_body(self) -> None:
        self.table.focus()

    @property
    def settled(self) -> bool:
        return self.table.order.settled

    @property
    def racing(self) -> bool:
        return self._racing

    @property
    def flow_number(self) -> int | None:
        return self.table.selected

    def show_body(self, status: SessionStatus) -> None:
        self._racing = status.segments - self._segments > RACING_SEGMENTS
        self._segments = status.segments
        self._app.names.show_in(self.session)
        self.table.look()
        if self._app.names.resolving:
            self._app.names.want(self.table.addresses_shown())
        empty = self.session.flow_count() == 0
        self.set_class(empty, "-empty")
        if empty:
            words = self.named(status_words.empty(status, self._since_ns, self.taste.timezone))
            self._empty.update(words, layout=False)

    def show_lines(self, status: SessionStatus) -> None:
        total, shown = self.session.flow_count(), self.table.order.shown
        share = (
            f"{shown:,} of {total:,} flows"
            if shown != total
            else f"{total:,} flow{'' if total == 1 else 's'}"
        )
        state = status_words.phase(status, ascii_only=self.ascii_only, seconds_left=self.feed.seconds_left)
        self.head.say(f" {status_words.source(status)}", Content.assemble(state, f"   {share} "))
        self._columns.say(self.table.heading)
        words = self.table.order.filter.words
        order = self.table.order
        count = len(self.table.marked)
        hint = self.named(", {open:Enter}: on one ladder") if count > 1 else ""
        marked = f"{count:,} marked{hint}  " if count else ""
        grouped = f"  by {order.grouping.value}" if order.grouping is not Grouping.NONE else ""
        self.say_status(status, f"{marked}filter: {words or '-'}  sort: {order.sort.value}{grouped}")
        self._show_why(status)

    def _show_why(self, status: SessionStatus) -> None:
        number = self.table.selected
        self._beside.show(number)
        if self._hint:
            self.say_why(self._hint)
            return
        alarm = self.said_by(status)
        lines = []
        if number is not None:
            summary = self.table.summary(number)
            arrow = "->" if self.ascii_only else "→"
            owners = ", ".join(map(str, summary.owners))
            held = f"  {owners}" if owners else ""
            ends = f"{summary.client} {arrow} {summary.server}"
            if summary.client.name or summary.server.name:
                ends += f"  ({summary.client.numeric} {arrow} {summary.server.numeric})"
            lines = [f"{number}: {ends}{held}", summary.why]
        elif (group := self.table.group) is not None:
            hint = "{fold:x} folds and unfolds, {mark:Space} marks all of them, {group:b} groups otherwise"
            lines = [group.words, self.named(hint)]
        if alarm:
            room = max(1, self.size.width - 2)
            lines = [elide(line, room, self.ascii_only) for line in (*lines, alarm)]
        elif number is None and self.table.order.filter.terms:
            words = self.table.order.filter.words
            lines = [
                f"no flow passes the filter {words}",
                self.named("{filter:/} changes the filter, {back:Esc} takes it away"),
            ]
        self.say_why("\n".join(lines))

    def on_row_view_moved(self) -> None:
        if self.table.following:  # show() says it all, once
            return
        self.show_lines(self.session.status())

    def on_row_view_chosen(self) -> None:
        self.action_open()

    def go_back(self) -> bool:
        """Also takes the marks away, then the filter: it is what hides the other flows."""
        if super().go_back():
            return True
        if self.table.marked:
            self.table.clear_marks()
            self.show_lines(self.session.status())
            return True
        if not self.table.order.filter.terms:
            return False
        self._arrange(self.table.order.sort, FlowFilter())
        return True

    # Keys

    def action_open(self) -> None:
        marked = sorted(self.table.marked)
        if self.table.group is not None:
            self.action_fold()
        elif len(marked) > MOST_FLOWS:
            words = self.named("{back:Esc} takes the marks away")
            self.notify(f"{too_many(len(marked))}; {words}", markup=False, timeout=5)
        elif marked:
            self.post_message(self.Opened(*marked))
        elif self.table.selected is not None:
            self.post_message(self.Opened(self.table.selected))

    def action_timers(self) -> None:
        if self._beside.is_open:
            if isinstance(self.focused, TimersView):
                self.focus_body()
            self._beside.close()
        else:
            self._beside.open(self.table.selected)
        self.on_resize()

    def action_filter(self) -> None:
        self.prompt.suggester = FilterSuggester()
        self.ask(
            "state:estab port:22 probes>0 ended:no-answer addr:10.0.0.0/8 !word",
            self.table.order.filter.words,
        )

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter while words are typed. What the last one may still become waits for Enter; what makes no sense is
        pointed at and changes nothing."""
        try:
            flow_filter.parse(event.value)
        except FilterError as wrong:
            room = max(1, self.size.width - 2)
            self._hint = filter_prompt.complaint(event.value, wrong, width=room, ascii_only=self.ascii_only)
            self.say_why(self._hint)
            return
        settled = filter_prompt.settled(event.value)
        self._hint = filter_prompt.choices(event.value) if settled != event.value else ""
        self._arrange(self.table.order.sort, flow_filter.parse(settled))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        try:
            self._arrange(self.table.order.sort, flow_filter.parse(event.value))
        except FilterError:
            return  # the reason stands above the words
        self.close_prompt()

    def close_prompt(self) -> bool:
        self._hint = ""
        return super().close_prompt()

    def action_sort(self, by: int) -> None:
        self._arrange(self.table.order.sort.step(by), self.table.order.filter)

    def _arrange(self, sort: Sort, wanted: FlowFilter) -> None:
        selected = self.table.selected
        self.table.order.arrange(sort, wanted)
        self.table.look()
        self.table.keep(selected)
        self.show_lines(self.session.status())
        self.feed.wake()

    def action_group(self) -> None:
        selected, order = self.table.selected, self.table.order
        order.group_by(order.grouping.next())
        self._arrange(order.sort, order.filter)
        self.table.keep(selected)

    def action_fold(self) -> None:
        if not self.table.fold():
            self.notify(self.named("no groups to fold: {group:b} groups the list"), markup=False, timeout=3)
        self.show_lines(self.session.status())

    def action_names(self) -> None:
        from tcpladder.app.names_dialog import NamesDialog

        number = self.table.selected
        if number is None or self.session.mask is not None:
            masked = self.named("addresses are masked: {privacy:P} takes that off")
            why = "no flow under the cursor" if number is None else masked
            self.notify(f"{why}, so there is nothing to name", markup=False, timeout=3)
            return
        addresses = tuple(end.address for end in self.session.endpoints(number))
        self.app.push_screen(NamesDialog(self._app.names, addresses, ascii_only=self.ascii_only))

    @property
    def _app(self) -> TcpladderApp:
        app: TcpladderApp = self.app  # type: ignore[assignment]
        return app

    def action_columns(self) -> None:
        from tcpladder.app.columns_dialog import ColumnsDialog

        table = self.table
        dialog = ColumnsDialog(table.columns, table.chosen, ascii_only=self.ascii_only)
        self.app.push_screen(dialog, self._choose_columns)

    def _choose_columns(self, chosen: tuple[str, ...] | None) -> None:
        """For as long as the app runs: in the list of a replay, too."""
        if chosen is None:
            return
        self._app.taste = replace(self._app.taste, flow_columns=chosen)
        self.table.choose(chosen)
        self.show_lines(self.session.status())
        if left_out := self.table.columns.left_out:
            self.notify(f"no room for {', '.join(left_out)}", markup=False, timeout=4)

    def action_break_flow(self) -> None:
        if self.table.marked and not self.session.faults.why_not:
            self.notify("the marks do not count here: it is about the flow under the cursor", markup=False)
        super().action_break_flow()

    def action_mark(self) -> None:
        self.table.toggle_mark()
        self.show_lines(self.session.status())

    def action_follow(self) -> None:
        self.table.follow(not self.table.following)
        self.notify("following the newest flow" if self.table.following else "no longer following", timeout=2)

    def mask_changed(self) -> None:
        self.table.freeze(self.paused_at is not None)
        self.table.rows_changed()

    def on_pause(self, paused: bool) -> None:
        self.table.freeze(paused)

    @property
    def flows_to_export(self) -> list[int]:
        selected = [] if self.table.selected is None else [self.table.selected]
        return sorted(self.table.marked) or selected

    def row_text(self) -> str:
        """The marked flows, a line each; without marks, the one under the cursor."""
        return "\n".join(self._line(number) for number in self.flows_to_export)

    def _line(self, number: int) -> str:
        summary = self.table.summary(number)
        return f"{summary.client} {summary.server} {summary.state} {summary.why}"
