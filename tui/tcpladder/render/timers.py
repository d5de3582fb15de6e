"""The rows of the timers panel as lines of a given width."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap

from tcpladder.ladder import words
from tcpladder.ladder.model import Role
from tcpladder.ladder.timers import TimerRow
from tcpladder.render.cells import Span, clean, left
from tcpladder.render.grid import Line, exact
from tcpladder.render.when import bar

_TITLE, _NAME, _VALUE, _ORIGIN = 8, 19, 8, 9


def timer_lines(rows: Sequence[TimerRow], width: int, now_ns: int, *, ascii_only: bool) -> list[Line]:
    """One line a row; words that do not fit at its right stand on a line of their own below it."""
    return [exact(spans, width) for row in rows for spans in _draw(row, width, now_ns, ascii_only)]


def _draw(row: TimerRow, width: int, now_ns: int, ascii_only: bool) -> Iterator[list[Span]]:
    now = clean(row.now, ascii_only)
    if row.heading:
        first, *others = wrap(now, max(10, width - _TITLE)) or [""]
        yield [(f" {row.name:<{_TITLE - 1}}{first}", Role.TITLE)]
        yield from ([(" " * _TITLE + line, Role.REMARK)] for line in others)
        return
    room = width - _NAME - _VALUE - _ORIGIN - 1
    due = _countdown(row, now_ns, room - len(now), ascii_only)
    spans: list[Span] = [
        (left(f"  {row.name}", _NAME), Role.LABEL),
        (left(row.value, _VALUE), Role.LABEL),
        (left(row.origin, _ORIGIN), Role.ORIGIN),
    ]
    fits = len(now) + len(due) + (1 if now and due else 0) <= room
    if row.name:
        yield [
            *spans,
            (now if fits else "", Role.LABEL),
            (f" {due}" if now and fits else due, Role.COUNTDOWN),
        ]
    if now and not (fits and row.name):
        yield from ([(f"    {line}", Role.REMARK)] for line in wrap(now, max(10, width - 4)))


def _countdown(row: TimerRow, now_ns: int, room: int, ascii_only: bool) -> str:
    """`in 12 s ▕███▍   ▏`, without the bar where there is no room for it."""
    if row.due_ns is None or row.armed_ns is None:
        return ""
    text = f"in {words.remaining(row.due_ns - now_ns)}"
    filling = " " + bar(row.armed_ns, row.due_ns, now_ns, ascii_only)
    return text + filling if len(text) + len(filling) <= room else text
