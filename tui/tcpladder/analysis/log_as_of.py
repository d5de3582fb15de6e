"""A log as it was when it had fewer rows, for one flow: what came later is not there, what was amended later is not
amended."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tcpladder.analysis.log import SegmentLog
from tcpladder.analysis.rows_by_flow import RowsByFlow


class LogAsOf(SegmentLog):
    """The rows below `limit` of a log, as findings about one flow read them. A piece is one row here.

    Args:
        log: may grow.
        rows: the rows of its flows.
        flow: from 0.
    """

    def __init__(self, log: SegmentLog, rows: RowsByFlow, flow: int) -> None:
        vars(self).update(vars(log))
        self._rows_by_flow, self._flow = rows, flow
        self.limit = 0

    def __len__(self) -> int:
        return self.limit

    @property
    def pieces(self) -> int:
        return self.limit

    def amendments(self, flow: int) -> int:
        """How many of the flow's rows have got another kind by now."""
        return sum(amendment.answer < self.limit for amendment in self.amended.get(flow, ()))

    def rows_of(self, flow: int, first_piece: int, end_piece: int | None = None) -> NDArray[np.int64]:
        rows = self._rows_by_flow.segments(flow, self.limit)
        begin, end = np.searchsorted(rows, (first_piece, self.limit if end_piece is None else end_piece))
        return rows[begin:end]

    def column(self, name: str, rows: NDArray[np.int64]) -> NDArray[Any]:
        return self._not_amended(name, rows, super().column(name, rows))

    def gather(self, name: str, rows: NDArray[np.int64]) -> NDArray[Any]:
        return self._not_amended(name, rows, super().gather(name, rows))

    def copies_of(self, row: int) -> int:
        return self._rows_by_flow.copies(row, self.limit)

    def _not_amended(self, name: str, rows: NDArray[np.int64], values: NDArray[Any]) -> NDArray[Any]:
        """The values of a column as they were: those of some rows, which are changed."""
        for amendment in self.amended.get(self._flow, ()) if name == "kind" else ():
            if amendment.answer >= self.limit:
                values[rows == amendment.row] = amendment.before
        return values
