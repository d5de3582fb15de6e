"""A cell of a terminal: a character and how it looks; and the escape sequence that makes it look so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

Colour = str | int | None
"""`#rrggbb`, a number of the palette from 0 to 255, or the terminal's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How a character looks."""

    ink: Colour = None
    ground: Colour = None
    bold: bool = False
    dim: bool = False
    italic: bool = False
    underline: bool = False
    reverse: bool = False
    strike: bool = False


class Cell(NamedTuple):
    """A character, empty behind a wide one, and its style."""

    text: str
    style: Style


class Run(NamedTuple):
    """Neighbours that look the same: where they begin, how many cells they have."""

    begin: int
    cells: int
    text: str
    style: Style


Row = tuple[Cell, ...]
PLAIN = Style()
BLANK = Cell(" ", PLAIN)
_ON = {1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "reverse", 9: "strike"}
_OFF = {22: ("bold", "dim"), 23: ("italic",), 24: ("underline",), 27: ("reverse",), 29: ("strike",)}
_DIRECT, _INDEXED = 2, 5


def runs(row: Row) -> Iterator[Run]:
    """The row in pieces that look the same; a wide character is the last of its piece."""
    begin = 0
    for end in range(1, len(row) + 1):
        if end == len(row) or row[end].style != row[begin].style or not row[end - 1].text:
            text = "".join(cell.text for cell in row[begin:end])
            yield Run(begin=begin, cells=end - begin, text=text, style=row[begin].style)
            begin = end


def restyled(style: Style, numbers: list[int]) -> Style:
    """The style after the parameters of an SGR sequence (ECMA-48 8.3.117; 38 and 48 as xterm has them)."""
    changes: dict[str, Colour | bool] = {}
    rest = iter(numbers or [0])
    for number in rest:
        if number == 0:
            style, changes = PLAIN, {}
        elif number in _ON:
            changes[_ON[number]] = True
        elif number in _OFF:
            changes |= dict.fromkeys(_OFF[number], False)
        elif number in (38, 48):
            changes["ink" if number == 38 else "ground"] = _extended(rest)
        else:
            changes |= _simple_colour(number)
    return replace(style, **changes) if changes else style  # type: ignore[arg-type]


def _simple_colour(number: int) -> dict[str, Colour | bool]:
    for first, field, bright in ((30, "ink", 0), (40, "ground", 0), (90, "ink", 8), (100, "ground", 8)):
        if first <= number < first + 8:
            return {field: number - first + bright}
    return {"ink": None} if number == 39 else {"ground": None} if number == 49 else {}


def _extended(rest: Iterator[int]) -> Colour:
    kind = next(rest, 0)
    if kind == _INDEXED:
        return min(next(rest, 0), 255)
    if kind == _DIRECT:
        return "#" + "".join(f"{min(next(rest, 0), 255):02x}" for _ in range(3))
    return None


def sequence(style: Style) -> str:
    """The SGR sequence that sets a style, whatever it was before."""
    numbers = [0, *(number for number, field in _ON.items() if getattr(style, field))]
    return "\x1b[" + ";".join([*map(str, numbers), *_colour(38, style.ink), *_colour(48, style.ground)]) + "m"


def _colour(extended: int, colour: Colour) -> list[str]:
    if colour is None:
        return []
    if isinstance(colour, int):
        return [str(extended), str(_INDEXED), str(colour)]
    return [str(extended), str(_DIRECT), *(str(int(colour[at : at + 2], 16)) for at in (1, 3, 5))]
