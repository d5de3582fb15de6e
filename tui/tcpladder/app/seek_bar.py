"""A bar in a line: a click on one of its cells goes there, and a drag goes on."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.widget import Widget


class SeekBar(Widget):
    """Words and a bar between brackets; a subclass renders with `bar`, and says in `go` what a cell stands for."""

    def __init__(self, bar_id: str, *, ascii_only: bool) -> None:
        super().__init__(id=bar_id)
        self._ascii = ascii_only
        self._bar_at = self._bar_cells = 0
        self._dragged = False

    def bar(
        self, left: tuple[str, str], cells: list[tuple[str, str]], right: tuple[str, str] = ("", "")
    ) -> Content:
        """The line: words left of the bar, its cells, words right of it, each with its style."""
        self._bar_at, self._bar_cells = len(left[0]) + 1, sum(len(text) for text, _ in cells)
        begin, end = "[]" if self._ascii else "▕▏"
        return Content.assemble(left, begin, *cells, end, right)

    def go(self, cell: int) -> None:
        """Go to what a cell of the bar stands for, counted from 0."""
        raise NotImplementedError

    def on_mouse_down(self, event: events.MouseDown) -> None:
        if self._bar_at <= event.x < self._bar_at + self._bar_cells:
            self._dragged = True
            self.capture_mouse()
            self._go(event.x)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._dragged:
            self._go(event.x)

    def on_mouse_up(self) -> None:
        if self._dragged:
            self._dragged = False
            self.release_mouse()

    def _go(self, x: int) -> None:
        self.go(min(max(x - self._bar_at, 0), self._bar_cells - 1))
