"""One batch in flow order, and the columns that the rules compare; what it leaves to the next one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tcpladder.analysis.carried import NOWHERE, Carried
from tcpladder.analysis.classified import Amended
from tcpladder.analysis.kinds import Kind
from tcpladder.flows.order import NOTHING, FlowOrder
from tcpladder.flows.seqnum import differences
from tcpladder.flows.table import Assigned
from tcpladder.wire.segments import Flag, Segments

NEVER = -(1 << 33)
"""A relative sequence number below every other: the highest one of a direction that has sent nothing."""
# Plain integers: `&` on an IntFlag makes an object.
FIN, SYN, RST, ACK = int(Flag.FIN), int(Flag.SYN), int(Flag.RST), int(Flag.ACK)
CONTROL = SYN | FIN | RST
SEEN = np.uint16(1 << 15)
"""Beside the flags of every segment, none of TCP's: a segment without a flag (a null scan) is not "none so far"."""


def where(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """np.flatnonzero, without what it does for arrays of other shapes."""
    return mask.nonzero()[0]


class BatchColumns:
    """The m segments of one batch, each a position in flow order.

    Args:
        segments: in capture order.
        assigned: their flows.
        carried: what earlier batches left.
        first_row: row of the capture that the first segment is.
        rows: (m,) which of them to compare, ascending.
    """

    def __init__(
        self,
        segments: Segments,
        assigned: Assigned,
        carried: Carried,
        first_row: int,
        rows: NDArray[np.int64],
    ) -> None:
        everything = len(rows) == len(segments)
        flow = assigned.flow if everything else assigned.flow[rows]
        from_server = assigned.from_server if everything else assigned.from_server[rows]
        self.carried = carried
        self.first_row = first_row
        self.order = order = FlowOrder(flow, from_server)
        self.capture_rows = order.rows if everything else rows[order.rows]
        at = self.capture_rows
        # All rows are known to be inside: without a look at each, `take` needs half the time.
        self.seq, self.ack = segments.seq.take(at, mode="clip"), segments.ack.take(at, mode="clip")
        self.flags, self.window = segments.flags.take(at, mode="clip"), segments.window.take(at, mode="clip")
        self.flags |= SEEN
        self.length = segments.length.take(at, mode="clip")
        self.time_ns, self.ttl = segments.time_ns.take(at, mode="clip"), segments.ttl.take(at, mode="clip")
        self.shift = segments.window_shift
        self.unknown = segments.unknown.take(at, mode="clip")
        self.known = carried.known.take(order.slot, mode="clip")
        self._choose_base()
        self.start = differences(self.seq, self.base)
        """(m,) sequence number relative to `base`."""
        self.widest = int(self.start.max() - self.start.min())
        self.kind: NDArray[np.uint8]
        """(m,) Kind of each segment, and what else the rules leave to each other and to the next batch: made by
        rules.decide."""
        self.duplicate: NDArray[np.bool_]
        """(m,) duplicate ACKs, whatever more specific kind they have."""
        self.handshake: NDArray[np.int64]
        """Positions of the ACKs that end a handshake."""
        self.amended: dict[int, Amended] = {}
        """As of Classified."""

    def _choose_base(self) -> None:
        """Count each direction from the highest number before the batch, or from its first segment."""
        order, highest = self.order, self.carried.highest
        fresh = where((order.previous == NOTHING) & ~self.known)
        highest[order.slot[fresh]] = self.seq[fresh]
        self.base = highest.take(order.slot, mode="clip")
        """(m,) uint32, the raw sequence number that relative numbers count from."""

    def compare(self) -> None:
        """Make the columns that the rules compare."""
        order, carried = self.order, self.carried
        self.syn, self.fin, self.rst, self.acks = (self.flags & f != 0 for f in (SYN, FIN, RST, ACK))
        self.plain = self.flags & CONTROL == 0
        """No SYN, FIN or RST."""
        self.end = self.start + self.length
        self.end[where(self.syn)] += 1
        self.end[where(self.fin)] += 1
        peer_flags = order.latest_from_peer(self.flags, carried.flags)
        self.peer_flags = peer_flags
        self.peer_acks = peer_flags & ACK != 0
        self.peer_ack = order.latest_from_peer(self.ack, carried.ack)
        self.acknowledged = np.where(self.peer_acks, differences(self.peer_ack, self.base), NEVER)
        """(m,) how far the peer's latest segment acknowledges this direction."""
        self.peer_window = order.latest_from_peer(self.window, carried.window)
        self.peer_closed = self.peer_acks & (self.peer_window == 0) & (peer_flags & CONTROL == 0)
        """(m,) the peer's window is zero."""
        # A probe byte into a closed window is not sent for good, and the number in a RST may be anything.
        self.passing = self.rst | (self.peer_closed & (self.length == 1) & self.plain)
        reached = np.where(self.passing, NEVER, self.end)
        initial = np.where(self.known, 0, NEVER)
        self.highest, self.including = order.highest_before(reached, initial)
        """(m,) highest number plus length of this direction before the segment, and with it."""
        self.have = self.highest > NEVER
        self.expected = np.maximum(self.highest, self.acknowledged)
        self.advanced = reached > self.highest
        highest_raw = (np.where(self.including > NEVER, self.including, 0) + self.base).astype(np.uint32)
        peer_highest = order.latest_from_peer(highest_raw, carried.highest)
        peer_known = order.latest_from_peer(self.including > NEVER, carried.known)
        self.highest_raw = highest_raw
        self.acks_all = peer_known & (self.ack == peer_highest)
        self.outstanding = peer_known & (differences(peer_highest, self.ack) > 0)
        """(m,) data of the peer is outstanding behind this acknowledgment."""
        self.ack_step = differences(self.ack, order.before_in_direction(self.ack, carried.ack))
        self.same_ack = self.ack_step == 0
        self.same_window = self.window == order.before_in_direction(self.window, carried.window)
        self.own_flags = order.before_in_direction(self.flags, carried.flags)

    def copies(self) -> dict[int, int]:
        """Row of the batch -> row of the capture, for frames that the capture holds again.

        A copy repeats what was sent and acknowledged before, so only such segments are compared with those before
        them, and those that count as sent nowhere. Neither depends on other copies in between.
        """
        order, carried = self.order, self.carried
        fresh = where((order.previous == NOTHING) & (carried.flags[order.slot] == 0))
        carried.highest_ack[order.slot[fresh]] = self.ack[fresh]
        number = differences(self.ack, carried.highest_ack.take(order.slot, mode="clip"))
        initial = np.where(carried.flags.take(order.slot, mode="clip") == 0, NEVER, 0)
        acked_before, acked = order.highest_before(number, initial)
        last = order.last
        carried.highest_ack[order.slot[last]] += acked[last].astype(np.uint32)
        repeats = self.have & (self.start < self.highest) & (self.end > self.start)
        repeats |= (self.end == self.start) & (number <= acked_before)
        repeats |= self.passing
        return carried.lately.copies(self.capture_rows[repeats])

    def first_bare_row(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Row of the capture of each segment that is its direction's first and an ACK of at most one byte, or NOWHERE.

        Args:
            positions: (k,) of the segments; so many rows are returned.
        """
        first = (self.order.previous[positions] == NOTHING) & ~self.known[positions]
        first &= self.carried.flags[self.order.slot[positions]] == 0
        bare = first & (self.length[positions] <= 1) & self.plain[positions] & self.acks[positions]
        return np.where(bare, self.first_row + self.capture_rows[positions], NOWHERE)

    def heard(self) -> dict[int, int]:
        """For each probe and reset of the batch, by row: the row of the capture that is the peer's latest segment."""
        order = self.order
        asking = (self.kind == Kind.KEEPALIVE_PROBE) | self.rst
        heard = {}
        for position in where(asking).tolist():
            peer = int(order.peer[position])
            slot = int(order.peer_slot[position])
            if peer != NOTHING:
                heard[int(self.capture_rows[position])] = self.first_row + int(self.capture_rows[peer])
            elif self.carried.flags[slot]:
                heard[int(self.capture_rows[position])] = int(self.carried.row[slot])
        return heard

    def carry(self) -> None:
        """Leave the last segment of each direction to the next batch."""
        order, carried, last = self.order, self.carried, self.order.last
        slot = order.slot[last]
        advanced = where(self.advanced)
        # Of several assignments to one slot the last one stays: the latest segment that reached further.
        carried.highest_ns[order.slot[advanced]] = self.time_ns[advanced]
        known = self.including[last] > NEVER
        carried.highest[slot[known]] = self.highest_raw[last[known]]
        before = order.previous[last]
        carried.first_bare_row[slot] = self.first_bare_row(last)
        duplicate_before = np.where(before != NOTHING, self.duplicate[before], carried.duplicates[slot] > 0)
        carried.duplicates[slot] = np.where(self.duplicate[last], 1 + duplicate_before, 0)
        carried.known[slot] |= known
        rows = self.first_row + self.capture_rows
        carried.kind_before[slot] = np.where(before != NOTHING, self.kind[before], carried.kind[slot])
        carried.row_before[slot] = np.where(before != NOTHING, rows[before], carried.row[slot])
        carried.row[slot] = rows[last]
        for name in ("seq", "ack", "window", "flags", "ttl", "time_ns", "kind"):
            getattr(carried, name)[slot] = getattr(self, name)[last]
