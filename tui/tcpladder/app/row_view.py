"""Rows that are drawn only while they are on the screen: cursor, paging and follow, for ten rows or a million.

What a row looks like is the subclass's: `row_count` and `draw_row`.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tcpladder.app.rebinding import Rebindable
from tcpladder.app.roles import ROLE_CLASSES, ROLE_CSS, RoleStyles

CACHED_STRIPS = 512
TALL_PAGE = 12
"""Rows from which on a third of a page shows enough of what came before; turning a short one costs little."""


class RowView(Rebindable, ScrollView, can_focus=True, inherit_bindings=False):
    """A list with a cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "up", show=False),
        Binding("down,j", "move(1)", "down", show=False),
        Binding("pageup,ctrl+b", "page(-1)", "page up", show=False),
        Binding("pagedown,ctrl+f", "page(1)", "page down", show=False),
        Binding("home,g", "first", "first", show=False),
        Binding("end,G", "last", "last", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"row--selected", *ROLE_CLASSES.values()}
    DEFAULT_CSS = f"""
    RowView {{ overflow-x: hidden; overflow-y: scroll; scrollbar-size-vertical: 1; height: 1fr;
    & > .row--selected {{ background: $block-cursor-blurred-background; }}
    {ROLE_CSS}
    }}
    RowView.-maximized {{ width: 1fr; height: 1fr; }}
    """

    cursor: var[int] = var(0)
    """The row under the cursor."""
    following: var[bool] = var(False)
    """Whether the cursor stays on the newest row."""

    class Moved(Message):
        """The cursor is on another row."""

    class Last(Message):
        """A person asked for the last row."""

    class Chosen(Message):
        """A row was clicked twice."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  Textual's own name
        super().__init__(id=id)
        self._strips: LRUCache[tuple[int, int, bool], Strip] = LRUCache(CACHED_STRIPS)
        self._styles = RoleStyles(self)
        self._count = 0

    def row_count(self) -> int:
        """Rows that can be drawn now."""
        raise NotImplementedError

    def draw_row(self, row: int, width: int, selected: bool) -> Strip:
        """One row, exactly `width` cells."""
        raise NotImplementedError

    def newest_row(self) -> int:
        """Where the cursor stays while following."""
        return self.row_count() - 1

    @property
    def page(self) -> int:
        """Rows that fit on the screen."""
        return max(1, self.size.height)

    @property
    def row_width(self) -> int:
        """Cells of a row: what the scroll bar leaves."""
        return max(0, self.size.width - self.scrollbar_size_vertical)

    @property
    def top(self) -> int:
        """The uppermost row on the screen."""
        return self.scroll_offset.y

    @property
    def rows_shown(self) -> range:
        """The rows that the screen has room for; each look at `top`, `page` and `row_width` asks the style sheet."""
        top = self.top
        return range(top, top + self.page)

    # What changed

    def rows_changed(self, first: int = 0) -> None:
        """Take the new number of rows and draw again what is on the screen from row `first` on."""
        for key in [key for key in self._strips.keys() if key[0] >= first]:  # noqa: SIM118  no iterator
            self._strips.discard(key)
        before = self._count
        self._count = self.row_count()
        if self.following and self._count:
            self._flip_to_newest()
        self._resize_to_rows()
        if self.cursor >= self._count:
            self.cursor = max(0, self._count - 1)
        start = max(min(first, before), self.top)
        end = min(max(before, self._count), self.top + self.page)
        if start < end:
            self.refresh(Region(0, start - self.top, self.row_width, end - start))

    def look_again(self, rows: Container[int]) -> None:
        """Draw again those of `rows` that look otherwise by now; the others cost the terminal nothing."""
        width, cursor, shown = self.row_width, self.cursor, self.rows_shown
        changed = []
        for key in [key for key in self._strips.keys() if key[0] in rows]:  # noqa: SIM118  no iterator
            row, _, selected = key
            if key != (row, width, row == cursor) or row not in shown:
                self._strips.discard(key)
                continue
            strip = self.draw_row(row, width, selected)
            if strip != self._strips.get(key):
                self._strips.discard(key)  # Textual's cache keeps the value that a key has
                self._strips[key] = strip
                changed.append(row)
        self._paint(changed)

    def forget_hidden(self) -> None:
        """Make rows anew that are not on the screen now, when they come to be."""
        shown = self.rows_shown
        for key in [key for key in self._strips.keys() if key[0] not in shown]:  # noqa: SIM118  no iterator
            self._strips.discard(key)

    def row_changed(self, *rows: int) -> None:
        """Draw rows again, those that are on the screen."""
        width, shown = self.row_width, self.rows_shown
        for row in rows:
            for selected in (False, True):
                self._strips.discard((row, width, selected))
        self._paint([row for row in rows if row in shown])

    def _paint(self, rows: Sequence[int]) -> None:
        """Bring rows to the screen, all of them on it."""
        if rows:
            width, top = self.row_width, self.top
            self.refresh(*(Region(0, row - top, width, 1) for row in rows))

    def _resize_to_rows(self) -> None:
        """Tell the scroll bar how many rows there are.

        Assigning `virtual_size` lays the whole screen out again and repaints it; growing by a row needs neither.
        """
        height = self._count
        if self.following:
            height = max(height, self.top + self.page)
        size = Size(self.size.width, height)
        if size != self.virtual_size:
            self.set_reactive(ScrollView.virtual_size, size)
            self._scroll_update(size)

    def _flip_to_newest(self) -> None:
        """Put the cursor on the newest row; turn the page when it is full.

        Turning a page costs one frame in many rows; scrolling line by line repaints the screen for every row.
        """
        kept = self.page // 3 if self.page >= TALL_PAGE else self.page * 2 // 3
        # Pages begin at the same rows however one came there: a replay shows the same screen at the same moment.
        turned = max(1, self.page - max(1, kept))
        target = turned * -(min(0, self.page - self._count) // turned)
        if target != self.top:
            self.set_reactive(ScrollView.virtual_size, Size(self.size.width, target + self.page))
            self.scroll_to(y=target, animate=False)
        self._place_cursor(self.newest_row())

    # The cursor

    def _place_cursor(self, row: int) -> None:
        if row == self.cursor:
            return
        before, self.cursor = self.cursor, row
        self.row_changed(before, row)
        self.post_message(self.Moved())

    def go_to(self, row: int, *, at_once: bool = False) -> None:
        """Put the cursor on a row and scroll as little as shows it; `at_once`, before anything is drawn."""
        row = max(0, min(self._count - 1, row)) if self._count else 0
        self._place_cursor(row)
        self._show(row, at_once=at_once)

    def jump(self, row: int) -> None:
        """Leave following and go to a row that may be far away; what is around it comes into view with it."""
        self.following = False
        if not self.top <= row < self.top + self.page:
            limit = max(0, self._count - self.page)
            self.scroll_to(y=max(0, min(limit, row - self.page // 2)), animate=False)
        self.go_to(row)

    def _show(self, row: int, *, at_once: bool = False) -> None:
        if row < self.top:
            self.scroll_to(y=row, animate=False, immediate=at_once)
        elif row >= self.top + self.page:
            self.scroll_to(y=row - self.page + 1, animate=False, immediate=at_once)

    def follow(self, on: bool) -> None:
        """Keep the cursor on the newest row, or stop doing so."""
        self.following = on
        if on:
            self._count = self.row_count()
            if self._count:
                self._flip_to_newest()
        self._resize_to_rows()

    def action_move(self, rows: int) -> None:
        self.following = False
        self.go_to(self.cursor + rows)

    def action_page(self, pages: int) -> None:
        """Scroll by a page less one row, and keep the cursor where it is on the screen."""
        self.following = False
        step = max(1, self.page - 1) * pages
        limit = max(0, self._count - self.page)
        self.scroll_to(y=max(0, min(limit, self.top + step)), animate=False)
        self.go_to(self.cursor + step)

    def action_first(self) -> None:
        self.following = False
        self.go_to(0)

    def action_last(self) -> None:
        self._count = self.row_count()
        self._resize_to_rows()
        self._show(self._count - 1)
        self.go_to(self.newest_row())
        self.post_message(self.Last())

    # Textual

    def render_line(self, y: int) -> Strip:
        row, width = self.top + y, self.row_width
        if row >= self._count:
            return Strip([Segment(" " * width, self.rich_style)], width)
        key = (row, width, row == self.cursor)
        strip = self._strips.get(key)
        if strip is None:
            strip = self._strips[key] = self.draw_row(row, width, key[2])
        return strip

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips.clear()
        self._styles.clear()

    def on_resize(self) -> None:
        self._strips.clear()
        self._count = self.row_count()
        self._resize_to_rows()
        if self._count and self.following:
            self._flip_to_newest()
        elif self._count:
            self._show(min(self.cursor, self._count - 1))
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        row = self.top + event.y
        if row < self._count:
            self.following = False
            self.go_to(row)
            if event.chain == 2:
                self.post_message(self.Chosen())
