"""Which stretches of a ladder are folded to one row, and where the other rows stand because of it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tcpladder.ladder.exchanges import FOLDED_UNASKED, NONE, Repeated, Stretches

_UNASKED = np.isin(np.arange(len(Repeated)), list(FOLDED_UNASKED))
_NO_ROWS = np.zeros(0, np.int64)

Rows = Callable[[NDArray[np.int64]], NDArray[np.int64]]
"""(m,) segments -> (m,) rows, in a ladder in which nothing is folded."""


class Folds:
    """Rows are counted twice: `whole` ones, as if nothing were folded, and those that are shown.

    Args:
        unasked: whether exchanges are folded before a person says so.
    """

    def __init__(self, *, unasked: bool) -> None:
        self.unasked = unasked
        self._turned: set[int] = set()
        """The first folded segment of each stretch that a person wants the other way."""
        self.every = NONE
        """All that can be folded."""
        self.folded = NONE
        """What is."""
        self._first = _NO_ROWS
        """Whole row with which each fold begins, ascending."""
        self._shown = _NO_ROWS
        """The row that stands for it."""
        self._saved = np.zeros(1, np.int64)
        """How many rows less there are above each fold, and at the end."""

    @property
    def saved(self) -> int:
        """How many rows less there are than segments, silences and notes ask for."""
        return int(self._saved[-1])

    def turn(self, begin: int) -> None:
        """Fold the stretch whose first folded segment is `begin`, or unfold it."""
        self._turned ^= {begin}

    def turn_all(self) -> None:
        """Fold everything that is folded unasked; unfold everything where that is how it is."""
        self.unasked = not self.unasked
        self._turned.clear()

    def is_folded(self, stretch: int) -> bool:
        """Whether a stretch of `every` is drawn as one row."""
        return bool(self._wanted()[stretch])

    def stretch_at(self, segment: int) -> int | None:
        """The stretch of `every` that holds a segment; its visible ends do not count."""
        at = bisect_right(self.every.begin, segment) - 1
        return at if at >= 0 and segment < self.every.end[at] else None

    def place(self, every: Stretches, first_row: Rows, last_row: Rows) -> int | None:
        """Take other stretches, or fold others. Returns the first shown row that this changes, None for none.

        Args:
            first_row: where the rows of a segment begin, its silence included.
            last_row: its rung.
        """
        before, shown_before = self.folded, self._shown
        self.every = every
        wanted = self._wanted()
        self.folded = Stretches(every.begin[wanted], every.end[wanted], every.repeated[wanted])
        self._first = first_row(self.folded.begin)
        sizes = last_row(self.folded.end - 1) - self._first
        self._saved = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        self._shown = self._first - self._saved[:-1]
        same = _same_so_far(before, self.folded)
        changed = [int(rows[same]) for rows in (shown_before, self._shown) if same < len(rows)]
        return min(changed, default=None)

    def shown(self, whole: int) -> int:
        """The row that shows a whole row: its fold's where it is folded."""
        at = bisect_right(self._first, whole) - 1
        if at < 0:
            return whole
        return max(int(self._shown[at]), whole - int(self._saved[at + 1]))

    def whole(self, shown: int) -> int:
        """The whole row that a row shows; of a fold the first."""
        at = bisect_right(self._shown, shown) - 1
        if at < 0:
            return shown
        return int(self._first[at]) if shown == self._shown[at] else shown + int(self._saved[at + 1])

    def at(self, shown: int) -> int | None:
        """The fold, counted in `folded`, that a row stands for; None where it is a row of its own."""
        at = bisect_right(self._shown, shown) - 1
        return at if at >= 0 and shown == self._shown[at] else None

    def _wanted(self) -> NDArray[np.bool_]:
        """(stretches,) whether each of `every` is folded."""
        wanted = _UNASKED[self.every.repeated] & self.unasked
        if self._turned:
            wanted ^= np.isin(self.every.begin, list(self._turned))
        return wanted


def _same_so_far(one: Stretches, other: Stretches) -> int:
    """How many stretches at the beginning are the same in both."""
    length = min(len(one.begin), len(other.begin))
    same = (one.begin[:length] == other.begin[:length]) & (one.end[:length] == other.end[:length])
    return length if same.all() else int(same.argmin())
