"""Everything about one rung: why it is of its kind, its timer, the silence before it, its headers, its bytes."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from textual.strip import Strip

from tcpladder.analysis.kinds import KINDS, Kind
from tcpladder.analysis.view import FlowView
from tcpladder.app import explain
from tcpladder.app.named_keys import named
from tcpladder.app.row_view import RowView
from tcpladder.ladder.model import Role
from tcpladder.render.cells import clean
from tcpladder.render.glyphs import glyphs


class DetailLine(NamedTuple):
    """A line of the detail, as long as it likes."""

    text: str
    role: Role
    span: tuple[int, int] | None = None
    """The bytes of the frame that it is about: the first, and the one behind the last."""
    copied: str = ""
    """What `y` copies in its place."""


def hidden(keymap: Mapping[str, str]) -> list[DetailLine]:
    """What stands in place of the headers and bytes of a frame."""
    why = "the headers and bytes of this frame are hidden by the privacy mask; {privacy:P} takes it off"
    return [DetailLine("", Role.SPACE), DetailLine(named(why, keymap), Role.REMARK)]


def findings(view: FlowView, index: int) -> list[DetailLine]:
    """What the analysis says about a segment: kind, rule and its source, numbers, timer, silence."""
    rule = KINDS[Kind(int(view.kind[index]))]
    sender = view.summary.client if view.from_client[index] else view.summary.server
    lines: list[tuple[str, Role]] = [
        (
            f"{view.label(index)}   from {'client' if view.from_client[index] else 'server'} {sender}",
            Role.TITLE,
        ),
        (f"  because  {view.because(index)}", Role.LABEL),
        (f"  rule     {rule.label}: {rule.rule}", Role.REMARK),
        (f"  source   {rule.source}", Role.REMARK),
        (f"  numbers  {_numbers(view, index)}", Role.LABEL),
    ]
    if lost := view.lost(index):
        lines.append((f"  lost     {explain.how_lost(lost)}", Role.WARNING))
    timer = view.timer(index)
    if timer is not None:
        lines.append((f"  timer    sent because the {timer} timer of its sender expired", Role.LABEL))
    gap = view.gap(index) if view.silent[index] else None
    if gap is not None:
        first, *rest = explain.silence(gap).splitlines()
        lines.append((f"  silence  {first}", Role.LABEL))
        lines += [(f"           {line}", Role.REMARK) for line in rest]
    captured, original = view.captured(index), view.original(index)
    if captured < original:
        lines.append((f"  cut      {captured} of {original} bytes were captured (snap length)", Role.WARNING))
    return [DetailLine(*line) for line in lines]


def _numbers(view: FlowView, index: int) -> str:
    known = {
        "seq": _pair(view.relative_seq(index), view.raw_seq(index)),
        "ack": _pair(view.relative_ack(index), view.raw_ack(index)),
        "len": view.length(index),
        "win": view.window(index),
    }
    flags = view.flags(index)
    words = [f"{name} {value}" for name, value in known.items() if value is not None]
    return "  ".join([f"frame {view.frame(index)}", *([flags] if flags else []), *words])


def _pair(relative: int | None, raw: int | None) -> str | None:
    if relative is None:
        return None if raw is None else f"raw {raw}"
    return str(relative) if raw is None else f"{relative} (raw {raw})"


def wrapped(line: DetailLine, width: int, ascii_only: bool) -> list[DetailLine]:
    """A line in as many rows of `width` cells as it needs; the later ones stand below its words."""
    text = clean(line.text, ascii_only)
    if len(text) <= width or width < 20:
        return [line._replace(text=text)]
    name = re.match(r" *\S+ {2,}| {4,}", text)
    indent = " " * min(name.end() if name else 4, width // 2)
    return [line._replace(text=row) for row in textwrap.wrap(text, width, subsequent_indent=indent)]


class DetailView(RowView):
    """Lines of text with a cursor."""

    def __init__(self, *, ascii_only: bool) -> None:
        super().__init__(id="detail")
        self._ascii = ascii_only
        self._lines: Sequence[DetailLine] = ()
        self._rows: list[DetailLine] = []
        self._line_of: list[int] = []
        """By row: the line that it is a part of."""
        self._marked: tuple[int, int] = (0, 0)
        """Fields with any of these bytes are marked."""

    def show_lines(self, lines: Sequence[DetailLine], *, keep_place: bool) -> None:
        """Take other lines; the cursor goes to the top unless they are about the same segment."""
        if keep_place and list(lines) == list(self._lines):
            return
        self._lines = lines
        self._wrap()
        if not keep_place:
            self.scroll_to(y=0, animate=False)
            self.cursor = 0
            self._marked = (0, 0)
        self.rows_changed()

    def mark(self, span: tuple[int, int]) -> list[str]:
        """Mark the fields that have any of these bytes; their words, the innermost ones alone."""
        self._marked = span
        self.rows_changed()
        fields = [line for line in self._lines if line.span and self._is_marked(line.span)]
        return [line.text.strip() for line in fields if line.role is Role.LABEL]

    def _is_marked(self, span: tuple[int, int]) -> bool:
        return span[0] < self._marked[1] and span[1] > self._marked[0]

    @property
    def span(self) -> tuple[int, int] | None:
        """The bytes that the line under the cursor is about."""
        return self._rows[self.cursor].span if self.cursor < len(self._rows) else None

    def _wrap(self) -> None:
        pieces = [wrapped(line, self.row_width - 2, self._ascii) for line in self._lines]
        self._rows = [row for rows in pieces for row in rows]
        self._line_of = [number for number, rows in enumerate(pieces) for _ in rows]

    def on_resize(self) -> None:
        self._wrap()

    def row_count(self) -> int:
        return len(self._rows)

    def draw_row(self, row: int, width: int, selected: bool) -> Strip:
        line = self._rows[row]
        gutter = glyphs(self._ascii).cursor if selected and self.has_focus else " "
        mark = "*" if line.span and self._is_marked(line.span) and line.role is Role.LABEL else " "
        text = line.text[: width - 2].ljust(width - 2)
        return self._styles.strip(
            ((gutter, Role.CURSOR), (mark, Role.NOTE), (text, line.role)), width, selected and self.has_focus
        )

    def on_focus(self) -> None:
        self.row_changed(self.cursor)

    def on_blur(self) -> None:
        self.row_changed(self.cursor)

    def row_text(self) -> str:
        """The whole line under the cursor, or what is to be copied in its place."""
        if not self._rows:
            return ""
        line = self._lines[self._line_of[self.cursor]]
        return line.copied or clean(line.text, self._ascii).strip()
