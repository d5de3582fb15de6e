"""Several flows in one order of time, merged by columns: what a ladder of all of them is drawn from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tcpladder.analysis.growing import Growing
from tcpladder.analysis.view import FlowView, Timeline
from tcpladder.errors import UsageError

MOST_FLOWS = 16
"""Of one ladder: more can neither be told apart nor have lanes on a screen."""


class MergedFlows:
    """Implements view.Timeline over the findings about several flows, which may grow; `refresh` follows them.

    Each flow keeps the order of its capture. A segment that a clock puts before what its flow had seen already counts
    as of the same moment, and what is of the same moment stands as it was captured.

    Args:
        flows: their findings; MOST_FLOWS at most.
    """

    def __init__(self, flows: Sequence[FlowView]) -> None:
        self.flows = tuple(flows)
        self.restarts = -1
        self._begin_anew()
        self.refresh()

    def _begin_anew(self) -> None:
        self.restarts += 1
        self._restarts = [flow.restarts for flow in self.flows]
        self._taken = [0] * len(self.flows)
        """How many segments of each flow are merged."""
        self._latest_ns = [np.iinfo(np.int64).min] * len(self.flows)
        """The latest time among them."""
        self._last_ns = np.iinfo(np.int64).min
        """The time that the last of all was merged by."""
        self._flow: Growing[np.uint8] = Growing(np.uint8)
        self._index: Growing[np.int32] = Growing(np.int32)
        self._time_ns: Growing[np.int64] = Growing(np.int64)
        self._from_client: Growing[np.bool_] = Growing(np.bool_)
        self._kind: Growing[np.uint8] = Growing(np.uint8)
        self._silent: Growing[np.bool_] = Growing(np.bool_)

    def refresh(self) -> None:
        """Take in what came to the flows. Costs as much as that, unless it belongs before what is there."""
        if self._restarts != [flow.restarts for flow in self.flows]:
            self._begin_anew()
        if self._is_late():
            self._begin_anew()
        fresh = [range(taken, len(flow.time_ns)) for taken, flow in zip(self._taken, self.flows, strict=True)]
        if not any(fresh):
            return
        keys = [self._keys(flow, part) for flow, part in enumerate(fresh)]
        rows = [flow.rows[part.start : part.stop] for flow, part in zip(self.flows, fresh, strict=True)]
        order = np.lexsort((np.concatenate(rows), np.concatenate(keys)))
        self._take(fresh, order)
        for flow, (part, key) in enumerate(zip(fresh, keys, strict=True)):
            if len(key):
                self._taken[flow], self._latest_ns[flow] = part.stop, int(key[-1])
        self._last_ns = max(self._latest_ns)

    def _is_late(self) -> bool:
        """Whether a segment came to one flow that is older than what is merged of another."""
        return any(
            taken < len(flow.time_ns) and max(int(flow.time_ns[taken]), latest_ns) < self._last_ns
            for flow, taken, latest_ns in zip(self.flows, self._taken, self._latest_ns, strict=True)
        )

    def _keys(self, flow: int, part: range) -> NDArray[np.int64]:
        """(len(part),) the times that some segments of a flow are merged by: ascending, whatever its clock did."""
        times = self.flows[flow].time_ns[part.start : part.stop]
        return np.maximum.accumulate(np.maximum(times, self._latest_ns[flow]))

    def _take(self, fresh: Sequence[range], order: NDArray[np.int64]) -> None:
        """Add segments, `order` of all that are fresh, one flow behind the other."""
        numbers = np.repeat(np.arange(len(fresh), dtype=np.uint8), [len(part) for part in fresh])
        self._flow.extend(numbers[order])
        self._index.extend(np.concatenate([np.arange(p.start, p.stop, dtype=np.int32) for p in fresh])[order])
        for name, grown in (
            ("time_ns", self._time_ns),
            ("from_client", self._from_client),
            ("kind", self._kind),
            ("silent", self._silent),
        ):
            parts = [getattr(flow, name)[p.start : p.stop] for flow, p in zip(self.flows, fresh, strict=True)]
            grown.extend(np.concatenate(parts)[order])

    @property
    def flow(self) -> NDArray[np.uint8]:
        return self._flow.values

    @property
    def time_ns(self) -> NDArray[np.int64]:
        return self._time_ns.values

    @property
    def from_client(self) -> NDArray[np.bool_]:
        return self._from_client.values

    @property
    def kind(self) -> NDArray[np.uint8]:
        return self._kind.values

    @property
    def silent(self) -> NDArray[np.bool_]:
        return self._silent.values

    def within(self, index: int) -> tuple[FlowView, int]:
        return self.flows[self._flow.item(index)], self._index.item(index)

    def index_of(self, flow: int, index: int) -> int | None:
        return int(np.flatnonzero(self.flow == flow)[index]) if index < self._taken[flow] else None

    def lost_segments(self) -> NDArray[np.int64]:
        found = [np.zeros(0, np.int64)]
        for number, flow in enumerate(self.flows):
            lost = flow.lost_segments()
            if len(lost):
                found.append(np.flatnonzero(self.flow == number)[lost[lost < self._taken[number]]])
        return np.sort(np.concatenate(found))

    @property
    def losses(self) -> int:
        return sum(flow.losses for flow in self.flows)


def too_many(count: int) -> str:
    """What is said where more flows are chosen than one ladder takes."""
    return f"one ladder takes {MOST_FLOWS} flows, and {count} are chosen: choose fewer of them"


def timeline_of(flows: Sequence[FlowView]) -> Timeline:
    """A flow as it is, or several merged. Raises UsageError for more than a ladder has room for."""
    if len(flows) > MOST_FLOWS:
        raise UsageError(too_many(len(flows)))
    return flows[0] if len(flows) == 1 else MergedFlows(flows)
