"""How long a segment takes from the capture point to one end and back, as the flow itself shows it.

A capture point beside an end has a loop of microseconds to it and of the whole round trip to the other one. Timers run
at the ends, so everything that an end does is placed at its own clock with these loops. Read in columns, for one flow
that grows or for many at once; `of` gives what is known of one.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tcpladder.analysis.columns import BAND, FlowColumns, before_each, first_of_each, running_max
from tcpladder.analysis.growing import Growing
from tcpladder.analysis.kinds import RETRANSMISSIONS, Kind
from tcpladder.wire.segments import Flag

UNKNOWN_NS = BAND >> 1
"""Longer than every loop: 18 minutes."""
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
_SYN, _FIN, _RST, _ACK = int(Flag.SYN), int(Flag.FIN), int(Flag.RST), int(Flag.ACK)


@dataclass(frozen=True, slots=True)
class Acks:
    """The ACKs of one side that differ from the one before it, m of them."""

    index: NDArray[np.int64]
    flow: NDArray[np.int64]
    number: NDArray[np.int64]
    """How far each acknowledges, relative, in the band of its flow."""
    before: NDArray[np.int64]
    """How far its end had acknowledged before, likewise; one below the band for not at all."""
    carried: NDArray[np.int64]
    """By flow, the same before the first of them."""

    def until(self, at: NDArray[np.int64], flow: NDArray[np.int64]) -> NDArray[np.int64]:
        """(k,) how far the side had acknowledged before each of some segments, in the band of their flows."""
        place = np.searchsorted(self.index, at) - 1
        none = self.carried[flow]
        if not len(self.index):
            return none
        reached = np.maximum(self.number, self.before)[place]
        return np.where((place >= 0) & (self.flow[place] == flow), reached, none)


class Direction:
    """What one side sends: its segments that take up sequence numbers."""

    def __init__(self, columns: FlowColumns) -> None:
        flows = columns.flows
        self.end: Growing[np.int64] = Growing(np.int64)
        """Behind the last number of each, relative, in the band of its flow; never falling."""
        self.sent_ns: Growing[np.int64] = Growing(np.int64)
        self.index: Growing[np.int64] = Growing(np.int64)
        self.base = np.zeros(flows, np.uint32)
        """By flow: the raw number that relative ones count from."""
        self.first = np.full(flows, np.iinfo(np.int64).max)
        """By flow: index of the first of them."""
        self._highest = columns.bands() - 1

    def take(self, columns: FlowColumns, indices: NDArray[np.int64]) -> None:
        """Note more segments."""
        flow, seq = columns.flow_of(indices), columns.seq[indices]
        begins = first_of_each(flow)
        fresh = begins[self.first[flow[begins]] > indices[begins]]
        self.base[flow[fresh]], self.first[flow[fresh]] = seq[fresh], indices[fresh]
        end = (seq - self.base[flow]).astype(np.int64)
        end += flow * BAND
        end += columns.length[indices]
        flags = columns.flags[indices]
        end += flags & _SYN != 0
        end += flags & _FIN != 0
        highest = running_max(end, begins, self._highest[flow[begins]])
        self._highest[flow] = highest
        self.end.extend(highest)
        self.sent_ns.extend(columns.time_ns[indices])
        self.index.extend(indices)


class Loop:
    """From the capture point to one side and back: the shortest seen so far, and from which segment on it is known."""

    def __init__(self, columns: FlowColumns) -> None:
        self._columns = columns
        flows = columns.flows
        self._shortest = UNKNOWN_NS - columns.bands()
        """By flow, below the one before it: a running minimum of all flows falls at each."""
        self.since: Growing[np.int64] = Growing(np.int64)
        """Index of each segment that showed a shorter loop than all before in its flow."""
        self.shortest_ns: Growing[np.int64] = Growing(np.int64)
        """What it showed."""
        self.samples = np.zeros(flows, np.int64)
        self.excess_ns = np.zeros(flows, np.int64)
        """Of all samples together over the shortest loop known then, delayed ACKs left out."""
        self._timed: Growing[np.int64] = Growing(np.int64)
        """Index of each segment that timed the loop."""
        self._smeared: Growing[np.int64] = Growing(np.int64)
        """How many of them so far took longer than the shortest by more than a host's jitter and less than a timer."""

    def add(self, indices: NDArray[np.int64], loop_ns: NDArray[np.int64]) -> None:
        """Take more timings in, in order."""
        flow = self._columns.flow_of(indices)
        banded = loop_ns - flow * BAND
        begins = first_of_each(flow)
        before = self._shortest[flow[begins]]
        lowest = -running_max(-banded, begins, -before)
        falls = lowest < before_each(lowest, begins, before)
        self._shortest[flow] = lowest
        self.since.extend(indices[falls])
        self.shortest_ns.extend(loop_ns[falls])
        excess_ns = banded - lowest
        immediate = excess_ns < DELAYED_NS
        flows = len(self.samples)
        self.samples += np.bincount(flow[immediate], minlength=flows)
        self.excess_ns += np.bincount(flow[immediate], excess_ns[immediate], flows).astype(np.int64)
        smeared = int(self._smeared.values[-1]) if len(self._smeared) else 0
        self._timed.extend(indices)
        self._smeared.extend(smeared + np.cumsum(immediate & (excess_ns > SMEAR_NS)))

    def is_smeared(self, indices: NDArray[np.int64]) -> NDArray[np.bool_]:
        """(m,) whether, up to each segment, the path delays so unevenly that a short timer cannot be told from it."""
        begins = self._columns.begins[self._columns.flow_of(indices)]
        first, place = (np.searchsorted(self._timed.values, at, "right") for at in (begins - 1, indices))
        smeared = np.concatenate([[0], self._smeared.values])
        uneven: NDArray[np.bool_] = (smeared[place] - smeared[first]) * SMEARED_SHARE > place - first
        return uneven

    def at_each(self, indices: NDArray[np.int64]) -> NDArray[np.int64]:
        """(m,) the shortest loop that the segments up to each show, in ns; UNKNOWN_NS before the first."""
        place = np.searchsorted(self.since.values, indices, "right") - 1
        since = np.append(self.since.values, -1)[place]
        known = since >= self._columns.begins[self._columns.flow_of(indices)]
        return np.where(known, np.append(self.shortest_ns.values, UNKNOWN_NS)[place], UNKNOWN_NS)


