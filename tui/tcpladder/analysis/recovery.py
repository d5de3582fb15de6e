"""Which timer sent data again: the RTO, the tail loss probe, or none, because an ACK asked for it.

Linux (tcp_timer.c, tcp_output.c, tcp_recovery.c), told from outside: a repetition right behind an ACK that shows a loss
is the answer to that ACK. One out of silence is a timer's; the first one of the last segment, with nothing lost before,
is the tail loss probe (RFC 8985 7), every other one the retransmission timer (RFC 6298 5).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from tcpladder.analysis.columns import NOTHING, FlowColumns
from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.paths import Outgoing, Paths
from tcpladder.analysis.schedule import MILLISECOND_NS, RTO_MIN_NS
from tcpladder.analysis.view import Timer
from tcpladder.flows.seqnum import difference
from tcpladder.wire.segments import Flag

REACTION_NS = 4 * MILLISECOND_NS
"""An end answers an ACK within this, plus a share of its loop for jitter."""
JITTER_SHARE = 20
REORDERING_NS = 8 * MILLISECOND_NS
"""How late the timer is that waits out a reordering (RACK, RFC 8985 6.2 step 5) besides a quarter of the round trip."""
CONTROL = int(Flag.SYN | Flag.FIN)
ASKING = frozenset({Kind.KEEPALIVE_PROBE, Kind.ZERO_WINDOW_PROBE})
LOOK_BACK = 64
"""How many segments before a repetition may hold the ACK that asked for it."""


@dataclass(slots=True)
class Recovery:
    """The loss recovery of one end, as far as its repetitions show it."""

    point: int | None = None
    """Relative number up to which all was sent when a loss was found; recovery lasts until it is acknowledged."""
    probed: int | None = None
    """Likewise when the tail loss probe was sent: there is one probe at a time (tlp_high_seq)."""
    probe_index: int = NOTHING
    timeouts: int = 0
    """Repetitions by a timer since the last progress."""
    rtos: int = 0
    """Those of them that the retransmission timer sent."""
    first_rto: int = NOTHING
    """Index of the first of those."""
    una: int = -1
    """How far the peer had acknowledged at the last of them."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What a timer sent, and how often since the last progress."""

    timer: Timer
    number: int
    armed: int
    """Index of the transmission that armed the timer."""
    in_flight_alone: bool
    """Whether it repeats the only segment in flight: then a tail loss probe waits for a delayed ACK, too."""


