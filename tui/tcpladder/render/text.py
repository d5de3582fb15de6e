"""Ladders and lists of flows as text, for stdout and files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, tzinfo
from textwrap import wrap
from typing import TYPE_CHECKING

from tcpladder.analysis.view import FlowSummary
from tcpladder.ladder import words
from tcpladder.ladder.ladder import Ladder
from tcpladder.ladder.model import LANE_NAMES, Lane, Role
from tcpladder.render.cells import clean
from tcpladder.render.flow_columns import Pen, flow_columns, full_columns, usual_columns
from tcpladder.render.flow_row import draw_flow, flow_header
from tcpladder.render.glyphs import glyphs
from tcpladder.render.grid import Line, draw, header_lines, host_lines, plain
from tcpladder.render.layout import Layout
from tcpladder.wire.frames import UNKNOWN_TIME_NS

if TYPE_CHECKING:
    from tcpladder.ladder.diagram import Diagram

_WORD_CELLS = len("first segment")

Paint = Callable[[Line], str]
"""How a line becomes characters: grid.plain, or ansi.coloured on a terminal."""


def ladder_text(
    ladder: Ladder,
    *,
    width: int = 80,
    ascii_only: bool = False,
    timezone: tzinfo = UTC,
    now_ns: int | None = None,
    paint: Paint = plain,
) -> Iterator[str]:
    """A whole ladder: who, the rungs, how each flow ended. Lines have no trailing blanks and no newline.

    With `now_ns`, what must still come stands below the last rung.
    """
    layout = layout_of(ladder, Layout(width=width, ascii=ascii_only, timezone=timezone))
    for line in _head(ladder, layout):
        yield _stripped(line, paint)
    yield from row_texts(ladder, layout, paint=paint)
    if now_ns is not None:
        for row in ladder.pending_rows(now_ns):
            yield _stripped(draw(row, layout), paint)
    for flow in ladder.view.flows:
        summary = flow.summary
        number = f"{summary.number} " if layout.flow_cells else ""
        word = number + ("now" if summary.ended is None else "end")
        yield from remark_text(word, summary.why, width=width, ascii_only=ascii_only, paint=paint)


def layout_of(ladder: Ladder, layout: Layout) -> Layout:
    """The layout with what a ladder asks for: its lanes, room for the numbers of its flows, where its times begin."""
    numbers = [len(str(track.flow)) for track in ladder.tracks if track.flow]
    return replace(
        layout, origin_ns=ladder.origin_ns, lanes=len(ladder.lanes), flow_cells=max(numbers, default=0)
    )


def sharing_words(lanes: Sequence[Lane], layout: Layout) -> str:
    """Which hosts have the last lifeline together because the width has no room for all; empty where it has."""
    if layout.sharing == 1:
        return ""
    hosts = ", ".join(lane.title for lane in lanes[-layout.sharing :])
    return f"{layout.sharing} of {len(lanes)} hosts share the last lane, for want of width: {hosts}"


def _head(ladder: Ladder, layout: Layout, lane_names: tuple[str, str] = LANE_NAMES) -> Iterator[Line]:
    """Each flow with its ends in full, and what stands above the rungs."""
    lanes = ladder.lanes
    for flow in ladder.view.flows:
        yield from _title(flow.summary, layout)
    if not layout.flow_cells:
        yield from header_lines(ladder.view.flows[0].summary, layout, lane_names)
        return
    for text in wrap(clean(sharing_words(lanes, layout), layout.ascii), layout.width):
        yield ((text, Role.HEADING),)
    yield from host_lines(lanes, layout)


def remark_text(
    word: str, sentence: str, *, width: int = 80, ascii_only: bool = False, paint: Paint = plain
) -> Iterator[str]:
    """A sentence below a ladder, behind a word that says what it is about."""
    gutter = Layout(width=width, ascii=ascii_only).gutter
    first = " " * gutter + word + "  "
    indent = " " * len(first)
    for text in wrap(clean(sentence, ascii_only), width, initial_indent=first, subsequent_indent=indent):
        yield paint(((text, Role.STATE),))


def diagram_text(diagram: Diagram, *, width: int = 80, ascii_only: bool = False) -> Iterator[str]:
    """A ladder with all that is said below it, and where it came from. Lines have no trailing blanks and no newline."""
    layout = layout_of(diagram.ladder, Layout(width=width, ascii=ascii_only, timezone=diagram.timezone))
    head = _head(diagram.ladder, layout, diagram.lane_names)
    for line in (*head, *(draw(row, layout) for row in diagram.rows())):
        yield _stripped(line, plain)
    for word, sentence in diagram.remarks:
        yield from remark_text(word, sentence, width=width, ascii_only=ascii_only)
    yield ""
    for word, sentence in diagram.provenance.lines():
        yield from remark_text(word.ljust(_WORD_CELLS), sentence, width=width, ascii_only=ascii_only)


def row_texts(ladder: Ladder, layout: Layout, *, start: int = 0, paint: Paint = plain) -> Iterator[str]:
    """The rows from `start` on, as they are now: what a stream prints after each `Ladder.refresh`."""
    for number in range(start, len(ladder)):
        yield _stripped(draw(ladder.row(number), layout), paint)


def flows_table(
    summaries: Iterable[FlowSummary],
    *,
    width: int | None = None,
    ascii_only: bool = False,
    paint: Paint = plain,
) -> Iterator[str]:
    """The list of flows, numbered; with a width long addresses lose their middle, without one nothing is shortened."""
    flows = list(summaries)
    number = max([len("flow"), *(len(str(summary.number)) for summary in flows)])
    if width is None:
        columns = full_columns(flows)
    else:
        longest = max((len(str(end)) for one in flows for end in (one.client, one.server)), default=0)
        columns = flow_columns(width - number, usual_columns(width - number), longest=longest)
    yield _stripped((("flow".rjust(number), Role.HEADING), *flow_header(columns)), paint)
    for summary in flows:
        line = draw_flow(summary, columns, Pen(ascii_only=ascii_only, exact=columns.exact))
        yield _stripped(((str(summary.number).rjust(number), Role.NUMBER), *line), paint)


def _title(summary: FlowSummary, layout: Layout) -> Iterator[Line]:
    """Number, both ends in full, state and end; when it began and what is in it."""
    flow = f"flow {summary.number}  "
    arrow = f" {glyphs(layout.ascii).to} "
    client, server = clean(str(summary.client), layout.ascii), clean(str(summary.server), layout.ascii)
    state = summary.state if summary.ended is None else f"{summary.state}, {summary.ended}"
    state = clean(state, layout.ascii)
    if len(flow + client + arrow + server + state) + 2 <= layout.width:
        yield ((flow, Role.HEADING), (client + arrow + server, Role.TITLE), ("  " + state, Role.STATE))
    else:
        yield ((flow, Role.HEADING), (client, Role.TITLE))
        indent = " " * (len(flow) - len(arrow))
        yield ((indent, Role.SPACE), (arrow + server, Role.TITLE), ("  " + state, Role.STATE))
    yield ((clean(contents(summary, layout.timezone), layout.ascii), Role.HEADING),)


def contents(summary: FlowSummary, timezone: tzinfo) -> str:
    """When a flow began and what is in it, in one line."""
    facts: list[str] = []
    if summary.first_ns != UNKNOWN_TIME_NS:
        facts.append(words.date_time(summary.first_ns, timezone))
    segments = _counted(summary.segments, "segment")
    if UNKNOWN_TIME_NS not in (summary.first_ns, summary.last_ns):
        segments += f" in {words.duration(summary.last_ns - summary.first_ns)}"
    facts += [segments, _counted(summary.bytes, "byte") if summary.bytes else "no data"]
    if summary.keepalive_probes:
        facts.append(_counted(summary.keepalive_probes, "keepalive probe"))
    if summary.retransmissions:
        facts.append(_counted(summary.retransmissions, "retransmission"))
    return ", ".join(facts)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _stripped(line: Line, paint: Paint) -> str:
    """The painted line without the blanks at its end."""
    spans = list(line)
    while spans and not spans[-1][0].strip():
        spans.pop()
    if not spans:
        return ""
    text, role = spans[-1]
    return paint((*spans[:-1], (text.rstrip(), role)))
