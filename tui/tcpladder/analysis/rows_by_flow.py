"""Which rows of a log belong to which flow, and at which row each flow begins: for looking at any moment of it."""

from __future__ import annotations

from bisect import bisect_left

import numpy as np
from numpy.typing import NDArray

from tcpladder.analysis.log import NO_FLOW, SegmentLog


class RowsByFlow:
    """The rows of every flow of a log that may grow. Flows are numbered from 0, limits are rows that do not count."""

    def __init__(self, log: SegmentLog) -> None:
        self._log = log
        self._sorted = self._pieces = self._looked_through = 0
        self._order = np.empty(0, np.int64)
        """(sorted,) the first rows of the log by flow, copies with what they repeat."""
        self._bounds = np.zeros(1, np.int64)
        self._is_copy = np.empty(0, np.bool_)
        self._first: list[int] = []
        """The first row of each flow; ascending, as flows are numbered in that order."""
        self._first_pieces = 0
        self._copies: dict[int, list[int]] = {}
        self._copies_known = 0

    def begun(self, limit: int) -> int:
        """How many flows have a row below the limit."""
        self._find_first_rows()
        return bisect_left(self._first, limit)

    def first_row(self, flow: int) -> int:
        """The row with which a flow begins."""
        self._find_first_rows()
        return self._first[flow]

    @property
    def flows(self) -> int:
        """How many flows there are in the whole log."""
        self._find_first_rows()
        return len(self._first)

    def segments(self, flow: int, limit: int) -> NDArray[np.int64]:
        """The rows of a flow below the limit, without copies: int64, ascending."""
        rows = self.with_copies(flow, limit)
        if not self._log.copy_of:
            return rows
        own: NDArray[np.bool_] = self._log.column("flow", rows) != NO_FLOW
        return rows[own]

    def with_copies(self, flow: int, limit: int) -> NDArray[np.int64]:
        """The rows of a flow below the limit and the copies of them: int64, ascending."""
        if limit > self._sorted:
            # What is not sorted is looked through, until that has cost as much as sorting.
            self._looked_through += len(self._log) - self._sorted
            if self._looked_through > self._sorted:
                self._sort()
        rows = self._order[slice(*self._bounds[flow : flow + 2])] if flow + 1 < len(self._bounds) else _NONE
        if limit > self._sorted:
            rows = np.concatenate([rows, self._tail(flow)])
        return rows[: np.searchsorted(rows, limit)]

    def copies(self, row: int, limit: int) -> int:
        """How many copies of a row stand below the limit."""
        if self._copies_known < len(self._log.copy_of):
            self._copies = {}
            for copy, original in self._log.copy_of.items():
                self._copies.setdefault(original, []).append(copy)
            self._copies_known = len(self._log.copy_of)
        return bisect_left(self._copies.get(row, []), limit)

    def _sort(self) -> None:
        count, self._pieces, self._looked_through = len(self._log), self._log.pieces, 0
        flow = self._log.column("flow", np.arange(count))
        copied = np.fromiter(self._log.copy_of, np.int64, len(self._log.copy_of))
        flow[copied] = flow[np.fromiter(self._log.copy_of.values(), np.int64, len(copied))]
        self._order = np.argsort(flow, kind="stable")
        flows = int(flow.max()) + 1 if count else 0
        self._bounds = np.searchsorted(flow[self._order], np.arange(flows + 1))
        self._sorted = count

    def _tail(self, flow: int) -> NDArray[np.int64]:
        """The rows that are not sorted yet."""
        own = self._log.rows_of(flow, self._pieces)
        again = []
        for copy in reversed(self._log.copy_of):
            if copy < self._sorted:
                break
            if self._log.value("flow", self._log.copy_of[copy]) == flow:
                again.append(copy)
        return np.sort(np.concatenate([own, np.array(again, np.int64)])) if again else own

    def _find_first_rows(self) -> None:
        if self._first_pieces == self._log.pieces:
            return
        start = self._log.start_of_piece(self._first_pieces)
        flow = self._log.column("flow", np.arange(start, len(self._log)))
        fresh = np.flatnonzero((flow >= len(self._first)) & (flow != NO_FLOW))
        _, first = np.unique(flow[fresh], return_index=True)
        self._first += (fresh[first] + start).tolist()
        self._first_pieces = self._log.pieces


_NONE = np.empty(0, np.int64)
