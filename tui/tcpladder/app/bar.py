"""One line of text with a left and a right end, redrawn only when its words change."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from tcpladder.render.cells import clean, ellipsis


def fitting(names: list[str], last: str, width: int) -> int:
    """How many of the names of keys fit into a line before `last`, which is always there."""
    count = len(names)
    while count and len("  ".join([*names[:count], last])) + 1 > width:
        count -= 1
    return count


class Bar(Widget):
    """A line. What does not fit is cut from the left part; with `ascii_only` no other character is drawn."""

    DEFAULT_CSS = "Bar { height: 1; width: 1fr; }"

    def __init__(self, *, id: str, ascii_only: bool) -> None:  # noqa: A002  Textual's own name
        super().__init__(id=id)
        self._ascii = ascii_only
        self._left = self._right = Content()

    def say(self, left: Content | str, right: Content | str = "") -> None:
        """Take other words."""
        words = (self._content(left), self._content(right))
        if not (words[0].is_same(self._left) and words[1].is_same(self._right)):
            self._left, self._right = words
            self.refresh()

    def render(self) -> Content:
        width = self.size.width
        room = max(0, width - (self._right.cell_length + 1 if self._right else 0))
        left = self._left
        if left.cell_length > room:
            mark = ellipsis(self._ascii)[:room]
            left = Content.assemble(left.truncate(room - len(mark)), mark)
        gap = max(0, width - left.cell_length - self._right.cell_length)
        return Content.assemble(left, " " * gap, self._right)

    def _content(self, words: Content | str) -> Content:
        content = words if isinstance(words, Content) else Content(words)
        if self._ascii and not content.plain.isascii():
            return Content(clean(content.plain, True))
        return content


class Rule(Widget):
    """A horizontal line."""

    DEFAULT_CSS = "Rule { height: 1; width: 1fr; color: $text-muted; }"

    def __init__(self, glyph: str) -> None:
        super().__init__()
        self._glyph = glyph

    def render(self) -> Content:
        return Content(self._glyph * self.size.width)
