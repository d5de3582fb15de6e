"""One line of text with a left and a right end, redrawn only when its words change."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget


class Bar(Widget):
    """A line. What does not fit is cut from the left part."""

    DEFAULT_CSS = "Bar { height: 1; width: 1fr; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002  Textual's name
        super().__init__(id=id, classes=classes)
        self._left = self._right = Content()

    def say(self, left: Content | str, right: Content | str = "") -> None:
        """Take other words."""
        words = (_content(left), _content(right))
        if not (words[0].is_same(self._left) and words[1].is_same(self._right)):
            self._left, self._right = words
            self.refresh()

    def render(self) -> Content:
        room = self.size.width - (self._right.cell_length + 1 if self._right else 0)
        left = (
            self._left if self._left.cell_length <= room else self._left.truncate(max(0, room), ellipsis=True)
        )
        gap = max(0, self.size.width - left.cell_length - self._right.cell_length)
        return Content.assemble(left, " " * gap, self._right)


class Rule(Widget):
    """A horizontal line."""

    DEFAULT_CSS = "Rule { height: 1; width: 1fr; color: $text-muted; }"

    def __init__(self, glyph: str) -> None:
        super().__init__()
        self._glyph = glyph

    def render(self) -> Content:
        return Content(self._glyph * self.size.width)


def _content(words: Content | str) -> Content:
    return words if isinstance(words, Content) else Content(words)
