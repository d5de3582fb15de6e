"""The life of each flow: the TCP state of its ends, what was counted, how it began and how it ended.

Reads only the segments that can change a state; the counts are made from whole columns.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from tcpladder.analysis.classified import Classified
from tcpladder.analysis.kinds import RETRANSMISSIONS, Kind
from tcpladder.analysis.view import SIDES, Side
from tcpladder.flows.seqnum import advance, difference
from tcpladder.flows.state import Event, TcpState, after
from tcpladder.flows.table import Assigned
from tcpladder.wire.segments import Flag, Segments, State

# Plain integers: `&` on an IntFlag makes an object, and this file does it for every segment that it walks.
FIN, SYN, RST, ACK = int(Flag.FIN), int(Flag.SYN), int(Flag.RST), int(Flag.ACK)
SHORTEST_INTVL_NS = 400_000_000
"""A RST sooner than this after a probe is another matter: no stack counts keepalive intervals below half a second."""
_AGAIN = np.zeros(256, np.bool_)
_AGAIN[[int(k) for k in RETRANSMISSIONS]] = True
_SHUT = (TcpState.CLOSED, TcpState.TIME_WAIT)
# By names of this module: asking an enum for a member runs Python code before 3.12.
_UNKNOWN, _SYN_RECEIVED, _ESTABLISHED = TcpState.UNKNOWN, TcpState.SYN_RECEIVED, TcpState.ESTABLISHED
_CLIENT, _SERVER = Side.CLIENT, Side.SERVER


class Beginning(Enum):
    """How a flow began, as far as the capture shows."""

    SYN = "syn"
    SYN_ACK = "syn_ack"
    MIDDLE = "middle"


class Ending(Enum):
    """How a flow ended."""

    REFUSED = "refused"
    KEEPALIVE = "keepalive gave up"
    RST_ANSWER = "a RST answered a keepalive probe"
    RST = "reset"
    CLOSED = "closed"
    ICMP = "an ICMP error answered the SYN"


@dataclass(slots=True)
class End:
    """One end of a flow."""

    state: TcpState = TcpState.UNKNOWN
    fin_end: int | None = None
    """The number behind its FIN, which an ACK of the FIN carries."""
    syns: int = 0
    probes: int = 0
    """Keepalive probes in a row that it sent without hearing from its peer."""
    probe_ns: int | None = None
    """When it sent the last one."""
    probe_row: int = 0
    """Row of the capture of the last one."""
    probe_echo: int | None = None
    """The timestamp that it echoed."""
    probe_apart_ns: int | None = None
    """Between its last two unanswered probes."""


@dataclass(slots=True)
class Track:
    """One flow, followed segment by segment."""

    beginning: Beginning
    ends: dict[Side, End] = field(default_factory=lambda: {side: End() for side in SIDES})
    ending: Ending | None = None
    ended_by: Side | None = None
    """Who sent the RST, or the first FIN."""
    icmp: str | None = None
    handshake: bool = False


class Tracker:
    """All flows of a capture. Arrays grow with the number of flows, from room for `flows` on."""

    def __init__(self, *, flows: int = 1024) -> None:
        self._least = flows
        self.tracks: list[Track] = []
        self.segments = np.zeros(0, np.int64)
        self.bytes = np.zeros(0, np.int64)
        self.first_ns = np.zeros(0, np.int64)
        self.last_ns = np.zeros(0, np.int64)
        self.keepalive_probes = np.zeros(0, np.int64)
        self.retransmissions = np.zeros(0, np.int64)
        self.told = np.zeros(0, np.int64)
        """By flow: how often something became known that no segment says."""
        self._has_fin = np.zeros(0, np.bool_)
        """By flow: a FIN was seen, and from there on every segment may matter."""
        self._client_may_open = np.zeros(0, np.bool_)
        """By flow: the client has sent no ACK since the latest SYN-ACK; the next one may open the connection."""
        self._server_may_open = np.zeros(0, np.bool_)
        """The same of the server, for a simultaneous open."""
        self._rows = 0

    def follow(
        self, segments: Segments, assigned: Assigned, classified: Classified, icmp: dict[int, str]
    ) -> None:
        """Take one batch in."""
        if not len(segments):
            return
        flow, known = assigned.flow, len(self.tracks)
        self._grow(int(flow.max()) + 1)
        fresh = np.flatnonzero(flow >= known)
        _, first = np.unique(flow[fresh], return_index=True)
        first_rows = fresh[first]
        self.first_ns[known : known + len(first_rows)] = segments.time_ns[first_rows]
        self.tracks.extend(Track(_beginning(segments, row)) for row in first_rows.tolist())
        self._count(segments, flow, classified)
        self._follow_states(segments, assigned, classified, icmp, first_rows)

    def _count(self, segments: Segments, flow: NDArray[np.int64], classified: Classified) -> None:
        n = len(self.tracks)
        length = segments.length
        if n < 4 * len(flow):
            self.segments[:n] += np.bincount(flow, minlength=n)
            self.bytes[:n] += np.bincount(flow, length, n).astype(np.int64)
        else:
            np.add.at(self.segments, flow, 1)
            np.add.at(self.bytes, flow, length)
        copies = list(classified.copy_of)
        np.subtract.at(self.segments, flow[copies], 1)
        np.subtract.at(self.bytes, flow[copies], length[copies])
        # Of equal indices the last assignment stays, which is the latest segment.
        self.last_ns[flow] = segments.time_ns
        kind = classified.kind
        probes = np.flatnonzero(kind == Kind.KEEPALIVE_PROBE)
        np.add.at(self.keepalive_probes, flow[probes], 1)
        # The byte that some stacks put into a probe is garbage, and no application's (RFC 1122 4.2.3.6).
        np.subtract.at(self.bytes, flow[probes], length[probes])
        for amended in classified.amended.values():
            self.keepalive_probes[amended.flow] += 1
            self.bytes[amended.flow] -= amended.length
        np.add.at(self.retransmissions, flow[_AGAIN.take(kind)], 1)

    def _follow_states(
        self,
        segments: Segments,
        assigned: Assigned,
        classified: Classified,
        icmp: dict[int, str],
        first_rows: NDArray[np.int64],
    ) -> None:
        """Walk the rows that can change a state, in file order."""
        flow, kind = assigned.flow, classified.kind
        first_row = self._rows
        self._rows += len(segments)
        watched = segments.flags & (SYN | RST) != 0
        watched |= kind == Kind.KEEPALIVE_PROBE
        watched |= self._behind_fins(segments.flags, flow)
        watched[self._answers_to_syn_acks(segments, flow, assigned.from_server)] = True
        watched &= segments.state == State.WHOLE
        watched[list(classified.copy_of)] = False
        watched[first_rows] = True
        watched[list(icmp)] = True
        rows = np.flatnonzero(watched)
        keepalive_probe = int(Kind.KEEPALIVE_PROBE)
        columns = (
            flow,
            assigned.from_server,
            kind,
            segments.flags,
            segments.seq,
            segments.ack,
            segments.length,
        )
        for row, f, from_server, k, flags, seq, ack, length in zip(
            rows.tolist(), *(c[rows].tolist() for c in columns), strict=True
        ):
            side = _SERVER if from_server else _CLIENT
            track = self.tracks[f]
            if row in icmp:
                _icmp(track, icmp[row], side)
                continue
            if k == keepalive_probe or flags & RST:
                when = _When(
                    first_row + row,
                    int(segments.time_ns[row]),
                    classified.heard.get(row),
                    int(segments.tsecr[row]) if segments.has_timestamps[row] else None,
                )
                _probe_or_reset(track, side, Kind(k), flags, when)
            _segment(track, side, flags, seq, ack, length)

    def _behind_fins(self, flags: NDArray[np.uint16], flow: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether each row of a batch is, or is behind, the first FIN of its flow."""
        fins = np.flatnonzero(flags & FIN)
        first = {f: row for row, f in zip(fins[::-1].tolist(), flow[fins[::-1]].tolist(), strict=True)}
        fresh = [f for f in first if not self._has_fin[f]]
        self._has_fin[fresh] = True
        behind = self._has_fin.take(flow)
        if fresh:
            rows = np.flatnonzero(behind)
            begins = np.zeros(len(self._has_fin), np.int64)
            begins[fresh] = [first[f] for f in fresh]
            behind[rows[rows < begins[flow[rows]]]] = False
        return behind

    def _answers_to_syn_acks(
        self, segments: Segments, flow: NDArray[np.int64], from_server: NDArray[np.bool_]
    ) -> NDArray[np.int64]:
        """The first row with ACK of each direction behind each SYN-ACK: data too can be what opens the connection."""
        control = np.where(segments.state == State.WHOLE, segments.flags & (SYN | ACK | RST), 0)
        syn_acks = np.flatnonzero(control == (SYN | ACK))
        opening = self._client_may_open | self._server_may_open
        opening[flow[syn_acks]] = True
        acks = np.flatnonzero(opening[flow] & (control == ACK))
        by_server = from_server[acks]
        return np.concatenate(
            [
                self._first_behind(self._client_may_open, syn_acks, acks[~by_server], flow),
                self._first_behind(self._server_may_open, syn_acks, acks[by_server], flow),
            ]
        )

    def _first_behind(
        self,
        awaited: NDArray[np.bool_],
        syn_acks: NDArray[np.int64],
        acks: NDArray[np.int64],
        flow: NDArray[np.int64],
    ) -> NDArray[np.int64]:
        """Those of `acks`, the rows of one direction, that follow a SYN-ACK with none of them between.

        `awaited` says by flow whether the last such row before this batch was a SYN-ACK, and is brought up to date.
        """
        rows = np.concatenate([syn_acks, acks])
        if not len(rows):
            return rows
        order = np.lexsort((rows, flow[rows]))
        rows, is_ack = rows[order], order >= len(syn_acks)
        flows = flow[rows]
        begins = np.append(True, flows[1:] != flows[:-1])
        behind_syn_ack = np.where(begins, awaited[flows], np.append(False, ~is_ack[:-1]))
        ends = np.append(begins[1:], True)
        awaited[flows[ends]] = ~is_ack[ends]
        found: NDArray[np.int64] = rows[is_ack & behind_syn_ack]
        return found

    def _grow(self, flows: int) -> None:
        if flows <= len(self.segments):
            return
        size = max(self._least, 1 << (flows - 1).bit_length())
        for name, column in vars(self).items():
            if isinstance(column, np.ndarray):
                bigger = np.zeros(size, column.dtype)
                bigger[: len(column)] = column
                setattr(self, name, bigger)


