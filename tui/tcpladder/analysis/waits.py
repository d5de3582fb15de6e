"""Which segments a timer sent, and what armed it: one pass over the candidates that the columns found in a flow.

Finds waits, does not judge them: how long one should have been is for judge.py, which knows what is believed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tcpladder.analysis import hearing
from tcpladder.analysis.candidates import Around, Candidate, FlowCandidates
from tcpladder.analysis.columns import FlowColumns
from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.recovery import RecoveryReader, Sent
from tcpladder.analysis.schedule import EARLY_NS, MILLISECOND_NS, synack_wait
from tcpladder.analysis.smoothed import Smoothed, smoothed
from tcpladder.analysis.view import SIDES, Side, Timer
from tcpladder.analysis.wait import NOTHING, Observed, Schedule, Wait
from tcpladder.flows.seqnum import difference
from tcpladder.wire.segments import Flag

ANSWER_NS = 20 * MILLISECOND_NS
"""A SYN-ACK this soon after a repeated SYN answers it (tcp_check_req), whatever the listener's timer says."""
SHORTEST_INTVL_NS = 400 * MILLISECOND_NS
"""A RST sooner after a probe than this is no give-up: keepalive_intvl counts in seconds."""
_ACK = int(Flag.ACK)
# By names of this module: asking an enum for a member runs Python code before 3.12.
_CLIENT, _SERVER = Side.CLIENT, Side.SERVER
_KEEPALIVE, _KEEPALIVE_TIME, _KEEPALIVE_INTVL = (
    Timer.KEEPALIVE, Schedule.KEEPALIVE_TIME, Schedule.KEEPALIVE_INTVL,
)  # fmt: skip


@dataclass(slots=True)
class End:
    """What one end has done so far."""

    probe: int = NOTHING
    """Index of its last keepalive probe."""
    unanswered: int = 0
    """Its probes in a row that it has not heard an answer to, the last one included."""
    deaf: bool = False
    """Whether it sent the last of them although the capture shows an answer to the one before."""
    window_probe: int = NOTHING
    window_probes: int = 0
    """Its probes of a closed window since the window closed."""
    first_window_probe: int = NOTHING
    """Index of the first of them."""
    window_unanswered: int = 0
    """The last of them in a row that the capture shows no answer to."""
    syn: int = NOTHING
    syns: int = 0
    syn_ack: int = NOTHING
    syn_acks_by_timer: int = 0
    latest: int = NOTHING
    """Index of its segment before the one that is looked at."""
    heard: int = NOTHING
    """Index of the peer's latest segment that refreshes this end's keepalive clock; a probe does not (tcp_ack)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unacknowledged:
    """What one end has in flight, and how often its timer has sent it again."""

    bytes: int
    """Sequence numbers: bytes, and one each for SYN and FIN."""
    last: int
    """Index of its last transmission."""
    retransmissions: int
    """By the retransmission timer, without progress since."""
    first_retransmission: int
    """Index of the first of them, NOTHING without one."""
    oldest: int
    """Index of the first transmission of which something is missing."""
    acked: int
    """Index of the peer's segment that acknowledged all before it, NOTHING where that is far back."""
    alone: bool
    """Whether it is one segment."""
    probed: bool
    """Whether the last of it was sent again by a tail loss probe."""
    may_probe: bool
    """Whether a tail loss probe comes before the RTO."""


class Found(dict[int, Wait]):
    """Index of a segment -> the wait before it. Waits are values, so a copy of any depth has the same ones."""

    def __deepcopy__(self, _memo: object) -> Found:
        return Found(self)


