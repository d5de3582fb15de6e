"""Which flows the list shows, and in which order. Looks in slices, so that 10,000 flows never stall a key."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from itertools import chain
from time import perf_counter_ns
from typing import Any

import numpy as np

from tcpladder.analysis.flow_filter import FlowFilter
from tcpladder.analysis.view import FlowSummary
from tcpladder.app.contract import Session
from tcpladder.app.flow_groups import NAMES, Group, Grouping, grouped

SLICE_NS = 10_000_000
"""Time that one look may take: a tenth of the interval between two looks."""
SORT_NS = 2_000_000_000
"""Least time between two sorts of a list that keeps growing: rows that jump faster cannot be read."""

SORT_SHARE = 100
"""And at least so many times as long as a sort takes."""


class Sort(Enum):
    """The orders, in the sequence in which a key walks through them. All but the first put the largest on top."""

    FIRST_SEEN = "first seen"
    ACTIVITY = "activity"
    SEGMENTS = "segments"
    PROBES = "probes"
    RETRANSMISSIONS = "retransmissions"

    def step(self, by: int) -> Sort:
        """The order that comes `by` places later."""
        members = list(Sort)
        return members[(members.index(self) + by) % len(members)]


_KEYS: dict[Sort, Callable[[FlowSummary], int]] = {
    Sort.FIRST_SEEN: lambda summary: -summary.number,
    Sort.ACTIVITY: lambda summary: summary.last_ns,
    Sort.SEGMENTS: lambda summary: summary.segments,
    Sort.PROBES: lambda summary: summary.keepalive_probes,
    Sort.RETRANSMISSIONS: lambda summary: summary.retransmissions,
}


_COLUMNS: dict[Sort, str] = {
    Sort.ACTIVITY: "last_ns",
    Sort.SEGMENTS: "segments",
    Sort.PROBES: "keepalive_probes",
    Sort.RETRANSMISSIONS: "retransmissions",
}
"""The same as fields of FlowMeasures."""


Key = tuple[int, int, int]
"""What a flow is sorted by; its group, HIDDEN where it is not shown; and its end. Both are 0 without groups."""
HIDDEN = -1
_SHOWN: Key = (0, 0, 0)
_NOT_SHOWN: Key = (0, HIDDEN, 0)


class FlowOrder:
    """The numbers of the flows to show, top first; -1 stands for the heading of the first group, and so on.

    In order of the first segment, without a filter and without groups nothing is looked at: the numbers are 1 to n;
    in another order they are sorted by a column, where the session has it, and a filter whose answer lasts asks for
    each flow once. Otherwise what is known of each flow is refreshed while the session goes on: of those that changed,
    or round and round where nobody knows which did.
    """

    def __init__(self, session: Session, sort: Sort) -> None:
        self._session = session
        self.sort = sort
        self.filter = FlowFilter()
        self.numbers: range | list[int] = range(0)
        self.grouping = Grouping.NONE
        self.groups: list[Group] = []
        self._folded: set[str] = set()
        self._restart()

    def arrange(self, sort: Sort, wanted: FlowFilter) -> None:
        """Take another order or filter; the list fills again with the next looks."""
        self.sort, self.filter = sort, wanted
        self._restart()

    def group_by(self, grouping: Grouping) -> None:
        """Put flows that have something in common under one heading; the list fills again with the next looks."""
        self.grouping = grouping
        self._folded = set()
        self._restart()

    def fold(self, group: Group) -> None:
        """Show a group's heading alone, or its flows again."""
        self._folded ^= {group.name}
        self._arrange_numbers()

    def group_at(self, row: int) -> Group | None:
        """The group whose heading stands in a row, None for a flow."""
        number = self.numbers[row] if row < len(self.numbers) else 0
        return self.groups[-number - 1] if number < 0 else None

    @property
    def shown(self) -> int:
        """How many flows pass the filter, in folded groups too."""
        return sum(len(group.members) for group in self.groups) if self.groups else len(self.numbers)

    def _restart(self) -> None:
        self._keys: list[Key] = []
        """By flow from 0."""
        self._words: dict[str, int] = {}
        """The names of groups and ends, each with its place among them."""
        self._todo: Any = range(0)
        """The flows that this pass looks at, from 0."""
        self._next = 0
        self._changes = np.zeros(0, np.int64)
        self._apart_ns = SORT_NS
        self._unsorted = True
        self._seen_version = -1
        self._pass_version = -1
        self._sorted_ns = -SORT_NS

    @property
    def settled(self) -> bool:
        """Whether every flow has been looked at since the session last changed."""
        return self._seen_version == self._session.version and not self._unsorted

    def look(self, budget_ns: int = SLICE_NS) -> bool:
        """Look at new flows, then at known ones, for `budget_ns`. True if the order may have changed."""
        count = self._session.flow_count()
        if count < len(self._keys):  # a replay went back
            self._restart()
        start = perf_counter_ns()
        if self.filter.lasts and self.grouping is Grouping.NONE:
            moved = self._look_at_columns(count, start + budget_ns)
            if moved is not None:
                return moved
        due = start - self._sorted_ns >= self._apart_ns
        if not due and len(self._keys) == count and not self._next:
            return False
        self._take_keys(count, start + budget_ns)
        complete = len(self._keys) == count
        return due and complete and self._unsorted and self._arrange_numbers()

    def _look_at_columns(self, count: int, deadline_ns: int) -> bool | None:
        """All flows at once. True if the order may have changed; None where the session has no columns."""
        is_plain = not self.filter.terms
        if self.sort is Sort.FIRST_SEEN and is_plain:
            moved = len(self.numbers) != count or not isinstance(self.numbers, range)
            self.numbers, self.groups = range(1, count + 1), []
            self._seen_version, self._unsorted = self._session.version, False
            return moved
        measures = self._session.measures()
        if measures is None:
            return None
        version, now_ns = self._session.version, perf_counter_ns()
        if not is_plain:
            self._take_answers(count, deadline_ns)
        if now_ns - self._sorted_ns < SORT_NS or (not is_plain and len(self._keys) < count):
            return False
        self._sorted_ns = now_ns
        before, self.groups = self.numbers, []
        if self.sort is Sort.FIRST_SEEN:
            order = np.arange(len(measures.changes))
        else:
            order = np.argsort(-getattr(measures, _COLUMNS[self.sort]), kind="stable")
        if not is_plain:
            passes = np.fromiter((key[1] != HIDDEN for key in self._keys), np.bool_, len(self._keys))
            order = order[order < len(passes)]
            order = order[passes[order]]
        self.numbers = (order + 1).tolist()
        self._seen_version, self._unsorted = version, False
        return before != self.numbers

    def _take_answers(self, count: int, deadline_ns: int) -> None:
        """What the filter says of flows that it has not been asked about."""
        while len(self._keys) < count and perf_counter_ns() < deadline_ns:
            passes = self.filter.passes(self._session.summary(len(self._keys) + 1))
            self._keys.append(_SHOWN if passes else _NOT_SHOWN)

    def _changed(self, count: int) -> Any:
        """The flows whose summary may be another one than it was, from 0."""
        measures = self._session.measures()
        if measures is None:
            return range(count)
        before, self._changes = self._changes, measures.changes
        known = len(before)
        return [*np.flatnonzero(before != self._changes[:known]).tolist(), *range(known, count)]

    def _key(self, summary: FlowSummary) -> Key:
        if not self.filter.passes(summary):
            return _NOT_SHOWN
        value = _KEYS[self.sort](summary)
        if self.grouping is Grouping.NONE:
            return value, 0, 0
        return value, self._place(NAMES[self.grouping](summary)), self._place(summary.ended or "open")

    def _place(self, word: str) -> int:
        return self._words.setdefault(word, len(self._words))

    def _take_keys(self, count: int, deadline_ns: int) -> None:
        if self._next == 0:
            self._pass_version = self._session.version
            self._todo = self._changed(count)
        while perf_counter_ns() < deadline_ns:
            if len(self._keys) < count:
                index = len(self._keys)
                self._keys.append(_NOT_SHOWN)
            elif self._next < len(self._todo):
                index = int(self._todo[self._next])
                self._next += 1
            else:
                self._next = 0
                self._seen_version = self._pass_version
                return
            summary = self._session.summary(index + 1)
            key = self._key(summary)
            self._unsorted |= key != self._keys[index]
            self._keys[index] = key

    def _arrange_numbers(self) -> bool:
        self._sorted_ns = perf_counter_ns()
        self._unsorted = False
        before = self.numbers
        told = np.fromiter(chain.from_iterable(self._keys), np.int64, 3 * len(self._keys))
        value, group, end = told.reshape(-1, 3).T
        shown = np.flatnonzero(group != HIDDEN)
        order = shown[np.argsort(-value[shown], kind="stable")]
        if self.grouping is Grouping.NONE:
            self.numbers, self.groups = (order + 1).tolist(), []
        else:
            words = list(self._words)
            self.numbers, self.groups = grouped(order + 1, group[order], end[order], words, self._folded)
        self._apart_ns = max(SORT_NS, (perf_counter_ns() - self._sorted_ns) * SORT_SHARE)
        return before != self.numbers or bool(self.groups)
