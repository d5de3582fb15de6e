"""Which timer sent data again: the RTO, the tail loss probe, or none, because an ACK asked for it.

Linux (tcp_timer.c, tcp_output.c, tcp_recovery.c), told from outside: a repetition right behind an ACK that shows a loss
is the answer to that ACK. One out of silence is a timer's; the first one of the last segment, with nothing lost before,
is the tail loss probe (RFC 8985 7), every other one the retransmission timer (RFC 6298 5).
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from tcpladder.analysis.columns import FlowColumns
from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.paths import Paths
from tcpladder.analysis.schedule import MILLISECOND_NS, RTO_MIN_NS
from tcpladder.analysis.view import Timer
from tcpladder.flows.seqnum import difference
from tcpladder.wire.segments import Flag

NOTHING = -1
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

    def __init__(self, columns: FlowColumns, paths: Paths) -> None:
        self._columns, self._paths = columns, paths
        self._state = {True: Recovery(), False: Recovery()}
        self._sack_permitted: dict[bool, bool] = {}

    def syn(self, index: int, client: bool) -> None:
        """Learn from a SYN whether its sender permits SACK, without which no tail loss probe is sent."""
        self._sack_permitted[client] = self._columns.sack(index) is not None

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
        waited_ns = int(columns.time_ns[index] - columns.time_ns[before])
        asked = self._asked_for(index, client)
        if asked or waited_ns < self._shortest_timer_ns(index):
            if asked and state.point is None:
                state.point = highest
            return None
        state.timeouts += 1
        tail = end >= highest
        lost = state.point is not None or self._has_sacked(index, client)
        alone = una is not None and self._paths.relative(client, int(columns.seq[index])) <= una
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
                peer = self._paths.sent[not client]
                place = bisect_right(peer.index.values, at) - 1
                acked = self._paths.relative(not client, int(columns.ack[at]))
                return place >= 0 and int(peer.end.values[place]) > acked
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
            if self._paths.relative(client, int(columns.ack[at])) != state.probed:
                continue
            blocks = columns.sack(at)
            if blocks or not first:
                return True
            first = False
        return False

    def _shortest_timer_ns(self, index: int) -> int:
        """No timer of Linux fires sooner than this after a transmission: 2 RTT, between 5 ms and the minimum RTO."""
        loops = (self._paths.loop[True].at(index), self._paths.loop[False].at(index))
        rtt_ns = sum(loop for loop in loops if loop is not None)
        return max(5 * MILLISECOND_NS, min(rtt_ns * 8 // 5, RTO_MIN_NS - 10 * MILLISECOND_NS))

    def _asked_for(self, index: int, client: bool) -> bool:
        """Whether an ACK that may start a repetition reached the sender just before."""
        columns = self._columns
        loop_ns = self._paths.loop[client].at(index) or 0
        round_trip_ns = loop_ns + (self._paths.loop[not client].at(index) or 0)
        jitter_ns = loop_ns // JITTER_SHARE
        heard_ns = int(columns.time_ns[index]) - loop_ns
        for at in range(index - 1, max(-1, index - LOOK_BACK * 4), -1):
            earlier_ns = heard_ns - int(columns.time_ns[at])
            reacts_ns = REACTION_NS + jitter_ns
            if columns.sack(at):
                # A report of segments behind a hole is waited upon: they may only have been reordered.
                reacts_ns += round_trip_ns // 4 + REORDERING_NS
            if earlier_ns >= REACTION_NS + jitter_ns + round_trip_ns // 4 + REORDERING_NS:
                return False
            in_window = -(jitter_ns + 2 * MILLISECOND_NS) < earlier_ns < reacts_ns
            if in_window and bool(columns.from_client[at]) != client and self._may_trigger(at, client):
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
        sent = self._paths.sent[client].index.values
        place = bisect_right(sent, index - 1) - 1
        return int(sent[place]) if place >= 0 else NOTHING

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
        return self._paths.relative(client, int(columns.seq[index])) + carried

    def _highest(self, index: int, client: bool) -> int:
        """Relative number behind everything that the end has sent before `index`."""
        direction = self._paths.sent[client]
        place = bisect_right(direction.index.values, index - 1) - 1
        return int(direction.end.values[place])

    def _acknowledged(self, index: int, client: bool) -> int | None:
        if not self._columns.value("peer_ack_known", index):
            return None
        return self._paths.relative(client, self._columns.value("peer_ack", index))