class Outgoing:
    """What one end of a flow has sent, and the loop to it. Indices are the flow's own.

    Args:
        direction, loop: of all flows.
        flow, begin: which of them, and index of its first segment.
        own, timed: where the flow stands in the columns of `direction` and `loop`.
        acked: how far it has acknowledged its peer, relative; -1 for not at all.
    """

    __slots__ = ("_begin", "_direction", "_flow", "_jitter_ns", "_loop", "_own", "_timed", "acked")

    def __init__(
        self,
        direction: Direction,
        loop: Loop,
        flow: int,
        begin: int,
        own: tuple[int, int],
        timed: tuple[int, int],
        acked: int,
    ) -> None:
        self._direction, self._loop, self._flow, self._begin = direction, loop, flow, begin
        self._own, self._timed, self.acked = own, timed, acked
        self._jitter_ns: int | None = None

    def __len__(self) -> int:
        """Segments that take up numbers."""
        return self._own[1] - self._own[0]

    def end(self, place: int) -> int:
        """Behind the last number of a segment and all before it, relative; places count from 0."""
        end: int = self._direction.end.item(self._own[0] + place)
        return end - self._flow * BAND

    def index(self, place: int) -> int:
        """Index of such a segment."""
        index: int = self._direction.index.item(self._own[0] + place)
        return index - self._begin

    def before(self, index: int) -> int:
        """Place of its last such segment before one of the flow; -1 where there is none."""
        first, end = self._own
        return bisect_left(self._direction.index.values, index + self._begin, first, end) - 1 - first

    def after(self, acked: int) -> int:
        """Place of the first of them that reaches beyond a relative number; their count where none does."""
        first, end = self._own
        banded = acked + self._flow * BAND
        return bisect_right(self._direction.end.values, banded, first, end) - first

    def relative(self, raw: int) -> int:
        """A raw number that it sends, relative to its first one; 0 where it has sent none."""
        return (raw - int(self._direction.base[self._flow])) % (1 << 32) if len(self) else 0

    def raw(self, relative: int) -> int:
        """The raw number of a relative one."""
        return (relative + int(self._direction.base[self._flow])) % (1 << 32)

    def loop_ns(self, index: int) -> int | None:
        """The shortest loop that the segments up to `index` show; None before the first."""
        first, end = self._timed
        place = bisect_right(self._loop.since.values, index + self._begin, first, end) - 1
        loop_ns: int | None = self._loop.shortest_ns.item(place) if place >= first else None
        return loop_ns

    @property
    def is_beside(self) -> bool:
        """Whether the capture point is beside the end, as far as the flow shows."""
        first, end = self._timed
        return first < end and int(self._loop.shortest_ns.item(end - 1)) < BESIDE_NS

    @property
    def jitter_ns(self) -> int:
        """By how much the loop to it varies: twice the mean excess; 0 where the capture point is beside the end."""
        if self._jitter_ns is None:
            samples = int(self._loop.samples[self._flow])
            far = samples and not self.is_beside
            self._jitter_ns = 2 * int(self._loop.excess_ns[self._flow]) // samples if far else 0
        return self._jitter_ns


