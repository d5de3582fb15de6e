"""What Textual draws, read back: the cells of its escape sequences, by place.

Textual hands its driver text: the place of a run (CUP), then characters between a style (SGR) and its end. Anything
else is no picture, and nothing is guessed of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import repeat

from rich.cells import cell_len, get_character_cell_size

from tcpladder.app.pen import blank_style

PLACE = re.compile(r"\x1b\[([1-9]\d{0,3});([1-9]\d{0,3})H")
STYLED = re.compile(r"\x1b\[([\d;]*)m|([^\x00-\x1f\x7f-\x9f]+)")

NARROW = re.compile("[ -~\xa1-\xac\xae-\xff\u2026\u2190-\u21ff\u2500-\u25fc\u2800-\u28ff]*")
"""Characters that take one column: all that a ladder is drawn with."""

Cell = tuple[str, str]
"""Characters and the parameters of their style. What stands right of wide characters, in their cells, is ""."""
Run = tuple[Cell, ...]

_SAME: dict[Cell, Cell] = {}
"""One object for equal cells: a screen has ten thousand of a few hundred kinds."""
MOST_KINDS = 20_000


class NoPictureError(ValueError):
    """Text that is not runs of characters at places."""


def runs(drawn: str) -> list[tuple[int, int, str]]:
    """Line and column, from 0, and text of each run; the last is where the cursor goes. Raises NoPictureError."""
    before, *parts = PLACE.split(drawn)
    if before or not parts or parts[-1]:
        raise NoPictureError(drawn[:40])
    ends = len(parts)
    return [
        (int(parts[at]) - 1, int(parts[at + 1]) - 1, parts[at + 2].removesuffix("\n"))
        for at in range(0, ends, 3)
    ]


@lru_cache(256)
def cells(text: str) -> Run:
    """One entry a column of a run. Raises NoPictureError."""
    found: list[Cell] = []
    style, end = "", 0
    if len(_SAME) > MOST_KINDS:
        _SAME.clear()
    for part in STYLED.finditer(text):
        if part.start() != end:
            break
        end = part.end()
        parameters, characters = part.groups()
        if characters is None:
            style = _after(style, parameters)
        elif NARROW.fullmatch(characters):
            found.extend(_narrow(characters, style))
        else:
            found.extend(_wide(characters, style))
    if end != len(text):
        raise NoPictureError(text[:40])
    return tuple(found)


def _after(style: str, parameters: str) -> str:
    """A style and one on top of it."""
    if parameters in ("", "0"):
        return ""
    return f"{style};{parameters}" if style else parameters


def _narrow(characters: str, style: str) -> Iterator[Cell]:
    same = _SAME.setdefault
    blank = (" ", blank_style(style))
    blank = same(blank, blank)
    return (blank if cell[0] == " " else same(cell, cell) for cell in zip(characters, repeat(style)))


def _wide(characters: str, style: str) -> Iterator[Cell]:
    """Characters of which some take two columns or none; those that not everybody counts alike stay together."""
    clusters: list[tuple[str, int]] = []
    for one in characters:
        columns = get_character_cell_size(one)
        if columns == 0 and not clusters:
            raise NoPictureError(characters[:40])
        if columns == 0:
            before, taken = clusters[-1]
            clusters[-1] = before + one, taken
        else:
            clusters.append((one, columns))
    whole = cell_len(characters)
    if sum(columns for _, columns in clusters) != whole:
        clusters = [(characters, whole)]
    for cluster, columns in clusters:
        yield from _narrow(cluster, style) if cluster == " " else ((cluster, style),)
        yield from repeat(("", style), columns - 1)
