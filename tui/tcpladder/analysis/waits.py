"""Which segments a timer sent, and what armed it: one pass over the few segments of a flow that timers can send.

Finds waits, does not judge them: how long one should have been is for judge.py, which knows what is believed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.schedule import EARLY_NS, MILLISECOND_NS, synack_wait
from tcpladder.analysis.view import Side, Timer
from tcpladder.flows.seqnum import difference
from tcpladder.wire.segments import Flag

NOTHING = -1
ANSWER_NS = 20 * MILLISECOND_NS
"""A SYN-ACK this soon after a repeated SYN answers it (tcp_check_req), whatever the listener's timer says."""
MOST_SYNS = 64
_WATCHED = (
    Kind.SYN, Kind.SYN_RETRANSMISSION, Kind.SYN_ACK, Kind.SYN_ACK_RETRANSMISSION, Kind.KEEPALIVE_PROBE,
    Kind.ZERO_WINDOW_PROBE, Kind.RST,
)  # fmt: skip


class Schedule(Enum):
    """Which length of which timer a wait is."""

    KEEPALIVE_TIME = "keepalive_time"
    KEEPALIVE_INTVL = "keepalive_intvl"
    GIVE_UP = "give up"
    """The last keepalive_intvl, after which a RST gives the connection up."""
    SYN = "syn"
    SYN_ACK = "syn-ack"
    PERSIST = "persist"


@dataclass(frozen=True, slots=True)
class Wait:
    """A timer that ran from one segment of the flow to another."""

    side: Side
    """Whose timer."""
    timer: Timer
    schedule: Schedule
    armed: int
    """Index of the segment that armed it."""
    observed_ns: int
    number: int
    """Which probe in a row without an answer, or which retransmission; from 1."""


@dataclass(slots=True)
class _End:
    """What one end has done so far."""

    probe: int = NOTHING
    """Index of its last keepalive probe."""
    unanswered: int = 0
    """Its probes in a row that it has not heard an answer to, the last one included."""
    window_probe: int = NOTHING
    syn: int = NOTHING
    syns: int = 0
    syn_ack: int = NOTHING
    syn_acks_by_timer: int = 0
    latest: int = NOTHING
    """Index of its segment before the one that is looked at."""
    heard: int = NOTHING
    """Index of the peer's latest segment that refreshes this end's keepalive clock; a probe does not (tcp_ack)."""


@dataclass(slots=True)
class Observed:
    """The waits of one end, summed up."""

    shortest_ns: dict[Schedule, int] = field(default_factory=dict)
    longest_ns: dict[Schedule, int] = field(default_factory=dict)
    most_probes: int = 0
    """In a row without an answer."""
    gave_up_after: int | None = None
    """Unanswered probes before the RST that gave up."""
    syn_waits_ns: list[int] = field(default_factory=list)
    """Between SYNs with one initial sequence number, the first MOST_SYNS of them."""

    def add(self, wait: Wait) -> None:
        """Take one more wait into account."""
        if wait.armed == NOTHING:
            return
        schedule, observed_ns = wait.schedule, wait.observed_ns
        self.shortest_ns[schedule] = min(observed_ns, self.shortest_ns.get(schedule, observed_ns))
        self.longest_ns[schedule] = max(observed_ns, self.longest_ns.get(schedule, observed_ns))
        if schedule in (Schedule.KEEPALIVE_TIME, Schedule.KEEPALIVE_INTVL):
            self.most_probes = max(self.most_probes, wait.number)
        elif schedule is Schedule.GIVE_UP:
            self.gave_up_after = wait.number
        elif schedule is Schedule.SYN and len(self.syn_waits_ns) < MOST_SYNS:
            self.syn_waits_ns.append(observed_ns)


