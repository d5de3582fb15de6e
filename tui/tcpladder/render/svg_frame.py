"""What stands around the rows of a drawing: title, boxes above the lifelines, column names, the remarks below."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from tcpladder.ladder.diagram import Diagram
from tcpladder.ladder.model import Lane
from tcpladder.render.cells import one_line
from tcpladder.render.svg_sheet import (
    CELL,
    HEAD_HEIGHT,
    LINE_HEIGHT,
    MARGIN,
    NUMBERS,
    Sheet,
    head_width,
)
from tcpladder.render.text import contents


def frame(diagram: Diagram, sheet: Sheet) -> Iterator[str]:
    """The elements."""
    yield from _title(diagram)
    for lane, at in zip(diagram.lanes, (sheet.client, sheet.server), strict=True):
        yield from _head(lane, at, sheet)
    yield from _column_names(sheet)
    yield from _footer(diagram, sheet)


def text(x: float, y: float, words: str, classes: str = "") -> str:
    """A text element; nothing for no words."""
    if not words:
        return ""
    named = f' class="{classes}"' if classes else ""
    return f'<text{named} x="{px(x)}" y="{px(y)}">{xml(words)}</text>'


def xml(words: str) -> str:
    """Words as they stand in XML and HTML: markup is none, and what XML forbids is not there."""
    return escape(one_line(words))


def px(length: float) -> str:
    """A length to a tenth of a pixel."""
    return f"{length:.1f}".removesuffix(".0")


def _title(diagram: Diagram) -> Iterator[str]:
    summary = diagram.summary
    state = summary.state if summary.ended is None else f"{summary.state}, {summary.ended}"
    yield (
        f'<text class="title" x="{px(MARGIN)}" y="{px(MARGIN + 12)}">'
        f"{xml(f'{summary.client} → {summary.server}')}"
        f'<tspan class="muted" dx="16">{xml(state)}</tspan></text>'
    )
    part = "" if diagram.complete else f"rungs {diagram.provenance.rungs}; "
    yield text(MARGIN, MARGIN + 33, part + contents(summary, diagram.timezone), "muted")


def _head(lane: Lane, at: float, sheet: Sheet) -> Iterator[str]:
    width = head_width(lane)
    yield (
        f'<rect class="head" x="{px(at - width / 2)}" y="{px(sheet.heads)}" width="{px(width)}" '
        f'height="{px(HEAD_HEIGHT)}" rx="6"/>'
    )
    yield text(at, sheet.heads + 19, lane.title, "middle strong")
    yield text(at, sheet.heads + 37, str(lane.endpoint), "middle muted")
    yield (
        f'<line class="lifeline" x1="{px(at)}" x2="{px(at)}" '
        f'y1="{px(sheet.heads + HEAD_HEIGHT)}" y2="{px(sheet.first_row)}"/>'
    )


def _column_names(sheet: Sheet) -> Iterator[str]:
    y = sheet.first_row - 10
    yield text(sheet.time_end, y, "time", "end muted small")
    yield text(sheet.delta_end, y, "Δ", "end muted small")
    for name, at in zip(NUMBERS, sheet.numbers_end, strict=True):
        yield text(at, y, name, "end muted small")


def _footer(diagram: Diagram, sheet: Sheet) -> Iterator[str]:
    y = sheet.footer
    yield (
        f'<line class="rule" x1="{px(MARGIN)}" x2="{px(sheet.width - MARGIN)}" y1="{px(y - 20)}" y2="{px(y - 20)}"/>'
    )
    for word, line in sheet.footer_lines:
        yield text(MARGIN, y, word, "muted")
        yield text(MARGIN + 10 * CELL, y, line)
        y += LINE_HEIGHT
    where = diagram.provenance
    parts = [where.source, f"flow {diagram.summary.number}", where.masked and f"masked: {where.masked}"]
    yield text(MARGIN, y + 10, " · ".join(part for part in parts if part), "muted small")
    yield text(sheet.width - MARGIN, y + 10, where.made_by, "end muted small")
