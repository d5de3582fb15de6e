"""Which segments a timer may have sent, and what stands around each: found in columns, for one flow or many at once.

Most segments are sent by no timer. What is left for plain Python (waits.py) are the probes, repetitions, segments
behind a pause and late bare ACKs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tcpladder.analysis.columns import BAND, NOTHING, FlowColumns, latest_before
from tcpladder.analysis.delayed import delayed_acks
from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.paths import UNKNOWN_NS, Acks, Outgoing, Paths
from tcpladder.analysis.schedule import MILLISECOND_NS, RTO_MIN_NS
from tcpladder.flows.seqnum import differences
from tcpladder.wire.segments import Flag

LOST_BEFORE_NS = RTO_MIN_NS - 10 * MILLISECOND_NS
"""A segment that follows a pause of a timer's length may be the repetition of one that was lost before the capture."""
_WATCHED = np.zeros(256, np.bool_)
_WATCHED[[
    Kind.SYN, Kind.SYN_CROSSING, Kind.SYN_DATA, Kind.SYN_RETRANSMISSION, Kind.SYN_ACK,
    Kind.SYN_ACK_RETRANSMISSION, Kind.KEEPALIVE_PROBE,
    Kind.ZERO_WINDOW_PROBE, Kind.RST, Kind.RETRANSMISSION, Kind.SPURIOUS_RETRANSMISSION, Kind.OUT_OF_ORDER,
    Kind.FAST_RETRANSMISSION,
]] = True  # fmt: skip
_UNBELIEVABLE = np.zeros(256, np.bool_)
_UNBELIEVABLE[[Kind.MALFORMED, Kind.CUT_SHORT, Kind.ICMP_ERROR]] = True
_FRESH = np.zeros(256, np.bool_)
_FRESH[[Kind.DATA, Kind.WINDOW_FULL, Kind.FIN]] = True
_ORDERING = ("ip_id", "has_timestamps", "tsval")
"""What tells the order in which an end sent."""
_DOUBTED = np.zeros(256, np.bool_)
_DOUBTED[[
    Kind.KEEPALIVE_PROBE, Kind.RETRANSMISSION, Kind.SPURIOUS_RETRANSMISSION, Kind.OUT_OF_ORDER,
    Kind.FAST_RETRANSMISSION,
]] = True  # fmt: skip
"""What a segment looks like that others overtook; such a keepalive probe is none."""
MOST_LOST = 64
OVERTAKING = 16
"""Segments of the flow among which the newest datagram of an end is looked for; so many of an end's may have overtaken
one."""
LOOK_BACK = 64
"""How many segments before one are looked at for what its end sent before."""
NEAR_ID = 64
"""IP identifications this near each other are counted by one end; some stacks roll dice for theirs."""
_ACK = int(Flag.ACK)
_OPENING = frozenset(map(int, (Kind.SYN, Kind.SYN_CROSSING, Kind.SYN_DATA, Kind.SYN_ACK)))
_SIDES = (True, False)
"""The client first, as everywhere."""


class Candidate(NamedTuple):
    """A segment that a timer may have sent. Indices are those of its flow, NOTHING where there is no such segment."""

    at: int
    kind: int
    from_client: bool
    round_trip_ns: int
    """The shortest round trip that the flow has shown by then; 0 for none."""
    loop_ns: int
    """The shortest loop from the capture point to its sender and back, likewise."""
    sent_before: int
    """Its sender's segment before that took up sequence numbers, repetitions included."""
    highest: int
    """Relative number behind everything that its sender had sent by then."""
    acked: int
    """How far the peer had acknowledged by then, relative; -1 where that is unknown."""
    lost: int
    """Datagrams of its sender that are missing right before it, as the IP identification counts them."""
    overtaken: bool
    """Whether the network delivered it late: its datagram was sent before that of `sent_before`."""
    overtaken_by_any: bool
    """Whether its end sent one of the few segments before it later, as IP identification, timestamp or acknowledgment
    number show; asked only of repetitions."""
    latest_of_client: int
    """The client's last segment before this one."""
    latest_of_server: int
    heard_by_client: int
    """The last segment before this one that refreshes the client's keepalive clock."""
    heard_by_server: int


