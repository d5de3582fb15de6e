"""Where everything stands in a drawing: columns, row heights, and how much text fits. Draws nothing."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, pairwise
from textwrap import wrap

from tcpladder.ladder import fold_words, words
from tcpladder.ladder.diagram import Diagram
from tcpladder.ladder.model import FoldRow, GapRow, Lane, Note, PendingRow, Row, Rung
from tcpladder.wire.frames import UNKNOWN_TIME_NS

CELL = 7.83
"""Width of a character of 13 px in the widest of the usual monospace fonts (0.602 em: DejaVu Sans Mono, Menlo)."""
MARGIN = 24.0
TIME_CELLS = 12
DAY_CELLS = 6
"""More for the time where the day changes and stands before it."""
DELTA_CELLS = 10
FLOW_CELLS = 3
COLUMN_GAP = 14.0
REMARK_CELLS = 12
MIN_NUMBER_CELLS = 4
NUMBERS = ("seq", "ack", "len")
MIN_SPAN = 400.0
MAX_SPAN = 640.0
HEAD_HEIGHT = 46.0
RUNG_HEIGHT = 32.0
GAP_HEIGHT = 40.0
NOTE_HEIGHT = 34.0
LINE_HEIGHT = 18.0
TITLE_HEIGHT = 52.0


WORD_CELLS = 10
"""Of the word before a remark; of several flows its number stands before that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """The measures of one drawing, in px."""

    time_end: float
    delta_end: float
    flow_end: float
    """Of the numbers of flows, where there are several."""
    lanes: tuple[float, ...]
    """The lifelines, from the left."""
    remark: float
    numbers_end: tuple[float, ...]
    width: int
    height: int
    heads: float
    """Top of the boxes above the lifelines."""
    first_row: float
    footer: float
    footer_lines: tuple[tuple[str, str], ...]
    """A word or nothing, and what stands behind it."""

    @property
    def middle(self) -> float:
        """Between the outer lifelines."""
        return (self.lanes[0] + self.lanes[-1]) / 2

    @property
    def label_cells(self) -> int:
        """Characters that fit between the outer lifelines."""
        return int((self.lanes[-1] - self.lanes[0] - 40) / CELL)


def sheet_of(diagram: Diagram) -> Sheet:
    """The measures that a diagram needs."""
    rows = list(diagram.rows())
    boxes = [head_width(lane) for lane in diagram.lanes]
    longest = max((len(_text(row)) for row in rows), default=0)
    time_end = MARGIN + (TIME_CELLS + (DAY_CELLS if _of_two_days(diagram) else 0)) * CELL
    delta_end = time_end + COLUMN_GAP + DELTA_CELLS * CELL
    flow_end = delta_end + (COLUMN_GAP + FLOW_CELLS * CELL if diagram.several else 0)
    first = max(flow_end + 2 * COLUMN_GAP, MARGIN + boxes[0] / 2)
    lanes = tuple(accumulate(_spans(boxes, longest), initial=first))
    remark = lanes[-1] + COLUMN_GAP
    numbers_end = tuple(accumulate(_number_widths(rows), initial=remark + REMARK_CELLS * CELL))[1:]
    width = max(numbers_end[-1], lanes[-1] + boxes[-1] / 2) + MARGIN
    heads = MARGIN + TITLE_HEIGHT + (len(diagram.summaries) - 1) * LINE_HEIGHT
    first_row = heads + HEAD_HEIGHT + 26
    footer = first_row + sum(map(row_height, rows)) + 42
    footer_lines = tuple(_footer(diagram, int((width - 2 * MARGIN) / CELL)))
    return Sheet(
        time_end=time_end,
        delta_end=delta_end,
        flow_end=flow_end,
        lanes=lanes,
        remark=remark,
        numbers_end=numbers_end,
        width=round(width),
        height=round(footer + len(footer_lines) * LINE_HEIGHT + 36),
        heads=heads,
        first_row=first_row,
        footer=footer,
        footer_lines=footer_lines,
    )


def _spans(boxes: list[float], longest: int) -> list[float]:
    """From each lifeline to the next: room for the boxes above them, for two lanes also for the longest words."""
    least = min(longest * CELL + 50, MAX_SPAN)
    if len(boxes) > 2:
        return [max(MIN_SPAN / 2, (a + b) / 2 + 30) for a, b in pairwise(boxes)]
    return [max(MIN_SPAN, sum(boxes) / 2 + 30, least)]


def head_width(lane: Lane) -> float:
    """The box above a lifeline."""
    return max(len(lane.below), len(lane.title), 14) * CELL + 24


def row_height(row: Row) -> float:
    """How much a row takes."""
    match row:
        case GapRow():
            return GAP_HEIGHT
        case Note() | FoldRow():
            return NOTE_HEIGHT
        case _:
            return RUNG_HEIGHT


def _of_two_days(diagram: Diagram) -> bool:
    times = diagram.ladder.view.time_ns[diagram.rungs.start : diagram.rungs.stop]
    known = times[times != UNKNOWN_TIME_NS]
    days = (
        {words.date(int(time), diagram.timezone) for time in (known.min(), known.max())} if len(known) else ()
    )
    return len(days) > 1


def _number_widths(rows: list[Row]) -> list[float]:
    """Of the columns of numbers, each as wide as the longest in it."""
    rungs = [row.numbers for row in rows if isinstance(row, Rung)]
    columns = (
        [numbers.relative_seq for numbers in rungs],
        [numbers.relative_ack for numbers in rungs],
        [numbers.length for numbers in rungs],
    )
    longest = [
        max((len(str(number)) for number in column if number is not None), default=0) for column in columns
    ]
    return [(max(cells, MIN_NUMBER_CELLS) + 2) * CELL for cells in longest]


def _text(row: Row) -> str:
    match row:
        case Rung():
            return row.label
        case GapRow():
            return words.silence(row.gap)
        case Note():
            return row.text
        case PendingRow():
            return row.pending.text
        case FoldRow():
            return fold_words.forms(row)[0]


def word_cells(diagram: Diagram) -> int:
    """Characters left of the sentences below a drawing."""
    return WORD_CELLS + max(len(str(summary.number)) + 2 for summary in diagram.summaries) * diagram.several


def _footer(diagram: Diagram, cells: int) -> list[tuple[str, str]]:
    """The remarks in lines, each word once."""
    lines = []
    for word, sentence in diagram.remarks:
        parts = wrap(sentence, max(cells - word_cells(diagram), 20))
        lines += [(word if not number else "", part) for number, part in enumerate(parts)]
    return lines
