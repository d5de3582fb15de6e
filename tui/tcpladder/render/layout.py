"""Where the columns of a ladder stand, for a width and a taste. Draws nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, tzinfo
from functools import cached_property

from tcpladder.ladder.model import NumberMode, TimeMode

NARROW_BELOW = 72
"""Below this width time and delta share a column, and nothing stands right of the lanes."""
TIME_WIDTH = 12
DELTA_WIDTH = 9
REMARK_WIDTH = 13
MIN_LANE_SPAN = 50
"""Number columns appear only while the lanes keep this many cells between the lifelines."""
MAX_LANE_SPAN = 100
"""A longer arrow only moves the numbers away from the words, and costs bytes on the line."""
CLOSEST = 8
"""Cells from one lifeline to the next at least, where there are more than two."""

NUMBER_COLUMNS: tuple[tuple[str, int], ...] = (("seq", 11), ("ack", 11), ("len", 7), ("win", 9), ("frame", 9))
"""The columns of a wide ladder with their widths, in the order in which they appear as the width grows."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What decides how a row is drawn, apart from the row. Hashable: drawn lines can be cached by it."""

    width: int
    """Cells of every line; 40 at least, the lines of a narrower layout are cut."""
    ascii: bool = False
    """Draw with ASCII only."""
    time_mode: TimeMode = TimeMode.ABSOLUTE
    number_mode: NumberMode = NumberMode.RELATIVE
    timezone: tzinfo = UTC
    """Of the clock times."""
    origin_ns: int | None = None
    """What relative times count from: Ladder.origin_ns."""
    mark_ns: int | None = None
    """What times are measured from in TimeMode.MARK."""
    lanes: int = 2
    """How many there are; where not all have room, the last lifeline is of several together."""
    flow_cells: int = 0
    """Of the column that says which flow a row is of; 0 where there is one alone."""

    @cached_property
    def narrow(self) -> bool:
        """Whether time and delta share a column."""
        return self.width < NARROW_BELOW

    @cached_property
    def gutter(self) -> int:
        """Cells at the left edge for the cursor."""
        return 1 if self.narrow else 2

    @cached_property
    def time_width(self) -> int:
        """Cells of the time column, 0 where there is none."""
        return 0 if self.time_mode is TimeMode.DELTA and not self.narrow else TIME_WIDTH

    @cached_property
    def when_end(self) -> int:
        """The column behind the times."""
        if self.narrow:
            return self.gutter + TIME_WIDTH + 1
        return self.gutter + (self.time_width + 1 if self.time_width else 0) + DELTA_WIDTH + 1

    @cached_property
    def left(self) -> int:
        """Column of the first lifeline: the client's."""
        return self.when_end + (self.flow_cells + 1 if self.flow_cells else 0)

    @cached_property
    def right(self) -> int:
        """Column of the last lifeline: the server's."""
        margin = 0 if self.narrow else REMARK_WIDTH + 1
        numbers = sum(width for _, width in self.number_columns)
        span = max(MAX_LANE_SPAN, MAX_LANE_SPAN // 2 * (self.lanes - 1))
        return min(self.width - 1 - margin - numbers, self.left + span + 1)

    @cached_property
    def inner(self) -> int:
        """Cells between the outer lifelines."""
        return max(self.right - self.left - 1, 0)

    @cached_property
    def columns(self) -> tuple[int, ...]:
        """Those of the lifelines that there is room for, two at least."""
        shown = max(2, min(self.lanes, (self.right - self.left) // CLOSEST + 1))
        apart = self.right - self.left
        return tuple(self.left + (lane * apart + (shown - 1) // 2) // (shown - 1) for lane in range(shown))

    @cached_property
    def sharing(self) -> int:
        """How many lanes have the last lifeline together: 1, unless there are too many for the width."""
        return self.lanes - len(self.columns) + 1

    def at(self, lane: int) -> int:
        """The column of a lane's lifeline."""
        return self.columns[min(lane, len(self.columns) - 1)]

    @cached_property
    def remark_width(self) -> int:
        """Cells right of the lanes for a remark."""
        return 0 if self.narrow else REMARK_WIDTH

    @cached_property
    def number_columns(self) -> tuple[tuple[str, int], ...]:
        """The number columns that there is room for."""
        span = max(MIN_LANE_SPAN, MIN_LANE_SPAN // 2 * (self.lanes - 1))
        room = self.width - self.left - 2 - REMARK_WIDTH - 1 - span
        shown: list[tuple[str, int]] = []
        for name, width in NUMBER_COLUMNS:
            room -= width
            if self.narrow or room < 0:
                break
            shown.append((name, width))
        return tuple(shown)