def _beginning(segments: Segments, row: int) -> Beginning:
    flags = int(segments.flags[row])
    if not flags & SYN:
        return Beginning.MIDDLE
    return Beginning.SYN_ACK if flags & ACK else Beginning.SYN


def _other(side: Side) -> Side:
    return _SERVER if side is _CLIENT else _CLIENT


def _icmp(track: Track, words: str, side: Side) -> None:
    """An ICMP error from the side of `side`: fatal only for a SYN that nobody answered (RFC 5461 2)."""
    track.icmp = words
    sender = track.ends[_other(side)]
    if sender.state is TcpState.SYN_SENT and track.ending is None:
        track.ending, track.ended_by = Ending.ICMP, side


@dataclass(frozen=True, slots=True)
class _When:
    """Where a segment stands in the capture."""

    row: int
    time_ns: int
    heard: int | None
    """Row in which its sender's peer spoke last."""
    echo: int | None
    """The timestamp that it echoes, None without the option."""


def _probe_or_reset(track: Track, side: Side, kind: Kind, flags: int, when: _When) -> None:
    """Count probes without an answer, and say what a RST means."""
    end, peer = track.ends[side], track.ends[_other(side)]
    since_ns = None if end.probe_ns is None else when.time_ns - end.probe_ns
    silent = since_ns is not None and (when.heard is None or when.heard <= end.probe_row)
    # An answer that the capture shows did not reach the prober if its next segment echoes nothing newer than the probe
    # did: its own firewall dropped it (RFC 7323 4.3).
    silent |= since_ns is not None and when.echo is not None and when.echo == end.probe_echo
    if kind is Kind.KEEPALIVE_PROBE:
        end.probe_apart_ns = since_ns if silent else None
        end.probes = end.probes + 1 if silent else 1
        end.probe_ns, end.probe_row, end.probe_echo = when.time_ns, when.row, when.echo
        return
    if track.ending not in (None, Ending.ICMP):
        return
    track.ended_by = side
    peer_asked = peer.probe_ns is not None and when.heard == peer.probe_row
    if kind is Kind.REFUSED:
        track.ending = Ending.REFUSED
    elif silent and since_ns is not None and since_ns >= SHORTEST_INTVL_NS and flags & ACK:
        track.ending = Ending.KEEPALIVE
    elif peer_asked:
        track.ending = Ending.RST_ANSWER
    else:
        track.ending = Ending.RST


