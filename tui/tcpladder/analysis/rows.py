"""The rows of one flow in the log, and values of their columns by the flow's own index."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tcpladder.analysis.columns import NOTHING
from tcpladder.analysis.growing import Growing
from tcpladder.analysis.log import SegmentLog
from tcpladder.wire.segments import SackBlocks


class FlowRows:
    """Segment `index` of the flow is row `row(index)` of the log; grows with the flow."""

    def __init__(self, log: SegmentLog) -> None:
        self._log = log
        self._rows: Growing[np.int64] = Growing(np.int64)
        self._place: tuple[int, dict[str, NDArray[Any]], int] = NOTHING, {}, 0
        """Where the segment that was asked for last stands: whoever draws one asks for many of its values."""

    def __deepcopy__(self, memo: dict[int, Any]) -> FlowRows:
        """Of the same log, or of the one that stands for it in `memo`."""
        copied = FlowRows(memo.get(id(self._log), self._log))
        copied._rows = copy.copy(self._rows)
        return copied

    def __len__(self) -> int:
        return len(self._rows)

    def extend(self, rows: NDArray[np.int64]) -> None:
        """Add ascending rows."""
        self._rows.extend(rows)

    @property
    def every(self) -> NDArray[np.int64]:
        """(len(self),) the rows of the log; ascending."""
        return self._rows.values

    def row(self, index: int) -> int:
        """The row of the log of a segment."""
        row: int = self._rows.item(index)
        return row

    def among(self, rows: Iterable[int]) -> NDArray[np.int64]:
        """(m,) the segments that stand in some rows of the log; ascending."""
        wanted = np.array(sorted(rows), np.int64)
        at = np.searchsorted(self._rows.values, wanted)
        at = at[at < len(self._rows)]
        found: NDArray[np.int64] = at[self._rows.values[at] == wanted[: len(at)]]
        return found

    def value(self, name: str, index: int) -> int:
        """One value of a column."""
        at, columns, offset = self._place
        if at != index:
            columns, offset = self._log.place(self._rows.item(index))
            self._place = index, columns, offset
        value: int = columns[name].item(offset)
        return value

    def values(self, name: str, indices: NDArray[np.int64]) -> NDArray[Any]:
        """(m,) the values of a column at (m,) segments."""
        return self._log.gather(name, self._rows.values[indices])

    def sack(self, index: int) -> SackBlocks | None:
        """The SACK blocks of a segment, None where it has none."""
        blocks = self._log.sack
        return blocks.get(self._rows.item(index)) if blocks else None
