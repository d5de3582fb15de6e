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
    def left(self) -> int:
        """Column of the client's lifeline."""
        if self.narrow:
            return self.gutter + TIME_WIDTH + 1
        return self.gutter + (self.time_width + 1 if self.time_width else 0) + DELTA_WIDTH + 1

    @cached_property
    def right(self) -> int:
        """Column of the server's lifeline."""
        margin = 0 if self.narrow else REMARK_WIDTH + 1
        numbers = sum(width for _, width in self.number_columns)
        return min(self.width - 1 - margin - numbers, self.left + MAX_LANE_SPAN + 1)

    @cached_property
    def inner(self) -> int:
        """Cells between the lifelines."""
        return max(self.right - self.left - 1, 0)

    @cached_property
    def remark_width(self) -> int:
        """Cells right of the lanes for a remark."""
        return 0 if self.narrow else REMARK_WIDTH

    @cached_property
    def number_columns(self) -> tuple[tuple[str, int], ...]:
        """The number columns that there is room for."""
        room = self.width - self.left - 2 - REMARK_WIDTH - 1 - MIN_LANE_SPAN
        shown: list[tuple[str, int]] = []
        for name, width in NUMBER_COLUMNS:
            room -= width
            if self.narrow or room < 0:
                break
            shown.append((name, width))
        return tuple(shown)
