"""The list of flows as a widget: one row a flow, drawn only while it is on the screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from textual.strip import Strip

from tcpladder.analysis.flow_measures import FlowMeasures
from tcpladder.analysis.view import FlowSummary
from tcpladder.app.contract import Session
from tcpladder.app.flow_groups import Group
from tcpladder.app.flow_order import FlowOrder, Sort
from tcpladder.app.row_view import RowView
from tcpladder.app.terminal import Taste
from tcpladder.ladder.model import Role
from tcpladder.render.cells import clean, left
from tcpladder.render.flow_columns import SHORT_ENDPOINT, FlowColumns, Pen, flow_columns
from tcpladder.render.flow_row import draw_flow, flow_header
from tcpladder.render.glyphs import glyphs
from tcpladder.render.grid import plain

Drawn = tuple[FlowSummary, Sequence[int]]
"""What a row is drawn from: the summary, and the segments over time."""


class FlowTable(RowView):
    """The flows of a session in the order of `order`."""

    def __init__(self, session: Session, taste: Taste, *, sort: Sort) -> None:
        super().__init__(id="flows")
        self._session = session
        self._taste = taste
        self._pen = Pen(ascii_only=taste.ascii_only, timezone=taste.timezone)
        self._frozen: dict[int, Drawn] | None = None
        self._seen_version = -1
        self._measures: FlowMeasures | None = None
        """As they were when the rows on the screen were drawn."""
        self._longest = SHORT_ENDPOINT
        """Cells of the longest endpoint that was drawn."""
        self._owned = False
        """Whether a process was drawn."""
        self.chosen = taste.flow_columns
        """The names of the columns that a person wants; empty for those that the width has room for."""
        self.order = FlowOrder(session, sort)
        self.marked: set[int] = set()
        """Numbers of the flows that a person marked."""

    def row_count(self) -> int:
        return len(self.order.numbers)

    @property
    def columns(self) -> FlowColumns:
        """Those that are drawn."""
        return self._columns_for(self.row_width)

    def _columns_for(self, width: int) -> FlowColumns:
        return flow_columns(width, self.chosen, longest=self._longest, owned=self._owned)

    @property
    def heading(self) -> str:
        """The words above the columns."""
        return plain(flow_header(self.columns))

    @property
    def selected(self) -> int | None:
        """Number of the flow under the cursor; None where none is, and on the heading of a group."""
        numbers = self.order.numbers
        return numbers[self.cursor] if self.cursor < len(numbers) and numbers[self.cursor] > 0 else None

    @property
    def group(self) -> Group | None:
        """The group whose heading is under the cursor."""
        return self.order.group_at(self.cursor)

    def summary(self, number: int) -> FlowSummary:
        """What to draw of a flow: as it is, or as it was when the list was paused."""
        return self._drawn(number, self.columns)[0]

    def _drawn(self, number: int, columns: FlowColumns) -> Drawn:
        if self._frozen is not None and number in self._frozen:
            return self._frozen[number]
        counts = self._session.activity(number) if columns.shows_activity else ()
        drawn = self._session.summary(number), counts
        if self._frozen is not None:
            self._frozen[number] = drawn
        return drawn

    def freeze(self, on: bool) -> None:
        """Keep what is on the screen as it is, or let it go on."""
        self._frozen = {} if on else None
        if on:
            for number in self.order.numbers[self.top : self.top + self.page]:
                if number > 0:
                    self.summary(number)

    def look(self) -> bool:
        """Follow the session. The cursor stays on its flow while the rows move. True if anything was drawn."""
        if self.order.settled:
            return False
        selected, before = self.selected, len(self.order.numbers)
        moved = self.order.look()
        count, version = len(self.order.numbers), self._session.version
        if count != before or self.following:
            self.rows_changed(min(before, count))
        if moved and not self.following:
            # First, so that no row is drawn on a page that is left with its flow.
            self.keep(selected)
        if moved or version != self._seen_version:
            self._draw_what_changed(moved)
        self._seen_version = version
        return True

    def _draw_what_changed(self, moved: bool) -> None:
        """Draw again what looks otherwise by now; without knowing which flows changed, all of it is looked at."""
        measures, before = self._session.measures(), self._measures
        self._measures = measures
        if moved or measures is None or before is None or measures.window != before.window:
            self.look_again(range(len(self.order.numbers)))
            return
        self.forget_hidden()
        known = min(len(before.changes), len(measures.changes))
        changed = measures.changes[:known] != before.changes[:known]
        shown, numbers = self.rows_shown, self.order.numbers
        rows = range(shown.start, min(shown.stop, len(numbers)))
        self.look_again({row for row in rows if not 1 <= numbers[row] <= known or changed[numbers[row] - 1]})

    def addresses_shown(self) -> set[str]:
        """Those of the flows on the screen."""
        numbers = self.order.numbers[self.top : self.top + self.page]
        return {end.address for number in numbers if number > 0 for end in self._session.endpoints(number)}

    def keep(self, number: int | None) -> None:
        """Put the cursor on a flow, where the list still has it."""
        numbers = self.order.numbers
        if number is not None and self.selected != number and number in numbers:
            self.go_to(numbers.index(number), at_once=True)

    def choose(self, columns: tuple[str, ...]) -> None:
        """Draw these columns from now on."""
        self.chosen = columns
        self.rows_changed()

    def draw_row(self, row: int, width: int, selected: bool) -> Strip:
        group = self.order.group_at(row)
        if group is not None:
            return self._draw_group(group, width, selected)
        number = self.order.numbers[row]
        summary, counts = self._drawn(number, self._columns_for(width))
        self._make_room(summary)
        pen = replace(self._pen, activity=counts) if counts else self._pen
        _, *rest = draw_flow(summary, self._columns_for(width), pen)
        mark = "*" if number in self.marked else " "
        return self._styles.strip(
            ((self._cursor(selected), Role.CURSOR), (mark, Role.NOTE), *rest), width, selected
        )

    def _draw_group(self, group: Group, width: int, selected: bool) -> Strip:
        fold = "▸" if group.folded else "▾"
        ascii_only = self._taste.ascii_only
        words = f"{fold} {clean(group.words, ascii_only)}"
        marked = sum(number in self.marked for number in group.members)
        text = left(
            clean(words + (f", {marked} marked" if marked else ""), ascii_only), width - 2, ascii_only
        )
        return self._styles.strip(
            ((self._cursor(selected) + " ", Role.CURSOR), (text, Role.HEADING)), width, selected
        )

    def _cursor(self, selected: bool) -> str:
        return glyphs(self._taste.ascii_only).cursor if selected else " "

    def _make_room(self, summary: FlowSummary) -> None:
        """Other columns where a row is drawn that needs them; the list is then drawn again, once."""
        longest = max(self._longest, len(str(summary.client)), len(str(summary.server)))
        owned = self._owned or bool(summary.owners)
        if (longest, owned) != (self._longest, self._owned):
            before = self.columns
            self._longest, self._owned = longest, owned
            if self.columns != before:
                self.call_later(self.rows_changed)

    def toggle_mark(self) -> None:
        """Mark the flow under the cursor, or all of the group whose heading is there, or take the marks away; go on
        to the next row."""
        group = self.group
        these = {self.selected} if group is None else set(group.members)
        these.discard(None)
        self.marked = self.marked - these if these <= self.marked else self.marked | these  # type: ignore[operator]
        self.row_changed(self.cursor)
        if group is not None:
            self.rows_changed()
        self.action_move(1)

    def clear_marks(self) -> None:
        """Take all marks away."""
        self.marked.clear()
        self.rows_changed()

    def fold(self) -> bool:
        """Fold or unfold the group of the row under the cursor, which goes to its heading. False without groups."""
        group = self.group
        if group is None:
            number = self.selected
            group = next((one for one in self.order.groups if number in one.members), None)
        if group is None:
            return False
        self.order.fold(group)
        self.rows_changed()
        row = next(
            row
            for row in range(self.row_count())
            if (at := self.order.group_at(row)) and at.name == group.name
        )
        self.go_to(row)
        return True
