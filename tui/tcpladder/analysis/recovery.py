"""Which timer sent data again: the RTO, the tail loss probe, or none, because an ACK asked for it.

Linux (tcp_timer.c, tcp_output.c, tcp_recovery.c), told from outside: a repetition right behind an ACK that shows a loss
is the answer to that ACK. One out of silence is a timer's; the first one of the last segment, with nothing lost before,
is the tail loss probe (RFC 8985 7), every other one the retransmission timer (RFC 6298 5).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tcpladder.analysis.candidates import Candidate
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
EARLIEST_RTO_NS = RTO_MIN_NS - 10 * MILLISECOND_NS
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

    def may_probe(self, client: bool, acked: int) -> bool:
        """Whether a tail loss probe comes before the RTO, if an end now waits for an ACK (tcp_schedule_loss_probe)."""
        state = self._state[client]
        lossy = state.point is not None and acked < state.point
        probing = state.probed is not None and acked <= state.probed
        return (
            self._probes(client) and not lossy and not probing and (not state.timeouts or acked > state.una)
        )

    def repetition(self, one: Candidate) -> Sent | None:
        """The timer that sent a segment again; None where an ACK asked for it, the network reordered it, or nothing
        tells."""
        if one.sent_before == NOTHING or one.overtaken:
            return None
        columns, state = self._columns, self._state[one.from_client]
        self._progress(state, one)
        waited_ns = columns.at_ns(one.at) - columns.at_ns(one.sent_before)
        asked = self._asked_for(one)
        if asked or waited_ns < _shortest_timer_ns(one.round_trip_ns):
            if asked and state.point is None:
                state.point = one.highest
            return None
        lost = state.point is not None or self._has_sacked(one)
        begin, end = self._numbers(one)
        if begin >= one.highest:
            # The capture has no copy before this one: nothing tells how long it waited.
            return None
        alone = begin <= one.acked
        first = state.probed is None and not state.timeouts
        probes = first and not lost and end >= one.highest and self._probes(one.from_client)
        if not probes and waited_ns < EARLIEST_RTO_NS and (lost or _has_heard_since(one)):
            # Too soon for an RTO: an ACK asked for it, over a path that was slower than ever before.
            return None
        if one.overtaken_by_any:
            return None
        state.timeouts += 1
        if probes:
            state.probed, state.probe_index = one.highest, one.at
            return Sent(Timer.TLP, 1, one.sent_before, alone)
        state.point = one.highest
        state.rtos += 1
        state.first_rto = one.at if state.rtos == 1 else state.first_rto
        return Sent(Timer.RTO, state.rtos, one.sent_before, alone)

    def first_copy_lost(self, one: Candidate) -> Sent | None:
        """The timer that sent a segment of which earlier copies did not reach the capture point."""
        if one.sent_before == NOTHING or self._asked_for(one) or self._owes_ack(one.at, one.from_client):
            return None
        own = one.latest_of_client if one.from_client else one.latest_of_server
        if self._columns.at_ns(one.at) - self._columns.at_ns(own) < _shortest_waits_ns(
            one.round_trip_ns, one.lost
        ):
            # So many timers need longer: other datagrams are missing, or they are only late.
            return None
        state, lost = self._state[one.from_client], one.lost
        self._progress(state, one)
        _, end = self._numbers(one)
        lossy = state.point is not None or self._has_sacked(one) or state.probed is not None
        state.timeouts = lost
        if lost == 1 and self._probes(one.from_client) and not lossy:
            state.probed, state.probe_index = end, one.at
            return Sent(Timer.TLP, 1, NOTHING, in_flight_alone=True)
        state.point, state.rtos, state.first_rto = end, lost, one.at
        return Sent(Timer.RTO, lost, NOTHING, in_flight_alone=True)

    def _numbers(self, one: Candidate) -> tuple[int, int]:
        """The relative number that a segment begins with, and the one behind it."""
        columns, flags = self._columns, self._columns.flags.item(one.at)
        begin = self.outgoing(client=one.from_client).relative(columns.seq.item(one.at))
        return begin, begin + columns.length.item(one.at) + bool(flags & 1) + bool(flags & 2)

    def _owes_ack(self, index: int, client: bool) -> bool:
        """Whether the datagrams that are missing may be bare ACKs: the peer sent something to acknowledge."""
        columns = self._columns
        for at in range(index - 1, max(-1, index - LOOK_BACK), -1):
            if columns.from_client.item(at) != client:
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

    def _progress(self, state: Recovery, one: Candidate) -> None:
        """Forget what the peer's acknowledgments have settled since the last repetition."""
        una = one.acked
        if una > state.una:
            state.timeouts = state.rtos = 0
            state.una = una
        if state.point is not None and una >= state.point:
            state.point = None
        if state.probed is not None and (
            una > state.probed
            or (una == state.probed and self._probe_answered(state, one.at, one.from_client))
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

    def _asked_for(self, one: Candidate) -> bool:
        """Whether an ACK that may start a repetition reached the sender just before."""
        columns, index, client, loop_ns = self._columns, one.at, one.from_client, one.loop_ns
        jitter_ns = loop_ns // JITTER_SHARE
        heard_ns = columns.at_ns(index) - loop_ns
        reacts_ns = REACTION_NS + jitter_ns
        # A report of segments behind a hole is waited upon: they may only have been reordered.
        waits_ns = reacts_ns + one.round_trip_ns // 4 + REORDERING_NS
        time_ns, from_client = columns.time_ns, columns.from_client
        begin = bisect_right(time_ns, heard_ns - waits_ns, max(0, index - LOOK_BACK * 4), index)
        for at in range(index - 1, begin - 1, -1):
            if from_client.item(at) == client:
                continue
            earlier_ns = heard_ns - columns.at_ns(at)
            if -(jitter_ns + 2 * MILLISECOND_NS) < earlier_ns < waits_ns:
                in_window = earlier_ns < reacts_ns or columns.sack(at)
                if in_window and self._may_trigger(at, client):
                    return True
        return False

    def _may_trigger(self, at: int, client: bool) -> bool:
        """Whether a segment of the peer makes the sender look for losses: news in ACK or SACK, or a duplicate."""
        columns = self._columns
        if columns.sack(at) or columns.kind.item(at) == Kind.DUPLICATE_ACK:
            return True
        for before in range(at - 1, max(-1, at - LOOK_BACK), -1):
            if columns.from_client.item(before) != client:
                return difference(columns.ack.item(at), columns.ack.item(before)) > 0
        return True

    def _has_sacked(self, one: Candidate) -> bool:
        """Whether the peer's latest ACK reports segments behind a hole; a report of a repeat alone is no loss."""
        columns, index, client = self._columns, one.at, one.from_client
        for at in range(index - 1, max(-1, index - LOOK_BACK), -1):
            if columns.from_client.item(at) != client:
                # An ACK that others overtook reports what has been acknowledged since.
                una = columns.ack.item(at)
                if one.acked >= 0:
                    highest = self.outgoing(client=client).raw(one.acked)
                    una = highest if difference(highest, una) > 0 else una
                return any(difference(right, una) > 0 for _, right in columns.sack(at) or ())
        return False


def _shortest_timer_ns(round_trip_ns: int) -> int:
    """No timer of Linux fires sooner than this after a transmission: 2 RTT, between 5 ms and the minimum RTO."""
    return max(5 * MILLISECOND_NS, min(round_trip_ns * 8 // 5, EARLIEST_RTO_NS))


def _shortest_waits_ns(round_trip_ns: int, sent: int) -> int:
    """How long a tail loss probe and the retransmissions behind it take at least, so many in all."""
    rtos_ns = (EARLIEST_RTO_NS + round_trip_ns) * ((1 << (sent - 1)) - 1)
    return _shortest_timer_ns(round_trip_ns) + rtos_ns


def _has_heard_since(one: Candidate) -> bool:
    """Whether the peer spoke after the transmission before: then silence is not what the sender waited in."""
    return one.sent_before < (one.latest_of_server if one.from_client else one.latest_of_client)
