"""Operators on the segments of one batch in flow order: what came before, in the same direction or from the peer.

All clever index arithmetic is here and nowhere else. `take` that checks no bounds, because all positions are known to
be inside, takes half the time of `column[positions]`. A batch of m segments is sorted by flow, file order kept. `slot`
names a flow-direction: flow * 2 + (0 from the client, 1 from the server). What came before the batch is carried in
arrays indexed by slot, so that cutting a capture anywhere changes nothing.
"""

from __future__ import annotations

from typing import TypeVar

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
        self.rows: NDArray[np.int64] = stable_order(flow)
        """(m,) row of the batch at each position."""
        self.flow: NDArray[np.int64] = flow.take(self.rows, mode="clip")
        """(m,) flow at each position."""
        self.from_server: NDArray[np.bool_] = from_server.take(self.rows, mode="clip")
        self._by_server = self.from_server.astype(np.int64)
        self.slot: NDArray[np.int64] = self.flow * 2 + self._by_server
        """(m,) flow-direction at each position."""
        self.peer_slot: NDArray[np.int64] = self.slot ^ 1
        new_flow = np.ones(m, np.bool_)
        np.not_equal(self.flow[1:], self.flow[:-1], out=new_flow[1:])
        self.first = np.flatnonzero(new_flow)
        """Position of the first segment of each flow of the batch."""
        self._group: NDArray[np.int64] = np.cumsum(new_flow)
        self._group -= 1
        """(m,) which flow of the batch, counted from 0."""
        self._group_start = self.first.take(self._group, mode="clip")
        turns = np.zeros(m, np.bool_)
        np.not_equal(self.from_server[1:], self.from_server[:-1], out=turns[1:])
        before = np.arange(-1, m - 1)
        # Where the direction turns, the peer spoke just before; elsewhere its latest word is that of the row before.
        self.peer = self._within_flow(np.maximum.accumulate(np.where(turns, before, NOTHING)))
        """(m,) position of the latest segment from the peer, or NOTHING."""
        peer_before = np.concatenate([[NOTHING], self.peer[:-1]])
        self.previous = self._within_flow(np.where(turns, peer_before, before))
        """(m,) position of the segment before in the same direction, or NOTHING."""
        self._without_previous = np.flatnonzero(self.previous < 0)
        self._without_peer = np.flatnonzero(self.peer < 0)
        self._carried_slot = self.slot[self._without_previous]
        self._carried_peer_slot = self.peer_slot[self._without_peer]
        ends = np.append(self.first[1:], m)[: len(self.first)] - 1
        others = self.peer[ends]
        self.last = np.concatenate([ends, others[others >= 0]])
        """Position of the last segment of each flow-direction of the batch."""

    def __len__(self) -> int:
        return len(self.rows)

    def before_in_direction(self, column: NDArray[Scalar], carried: NDArray[Scalar]) -> NDArray[Scalar]:
        """(m,) the value of `column` at the segment before in the same direction.

        Args:
            column: (m,) in flow order.
            carried: by slot, the value at the last segment before this batch.
        """
        values: NDArray[Scalar] = column.take(self.previous, mode="wrap")
        values[self._without_previous] = carried[self._carried_slot]
        return values

    def latest_from_peer(self, column: NDArray[Scalar], carried: NDArray[Scalar]) -> NDArray[Scalar]:
        """(m,) the value of `column` at the latest segment from the peer; arguments as in before_in_direction."""
        values: NDArray[Scalar] = column.take(self.peer, mode="wrap")
        values[self._without_peer] = carried[self._carried_peer_slot]
        return values

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
        begins = self._without_previous
        start = column.copy()
        start[begins] = np.maximum(column[begins], carried[begins])
        low = int(start.min()) if len(start) else 0
        span = (int(start.max()) - low + 1) if len(start) else 1
        if span * (len(self.first) + 1) >= 1 << 62:
            raise OverflowError("a batch spans too many sequence numbers")
        start -= low
        band = self._group * span
        # Each flow gets a band of its own above the one before, so one running maximum serves all of them.
        by_server = start * self._by_server
        by_client = start - by_server
        for banded in (by_client, by_server):
            banded += band
            np.maximum.accumulate(banded, out=banded)
        including: NDArray[np.int64] = np.where(self.from_server, by_server, by_client)
        including -= band
        including += low
        before: NDArray[np.int64] = including.take(self.previous, mode="wrap")
        before[begins] = carried[begins]
        return before, including

    def in_file_order(self, column: NDArray[Scalar]) -> NDArray[Scalar]:
        """Put a column in flow order back into file order: (m,)."""
        out: NDArray[Scalar] = np.empty(len(self), column.dtype)
        out[self.rows] = column
        return out

    def _within_flow(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Positions that lie in another flow become NOTHING."""
        positions[positions < self._group_start] = NOTHING
        return positions


def stable_order(flow: NDArray[np.int64] | NDArray[np.uint32]) -> NDArray[np.int64]:
    """(m,) the rows sorted by flow, file order kept.

    numpy sorts 16-bit integers by radix, several times faster than anything else; more bits take a second pass.
    """
    order = np.argsort(flow.astype(np.uint16), kind="stable")
    for shift in (16, 32):
        digits = flow >> shift
        if not digits.any():
            break
        order = order[np.argsort(digits[order].astype(np.uint16), kind="stable")]
    return order
