"""A terminal without glass: bytes in, the screen out. Understands what tcpladder's app and plain programs send.

Sequences are those of ECMA-48 and xterm. Scrolling regions and character sets are not among them.
"""

from __future__ import annotations

import re
import unicodedata

from tcpladder.record.cell import BLANK, PLAIN, Cell, Row, Style, restyled

Screen = tuple[Row, ...]
_TOKEN = re.compile(
    r"(?P<text>[^\x00-\x1f\x7f]+)"
    r"|\x1b\[(?P<private>[<=>?]?)(?P<numbers>[0-9;:]*)[ -/]*(?P<final>[@-~])"
    r"|\x1b[\]PX^_](?:[^\x07\x1b]|\x1b(?!\\))*(?:\x07|\x1b\\)"
    r"|\x1b[ -/]+[0-~]"
    r"|\x1b(?P<escape>[0-Z\\^-~])"
    r"|(?P<control>[\x00-\x1f\x7f])",
    re.DOTALL,
)
_TAB = 8


class Terminal:
    """A screen of `width` columns and `height` rows."""

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self._rows = [[BLANK] * width for _ in range(height)]
        self._main: list[list[Cell]] | None = None
        """The rows of the ordinary screen while the alternate one is shown."""
        self._x = self._y = 0
        self._saved = (0, 0, PLAIN)
        self._style: Style = PLAIN
        self._wraps = True
        self._pending = ""
        """The begin of a sequence whose rest has not come."""

    def screen(self) -> Screen:
        """What stands there now."""
        return tuple(map(_whole, self._rows))

    def resize(self, width: int, height: int) -> None:
        """Cut or fill up at the right and at the bottom."""
        self._rows = [(row + [BLANK] * width)[:width] for row in self._rows[:height]]
        self._rows += [[BLANK] * width for _ in range(height - len(self._rows))]
        self.width, self.height = width, height
        self._move(self._x, self._y)

    def feed(self, text: str) -> None:
        """Do what a terminal does with these characters."""
        text = self._pending + text
        at = 0
        while at < len(text):
            token = _TOKEN.match(text, at)
            if token is None or (token["control"] == "\x1b" and len(text) - at < 4096):
                break
            at = token.end()
            if token["text"]:
                self._print(token["text"])
            elif token["final"]:
                self._sequence(token["private"], token["numbers"], token["final"])
            elif token["escape"]:
                self._escape(token["escape"])
            elif token["control"]:
                self._control(token["control"])
        self._pending = text[at:]

    # Characters

    def _print(self, text: str) -> None:
        if text.isascii() and self._x + len(text) <= self.width:
            self._rows[self._y][self._x : self._x + len(text)] = [Cell(c, self._style) for c in text]
            self._x += len(text)
            return
        for character in text:
            self._put(character, _cells(character))

    def _put(self, character: str, cells: int) -> None:
        row = self._rows[self._y]
        if cells == 0:
            before = max(self._x - 1, 0)
            row[before] = row[before]._replace(text=row[before].text + character)
            return
        if self._x + cells > self.width:
            if self._wraps:
                self._x = 0
                self._line_feed()
                row = self._rows[self._y]
            else:
                self._x = max(self.width - cells, 0)
        row[self._x : self._x + cells] = [Cell(character, self._style), Cell("", self._style)][:cells]
        del row[self.width :]
        self._x += cells

    def _control(self, character: str) -> None:
        if character == "\r":
            self._x = 0
        elif character in "\n\v\f":
            self._line_feed()
        elif character == "\b":
            self._x = max(min(self._x, self.width - 1) - 1, 0)
        elif character == "\t":
            self._x = min((self._x // _TAB + 1) * _TAB, self.width - 1)

    def _line_feed(self) -> None:
        if self._y + 1 < self.height:
            self._y += 1
        else:
            self._rows = [*self._rows[1:], [BLANK] * self.width]

    # Sequences

    def _escape(self, final: str) -> None:
        if final == "7":
            self._saved = self._x, self._y, self._style
        elif final == "8":
            self._x, self._y, self._style = self._saved
            self._move(self._x, self._y)
        elif final == "c":
            self.__init__(self.width, self.height)  # type: ignore[misc]

    def _sequence(self, private: str, numbers: str, final: str) -> None:
        values = [int(word[:6] or 0) for word in numbers.replace(":", ";").split(";")] if numbers else []
        if private == "?" and final in "hl":
            self._mode(values, on=final == "h")
        elif private:
            return
        elif final == "m":
            self._style = restyled(self._style, values)
        elif final in "ABCDEFGHfd":
            self._cursor(final, values)
        elif final in "JKXP@LMST":
            self._erase(final, values[0] if values else 0)

    def _mode(self, values: list[int], *, on: bool) -> None:
        if 7 in values:
            self._wraps = on
        if {47, 1047, 1049} & set(values):
            if on and self._main is None:
                self._main, self._rows = self._rows, [[BLANK] * self.width for _ in range(self.height)]
            elif not on and self._main is not None:
                self._rows, self._main = self._main, None
                self.resize(self.width, self.height)

    def _cursor(self, final: str, values: list[int]) -> None:
        first = max(values[0], 1) if values else 1
        second = max(values[1], 1) if len(values) > 1 else 1
        x, y = min(self._x, self.width - 1), self._y
        targets = {
            "A": (x, y - first), "B": (x, y + first), "C": (x + first, y), "D": (x - first, y),
            "E": (0, y + first), "F": (0, y - first), "G": (first - 1, y), "d": (x, first - 1),
            "H": (second - 1, first - 1), "f": (second - 1, first - 1),
        }  # fmt: skip
        self._move(*targets[final])

    def _move(self, x: int, y: int) -> None:
        self._x, self._y = min(max(x, 0), self.width - 1), min(max(y, 0), self.height - 1)

    def _erase(self, final: str, value: int) -> None:
        blank = Cell(" ", Style(ground=self._style.ground))
        row, x, y, width = self._rows[self._y], min(self._x, self.width - 1), self._y, self.width
        count = min(max(value, 1), max(width, self.height))
        if final in "JK":
            begin, end = ((x, width), (0, x + 1), (0, width))[min(value, 2)]
            row[begin:end] = [blank] * (end - begin)
            if final == "J":
                for other in (range(y + 1, self.height), range(y), range(self.height))[min(value, 2)]:
                    self._rows[other] = [blank] * width
        elif final == "X":
            row[x : x + count] = [blank] * min(count, width - x)
        elif final == "P":
            self._rows[y] = row[:x] + (row[x + count :] + [blank] * count)[: width - x]
        elif final == "@":
            self._rows[y] = (row[:x] + [blank] * count + row[x:])[:width]
        else:
            self._shift_rows(final, count, blank)

    def _shift_rows(self, final: str, count: int, blank: Cell) -> None:
        """L M insert and delete rows at the cursor, S T do so at the top."""
        top = self._y if final in "LM" else 0
        above, below = self._rows[:top], self._rows[top:]
        new = [[blank] * self.width for _ in range(min(count, len(below)))]
        kept = below[: len(below) - len(new)] if final in "LT" else below[len(new) :]
        if final in "LM":
            self._x = 0
        self._rows = above + (new + kept if final in "LT" else kept + new)


def _whole(row: list[Cell]) -> Row:
    """The row with a blank in place of the half of a wide character whose other half was written over."""
    texts = [cell.text for cell in row]
    if all(texts) and not any(_cells(text[0]) == 2 for text in texts):
        return tuple(row)
    wide = [bool(text) and _cells(text[0]) == 2 for text in texts]
    whole = [
        (not text and at > 0 and wide[at - 1])
        or (bool(text) and (not wide[at] or (at + 1 < len(row) and not texts[at + 1])))
        for at, text in enumerate(texts)
    ]
    return tuple(cell if ok else cell._replace(text=" ") for cell, ok in zip(row, whole, strict=True))


def _cells(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
