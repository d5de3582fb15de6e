"""Which flows the list shows, and in which order. Looks in slices, so that 10,000 flows never stall a key."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from time import perf_counter_ns
from typing import Any

import numpy as np

from tcpladder.analysis.flow_filter import FlowFilter
from tcpladder.analysis.view import FlowSummary
from tcpladder.app.contract import Session
from tcpladder.app.flow_groups import NAMES, Group, Grouping, grouped

SLICE_NS = 10_000_000
"""Time that one look may take: a tenth of the interval between two looks."""
SORT_NS = 1_000_000_000
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


class FlowOrder:
    """The numbers of the flows to show, top first; -1 stands for the heading of the first group, and so on.

    In order of the first segment, without a filter and without groups nothing is looked at: the numbers are 1 to n;
    in another order they are sorted by a column, where the session has it. Otherwise one key a flow is kept, and
    refreshed while the session goes on: of those that changed, or round and round where nobody knows which did.
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
        self._keys: list[Any] = []
        """By flow from 0: None for one that is not shown, else what it is sorted by, with its group and its end
        where there are groups."""
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
        if not self.filter.terms and self.grouping is Grouping.NONE:
            moved = self._look_at_columns(count)
            if moved is not None:
                return moved
        start = perf_counter_ns()
        due = start - self._sorted_ns >= self._apart_ns
        if not due and len(self._keys) == count and not self._next:
            return False
        self._take_keys(count, start + budget_ns)
        complete = len(self._keys) == count
        return due and complete and self._unsorted and self._arrange_numbers()

    def _look_at_columns(self, count: int) -> bool | None:
        """All flows at once. True if the order may have changed; None where the session has no columns."""
        if self.sort is Sort.FIRST_SEEN:
            moved = len(self.numbers) != count or not isinstance(self.numbers, range)
            self.numbers, self.groups = range(1, count + 1), []
            self._seen_version, self._unsorted = self._session.version, False
            return moved
        measures = self._session.measures()
        if measures is None:
            return None
        version, now_ns = self._session.version, perf_counter_ns()
        if now_ns - self._sorted_ns < SORT_NS:
            return False
        self._sorted_ns = now_ns
        column = getattr(measures, _COLUMNS[self.sort])
        before, self.groups = self.numbers, []
        self.numbers = (np.argsort(-column, kind="stable") + 1).tolist()
        self._seen_version, self._unsorted = version, False
        return before != self.numbers

    def _changed(self, count: int) -> Any:
        """The flows whose summary may be another one than it was, from 0."""
        measures = self._session.measures()
        if measures is None:
            return range(count)
        before, self._changes = self._changes, measures.changes
        known = len(before)
        return [*np.flatnonzero(before != self._changes[:known]).tolist(), *range(known, count)]

    def _key(self, summary: FlowSummary) -> Any:
        value = _KEYS[self.sort](summary)
        if self.grouping is Grouping.NONE:
            return value
        return value, NAMES[self.grouping](summary), summary.ended or "open"

    def _take_keys(self, count: int, deadline_ns: int) -> None:
        if self._next == 0:
            self._pass_version = self._session.version
            self._todo = self._changed(count)
        while perf_counter_ns() < deadline_ns:
            if len(self._keys) < count:
                index = len(self._keys)
                self._keys.append(None)
            elif self._next < len(self._todo):
                index = int(self._todo[self._next])
                self._next += 1
            else:
                self._next = 0
                self._seen_version = self._pass_version
                return
            summary = self._session.summary(index + 1)
            value = self._key(summary) if self.filter.passes(summary) else None
            self._unsorted |= value != self._keys[index]
            self._keys[index] = value

    def _arrange_numbers(self) -> bool:
        self._sorted_ns = perf_counter_ns()
        self._unsorted = False
        keys, before = self._keys, self.numbers
        shown = [index for index, key in enumerate(keys) if key is not None]
        if self.grouping is Grouping.NONE:
            shown.sort(key=keys.__getitem__, reverse=True)
            self.numbers, self.groups = [index + 1 for index in shown], []
        else:
            shown.sort(key=lambda index: keys[index][0], reverse=True)
            told = [(index + 1, *keys[index][1:]) for index in shown]
            self.numbers, self.groups = grouped(told, self._folded)
        self._apart_ns = max(SORT_NS, (perf_counter_ns() - self._sorted_ns) * SORT_SHARE)
        return before != self.numbers or bool(self.groups)
