"""What stands around the rows of a drawing: title, boxes above the lifelines, column names, the remarks below."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from tcpladder.ladder.diagram import Diagram
from tcpladder.ladder.model import Lane
from tcpladder.render.cells import one_line
from tcpladder.render.palette import FLOW_COLOURS
from tcpladder.render.svg_sheet import (
    CELL,
    HEAD_HEIGHT,
    LINE_HEIGHT,
    MARGIN,
    NUMBERS,
    Sheet,
    head_width,
    word_cells,
)
from tcpladder.render.text import contents


def frame(diagram: Diagram, sheet: Sheet) -> Iterator[str]:
    """The elements."""
    yield from _title(diagram)
    for lane, at in zip(diagram.lanes, sheet.lanes, strict=True):
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
    y = MARGIN + 12
    for place, summary in enumerate(diagram.summaries):
        state = summary.state if summary.ended is None else f"{summary.state}, {summary.ended}"
        ends = f"{summary.client} → {summary.server}"
        if diagram.several:
            yield f'<g class="{flow_class(place)}">{text(MARGIN, y, str(summary.number), "flow title")}</g>'
        yield (
            f'<text class="title" x="{px(MARGIN + (3 * CELL if diagram.several else 0))}" y="{px(y)}">'
            f"{xml(ends)}"
            f'<tspan class="muted" dx="16">{xml(state)}</tspan></text>'
        )
        y += LINE_HEIGHT
    part = "" if diagram.complete else f"rungs {diagram.provenance.rungs}; "
    words = (
        f"{len(diagram.summaries)} flows" if diagram.several else contents(diagram.summary, diagram.timezone)
    )
    yield text(MARGIN, y + 21 - LINE_HEIGHT, part + words, "muted")


def flow_class(place: int) -> str:
    """That of a flow among several: `flow-2`."""
    return f"flow-{place % len(FLOW_COLOURS) + 1}"


def _head(lane: Lane, at: float, sheet: Sheet) -> Iterator[str]:
    width = head_width(lane)
    yield (
        f'<rect class="head" x="{px(at - width / 2)}" y="{px(sheet.heads)}" width="{px(width)}" '
        f'height="{px(HEAD_HEIGHT)}" rx="6"/>'
    )
    yield text(at, sheet.heads + 19, lane.title, "middle strong")
    yield text(at, sheet.heads + 37, lane.below, "middle muted")
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
        yield text(MARGIN + word_cells(diagram) * CELL, y, line)
        y += LINE_HEIGHT
    where = diagram.provenance
    numbers = ", ".join(str(summary.number) for summary in diagram.summaries)
    flows = f"flows {numbers}" if diagram.several else f"flow {numbers}"
    parts = [where.source, flows, where.masked and f"masked: {where.masked}"]
    yield text(MARGIN, y + 10, " · ".join(part for part in parts if part), "muted small")
    yield text(sheet.width - MARGIN, y + 10, where.made_by, "end muted small")
