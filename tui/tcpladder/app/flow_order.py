"""Which flows the list shows, and in which order. Looks in slices, so that 10,000 flows never stall a key."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from time import perf_counter_ns
from typing import Any

from tcpladder.analysis.flow_filter import FlowFilter
from tcpladder.analysis.view import FlowSummary
from tcpladder.app.contract import Session

SLICE_NS = 10_000_000
"""Time that one look may take: a tenth of the interval between two looks."""
SORT_NS = 1_000_000_000
"""Least time between two sorts of a list that keeps growing: rows that jump faster cannot be read."""


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


class FlowOrder:
    """The numbers of the flows to show, top first.

    In order of the first segment and without a filter nothing is looked at: the numbers are 1 to n. Otherwise one key
    a flow is kept, and refreshed round and round while the session goes on.
    """

    def __init__(self, session: Session, sort: Sort) -> None:
        self._session = session
        self.sort = sort
        self.filter = FlowFilter()
        self.numbers: range | list[int] = range(0)
        self._restart()

    def arrange(self, sort: Sort, wanted: FlowFilter) -> None:
        """Take another order or filter; the list fills again with the next looks."""
        self.sort, self.filter = sort, wanted
        self._restart()

    def _restart(self) -> None:
        self._keys: list[int | None] = []
        self._next = 0
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
        if self.sort is Sort.FIRST_SEEN and not self.filter.terms:
            grew = len(self.numbers) != count or not isinstance(self.numbers, range)
            self.numbers = range(1, count + 1)
            self._seen_version, self._unsorted = self._session.version, False
            return grew
        start = perf_counter_ns()
        due = start - self._sorted_ns >= SORT_NS
        if not due and len(self._keys) == count and not self._next:
            return False
        self._take_keys(count, start + budget_ns)
        complete = len(self._keys) == count
        return due and complete and self._unsorted and self._arrange_numbers()

    def _take_keys(self, count: int, deadline_ns: int) -> None:
        key: Any = _KEYS[self.sort]
        if self._next == 0:
            self._pass_version = self._session.version
        while perf_counter_ns() < deadline_ns:
            if len(self._keys) < count:
                index = len(self._keys)
                self._keys.append(None)
            elif self._next < count:
                index = self._next
                self._next += 1
            else:
                self._next = 0
                self._seen_version = self._pass_version
                return
            summary = self._session.summary(index + 1)
            value = key(summary) if self.filter.passes(summary) else None
            self._unsorted |= value != self._keys[index]
            self._keys[index] = value

    def _arrange_numbers(self) -> bool:
        self._sorted_ns = perf_counter_ns()
        self._unsorted = False
        keys = self._keys
        shown = [index for index, key in enumerate(keys) if key is not None]
        shown.sort(key=lambda index: (-(keys[index] or 0), index))
        before, self.numbers = self.numbers, [index + 1 for index in shown]
        return before != self.numbers