def _segment(track: Track, side: Side, flags: int, seq: int, ack: int, length: int) -> None:
    """Move both ends through the state table."""
    end, peer = track.ends[side], track.ends[_other(side)]
    if flags & RST:
        _step(end, Event.SENDS_RST)
        _step(peer, Event.GETS_RST)
        return
    if flags & SYN:
        end.syns += 1
        _step(end, Event.SENDS_SYN_ACK if flags & ACK else Event.SENDS_SYN)
        if flags & ACK:
            _step(peer, Event.GETS_SYN_ACK)
            if track.ending is Ending.ICMP:
                # An error answered an earlier copy of the SYN, and this one got through.
                track.ending = track.ended_by = None
        return
    if flags & ACK:
        if peer.state is _SYN_RECEIVED:
            _step(peer, Event.GETS_ACK_OF_SYN)
        if peer.fin_end is not None and difference(ack, peer.fin_end) >= 0:
            _step(peer, Event.GETS_ACK_OF_FIN)
    if end.state is _UNKNOWN:
        _step(end, Event.TALKS)
    if peer.state is _UNKNOWN:
        _step(peer, Event.TALKS)
    track.handshake |= end.state is peer.state is _ESTABLISHED and track.beginning is Beginning.SYN
    if flags & FIN and end.fin_end is None:
        end.fin_end = advance(seq, length + 1)
        if track.ended_by is None:
            track.ended_by = side
        crossing = peer.fin_end is not None and flags & ACK and difference(ack, peer.fin_end) < 0
        _step(end, Event.SENDS_CROSSING_FIN if crossing else Event.SENDS_FIN)
        _step(peer, Event.GETS_FIN)
    if track.ending is None and end.state in _SHUT and peer.state in _SHUT:
        track.ending = Ending.CLOSED


def _step(end: End, event: Event) -> None:
    end.state = after(end.state, event)
