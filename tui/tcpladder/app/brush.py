"""The changed cells of a line, written in few bytes: the cursor jumps over what stands, blanks are erased."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from tcpladder.app.drawn import Cell
from tcpladder.app.pen import ON_BLANKS, PLAIN, blank_style, change, style_of

BRIDGED = 4
"""Cells that are written again rather than jumped over: a jump costs as many bytes."""
ERASED = 8
"""Blanks from which on an erasure is shorter, with the jump behind it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Eraser:
    """How a terminal erases characters (ECH)."""

    knows: bool = False
    """Whether it does at all."""
    keeps_background: bool = False
    """Whether what it erased has the background of the style (`bce` of terminfo)."""

    def takes(self, style: str) -> bool:
        """Whether a blank of a style can be made by erasing."""
        pen = style_of(style)
        return self.knows and not pen.attributes and (self.keeps_background or not pen.background)


def eraser(descriptor: int) -> Eraser:
    """What terminfo says of TERM; nothing is erased where it says nothing."""
    try:
        import curses  # not in every Python

        curses.setupterm(os.environ.get("TERM", ""), descriptor)
    except (ImportError, curses.error):
        return Eraser()
    return Eraser(knows=bool(curses.tigetstr("ech")), keeps_background=curses.tigetflag("bce") > 0)


class Brush:
    """Writes cells, and knows where the terminal's cursor and style are meanwhile."""

    def __init__(self, eraser: Eraser) -> None:
        self._eraser = eraser
        self._style = PLAIN
        self._place: tuple[int, int] | None = None
        self._parts: list[str] = []

    def line(self, y: int, wanted: Sequence[Cell | None], shown: Sequence[Cell | None]) -> None:
        """Write those cells of a line that are known and look otherwise."""
        changed = [
            x
            for x, (new, old) in enumerate(zip(wanted, shown, strict=True))
            if new is not old and new is not None and new != old
        ]
        at = 0
        while at < len(changed):
            x = last = changed[at]
            while (cell := wanted[x]) is not None and not cell[0] and x > 0:
                x -= 1
            while at < len(changed) and (changed[at] <= last + 1 or self._bridges(wanted, last, changed[at])):
                last = changed[at]
                at += 1
            self._span(y, x, wanted, last)

    def _bridges(self, wanted: Sequence[Cell | None], last: int, x: int) -> bool:
        """Whether the cells between two changed ones are written as fast as jumped over."""
        if x - last - 1 > BRIDGED or (before := wanted[last]) is None:
            return False
        return all(
            cell is not None and cell[0].isascii() and cell[1] == before[1] for cell in wanted[last + 1 : x]
        )

    def _span(self, y: int, x: int, wanted: Sequence[Cell | None], last: int) -> None:
        """From a column to another, and the rest of wide characters there."""
        while x <= last:
            cell = wanted[x]
            assert cell is not None
            end = x + 1
            if cell[0] == " ":
                while end <= last and wanted[end] == cell:
                    end += 1
                self._blanks(y, x, end - x, cell[1])
            else:
                while end < len(wanted) and (rest := wanted[end]) is not None and not rest[0]:
                    end += 1
                self._characters(y, x, cell, end - x)
            x = end

    def _characters(self, y: int, x: int, cell: Cell, columns: int) -> None:
        self._go(y, x)
        characters, style = cell
        new = style_of(style)
        self._parts += change(self._style, new), characters
        self._style = new
        # Terminals differ in how wide several characters in one cell are.
        self._place = (y, x + columns) if len(characters) == 1 else None

    def _blanks(self, y: int, x: int, columns: int, style: str) -> None:
        self._go(y, x)
        new = style_of(style)
        if not new.attributes & ON_BLANKS:
            new = self._style.blank(new.background)
        if blank_style(self._style.parameters) != style:
            self._parts.append(change(self._style, new))
            self._style = new
        if columns > ERASED and self._eraser.takes(style):
            self._parts.append(f"\x1b[{columns}X")
        else:
            self._parts.append(" " * columns)
            self._place = y, x + columns

    def _go(self, y: int, x: int) -> None:
        if self._place == (y, x):
            return
        if self._place is not None and self._place[0] == y and (right := x - self._place[1]) > 0:
            self._parts.append(f"\x1b[{right}C" if right > 1 else "\x1b[C")
        else:
            self._parts.append(f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H")
        self._place = y, x

    def cursor(self, y: int, x: int) -> None:
        """Leave the terminal's cursor somewhere, where others may move it, and its style plain."""
        self._parts.append(change(self._style, PLAIN))
        self._style, self._place = PLAIN, None
        self._go(y, x)
        self._place = None

    def take(self) -> str:
        """What has been written since the last time."""
        text = "".join(self._parts)
        self._parts.clear()
        return text
