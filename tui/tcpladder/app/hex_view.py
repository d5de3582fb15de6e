"""The bytes of a frame, with those of one field marked."""

from __future__ import annotations

from textual.strip import Strip

from tcpladder.app.row_view import RowView
from tcpladder.ladder.model import Role
from tcpladder.render.glyphs import glyphs

_WIDE, _NARROW = 16, 8
_WIDE_CELLS = 4 + 2 + 3 * _WIDE + 1 + 2 + _WIDE
"""Offset, hexadecimal with a gap in the middle, printable ASCII, without the two cells of the cursor."""
Bytes = tuple[int, int]
"""The first byte and the one behind the last."""


class HexView(RowView):
    """Sixteen bytes a line, eight where it is narrow: offset, hexadecimal, printable ASCII."""

    def __init__(self, *, ascii_only: bool) -> None:
        super().__init__(id="hex")
        self._ascii = ascii_only
        self._frame = b""
        self._marked: Bytes = (0, 0)

    def show_frame(self, frame: bytes) -> None:
        """Take another frame."""
        self._frame, self._marked = frame, (0, 0)
        self.scroll_to(y=0, animate=False)
        self.cursor = 0
        self.rows_changed()

    def mark(self, span: Bytes | None) -> None:
        """Mark the bytes of a field, and bring them into view."""
        span = span or (0, 0)
        if span == self._marked:
            return
        self._marked = span
        if span[1] > span[0]:
            self.go_to(span[0] // self.bytes_per_line)
        self.rows_changed()

    @property
    def bytes_per_line(self) -> int:
        """As many as the width has room for."""
        return _WIDE if self.row_width >= _WIDE_CELLS + 2 else _NARROW

    @property
    def span(self) -> Bytes:
        """The bytes of the line under the cursor."""
        begin = self.cursor * self.bytes_per_line
        return begin, min(begin + self.bytes_per_line, len(self._frame))

    def row_count(self) -> int:
        return -(-len(self._frame) // self.bytes_per_line)

    def draw_row(self, row: int, width: int, selected: bool) -> Strip:
        begin = row * self.bytes_per_line
        part = self._frame[begin : begin + self.bytes_per_line]
        half = self.bytes_per_line // 2 if self.bytes_per_line == _WIDE else 0
        focused = selected and self.has_focus
        spans: list[tuple[str, Role]] = [
            ((glyphs(self._ascii).cursor if focused else " ") + " ", Role.CURSOR),
            (f"{begin:04x}  ", Role.REMARK),
        ]
        for column in range(self.bytes_per_line):
            # A bracket before and behind says without colour which bytes are meant.
            text = f"{part[column]:02x}" if column < len(part) else "  "
            spans.append(
                (self._edge(begin + column, begins_line=not column) + text, self._role(begin + column))
            )
            if half and column == half - 1:
                spans.append((" ", Role.NUMBER))
        spans.append((self._edge(begin + len(part), last=True) + " ", Role.NUMBER))
        for column, byte in enumerate(part):
            spans.append((chr(byte) if 0x20 <= byte < 0x7F else ".", self._role(begin + column)))
        filled = sum(len(text) for text, _ in spans)
        spans.append((" " * max(0, width - filled), Role.NUMBER))
        return self._styles.strip(tuple(spans), width, focused)

    def _role(self, at: int) -> Role:
        return Role.NOTE if self._marked[0] <= at < self._marked[1] else Role.NUMBER

    def _edge(self, at: int, *, begins_line: bool = False, last: bool = False) -> str:
        """What stands in front of a byte, or behind the `last` one of a line."""
        first, behind = self._marked
        if first == behind:
            return " "
        if at == first and not last:
            return "["
        return "]" if at == behind and not begins_line else " "

    def on_focus(self) -> None:
        self.row_changed(self.cursor)

    def on_blur(self) -> None:
        self.row_changed(self.cursor)

    def row_text(self) -> str:
        """The bytes of the line under the cursor, or those that are marked, in hexadecimal."""
        begin, end = self._marked if self._marked[1] > self._marked[0] else self.span
        return self._frame[begin:end].hex(" ")