@dataclass(slots=True)
class Waits:
    """The waits of one flow; grows with it.

    Args:
        value: reads one column of one segment: (name, index) -> value.
    """

    value: Callable[[str, int], int]
    found: dict[int, Wait] = field(default_factory=dict)
    """Index of the segment that a timer sent -> its wait."""
    fresh: list[int] = field(default_factory=list)
    """The keys that the last `extend` added to `found`."""
    by_end: dict[Side, Observed] = field(default_factory=lambda: {side: Observed() for side in Side})
    """What the waits of each end have in common, for inference."""
    ends: dict[Side, _End] = field(default_factory=lambda: {side: _End() for side in Side})

    def extend(
        self,
        time_ns: NDArray[np.int64],
        from_client: NDArray[np.bool_],
        kind: NDArray[np.uint8],
        begin: int,
    ) -> None:
        """Read the segments from `begin` on; the arrays are those of the whole flow."""
        n = len(time_ns)
        self.fresh = []
        if begin >= n:
            return
        fresh = kind[begin:]
        indices = np.arange(begin, n)
        sides = {Side.CLIENT: from_client[begin:], Side.SERVER: ~from_client[begin:]}
        believable = (fresh != Kind.MALFORMED) & (fresh != Kind.CUT_SHORT) & (fresh != Kind.ICMP_ERROR)
        latest = {s: _running(indices, own & believable, self.ends[s].latest) for s, own in sides.items()}
        refreshing = believable & (fresh != Kind.KEEPALIVE_PROBE)
        heard = {s: _running(indices, ~own & refreshing, self.ends[s].heard) for s, own in sides.items()}
        for offset in np.flatnonzero(np.isin(fresh, _WATCHED)).tolist():
            index = begin + offset
            side = Side.CLIENT if from_client[index] else Side.SERVER
            for s, end in self.ends.items():
                end.latest, end.heard = int(latest[s][offset]), int(heard[s][offset])
            self._watch(index, Kind(int(kind[index])), side, time_ns)
        for s, end in self.ends.items():
            end.latest, end.heard = int(latest[s][-1]), int(heard[s][-1])

    def _watch(self, index: int, kind: Kind, side: Side, time_ns: NDArray[np.int64]) -> None:
        end = self.ends[side]
        match kind:
            case Kind.SYN:
                end.syn, end.syns = index, 1
            case Kind.SYN_RETRANSMISSION:
                self._note(index, side, Timer.RTO, Schedule.SYN, end.syn, end.syns, time_ns)
                end.syn, end.syns = index, end.syns + 1
            case Kind.SYN_ACK:
                end.syn_ack = index
            case Kind.SYN_ACK_RETRANSMISSION:
                self._syn_ack_again(index, side, time_ns)
            case Kind.KEEPALIVE_PROBE:
                self._keepalive_probe(index, side, time_ns)
            case Kind.ZERO_WINDOW_PROBE:
                armed = max(end.window_probe, end.heard)
                self._note(index, side, Timer.PERSIST, Schedule.PERSIST, armed, 1, time_ns)
                end.window_probe = index
            case Kind.RST:
                self._reset(index, side, time_ns)

    def _keepalive_probe(self, index: int, side: Side, time_ns: NDArray[np.int64]) -> None:
        """Answered probes are keepalive_time apart, unanswered ones keepalive_intvl (tcp_keepalive_timer)."""
        end = self.ends[side]
        if end.probe != NOTHING and not self._has_heard(index, side):
            end.unanswered += 1
            schedule, armed = Schedule.KEEPALIVE_INTVL, end.probe
        else:
            end.unanswered = 1
            schedule, armed = Schedule.KEEPALIVE_TIME, end.heard
        self._note(index, side, Timer.KEEPALIVE, schedule, armed, end.unanswered, time_ns)
        end.probe = index

    def _reset(self, index: int, side: Side, time_ns: NDArray[np.int64]) -> None:
        """A RST with ACK behind an unanswered probe is the give-up of keepalive (tcp_send_active_reset)."""
        end = self.ends[side]
        if end.probe == NOTHING or end.latest != end.probe or not self.value("flags", index) & Flag.ACK:
            return
        if self._has_heard(index, side) or time_ns[index] - time_ns[end.probe] < 400 * MILLISECOND_NS:
            return
        self._note(index, side, Timer.KEEPALIVE, Schedule.GIVE_UP, end.probe, end.unanswered, time_ns)

    def _has_heard(self, index: int, side: Side) -> bool:
        """Whether an answer to the last probe reached the prober before it sent segment `index`.

        The capture may show answers that the prober's own firewall drops: then its timestamp echo stands still
        (RFC 7323 4.3).
        """
        end = self.ends[side]
        if end.heard <= end.probe:
            return False
        if not (self.value("has_timestamps", index) and self.value("has_timestamps", end.heard)):
            return True
        return difference(self.value("tsecr", index), self.value("tsval", end.heard)) >= 0

    def _syn_ack_again(self, index: int, side: Side, time_ns: NDArray[np.int64]) -> None:
        """The listener's timer sends a SYN-ACK again, and so does every repeated SYN that reaches it."""
        end, peer = self.ends[side], self.ends[Side.SERVER if side is Side.CLIENT else Side.CLIENT]
        if end.syn_ack == NOTHING:
            end.syn_ack = index
            return
        due = time_ns[index] - time_ns[end.syn_ack] >= synack_wait(end.syn_acks_by_timer) - 2 * EARLY_NS
        answers = peer.syns > 1 and 0 <= time_ns[index] - time_ns[peer.syn] < ANSWER_NS
        if due or not answers:
            number = end.syn_acks_by_timer + 1
            self._note(index, side, Timer.SYNACK, Schedule.SYN_ACK, end.syn_ack, number, time_ns)
            end.syn_ack, end.syn_acks_by_timer = index, number

    def _note(
        self,
        index: int,
        side: Side,
        timer: Timer,
        schedule: Schedule,
        armed: int,
        number: int,
        time_ns: NDArray[np.int64],
    ) -> None:
        observed_ns = int(time_ns[index] - time_ns[armed]) if armed != NOTHING else 0
        wait = self.found[index] = Wait(side, timer, schedule, armed, observed_ns, number)
        self.by_end[side].add(wait)
        self.fresh.append(index)


def _running(indices: NDArray[np.int64], condition: NDArray[np.bool_], carried: int) -> NDArray[np.int64]:
    """(n,) the largest index before each element for which the condition holds, one element shifted; then the last.

    Element i speaks of the indices below indices[i]; the final extra element includes all of them.
    """
    latest = np.where(condition, indices, carried)
    np.maximum.accumulate(latest, out=latest)
    return np.concatenate([[carried], latest])