class Late(NamedTuple):
    """A bare ACK that the delayed ACK timer sent."""

    at: int
    from_client: bool
    armed: int


class Around(NamedTuple):
    """What each end did last."""

    latest_of_client: int
    latest_of_server: int
    heard_by_client: int
    heard_by_server: int


@dataclass(frozen=True, slots=True)
class FlowCandidates:
    """What was found in the new segments of one flow."""

    found: Sequence[Candidate]
    late: Sequence[Late]
    last: Around
    """As a segment behind all of them would find it."""
    outgoing: Callable[[], Mapping[bool, Outgoing]]
    """What both ends have sent so far."""

    @property
    def may_wait(self) -> bool:
        """Whether a timer may have sent anything: not where there is but the opening of a connection."""
        return bool(self.late) or any(one.kind not in _OPENING for one in self.found)


class CandidateReader:
    """Reads the segments of some columns: those of one growing flow in pieces, those of many flows once.

    Args:
        columns: what to read.
        delayed: whether the delayed ACKs are looked for.
    """

    def __init__(self, columns: FlowColumns, *, delayed: bool = True) -> None:
        self._columns = columns
        self._delayed = delayed
        self._paths = Paths(columns)
        self._last = Around(NOTHING, NOTHING, NOTHING, NOTHING)

    def read(self, begin: int) -> Iterator[FlowCandidates]:
        """The candidates among the segments from `begin` on: one element a flow."""
        columns, begins = self._columns, self._columns.begins
        acks = self._paths.extend(begin)
        spoke = self._spoke(begin)
        watched = _WATCHED.take(columns.kind[begin:])
        behind_losses, lost = self._behind_losses(begin, spoke)
        watched[behind_losses - begin] = True
        at = np.flatnonzero(watched) + begin
        missing = np.zeros(len(at), np.int64)
        missing[np.searchsorted(at, behind_losses)] = lost
        start = begins[columns.flow_of(at)]
        own = at - start, columns.kind[at], columns.from_client[at]
        around = self._around(spoke, at, start)
        before, highest, acked = self._sent(at, start, acks)
        latest = np.where(columns.from_client[at], around[0], around[1])
        overtaken = self._overtaken(at, [np.where(b >= 0, b + start, NOTHING) for b in (before, latest)])
        late = overtaken.pop()
        overtaken.append(self._overtaken_by_any(at, start))
        sent = (*self._loops(at), before, highest, acked, missing, *overtaken)
        likely = self._likely(at, np.where(latest >= 0, latest + start, NOTHING), late | overtaken[-1])
        at = at[likely]
        found = list(map(Candidate, *(column[likely].tolist() for column in (*own, *sent, *around))))
        ends = np.append(begins[1:], len(columns))
        lasts = [column.tolist() for column in self._around(spoke, ends, begins)]
        late_flow, late_acks = self._late(acks)
        bounds = np.searchsorted(at, np.append(begins, len(columns))).tolist()
        late_bounds = np.searchsorted(late_flow, np.arange(columns.flows + 1)).tolist()
        for number, last in enumerate(map(Around, *lasts)):
            yield FlowCandidates(
                found=found[bounds[number] : bounds[number + 1]],
                late=late_acks[late_bounds[number] : late_bounds[number + 1]],
                last=last,
                outgoing=partial(self._paths.of, number),
            )
            self._last = last

    def _spoke(self, begin: int) -> tuple[NDArray[np.int64], ...]:
        """For each field of Around, the indices from `begin` on that it may name, ascending."""
        kind, from_client = self._columns.kind[begin:], self._columns.from_client[begin:]
        believable = ~_UNBELIEVABLE[kind]
        refreshing = believable & (kind != Kind.KEEPALIVE_PROBE)
        client, server = believable & from_client, believable & ~from_client
        for_client, for_server = refreshing & ~from_client, refreshing & from_client
        return tuple(np.flatnonzero(c) + begin for c in (client, server, for_client, for_server))

    def _around(
        self, spoke: Sequence[NDArray[np.int64]], at: NDArray[np.int64], start: NDArray[np.int64]
    ) -> list[NDArray[np.int64]]:
        """The fields of Around, each (k,), before some segments whose flows begin at `start`."""
        return [
            latest_before(at, indices, start, carried)
            for indices, carried in zip(spoke, self._last, strict=True)
        ]

    def _loops(self, at: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """`round_trip_ns` and `loop_ns` of the segments at some indices."""
        loops_ns = [self._paths.loop[client].at_each(at) for client in _SIDES]
        client_ns, server_ns = (np.where(loop_ns < UNKNOWN_NS, loop_ns, 0) for loop_ns in loops_ns)
        return client_ns + server_ns, np.where(self._columns.from_client[at], client_ns, server_ns)

    def _sent(
        self, at: NDArray[np.int64], start: NDArray[np.int64], acks: Mapping[bool, Acks]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """`sent_before`, `highest` and `acked` of the segments at some indices, whose flows begin at `start`."""
        columns = self._columns
        flow, by_client = columns.flow_of(at), columns.from_client[at]
        before, highest, acked = np.full((3, len(at)), NOTHING)
        peer_ack, known = (columns.values(name, at) for name in ("peer_ack", "peer_ack_known"))
        for client, direction in self._paths.sent.items():
            own = np.flatnonzero(by_client == client)
            place = np.searchsorted(direction.index.values, at[own]) - 1
            before[own] = np.append(direction.index.values, NOTHING)[place] - start[own]
            highest[own] = np.append(direction.end.values, NOTHING)[place] - flow[own] * BAND
            reached = acks[not client].until(at[own], flow[own]) - flow[own] * BAND
            said = np.where(known[own], peer_ack[own] - direction.base[flow[own]], NOTHING)
            acked[own] = np.where(reached >= 0, reached, said)
        before[before < 0] = NOTHING
        return before, highest, acked

    def _overtaken(
        self, at: NDArray[np.int64], ahead: Sequence[NDArray[np.int64]]
    ) -> list[NDArray[np.bool_]]:
        """Whether each of some segments was sent before each of those ahead of it, by IP id or timestamp."""
        own = [self._columns.values(name, at) for name in _ORDERING]
        found = []
        for before in ahead:
            other = [self._columns.values(name, np.maximum(before, 0)) for name in _ORDERING]
            by_id = (own[0] - other[0]) % (1 << 16) > 1 << 15
            by_timestamp = own[1] & other[1] & ((own[2] - other[2]).astype(np.int32) < 0)
            counted = (own[0] > 0) & (other[0] > 0)
            found.append((before != NOTHING) & np.where(counted, by_id, by_timestamp))
        return found

    def _overtaken_by_any(self, at: NDArray[np.int64], start: NDArray[np.int64]) -> NDArray[np.bool_]:
        """`overtaken_by_any` of the segments at some ascending indices, whose flows begin at `start`."""
        columns = self._columns
        found = np.zeros(len(at), np.bool_)
        doubted = np.flatnonzero(_DOUBTED[columns.kind[at]])
        if not len(doubted):
            return found
        first = max(int(at[doubted[0]]) - LOOK_BACK, 0)
        from_client = columns.from_client[first : at[doubted[-1]]]
        for client in _SIDES:
            rows = doubted[columns.from_client[at[doubted]] == client]
            index, oldest = at[rows, None], np.maximum(start[rows], at[rows] - LOOK_BACK + 1)[:, None]
            own = np.append(np.flatnonzero(from_client == client) + first, NOTHING)
            places = np.searchsorted(own[:-1], index) - np.arange(1, OVERTAKING + 1)
            before = own[np.maximum(places, NOTHING)]
            found[rows] = ((before >= oldest) & self._is_newer(before, index)).any(1)
        return found

    def _is_newer(self, before: NDArray[np.int64], index: NDArray[np.int64]) -> NDArray[np.bool_]:
        """(k, OVERTAKING) whether segments `before`, so many of the same end, were sent behind the (k, 1) others.

        Where there is none, at NOTHING, the answer means nothing.
        """
        columns = self._columns
        own = [columns.values(name, index[:, 0])[:, None] for name in _ORDERING]
        places = np.maximum(before, 0)
        other = [columns.values(name, places.ravel()).reshape(places.shape) for name in _ORDERING]
        ahead = (other[0] - own[0]) % (1 << 16)
        newer: NDArray[np.bool_] = (own[0] > 0) & (other[0] > 0) & (ahead > 0) & (ahead < NEAR_ID)
        newer |= own[1] & other[1] & (differences(other[2], own[2]) > 0)
        both = columns.flags[places] & columns.flags[index] & _ACK != 0
        newer |= both & (differences(columns.ack[places], columns.ack[index]) > 0)
        return newer

    def _likely(
        self, at: NDArray[np.int64], latest: NDArray[np.int64], overtaken: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        """Which of some segments a timer may have sent after all, behind the `latest` of their ends."""
        kind, flags = self._columns.kind[at], self._columns.flags[at]
        asked = (latest != NOTHING) & (self._columns.kind[latest] == Kind.KEEPALIVE_PROBE)
        # An ACK that others overtook looks like a probe; a RST of keepalive has an ACK, and stands behind a probe.
        unlikely = (kind == Kind.KEEPALIVE_PROBE) & overtaken
        unlikely |= (kind == Kind.RST) & ~(asked & (flags & _ACK != 0))
        likely: NDArray[np.bool_] = ~unlikely
        return likely

    def _behind_losses(
        self, begin: int, spoke: Sequence[NDArray[np.int64]]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The segments behind a pause as long as a retransmission timer and a few lost datagrams, and how many.

        The IP identification of an end counts its datagrams; it is 0 or negative where there is none.
        """
        columns = self._columns
        at = self._after_pauses(begin)
        start = columns.begins[columns.flow_of(at)]
        by_client, by_server, *_ = self._around(spoke, at, start)
        before = np.where(columns.from_client[at], by_client, by_server)
        at, start, before = at[before != NOTHING], start[before != NOTHING], before[before != NOTHING]
        own = columns.values("ip_id", at)
        lost = np.full(len(at), MOST_LOST)
        for _ in range(OVERTAKING):
            # The newest of the few datagrams before: others may have overtaken it. Most segments end this at once.
            place = np.maximum(before, 0) + start
            ahead = columns.values("ip_id", place)
            counted = (before >= 0) & (columns.from_client[place] == columns.from_client[at])
            counted &= (own > 0) & (ahead > 0)
            missing = np.where(counted, (own - ahead - 1) % (1 << 16), MOST_LOST)
            lost = np.minimum(lost, missing)
            some = (lost > 0) & (lost < MOST_LOST)
            at, start, own, lost = at[some], start[some], own[some], lost[some]
            before = before[some] - 1
        return at, lost

    def _after_pauses(self, begin: int) -> NDArray[np.int64]:
        """The segments that take up numbers for the first time and follow a pause as long as an RTO, ascending."""
        columns, found = self._columns, []
        for direction in self._paths.sent.values():
            index = direction.index.values
            first = max(int(np.searchsorted(index, begin)), 1)
            paused = np.flatnonzero(np.diff(direction.sent_ns.values[first - 1 :]) >= LOST_BEFORE_NS) + first
            at, before = index[paused], index[paused - 1]
            found.append(at[(columns.flow_of(at) == columns.flow_of(before)) & _FRESH[columns.kind[at]]])
        return np.sort(np.concatenate(found))

    def _late(self, acks: Mapping[bool, Acks]) -> tuple[NDArray[np.int64], list[Late]]:
        """The delayed ACKs in order, and the flow of each."""
        columns, begins = self._columns, self._columns.begins
        armed = {
            (index, client): armed
            for client in (_SIDES if self._delayed else ())
            for index, armed in delayed_acks(columns, self._paths, acks[client], client).items()
        }
        ordered = sorted(armed)
        flow = columns.flow_of(np.array([index for index, _ in ordered], np.int64))
        starts = begins[flow].tolist()
        late = [
            Late(index - start, client, armed[index, client] - start)
            for (index, client), start in zip(ordered, starts, strict=True)
        ]
        return flow, late
