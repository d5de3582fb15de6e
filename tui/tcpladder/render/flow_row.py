"""One flow to one line of the list of flows; text and screen are made from the same lines."""

from __future__ import annotations

from tcpladder.analysis.view import FlowSummary
from tcpladder.ladder.model import Role
from tcpladder.render.cells import left, right
from tcpladder.render.flow_columns import COLUMNS, GUTTER, FlowColumns, Pen
from tcpladder.render.grid import Line, exact


def flow_header(columns: FlowColumns) -> Line:
    """The names of the columns."""
    text = _joined(columns, [COLUMNS[name].title for name, _ in columns.cells], ascii_only=False)
    return _finish([(" " * GUTTER + text, Role.HEADING)], columns)


def draw_flow(summary: FlowSummary, columns: FlowColumns, pen: Pen | None = None) -> Line:
    """The line of a flow, without the cursor; the first GUTTER cells are free for it."""
    pen = pen or Pen(exact=columns.exact)
    texts = [
        COLUMNS[name].cell(summary, None if columns.exact else width, pen) for name, width in columns.cells
    ]
    line = _joined(columns, texts, ascii_only=pen.ascii_only)
    before_end = _before_end(columns)
    end = Role.LABEL if summary.ended in (None, "closed") else Role.WARNING
    return _finish(
        [(" " * GUTTER, Role.CURSOR), (line[:before_end], Role.LABEL), (line[before_end:], end)], columns
    )


def _before_end(columns: FlowColumns) -> int:
    """Cells in front of what says how the flow ended."""
    cells = 0
    for index, (name, width) in enumerate(columns.cells):
        cells += 0 if not index else len(_gap(name))
        if name == "end":
            break
        cells += width
    return cells


def _gap(name: str) -> str:
    return "  " if name in ("end", "why") else " "


def _joined(columns: FlowColumns, texts: list[str], *, ascii_only: bool) -> str:
    """The cells, a blank between two, and two before the end."""
    line = cell = ""
    for (name, width), text in zip(columns.cells, texts, strict=True):
        room = max(width, len(text)) if columns.exact else width
        cell = (right if COLUMNS[name].is_number else left)(text, room, ascii_only)
        line += _gap(name) + cell if line else cell
    return line[: len(line) - len(cell)] + cell.rstrip() if columns.exact else line


def _finish(spans: list[tuple[str, Role]], columns: FlowColumns) -> Line:
    return tuple(spans) if columns.exact else exact(spans, columns.width)