class Paths:
    """Both directions of every flow of some columns. Keyed by whether the end is the client."""

    def __init__(self, columns: FlowColumns) -> None:
        self._columns = columns
        self.sent = {client: Direction(columns) for client in (True, False)}
        self.loop = {client: Loop(columns) for client in (True, False)}
        """Keyed by the end that answers."""
        self._acked = {client: columns.bands() - 1 for client in (True, False)}
        self._bounds: dict[bool, list[list[int]]] = {}
        """By side, where each flow begins in the columns of Direction and Loop; empty until somebody asks."""

    def extend(self, begin: int) -> dict[bool, Acks]:
        """Read the segments from `begin` on; returns what each side acknowledges in them."""
        columns = self._columns
        self._bounds = {}
        flags, from_client = columns.flags[begin:], columns.from_client[begin:]
        carries = (columns.length[begin:] > 0) | (flags & _CONTROL != 0)
        carries &= flags & _RST == 0
        acknowledges = flags & (_ACK | _RST) == _ACK
        sides = {True: from_client, False: ~from_client}
        for client, own in sides.items():
            indices = np.flatnonzero(carries & own) + begin
            if len(indices):
                self.sent[client].take(columns, indices)
        return {
            c: self._acknowledge(np.flatnonzero(acknowledges & own) + begin, c) for c, own in sides.items()
        }

    def of(self, flow: int) -> dict[bool, Outgoing]:
        """What is known of both ends of a flow."""
        if not self._bounds:
            bounds = np.append(self._columns.begins, len(self._columns))
            for client in (True, False):
                sorted_by_flow = self.sent[client].index, self.loop[client].since
                self._bounds[client] = [np.searchsorted(s.values, bounds).tolist() for s in sorted_by_flow]
        begin, ends = int(self._columns.begins[flow]), {}
        for client, (own, timed) in self._bounds.items():
            ends[client] = Outgoing(
                self.sent[client],
                self.loop[client],
                flow,
                begin,
                (own[flow], own[flow + 1]),
                (timed[flow], timed[flow + 1]),
                int(self._acked[client][flow]) - flow * BAND,
            )
        return ends

    def _acknowledge(self, indices: NDArray[np.int64], client: bool) -> Acks:
        """Time the ACKs of one side that reach further than all before, against the segment that they acknowledge."""
        columns, peer = self._columns, self.sent[not client]
        raw = columns.ack[indices]
        # What is acknowledged before it is seen says nothing of the numbers that come; what is repeated, nothing new.
        news = np.ones(len(raw), np.bool_)
        np.not_equal(raw[1:], raw[:-1], out=news[1:])
        first_seen = np.searchsorted(indices, peer.first, "right")
        news[first_seen[first_seen < len(raw)]] = True
        indices, raw = indices[news], raw[news]
        flow = columns.flow_of(indices)
        seen = indices > peer.first[flow]
        indices, flow, raw = indices[seen], flow[seen], raw[seen]
        number = (raw - peer.base[flow]).astype(np.int64) + flow * BAND
        begins = first_of_each(flow)
        carried = self._acked[client].copy()
        acked = carried[flow[begins]]
        including = running_max(number, begins, acked)
        before = before_each(including, begins, acked)
        self._acked[client][flow] = including
        further = number > before
        self._time(indices[further], number[further], client)
        return Acks(indices, flow, number, before, carried)

    def _time(self, indices: NDArray[np.int64], number: NDArray[np.int64], client: bool) -> None:
        columns, peer = self._columns, self.sent[not client]
        if not len(indices):
            return
        place = np.minimum(np.searchsorted(peer.end.values, number, "left"), len(peer.end) - 1)
        sent_at = peer.index.values[place]
        loop_ns = columns.time_ns[indices] - columns.time_ns[sent_at]
        fair = (peer.end.values[place] == number) & _FRESH[columns.kind[sent_at]] & (sent_at < indices)
        fair &= (loop_ns >= 0) & (loop_ns < UNKNOWN_NS)
        fair &= ~self._repeated_since(peer, place, indices)
        self.loop[client].add(indices[fair], loop_ns[fair])

    def _repeated_since(
        self, peer: Direction, place: NDArray[np.int64], until: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """Whether the peer's next segment that takes up numbers, if sent before the ACK, was a repetition."""
        following = np.minimum(place + 1, len(peer.index) - 1)
        at = peer.index.values[following]
        repeated: NDArray[np.bool_] = (at < until) & (following != place) & _AGAIN[self._columns.kind[at]]
        return repeated
