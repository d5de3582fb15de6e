"""Operators on the segments of one batch in flow order: what came before, in the same direction or from the peer.

All clever index arithmetic is here and nowhere else. A batch of m segments is sorted by flow, file order kept. `slot`
names a flow-direction: flow * 2 + (0 from the client, 1 from the server). What came before the batch is carried in
arrays indexed by slot, so that cutting a capture anywhere changes nothing.
"""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Scalar = TypeVar("Scalar", bound=np.generic)

NOTHING = -1
"""The position of a segment that is not in this batch."""


class FlowOrder:
    """The positions of a batch's segments, sorted by flow.

    Args:
        flow: (m,) int64, flow of each segment in file order.
        from_server: (m,) bool.
    """

    def __init__(self, flow: NDArray[np.int64], from_server: NDArray[np.bool_]) -> None:
        m = len(flow)
        # Sorting flow and row number as one integer keeps file order and is several times faster than argsort.
        packed = (flow.astype(np.uint64) << np.uint64(32)) | np.arange(m, dtype=np.uint64)
        packed.sort()
        self.rows: NDArray[np.int64] = (packed & np.uint64(0xFFFFFFFF)).astype(np.int64)
        """(m,) row of the batch at each position."""
        self.flow: NDArray[np.int64] = (packed >> np.uint64(32)).astype(np.int64)
        """(m,) flow at each position."""
        self.from_server: NDArray[np.bool_] = from_server[self.rows]
        self.slot: NDArray[np.int64] = self.flow * 2 + self.from_server
        """(m,) flow-direction at each position."""
        self.peer_slot: NDArray[np.int64] = self.slot ^ 1
        new_flow = np.ones(m, np.bool_)
        np.not_equal(self.flow[1:], self.flow[:-1], out=new_flow[1:])
        self._first = np.flatnonzero(new_flow)
        """Position of the first segment of each flow of the batch."""
        self._group = np.cumsum(new_flow) - 1
        """(m,) which flow of the batch, counted from 0."""
        latest_client = self._latest(~self.from_server)
        latest_server = self._latest(self.from_server)
        self.peer = np.where(self.from_server, latest_client, latest_server)
        """(m,) position of the latest segment from the peer, or NOTHING."""
        own = np.where(self.from_server, latest_server, latest_client)
        self.previous: NDArray[np.int64] = self._before(own)
        """(m,) position of the segment before in the same direction, or NOTHING."""
        self.last = self._last_of_each_slot(latest_client, latest_server)
        """Position of the last segment of each flow-direction of the batch."""

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def first(self) -> NDArray[np.int64]:
        """Position of the first segment of each flow of the batch."""
        return self._first

    def before_in_direction(self, column: NDArray[Scalar], carried: NDArray[Scalar]) -> NDArray[Scalar]:
        """(m,) the value of `column` at the segment before in the same direction.

        Args:
            column: (m,) in flow order.
            carried: by slot, the value at the last segment before this batch.
        """
        return np.where(self.previous >= 0, column[self.previous], carried[self.slot])

    def latest_from_peer(self, column: NDArray[Scalar], carried: NDArray[Scalar]) -> NDArray[Scalar]:
        """(m,) the value of `column` at the latest segment from the peer; arguments as in before_in_direction."""
        return np.where(self.peer >= 0, column[self.peer], carried[self.peer_slot])

    def highest_before(
        self, column: NDArray[np.int64], carried: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The running maximum of `column` in each direction, before each segment and including it.

        Args:
            column: (m,) int64 in flow order.
            carried: (m,) int64, the maximum before this batch for the direction of each segment.

        Returns:
            two (m,) arrays: strictly before, and including.
        """
        start = np.where(self.previous >= 0, column, np.maximum(column, carried))
        including = np.empty(len(self), np.int64)
        low = int(start.min()) if len(start) else 0
        span = (int(start.max()) - low + 1) if len(start) else 1
        if span * (len(self._first) + 1) >= 1 << 62:
            raise OverflowError("a batch spans too many sequence numbers")
        for direction in (self.from_server, ~self.from_server):
            # Each flow gets a band of its own above the one before, so one running maximum serves all of them.
            banded = np.where(direction, start - low, 0) + self._group * span
            np.maximum.accumulate(banded, out=banded)
            np.copyto(including, banded - self._group * span + low, where=direction)
        return np.where(self.previous >= 0, including[self.previous], carried), including

    def latest_where(self, condition: NDArray[np.bool_]) -> NDArray[np.int64]:
        """(m,) position of the latest earlier segment of the same direction for which `condition` holds, or NOTHING."""
        of_client = self._latest(condition & ~self.from_server)
        of_server = self._latest(condition & self.from_server)
        return self._before(np.where(self.from_server, of_server, of_client))

    def in_file_order(self, column: NDArray[Scalar]) -> NDArray[Scalar]:
        """Put a column in flow order back into file order: (m,)."""
        out: NDArray[Scalar] = np.empty(len(self), column.dtype)
        out[self.rows] = column
        return out

    def _latest(self, condition: NDArray[np.bool_]) -> NDArray[np.int64]:
        """(m,) position of the latest segment of the same flow, itself included, for which `condition` holds."""
        positions = np.where(condition, np.arange(len(self)), NOTHING)
        np.maximum.accumulate(positions, out=positions)
        positions[positions < self._first[self._group]] = NOTHING
        return positions

    def _before(self, latest: NDArray[np.int64]) -> NDArray[np.int64]:
        """Turn "latest, own position included" into "latest before": (m,).

        `latest` is one of two directions woven together, so the position before may belong to the other direction;
        the look-up therefore goes through each direction's own sequence.
        """
        before = np.full(len(self), NOTHING, np.int64)
        for direction in (self.from_server, ~self.from_server):
            at = np.flatnonzero(direction)
            if len(at) > 1:
                before[at[1:]] = latest[at[:-1]]
        before[before < self._first[self._group]] = NOTHING
        return before

    def _last_of_each_slot(
        self, latest_client: NDArray[np.int64], latest_server: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        if not len(self):
            return np.empty(0, np.int64)
        ends = np.append(self._first[1:], len(self)) - 1
        last: NDArray[Any] = np.concatenate([latest_client[ends], latest_server[ends]])
        return last[last >= 0]