class RecoveryReader:
    """Reads the repetitions of one flow, in order."""

    def __init__(self, columns: FlowColumns) -> None:
        self._columns = columns
        self._read: Callable[[], Mapping[bool, Outgoing]] = lambda: Paths(columns).of(0)
        self._outgoing: Mapping[bool, Outgoing] | None = None
        self._state = {True: Recovery(), False: Recovery()}
        self._sack_permitted: dict[bool, bool] = {}

    def begin(self, read: Callable[[], Mapping[bool, Outgoing]]) -> None:
        """Segments came: `read` gives what each end has sent so far."""
        self._read, self._outgoing = read, None

    def outgoing(self, *, client: bool) -> Outgoing:
        """What an end has sent: read when the first asks, as for most flows nobody does."""
        if self._outgoing is None:
            self._outgoing = self._read()
        return self._outgoing[client]

    def syn(self, index: int, client: bool) -> None:
        """Learn from a SYN whether its sender permits SACK, without which no tail loss probe is sent."""
        self._sack_permitted[client] = self._columns.sack(index) is not None

    def round_trip_ns(self, index: int) -> int:
        """The shortest round trip that the flow shows up to a segment; 0 where it shows none."""
        return sum(self.outgoing(client=client).loop_ns(index) or 0 for client in (True, False))

    def state(self, client: bool) -> Recovery:
        """The loss recovery of an end, as it is now."""
        return self._state[client]

    def repetition(self, index: int, client: bool) -> Sent | None:
        """The timer that sent a segment again; None where an ACK asked for it, the network reordered it, or nothing
        tells."""
        columns, state = self._columns, self._state[client]
        before = self._sent_before(index, client)
        if before == NOTHING or self._is_old(index, before):
            return None
        end = self._end(index, client)
        highest = self._highest(index, client)
        una = self._acknowledged(index, client)
        self._progress(state, una, index, client)
        waited_ns = columns.at_ns(index) - columns.at_ns(before)
        asked = self._asked_for(index, client)
        if asked or waited_ns < self._shortest_timer_ns(index):
            if asked and state.point is None:
                state.point = highest
            return None
        state.timeouts += 1
        tail = end >= highest
        lost = state.point is not None or self._has_sacked(index, client)
        alone = una is not None and self.outgoing(client=client).relative(int(columns.seq[index])) <= una
        if tail and self._probes(client) and not lost and state.probed is None and state.timeouts == 1:
            state.probed, state.probe_index = highest, index
            return Sent(Timer.TLP, 1, before, alone)
        state.point = highest
        state.rtos += 1
        state.first_rto = index if state.rtos == 1 else state.first_rto
        return Sent(Timer.RTO, state.rtos, before, alone)

    def first_copy_lost(self, index: int, client: bool, lost: int) -> Sent | None:
        """The timer that sent a segment of which `lost` earlier copies did not reach the capture point."""
        state = self._state[client]
        before = self._sent_before(index, client)
        if before == NOTHING or self._asked_for(index, client) or self._owes_ack(index, client):
            return None
        una = self._acknowledged(index, client)
        self._progress(state, una, index, client)
        end = self._end(index, client)
        lossy = state.point is not None or self._has_sacked(index, client) or state.probed is not None
        state.timeouts = lost
        if lost == 1 and self._probes(client) and not lossy:
            state.probed, state.probe_index = end, index
            return Sent(Timer.TLP, 1, NOTHING, in_flight_alone=True)
        state.point, state.rtos, state.first_rto = end, lost, index
        return Sent(Timer.RTO, lost, NOTHING, in_flight_alone=True)

    def _owes_ack(self, index: int, client: bool) -> bool:
        """Whether the datagrams that are missing may be bare ACKs: the peer sent something to acknowledge."""
        columns = self._columns
        for at in range(index - 1, max(-1, index - LOOK_BACK), -1):
            if bool(columns.from_client[at]) != client:
                if columns.length[at] or columns.flags[at] & CONTROL or columns.kind[at] in ASKING:
                    return True
            else:
                # What came before this segment of its own was acknowledged with it.
                peer = self.outgoing(client=not client)
                place = peer.before(at + 1)
                acked = self.outgoing(client=not client).relative(int(columns.ack[at]))
                return place >= 0 and peer.end(place) > acked
        return True

    def _probes(self, client: bool) -> bool:
        """Whether an end may send tail loss probes: both ends permitted SACK, as far as their SYNs were seen."""
        permitted = self._sack_permitted
        return permitted.get(client, True) and permitted.get(not client, True)

    def _progress(self, state: Recovery, una: int | None, index: int, client: bool) -> None:
        """Forget what the peer's acknowledgments have settled since the last repetition."""
        if una is None:
            return
        if una > state.una:
            state.timeouts = state.rtos = 0
            state.una = una
        if state.point is not None and una >= state.point:
            state.point = None
        if state.probed is not None and (
            una > state.probed or (una == state.probed and self._probe_answered(state, index, client))
        ):
            state.probed = None

    def _probe_answered(self, state: Recovery, index: int, client: bool) -> bool:
        """Whether an ACK after the probe says that the probe was needless (tcp_process_tlp_ack): a DSACK, a repeat."""
        columns, first = self._columns, True
        for at in range(state.probe_index + 1, min(index, state.probe_index + LOOK_BACK)):
            if bool(columns.from_client[at]) == client or columns.length[at]:
                continue
            if self.outgoing(client=client).relative(int(columns.ack[at])) != state.probed:
                continue
            blocks = columns.sack(at)
            if blocks or not first:
                return True
            first = False
        return False

    def _shortest_timer_ns(self, index: int) -> int:
        """No timer of Linux fires sooner than this after a transmission: 2 RTT, between 5 ms and the minimum RTO."""
        rtt_ns = self.round_trip_ns(index)
        return max(5 * MILLISECOND_NS, min(rtt_ns * 8 // 5, RTO_MIN_NS - 10 * MILLISECOND_NS))

    def _asked_for(self, index: int, client: bool) -> bool:
        """Whether an ACK that may start a repetition reached the sender just before."""
        columns = self._columns
        loop_ns = self.outgoing(client=client).loop_ns(index) or 0
        round_trip_ns = loop_ns + (self.outgoing(client=not client).loop_ns(index) or 0)
        jitter_ns = loop_ns // JITTER_SHARE
        heard_ns = columns.at_ns(index) - loop_ns
        reacts_ns = REACTION_NS + jitter_ns
        # A report of segments behind a hole is waited upon: they may only have been reordered.
        waits_ns = reacts_ns + round_trip_ns // 4 + REORDERING_NS
        time_ns, from_client = columns.time_ns, columns.from_client
        begin = bisect_right(time_ns, heard_ns - waits_ns, max(0, index - LOOK_BACK * 4), index)
        from_peer = np.flatnonzero(from_client[begin:index] != client)[::-1] + begin
        for at in from_peer.tolist():
            earlier_ns = heard_ns - columns.at_ns(at)
            if -(jitter_ns + 2 * MILLISECOND_NS) < earlier_ns < waits_ns:
                in_window = earlier_ns < reacts_ns or columns.sack(at)
                if in_window and self._may_trigger(at, client):
                    return True
        return False

    def _may_trigger(self, at: int, client: bool) -> bool:
        """Whether a segment of the peer makes the sender look for losses: news in ACK or SACK, or a duplicate."""
        columns = self._columns
        if columns.sack(at) or columns.kind[at] == Kind.DUPLICATE_ACK:
            return True
        for before in range(at - 1, max(-1, at - LOOK_BACK), -1):
            if bool(columns.from_client[before]) != client:
                return difference(int(columns.ack[at]), int(columns.ack[before])) > 0
        return True

    def _has_sacked(self, index: int, client: bool) -> bool:
        """Whether the peer's latest ACK reports segments behind a hole; a report of a repeat alone is no loss."""
        columns = self._columns
        for at in range(index - 1, max(-1, index - LOOK_BACK), -1):
            if bool(columns.from_client[at]) != client:
                blocks = columns.sack(at) or ()
                ack = int(columns.ack[at])
                return any(difference(right, ack) > 0 for _, right in blocks)
        return False

    def _sent_before(self, index: int, client: bool) -> int:
        """Index of the segment before that took up sequence numbers, repetitions included."""
        own = self.outgoing(client=client)
        place = own.before(index)
        return own.index(place) if place >= 0 else NOTHING

    def _is_old(self, index: int, before: int) -> bool:
        """Whether the network delivered a segment late: its datagram was sent before the one ahead of it."""
        value = self._columns.value
        own, ahead = value("ip_id", index), value("ip_id", before)
        if own > 0 and ahead > 0:
            return (own - ahead) % (1 << 16) > 1 << 15
        if value("has_timestamps", index) and value("has_timestamps", before):
            return difference(value("tsval", index), value("tsval", before)) < 0
        return False

    def _end(self, index: int, client: bool) -> int:
        columns = self._columns
        carried = int(columns.length[index]) + bool(columns.flags[index] & 1) + bool(columns.flags[index] & 2)
        return self.outgoing(client=client).relative(int(columns.seq[index])) + carried

    def _highest(self, index: int, client: bool) -> int:
        """Relative number behind everything that the end has sent before `index`."""
        own = self.outgoing(client=client)
        return own.end(own.before(index))

    def _acknowledged(self, index: int, client: bool) -> int | None:
        if not self._columns.value("peer_ack_known", index):
            return None
        return self.outgoing(client=client).relative(self._columns.value("peer_ack", index))
