"""How long a segment takes from the capture point to one end and back, as the flow itself shows it.

A capture point beside an end has a loop of microseconds to it and of the whole round trip to the other one. Timers run
at the ends, so everything that an end does is placed at its own clock with these loops.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tcpladder.analysis.columns import FlowColumns
from tcpladder.analysis.growing import Growing
from tcpladder.analysis.kinds import RETRANSMISSIONS, Kind
from tcpladder.wire.segments import Flag

UNKNOWN_NS = 1 << 62
SMEAR_NS = 3_000_000
"""A loop that is longer than the shortest by more than this is no host's jitter."""
SMEARED_SHARE = 8
"""From one such loop in so many on, the path is uneven."""
BESIDE_NS = 1_000_000
"""A capture point with a shorter loop than this sees the end's own timers."""
DELAYED_NS = 30_000_000
"""An ACK that takes so much longer than the shortest loop was delayed by its sender, not by the path."""
_FRESH = np.zeros(256, np.bool_)
_FRESH[
    [
        Kind.SYN,
        Kind.SYN_CROSSING,
        Kind.SYN_DATA,
        Kind.SYN_ACK,
        Kind.DATA,
        Kind.AFTER_HOLE,
        Kind.WINDOW_FULL,
        Kind.FIN,
    ]
] = True
"""Kinds that send sequence numbers for the first time: an ACK of one times the path (Karn's rule, RFC 6298 3)."""
_AGAIN = np.zeros(256, np.bool_)
_AGAIN[[int(k) for k in RETRANSMISSIONS]] = True
_CONTROL = int(Flag.SYN | Flag.FIN)


@dataclass(slots=True)
class Direction:
    """What one end sends, and the loop to its peer."""

    end: Growing[np.int64] = field(default_factory=lambda: Growing(np.int64))
    """Behind the last sequence number of each of its segments that take up any, relative; never falling."""
    sent_ns: Growing[np.int64] = field(default_factory=lambda: Growing(np.int64))
    index: Growing[np.int64] = field(default_factory=lambda: Growing(np.int64))
    """Index in the flow of each of those segments."""
    base: int | None = None
    """The raw number that relative ones count from."""


@dataclass(slots=True)
class Loop:
    """From the capture point to an end and back: the shortest seen so far, and from which segment on it is known."""

    since: list[int] = field(default_factory=list)
    shortest_ns: list[int] = field(default_factory=list)
    samples: int = 0
    excess_ns: int = 0
    """Of all samples together over the shortest loop known then, delayed ACKs left out."""

    @property
    def jitter_ns(self) -> int:
        """By how much the loop varies: twice the mean excess; 0 where the capture point is beside the end."""
        if not self.samples or self.shortest_ns[-1] < BESIDE_NS:
            return 0
        return 2 * self.excess_ns // self.samples

    timed: Growing[np.int64] = field(default_factory=lambda: Growing(np.int64))
    """Index of each segment that timed the loop."""
    smeared: Growing[np.int64] = field(default_factory=lambda: Growing(np.int64))
    """How many of them so far took longer than the shortest by more than a host's jitter and less than a timer."""

    def add(self, indices: NDArray[np.int64], loop_ns: NDArray[np.int64]) -> None:
        """Take more timings in, in order."""
        shortest = self.shortest_ns[-1] if self.shortest_ns else UNKNOWN_NS
        running = np.minimum.accumulate(np.concatenate([[shortest], loop_ns]))
        for at in np.flatnonzero(running[1:] < running[:-1]).tolist():
            self.since.append(int(indices[at]))
            self.shortest_ns.append(int(running[at + 1]))
        excess_ns = loop_ns - running[1:]
        immediate = excess_ns < DELAYED_NS
        self.samples += int(immediate.sum())
        self.excess_ns += int(excess_ns[immediate].sum())
        before = int(self.smeared.values[-1]) if len(self.smeared) else 0
        self.timed.extend(indices)
        self.smeared.extend(before + np.cumsum(immediate & (excess_ns > SMEAR_NS)))

    def is_smeared(self, indices: NDArray[np.int64]) -> NDArray[np.bool_]:
        """(n,) whether, up to each segment, the path delays so unevenly that a short timer cannot be told from it."""
        place = np.searchsorted(self.timed.values, indices, "right")
        smeared = np.concatenate([[0], self.smeared.values])[place]
        uneven: NDArray[np.bool_] = smeared * SMEARED_SHARE > place
        return uneven

    def at(self, index: int) -> int | None:
        """The shortest loop that the segments up to `index` show; None before the first."""
        place = bisect_right(self.since, index) - 1
        return None if place < 0 else self.shortest_ns[place]

    def at_each(self, indices: NDArray[np.int64]) -> NDArray[np.int64]:
        """`at` for many: (n,) with UNKNOWN_NS before the first."""
        place = np.searchsorted(np.array(self.since, np.int64), indices, "right") - 1
        known = np.array([*self.shortest_ns, UNKNOWN_NS], np.int64)
        return known[place]