class Waits:
    """The waits of one flow; grows with it."""

    def __init__(self, columns: FlowColumns) -> None:
        self.found: dict[int, Wait] = Found()
        """Index of the segment that a timer sent -> its wait."""
        self.fresh: list[int] = []
        """The keys that the last `take` added to `found`."""
        self.by_end = {side: Observed() for side in SIDES}
        """What the waits of each end have in common, for inference."""
        self.ends = {side: End() for side in SIDES}
        self._columns = columns
        self._recovery = RecoveryReader(columns)
        self._round_trip_ns = 0
        """As of the segment that is looked at."""

    def take(self, candidates: FlowCandidates) -> None:
        """Look at what the columns found in the segments that are new."""
        self.fresh = []
        self._recovery.begin(candidates.outgoing)
        for one in candidates.found:
            self._around(one)
            self._round_trip_ns = one.round_trip_ns
            _WATCH[one.kind](self, one, _CLIENT if one.from_client else _SERVER)
        self._around(candidates.last)
        for late in candidates.late:
            side = Side.CLIENT if late.from_client else Side.SERVER
            self._note(late.at, side, Timer.DELAYED_ACK, Schedule.DELAYED_ACK, late.armed, 1)

    def _around(self, around: Candidate | Around) -> None:
        client, server = self.ends[_CLIENT], self.ends[_SERVER]
        client.latest, server.latest = around.latest_of_client, around.latest_of_server
        client.heard, server.heard = around.heard_by_client, around.heard_by_server

    def round_trip_ns(self, index: int) -> int:
        """The shortest round trip that the flow shows up to a segment; 0 where it shows none."""
        return self._recovery.round_trip_ns(index)

    def jitter_ns(self, side: Side) -> int:
        """By how much the path from an end to the capture point varies; 0 where the capture is beside it."""
        return self._recovery.outgoing(client=side is _CLIENT).jitter_ns

    def is_beside(self, side: Side) -> bool:
        """Whether the capture point is beside an end, as far as the flow shows."""
        return self._recovery.outgoing(client=side is Side.CLIENT).is_beside

    def has_acknowledged(self, side: Side, last: int, ack: int) -> bool:
        """Whether a raw acknowledgment number covers all that an end has sent up to a segment."""
        own = self._recovery.outgoing(client=side is Side.CLIENT)
        place = own.before(last + 1)
        return place < 0 or own.end(place) <= own.relative(ack)

    def armed_ns(self, wait: Wait) -> int | None:
        """When the timer of a wait was armed; None where the capture does not show it."""
        return None if wait.armed == NOTHING else self._columns.at_ns(wait.armed)

    def is_window_closed(self, side: Side) -> bool:
        """Whether an end has probed the closed window of its peer and heard nothing else since."""
        end = self.ends[side]
        return end.window_probe != NOTHING and self._is_answer(end.heard, end.window_probe)

    def has_closed_window(self, side: Side) -> bool:
        """Whether what the peer said last closed its window, and nothing has probed it yet."""
        heard = self.ends[side].heard
        return heard > self.ends[side].window_probe and not self._columns.value("window", heard)

    def unacknowledged(self, side: Side) -> Unacknowledged | None:
        """What an end has sent that its peer has not acknowledged; None where all is, or where nobody can know."""
        client = side is Side.CLIENT
        own = self._recovery.outgoing(client=client)
        acked = self._recovery.outgoing(client=not client).acked
        last = len(own) - 1
        if acked < 0 or last < 0 or own.end(last) <= acked:
            return None
        state = self._recovery.state(client)
        behind = acked > state.una
        oldest = own.after(acked)
        return Unacknowledged(
            bytes=own.end(last) - acked,
            last=own.index(last),
            retransmissions=0 if behind else state.rtos,
            first_retransmission=NOTHING if behind else state.first_rto,
            oldest=own.index(oldest),
            acked=hearing.acknowledged_at(self._columns, own, acked, client=client),
            alone=own.end(oldest) == own.end(last),
            probed=not behind and state.timeouts > state.rtos,
            may_probe=self._recovery.may_probe(client, acked),
        )

    def smoothed(self, side: Side, rto_min_ns: int, until: int | None = None) -> Smoothed:
        """The round trip and the RTO of an end as its kernel smooths them, up to a segment."""
        client = side is Side.CLIENT
        own = self._recovery.outgoing(client=client)
        end = len(self._columns) if until is None else until
        return smoothed(self._columns, own, end, client=client, rto_min_ns=rto_min_ns)

    def loop_ns(self, side: Side) -> int:
        """How long it takes from the capture point to an end and back, at least; 0 where nothing shows it."""
        return self._recovery.outgoing(client=side is Side.CLIENT).loop_ns(len(self._columns)) or 0

    def idle_since(self, side: Side) -> int:
        """Index of what refreshed the keepalive clock of an end last; not data that its peer has to send again."""
        other = Side.SERVER if side is Side.CLIENT else Side.CLIENT
        lost, heard = self.unacknowledged(other), self.ends[side].heard
        if lost is None or not (lost.probed or lost.retransmissions):
            return heard
        before = hearing.before(self._columns, lost.oldest, client=side is Side.CLIENT)
        return heard if before == NOTHING else before

    def _syn(self, one: Candidate, side: Side) -> None:
        end = self.ends[side]
        end.syn, end.syns = one.at, 1
        self._recovery.syn(one.at, side is _CLIENT)

    def _syn_again(self, one: Candidate, side: Side) -> None:
        end = self.ends[side]
        self._note(one.at, side, Timer.RTO, Schedule.SYN, end.syn, end.syns)
        end.syn, end.syns = one.at, end.syns + 1

    def _syn_ack(self, one: Candidate, side: Side) -> None:
        self.ends[side].syn_ack = one.at
        self._recovery.syn(one.at, side is _CLIENT)

    def _first_copy(self, one: Candidate, side: Side) -> None:
        self._again(one.at, side, self._recovery.first_copy_lost(one))

    def _repetition(self, one: Candidate, side: Side) -> None:
        self._again(one.at, side, self._recovery.repetition(one))

    def _again(self, index: int, side: Side, sent: Sent | None) -> None:
        if sent is None:
            return
        if sent.timer is Timer.TLP:
            schedule = Schedule.TLP_ALONE if sent.in_flight_alone else Schedule.TLP
        else:
            schedule = Schedule.RTO
        self._note(index, side, sent.timer, schedule, sent.armed, sent.number)

    def _window_probe(self, one: Candidate, side: Side) -> None:
        """Probes of a closed window double their distance while they are answered, too (tcp_probe_timer)."""
        end, index = self.ends[side], one.at
        following = end.window_probe != NOTHING and self._is_answer(end.heard, end.window_probe)
        end.window_probes = end.window_probes + 1 if following else 1
        end.window_unanswered = end.window_unanswered + 1 if following and end.heard < end.window_probe else 1
        if not following:
            end.first_window_probe = index
        armed = end.window_probe if following else end.heard
        self._note(index, side, Timer.PERSIST, Schedule.PERSIST, armed, end.window_probes)
        end.window_probe = index

    def _is_answer(self, heard: int, probe: int) -> bool:
        """Whether what the peer said last, if anything since the probe, left the window closed."""
        return heard <= probe or self._columns.value("window", heard) == 0

    def _keepalive_probe(self, one: Candidate, side: Side) -> None:
        """Answered probes are keepalive_time apart, unanswered ones keepalive_intvl (tcp_keepalive_timer)."""
        end, observed, index = self.ends[side], self.by_end[side], one.at
        observed.garbage_bytes = max(observed.garbage_bytes, self._columns.length.item(index))
        if end.probe != NOTHING and not self._has_heard(index, side):
            end.deaf = end.heard > end.probe
            observed.deaf_to += end.deaf
            end.unanswered += 1
            schedule, armed = _KEEPALIVE_INTVL, end.probe
        else:
            end.unanswered, end.deaf = 1, False
            peer = self._recovery.outgoing(client=side is not _CLIENT)
            armed = hearing.heard_by(self._columns, peer, index, end.heard, client=side is _CLIENT)
            schedule = _KEEPALIVE_TIME
        self._note(index, side, _KEEPALIVE, schedule, armed, end.unanswered)
        end.probe = index

    def _reset(self, one: Candidate, side: Side) -> None:
        """A RST with ACK behind an unanswered probe is the give-up of keepalive (tcp_send_active_reset)."""
        end, columns, index = self.ends[side], self._columns, one.at
        if end.probe == NOTHING or end.latest != end.probe or not columns.flags.item(index) & _ACK:
            return
        waited_ns = columns.at_ns(index) - columns.at_ns(end.probe)
        if not self._has_heard(index, side) and waited_ns >= SHORTEST_INTVL_NS:
            self.by_end[side].deaf_to += end.heard > end.probe
            self._note(index, side, Timer.KEEPALIVE, Schedule.GIVE_UP, end.probe, end.unanswered)

    def _has_heard(self, index: int, side: Side) -> bool:
        """Whether an answer to the last probe reached the prober before it sent segment `index`.

        The capture may show answers that the prober's own firewall drops: then its timestamp echo stands still
        (RFC 7323 4.3).
        """
        end, value = self.ends[side], self._columns.value
        if end.heard <= end.probe:
            return False
        if not (value("has_timestamps", index) and value("has_timestamps", end.heard)):
            return True
        return difference(value("tsecr", index), value("tsval", end.heard)) >= 0

    def _syn_ack_again(self, one: Candidate, side: Side) -> None:
        """The listener's timer sends a SYN-ACK again, and so does every repeated SYN that reaches it."""
        end, peer = self.ends[side], self.ends[_SERVER if side is _CLIENT else _CLIENT]
        index, now_ns = one.at, self._columns.at_ns(one.at)
        if end.syn_ack == NOTHING:
            end.syn_ack = index
            return
        due = now_ns - self._columns.at_ns(end.syn_ack) >= synack_wait(end.syn_acks_by_timer) - 2 * EARLY_NS
        answers = peer.syns > 1 and 0 <= now_ns - self._columns.at_ns(peer.syn) < ANSWER_NS
        if due or not answers:
            number = end.syn_acks_by_timer + 1
            self._note(index, side, Timer.SYNACK, Schedule.SYN_ACK, end.syn_ack, number)
            end.syn_ack, end.syn_acks_by_timer = index, number

    def _note(
        self, index: int, side: Side, timer: Timer, schedule: Schedule, armed: int, number: int
    ) -> None:
        now_ns = self._columns.at_ns(index)
        observed_ns = now_ns - self._columns.at_ns(armed) if armed != NOTHING else 0
        by_end, own = self.by_end[side], self.ends[side].latest
        if number == 1:
            by_end.first_ns[schedule] = observed_ns
        wait = self.found[index] = Wait(
            side=side,
            timer=timer,
            schedule=schedule,
            armed=armed,
            observed_ns=observed_ns,
            number=number,
            round_trip_ns=self._round_trip_ns,
            own=own,
            own_ns=now_ns - self._columns.at_ns(own) if own != NOTHING else 0,
            first_ns=by_end.first_ns.get(schedule, 0),
        )
        by_end.add(wait)
        self.fresh.append(index)


_WATCH: Mapping[int, Callable[[Waits, Candidate, Side], None]] = {
    Kind.SYN: Waits._syn,
    Kind.SYN_CROSSING: Waits._syn,
    Kind.SYN_DATA: Waits._syn,
    Kind.SYN_RETRANSMISSION: Waits._syn_again,
    Kind.SYN_ACK: Waits._syn_ack,
    Kind.SYN_ACK_RETRANSMISSION: Waits._syn_ack_again,
    Kind.KEEPALIVE_PROBE: Waits._keepalive_probe,
    Kind.ZERO_WINDOW_PROBE: Waits._window_probe,
    Kind.RST: Waits._reset,
    **dict.fromkeys((Kind.DATA, Kind.WINDOW_FULL, Kind.FIN), Waits._first_copy),
    **dict.fromkeys(
        (Kind.RETRANSMISSION, Kind.SPURIOUS_RETRANSMISSION, Kind.OUT_OF_ORDER, Kind.FAST_RETRANSMISSION),
        Waits._repetition,
    ),
}
"""What becomes of a candidate of each kind."""
