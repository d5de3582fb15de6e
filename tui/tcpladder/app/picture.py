"""What shall stand on the terminal and what stands there, so that only the difference is sent.

Textual sends a screen of 200x50 in 30 to 65 kB whenever a page opens or closes: six seconds of a slow line. Most of it
stands there already, blanks above all; and what a newer picture covers need not be sent at all.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tcpladder.app.brush import Brush, Eraser
from tcpladder.app.drawn import Cell, NoPictureError, Run, cells, runs
from tcpladder.app.line import size_of
from tcpladder.app.pen import blank_style


@dataclass(slots=True)
class _Line:
    wanted: list[Cell | None] = field(default_factory=list)
    """A cell a column; None where nothing was drawn since the picture was forgotten."""
    shown: list[Cell | None] = field(default_factory=list)
    """The same, as the terminal has it; as long as `wanted`."""
    runs: dict[int, str] = field(default_factory=dict)
    """What of `wanted` was drawn as which text, by its column: it need not be read again."""
    changed: int = 0
    """The number of the picture that changed it."""

    def draw(self, x: int, run: Run) -> bool:
        """Put a run there; whether anything is different then."""
        end, wanted = x + len(run), self.wanted
        missing = [None] * (end - len(wanted))
        wanted.extend(missing)
        self.shown.extend(missing)
        if wanted[x:end] == list(run):
            return False
        first, last = wanted[x], wanted[end] if end < len(wanted) else None
        wanted[x:end] = run
        if first is not None and not first[0]:
            self._blank_left_of(x)
        if last is not None and not last[0]:
            self._blank_from(end)
        return True

    def _blank_left_of(self, x: int) -> None:
        """Wide characters of which the right part is gone are gone."""
        while x > 0 and (cell := self.wanted[x - 1]) is not None:
            x -= 1
            self.wanted[x] = " ", blank_style(cell[1])
            if cell[0]:
                break

    def _blank_from(self, x: int) -> None:
        while x < len(self.wanted) and (cell := self.wanted[x]) is not None and not cell[0]:
            self.wanted[x] = " ", blank_style(cell[1])
            x += 1

    def send(self) -> None:
        """The terminal has it now."""
        self.shown = [old if new is None else new for new, old in zip(self.wanted, self.shown, strict=True)]


class Picture:
    """Knows every cell that was drawn since it last forgot them."""

    def __init__(self, eraser: Eraser) -> None:
        self._brush = Brush(eraser)
        self._lines: dict[int, _Line] = {}
        self._behind: set[int] = set()
        self._number = 0
        self._cursor: tuple[int, int] | None = None
        self._cursor_shown: tuple[int, int] | None = None

    @property
    def is_behind(self) -> bool:
        """Whether the terminal shows something else."""
        return bool(self._behind) or self._cursor != self._cursor_shown

    def forget(self) -> None:
        """Anything may stand there, and what shall stand there is drawn next: the terminal has another size, say."""
        self._lines.clear()
        self._behind.clear()
        self._cursor = self._cursor_shown = None

    def mistrust(self) -> None:
        """Anything may stand there: send all of it again."""
        for y, line in self._lines.items():
            line.shown = [None] * len(line.shown)
            self._behind.add(y)

    def draw(self, drawn: str, size: tuple[int, int]) -> None:
        """Take what Textual drew for a terminal of so many columns and lines.

        Raises NoPictureError, and then has taken nothing: a terminal that is smaller than what was drawn, for it was
        larger a moment ago, heaps the rest up at its edges.
        """
        *found, (cursor_y, cursor_x, _) = runs(drawn)
        for y, x, text in found:
            if not self._stands(y, x, text):
                columns = x + len(cells(text))  # raises before anything is taken
                if columns > size[0] or y >= size[1]:
                    raise NoPictureError(f"{columns}x{y + 1}")
        self._cursor = cursor_y, cursor_x
        self._number += 1
        for y, x, text in found:
            if self._stands(y, x, text):
                continue
            line = self._lines.setdefault(y, _Line())
            if line.draw(x, cells(text)):
                line.runs.clear()
                line.changed = self._number
                self._behind.add(y)
            line.runs[x] = text

    def _stands(self, y: int, x: int, text: str) -> bool:
        """Whether that has been drawn there and is still wanted."""
        return not text or ((line := self._lines.get(y)) is not None and line.runs.get(x) == text)

    def changes(self, most: int | None = None) -> str:
        """What to send next, not many bytes more than `most` and at least a line: the newest first, downwards."""
        parts: list[str] = []
        size = 0
        for y in sorted(self._behind, key=lambda y: (-self._lines[y].changed, y)):
            line = self._lines[y]
            self._brush.line(y, line.wanted, line.shown)
            line.send()
            self._behind.discard(y)
            parts.append(self._brush.take())
            size += size_of(parts[-1])
            if most is not None and size >= most:
                break
        if self._cursor is not None and (size or self._cursor != self._cursor_shown):
            self._brush.cursor(*self._cursor)
            parts.append(self._brush.take())
            self._cursor_shown = self._cursor
        return "".join(parts)