class Paths:
    """Both directions of a flow."""

    def __init__(self) -> None:
        # By whether the sender is the client.
        self.sent = {True: Direction(), False: Direction()}
        self.loop = {True: Loop(), False: Loop()}
        """Keyed by the end that answers."""
        self.acked: dict[bool, int] = {True: -1, False: -1}
        """How far each end had acknowledged its peer, relative; -1 for not at all."""

    def extend(self, columns: FlowColumns, begin: int) -> None:
        """Read the segments from `begin` on."""
        for client in (True, False):
            self._send(columns, begin, client)
        for client in (True, False):
            self._acknowledge(columns, begin, client)

    def relative(self, client: bool, raw: int) -> int:
        """A raw number of the direction that the client (or the server) sends, relative to its first one."""
        base = self.sent[client].base
        return 0 if base is None else (raw - base) % (1 << 32)

    def _send(self, columns: FlowColumns, begin: int, client: bool) -> None:
        """Note the segments that take up sequence numbers."""
        direction = self.sent[client]
        own = columns.from_client[begin:] == client
        carries = own & ((columns.length[begin:] > 0) | (columns.flags[begin:] & _CONTROL != 0))
        carries &= columns.flags[begin:] & Flag.RST == 0
        indices = np.flatnonzero(carries) + begin
        if not len(indices):
            return
        if direction.base is None:
            direction.base = int(columns.seq[indices[0]])
        start = (columns.seq[indices] - np.uint32(direction.base)).astype(np.int64)
        flags = columns.flags[indices]
        end = start + columns.length[indices] + (flags & Flag.SYN != 0) + (flags & Flag.FIN != 0)
        highest = int(direction.end.values[-1]) if len(direction.end) else -1
        direction.end.extend(np.maximum.accumulate(np.maximum(end, highest)))
        direction.sent_ns.extend(columns.time_ns[indices])
        direction.index.extend(indices)

    def _acknowledge(self, columns: FlowColumns, begin: int, client: bool) -> None:
        """Time the ACKs of one end that reach further than all before, against the segment that they acknowledge."""
        peer = self.sent[not client]
        if peer.base is None:
            return
        acks = (columns.from_client[begin:] == client) & (columns.flags[begin:] & Flag.ACK != 0)
        acks &= columns.flags[begin:] & Flag.RST == 0
        indices = np.flatnonzero(acks) + begin
        # What is acknowledged before it is seen says nothing of the numbers that come.
        indices = indices[indices > peer.index.values[0]]
        if not len(indices):
            return
        number = (columns.ack[indices] - np.uint32(peer.base)).astype(np.int64)
        before = np.maximum.accumulate(np.concatenate([[self.acked[client]], number]))
        self.acked[client] = int(before[-1])
        place = np.searchsorted(peer.end.values, number, "left")
        within = np.minimum(place, len(peer.end) - 1)
        exact = (number > before[:-1]) & (place < len(peer.end)) & (peer.end.values[within] == number)
        rows = np.flatnonzero(exact)
        sent_at = peer.index.values[within[rows]]
        loop_ns = columns.time_ns[indices[rows]] - columns.time_ns[sent_at]
        fair = _FRESH[columns.kind[sent_at]] & (sent_at < indices[rows]) & (loop_ns >= 0)
        fair &= ~self._repeated_since(columns, peer, within[rows], indices[rows])
        self.loop[client].add(indices[rows][fair], loop_ns[fair])

    @staticmethod
    def _repeated_since(
        columns: FlowColumns, peer: Direction, place: NDArray[np.int64], until: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """Whether the peer's next segment that takes up numbers, if sent before the ACK, was a repetition."""
        following = np.minimum(place + 1, len(peer.index) - 1)
        at = peer.index.values[following]
        repeated: NDArray[np.bool_] = (at < until) & (following != place) & _AGAIN[columns.kind[at]]
        return repeated
