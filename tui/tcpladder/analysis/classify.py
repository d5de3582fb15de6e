"""What each segment is. One function for live captures and files: state is carried, so cuts change nothing.

Each rule is a line that reads like its source in kinds.KINDS; the columns it compares come from flows/order.py. Only
the few segments below the highest number sent are looked at one by one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tcpladder.analysis.carried import NOWHERE, Carried
from tcpladder.analysis.copies import Fingerprints, find_copies
from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.listed import BARE, bare_ack, gap_to_latest
from tcpladder.flows.order import NOTHING, FlowOrder
from tcpladder.flows.seqnum import differences
from tcpladder.flows.table import Assigned
from tcpladder.wire.frames import Unknown
from tcpladder.wire.segments import Flag, Segments, State

NEVER = -(1 << 33)
"""A relative sequence number below every other: the highest one of a direction that has sent nothing."""
REORDERING_NS = 3_000_000
"""Sooner than this after the highest number, a lower one is a reordered segment, unless the handshake showed a round
trip time (Wireshark, tcp_analyze_sequence_number)."""
FAST_NS = 20_000_000
"""A retransmission this soon after the last duplicate ACK is a fast one (Wireshark, likewise)."""
SHORTEST_KEEPALIVE_NS = 900_000_000
"""No stack probes an idle peer more often than once a second; tcp(7), and less its clock's coarseness."""
WIDEST = 1 << 30
"""Rows of a batch that lie further apart than this in sequence space are classified in smaller pieces."""
FEWEST_ROWS = 4096
# Plain integers: `&` on an IntFlag makes an object.
FIN, SYN, RST, ACK = int(Flag.FIN), int(Flag.SYN), int(Flag.RST), int(Flag.ACK)
CONTROL = SYN | FIN | RST
SEEN = np.uint16(1 << 15)
"""Beside the flags of every segment, none of TCP's: a segment without a flag (a null scan) is not "none so far"."""

_STATE_KIND = {
    State.CUT_SHORT: Kind.CUT_SHORT,
    State.IP_LENGTH: Kind.MALFORMED,
    State.DATA_OFFSET: Kind.MALFORMED,
    State.ICMP: Kind.ICMP_ERROR,
}


@dataclass(frozen=True, slots=True)
class Amended:
    """A segment that got another kind when its answer came."""

    flow: int
    answer: int
    """Row of the capture."""
    length: int
    """Its payload in bytes: garbage, and no application's (RFC 1122 4.2.3.6)."""


@dataclass(slots=True, kw_only=True)
class Classified:
    """The kinds of m segments, and the numbers that decided them; file order."""

    kind: NDArray[np.uint8]
    """(m,) Kind of each segment."""
    expected: NDArray[np.uint32]
    """(m,) next sequence number that the sender had to send, from its own segments and the peer's ACKs."""
    expected_known: NDArray[np.bool_]
    peer_ack: NDArray[np.uint32]
    """(m,) acknowledgment number of the peer's latest segment."""
    peer_ack_known: NDArray[np.bool_]
    copy_of: dict[int, int]
    """Row of the batch -> row of the capture that it repeats."""
    heard: dict[int, int]
    """Row of the batch -> row of the capture in which its sender's peer spoke last, for probes and resets after which
    silence matters. Rows and not times: a coarse clock gives an answer the time of its probe."""
    amended: dict[int, Amended]
    """Row of the capture, of this batch or an earlier one: keepalive probes that only their answer shows to be such.
    `kind` says what they looked like when they came."""


def classify(segments: Segments, assigned: Assigned, carried: Carried, first_row: int) -> Classified:
    """Give every segment its kind.

    Args:
        segments: m segments in capture order.
        assigned: their flows.
        carried: what earlier batches left; updated.
        first_row: row of the capture that the first segment is.
    """
    m = len(segments)
    if m:
        carried.grow(int(assigned.flow.max()) * 2 + 2)
    result = Classified(
        kind=np.zeros(m, np.uint8),
        expected=np.zeros(m, np.uint32),
        expected_known=np.zeros(m, np.bool_),
        peer_ack=np.zeros(m, np.uint32),
        peer_ack_known=np.zeros(m, np.bool_),
        copy_of={},
        heard={},
        amended={},
    )
    whole = segments.state == State.WHOLE
    if bool(whole.all()):
        rows = np.arange(m)
    else:
        rows = np.flatnonzero(whole)
        for row in np.flatnonzero(~whole).tolist():
            result.kind[row] = _STATE_KIND[State(int(segments.state[row]))]
    _classify_rows(segments, assigned, carried, first_row, rows, result)
    return result


def _classify_rows(
    segments: Segments,
    assigned: Assigned,
    carried: Carried,
    first_row: int,
    rows: NDArray[np.int64],
    result: Classified,
    *,
    copies_are_out: bool = False,
) -> None:
    if not len(rows):
        return
    batch = _Batch(segments, assigned, carried, first_row, rows)
    if len(rows) > FEWEST_ROWS and batch.widest > WIDEST:
        half = len(rows) // 2
        _classify_rows(segments, assigned, carried, first_row, rows[:half], result)
        _classify_rows(segments, assigned, carried, first_row, rows[half:], result)
        return
    batch.compare()
    if not copies_are_out:
        copies = batch.copies()
        batch.remember_datagrams()
        if copies:
            # A copy must not count as something that was sent: once more without them.
            result.copy_of |= copies
            result.kind[list(copies)] = Kind.COPY
            rest = np.setdiff1d(rows, list(copies), assume_unique=True)
            _classify_rows(segments, assigned, carried, first_row, rest, result, copies_are_out=True)
            return
    batch.decide()
    batch.listen_for_probes()
    result.heard |= batch.heard()
    batch.carry()
    target = batch.capture_rows
    result.kind[target] = batch.kind
    result.expected[target] = (batch.expected + batch.base).astype(np.uint32)
    result.expected_known[target] = batch.expected > NEVER
    result.peer_ack[target] = batch.peer_ack
    result.peer_ack_known[target] = batch.peer_acks
    result.amended |= batch.amended


def _where(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """np.flatnonzero, without what it does for arrays of other shapes."""
    return mask.nonzero()[0]


class _Batch:
    """One batch in flow order, and the columns that the rules compare."""

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
        self.prints = Fingerprints(segments, at)
        self.known = carried.known.take(order.slot, mode="clip")
        self._choose_base()
        self.start = differences(self.seq, self.base)
        """(m,) sequence number relative to `base`."""
        self.widest = int(self.start.max() - self.start.min())
        self.amended: dict[int, Amended] = {}

    def _choose_base(self) -> None:
        """Count each direction from the highest number before the batch, or from its first segment."""
        order, highest = self.order, self.carried.highest
        fresh = _where((order.previous == NOTHING) & ~self.known)
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
        self.end[_where(self.syn)] += 1
        self.end[_where(self.fin)] += 1
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
        passing = self.rst | (self.peer_closed & (self.length == 1) & self.plain)
        reached = np.where(passing, NEVER, self.end)
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
        them. Neither depends on other copies in between.
        """
        order, carried = self.order, self.carried
        fresh = _where((order.previous == NOTHING) & (carried.flags[order.slot] == 0))
        carried.highest_ack[order.slot[fresh]] = self.ack[fresh]
        number = differences(self.ack, carried.highest_ack.take(order.slot, mode="clip"))
        initial = np.where(carried.flags.take(order.slot, mode="clip") == 0, NEVER, 0)
        acked_before, acked = order.highest_before(number, initial)
        last = order.last
        carried.highest_ack[order.slot[last]] += acked[last].astype(np.uint32)
        repeats = self.have & (self.start < self.highest) & (self.end > self.start)
        repeats |= (self.end == self.start) & (number <= acked_before)
        found = find_copies(
            self.order,
            self.prints,
            self.carried.recent,
            _where(repeats),
            self.capture_rows + self.first_row,
        )
        return {int(self.capture_rows[position]): row for position, row in found.items()}

    def remember_datagrams(self) -> None:
        """Leave the last datagrams of each direction, copies included, to be compared with those of the next batch."""
        self.carried.recent.carry(self.order, self.prints, self.capture_rows + self.first_row)

    def decide(self) -> None:
        """Apply the rules, the most general first, so that the more specific ones have the last word."""
        empty = self.length == 0
        pure = empty & self.plain & self.acks
        at_next = self.have & (self.start == self.highest)
        keepalive, zero_window_probe = self._probes(empty, pure, at_next)
        kind = self.kind = np.where(empty, np.uint8(Kind.ACK), np.uint8(Kind.DATA))
        repeated = pure & at_next & self.same_ack
        open_window = repeated & (self.window != 0)
        self.duplicate = open_window & self.same_window & self.outstanding
        kind[_where(self.duplicate)] = Kind.DUPLICATE_ACK
        kind[_where(open_window & ~self.same_window & (self.own_flags & SYN == 0))] = Kind.WINDOW_UPDATE
        kind[_where(self._fills_window())] = Kind.WINDOW_FULL
        kind[_where(self.have & (self.start > self.highest) & ~empty & self.plain)] = Kind.AFTER_HOLE
        kind[_where((self.window == 0) & self.plain)] = Kind.ZERO_WINDOW
        kind[_where(self.fin)] = Kind.FIN
        self._decide_openings(pure, repeated)
        kind[keepalive] = Kind.KEEPALIVE_PROBE
        kind[zero_window_probe] = Kind.ZERO_WINDOW_PROBE
        self._decide_resets()
        again = self.have & (self.end > self.start) & (self.start < self.highest) & ~self.rst
        again[keepalive] = again[zero_window_probe] = False
        self._sent_again(_where(again))
        self._answers(pure, repeated, self.order.latest_from_peer(kind, self.carried.kind))

    def _probes(
        self, empty: NDArray[np.bool_], pure: NDArray[np.bool_], at_next: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The positions of the probes of an idle peer, and of those of a closed window."""
        below = _where((self.start == self.expected - 1) & (self.expected > NEVER) & self.plain & self.acks)
        acknowledged, bare = self.acknowledged[below], empty[below]
        all_acknowledged = (acknowledged >= self.highest[below]) | ~self.peer_acks[below]
        one_byte = (self.length[below] == 1) & (acknowledged >= self.end[below])
        is_probe = bare & all_acknowledged
        is_probe |= one_byte & ~self._come_too_soon(below)
        closed = _where(self.peer_closed)
        to_closed = np.zeros(len(empty), np.bool_)
        to_closed[below[is_probe]] = True
        to_closed[closed] |= at_next[closed] & (self.length[closed] == 1) & self.plain[closed]
        to_closed[closed] |= pure[closed] & (self.start[closed] == self.acknowledged[closed] - 1)
        return below[is_probe & ~self.peer_closed[below]], closed[to_closed[closed]]

    def _come_too_soon(self, positions: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of some one-byte segments come too soon after their sender's last one to be keepalive probes: a byte
        sent again whose ACK was lost behind the capture point."""
        order = self.order
        before = order.previous[positions]
        carried_ns = self.carried.time_ns[order.slot[positions]]
        before_ns = np.where(before == NOTHING, carried_ns, self.time_ns[before])
        soon: NDArray[np.bool_] = self.time_ns[positions] - before_ns < SHORTEST_KEEPALIVE_NS
        return soon

    def _decide_openings(self, pure: NDArray[np.bool_], repeated: NDArray[np.bool_]) -> None:
        """The segments of handshakes; few, so they are compared one row of theirs with another."""
        kind, peer_flags = self.kind, self.peer_flags
        syns = _where(self.syn)
        kind[syns] = Kind.SYN
        kind[syns[self.length[syns] != 0]] = Kind.SYN_DATA
        kind[syns[peer_flags[syns] & (SYN | ACK) == SYN]] = Kind.SYN_CROSSING
        kind[syns[self.acks[syns]]] = Kind.SYN_ACK
        answers = _where(pure & (peer_flags & (SYN | RST) != 0))
        said, acks_all = peer_flags[answers], self.acks_all[answers]
        challenge = (said & (SYN | ACK) == SYN) & ~acks_all | (said & RST != 0) & repeated[answers]
        kind[answers[challenge]] = Kind.CHALLENGE_ACK
        handshake = (said & (SYN | ACK) == SYN | ACK) & acks_all & (self.own_flags[answers] & SYN != 0)
        self.handshake = answers[handshake]
        kind[self.handshake] = Kind.HANDSHAKE_ACK

    def _decide_resets(self) -> None:
        kind, order, carried = self.kind, self.order, self.carried
        resets = _where(self.rst)
        if not len(resets):
            return
        kind[resets] = Kind.RST
        kind[resets[~self.acks[resets]]] = Kind.RST_NO_CONNECTION
        elsewhere = self.ttl[resets] != order.before_in_direction(self.ttl, carried.ttl)[resets]
        kind[resets[(self.own_flags[resets] != 0) & elsewhere]] = Kind.RST_FORGED
        opens = self.peer_flags[resets] & (SYN | ACK) == SYN
        kind[resets[opens & ~self.have[resets]]] = Kind.REFUSED

    def listen_for_probes(self) -> None:
        """Segments without a known sequence number: silence tells keepalive, one segment after the other."""
        order, carried = self.order, self.carried
        for position in _where(self.unknown & Unknown.SEQ != 0).tolist():
            if Kind(int(self.kind[position])) not in BARE or self.length[position]:
                continue
            now_ns, times = int(self.time_ns[position]), {}
            for at, slot in (
                (int(order.previous[position]), int(order.slot[position])),
                (int(order.peer[position]), int(order.peer_slot[position])),
            ):
                if at != NOTHING or carried.flags[slot]:
                    times[slot] = int(self.time_ns[at] if at != NOTHING else carried.time_ns[slot])
            peer, peer_slot = int(order.peer[position]), int(order.peer_slot[position])
            peer_kind = self.kind[peer] if peer != NOTHING else carried.kind[peer_slot]
            self.kind[position] = bare_ack(
                gap_to_latest(now_ns, list(times.values())),
                Kind(int(peer_kind)) if peer_kind else None,
                gap_to_latest(now_ns, [times[peer_slot]] if peer_slot in times else []),
            )

    def _fills_window(self) -> NDArray[np.bool_]:
        """Whether data reaches the last byte of the peer's window, where its scale is known (RFC 7323 2.2)."""
        own, peer = self._shifts()
        scaled = (own >= 0) & (peer >= 0) & (self.peer_flags & SYN == 0)
        window = self.peer_window.astype(np.int64) << np.where(scaled, peer, 0)
        seen: NDArray[np.bool_] = (own > -2) & (peer > -2) & self.peer_acks & ~self.peer_closed
        full: NDArray[np.bool_] = self.end == self.acknowledged + window
        filled: NDArray[np.bool_] = seen & (self.length > 0) & self.plain & full
        return filled

    def _shifts(self) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
        """(m,) the window scale shift of each segment's sender, and of its peer, as the SYNs up to there say."""
        order, shifts = self.order, self.carried.shift
        syns = _where(self.syn)
        behind_data = np.zeros(len(syns), np.bool_)
        for earlier in (order.previous[syns], order.peer[syns]):
            behind_data |= (earlier != NOTHING) & ~self.syn[earlier]
        before = shifts.copy() if behind_data.any() else shifts
        shifts[order.slot[syns]] = self.shift[
            self.capture_rows[syns]
        ]  # of equal slots the last assignment stays
        if before is shifts:
            return shifts.take(order.slot, mode="clip"), shifts.take(order.peer_slot, mode="clip")
        # Segments in front of a SYN of their flow, which no capture of one connection has, do not know of it yet.
        marks = np.where(self.syn, np.arange(len(order)) + 1, 0)
        _, latest = order.highest_before(marks, np.zeros(len(order), np.int64))
        latest_of_peer = np.where(order.peer == NOTHING, 0, latest[order.peer])
        said = self.shift[self.capture_rows]
        return (
            np.where(latest > 0, said[latest - 1], before[order.slot]),
            np.where(latest_of_peer > 0, said[latest_of_peer - 1], before[order.peer_slot]),
        )

    def _answers(
        self, pure: NDArray[np.bool_], repeated: NDArray[np.bool_], peer_kind: NDArray[np.uint8]
    ) -> None:
        """The answers to probes; they look like duplicate ACKs and window updates, so they come last."""
        kind = self.kind
        plain_ack = (kind == Kind.ACK) | (kind == Kind.DUPLICATE_ACK) | (kind == Kind.WINDOW_UPDATE)
        first_word = pure & ~self.have
        keepalive = (peer_kind == Kind.KEEPALIVE_PROBE) & plain_ack & (repeated | first_word)
        kind[_where(keepalive)] = Kind.KEEPALIVE_ACK
        self._answer_crossing(_where(pure & repeated & plain_ack & ~keepalive))
        zero = (
            (peer_kind == Kind.ZERO_WINDOW_PROBE) & (kind == Kind.ZERO_WINDOW) & repeated & self.same_window
        )
        kind[_where(zero)] = Kind.ZERO_WINDOW_PROBE_ACK
        self.duplicate &= ~keepalive
        self._explain_first_probe(_where(first_word & plain_ack & ~keepalive))

    def _answer_crossing(self, positions: NDArray[np.int64]) -> None:
        """Two keepalive probes crossed: the second of the answers comes behind the first, not behind its probe."""
        order = self.order
        own_kind = np.where(
            order.previous[positions] != NOTHING,
            self.kind[order.previous[positions]],
            self.carried.kind[order.slot[positions]],
        )
        for position in positions[own_kind == Kind.KEEPALIVE_PROBE].tolist():
            slot, peer_slot = int(order.slot[position]), int(order.peer_slot[position])
            own = self._last_two(int(order.previous[position]), slot)
            peer = self._last_two(int(order.peer[position]), peer_slot)
            asked = [kind for kind, _ in peer] == [Kind.KEEPALIVE_PROBE, Kind.KEEPALIVE_ACK]
            # What this end said last before its own probe came before the peer's probe, and is no answer to it.
            if asked and own[0][1] < peer[0][1]:
                self.kind[position] = Kind.KEEPALIVE_ACK

    def _last_two(self, position: int, slot: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """Kind and row of the capture of a segment and of the one before it in its direction, that one first."""
        carried = self.carried
        last = int(carried.kind[slot]), int(carried.row[slot])
        if position == NOTHING:
            return (int(carried.kind_before[slot]), int(carried.row_before[slot])), last
        before = int(self.order.previous[position])
        return (last if before == NOTHING else self._kind_and_row(before)), self._kind_and_row(position)

    def _kind_and_row(self, position: int) -> tuple[int, int]:
        return int(self.kind[position]), self.first_row + int(self.capture_rows[position])

    def _explain_first_probe(self, positions: NDArray[np.int64]) -> None:
        """A capture that begins with a keepalive probe: only the answer shows that it was one."""
        order, carried = self.order, self.carried
        for position in positions.tolist():
            peer = int(order.peer[position])
            if peer == NOTHING:
                slot = int(order.peer_slot[position])
                row, seq = int(carried.first_bare_row[slot]), int(carried.seq[slot])
                # The only segment of its direction reached as far as it is long.
                length = (int(carried.highest[slot]) - seq) % (1 << 32)
            else:
                row = self._first_bare_row(peer)
                seq, length = int(self.seq[peer]), int(self.length[peer])
            if row != NOWHERE and (int(self.ack[position]) - seq) % (1 << 32) == 1:
                answer = self.first_row + int(self.capture_rows[position])
                self.amended[row] = Amended(int(order.flow[position]), answer, length)
                self.kind[position] = Kind.KEEPALIVE_ACK

    def _first_bare_row(self, position: int) -> int:
        """The capture row of a segment that is its direction's first and an ACK of at most one byte, or NOWHERE."""
        first = self.order.previous[position] == NOTHING and not self.known[position]
        bare = self.length[position] <= 1 and self.plain[position] and self.acks[position]
        fresh = first and bare and self.carried.flags[self.order.slot[position]] == 0
        return self.first_row + int(self.capture_rows[position]) if fresh else NOWHERE

    def _sent_again(self, positions: NDArray[np.int64]) -> None:
        """Tell apart what lies below the highest number sent, segment by segment, in file order."""
        order, carried = self.order, self.carried
        highest_at: dict[int, int] = {}
        events = np.concatenate([positions, self.handshake, _where(self.syn)])
        sent_again = set(positions.tolist())
        handshakes = set(self.handshake.tolist())
        for position in sorted(set(events.tolist())):
            slot = int(order.slot[position])
            if position in handshakes and carried.syn_ns[slot]:
                rtt = int(self.time_ns[position]) - int(carried.syn_ns[slot])
                carried.initial_rtt_ns[slot & ~1] = max(0, rtt)
            if position in sent_again:
                at = highest_at[position] = self._highest_reached_at(position, highest_at)
                since = int(self.time_ns[at] if at != NOTHING else carried.highest_ns[slot])
                self.kind[position] = self._kind_of_repetition(position, slot, since)
            if self.syn[position]:
                carried.syn_ns[slot] = self.time_ns[position]

    def _highest_reached_at(self, position: int, found: dict[int, int]) -> int:
        """Position of the segment that reached the highest number before this one, NOTHING if in an earlier batch.

        `found` holds the answers for earlier positions, so that all look-ups of a batch walk each segment once.
        """
        at = int(self.order.previous[position])
        while at != NOTHING and not self.advanced[at]:
            if at in found:
                return found[at]
            at = int(self.order.previous[at])
        return at

    def _kind_of_repetition(self, position: int, slot: int, highest_ns: int) -> Kind:
        if self.syn[position]:
            if not self.acks[position]:
                return Kind.SYN_RETRANSMISSION
            # In a simultaneous open, a SYN-ACK repeats the number of the SYN before it (RFC 9293 3.5).
            first = self.own_flags[position] & (SYN | ACK) == SYN
            return Kind.SYN_ACK if first else Kind.SYN_ACK_RETRANSMISSION
        if self.length[position] and self.end[position] <= self.acknowledged[position]:
            return Kind.SPURIOUS_RETRANSMISSION
        now, peer = int(self.time_ns[position]), int(self.order.peer[position])
        if self.peer_acks[position] and self.start[position] == self.acknowledged[position]:
            acked_ns = self.time_ns[peer] if peer != NOTHING else self.carried.time_ns[slot ^ 1]
            if self._duplicates(peer, slot ^ 1) >= 2 and now - int(acked_ns) < FAST_NS:
                return Kind.FAST_RETRANSMISSION
        reordering_ns = int(self.carried.initial_rtt_ns[slot & ~1]) or REORDERING_NS
        if now - highest_ns < reordering_ns and self.end[position] != self.highest[position]:
            return Kind.OUT_OF_ORDER
        return Kind.RETRANSMISSION

    def _duplicates(self, position: int, slot: int) -> int:
        """Duplicate ACKs in a row up to a segment, counted to 2."""
        if position == NOTHING:
            return int(self.carried.duplicates[slot])
        if not self.duplicate[position]:
            return 0
        before = int(self.order.previous[position])
        if before != NOTHING:
            return 1 + int(self.duplicate[before])
        return min(2, 1 + int(self.carried.duplicates[slot]))

    def heard(self) -> dict[int, int]:
        """For each probe and reset of the batch, by row: the row of the capture that is the peer's latest segment."""
        order = self.order
        asking = (self.kind == Kind.KEEPALIVE_PROBE) | self.rst
        heard = {}
        for position in _where(asking).tolist():
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
        advanced = _where(self.advanced)
        # Of several assignments to one slot the last one stays: the latest segment that reached further.
        carried.highest_ns[order.slot[advanced]] = self.time_ns[advanced]
        known = self.including[last] > NEVER
        carried.highest[slot[known]] = self.highest_raw[last[known]]
        before = order.previous[last]
        first = (before == NOTHING) & ~self.known[last] & (carried.flags[slot] == 0)
        bare = first & (self.length[last] <= 1) & self.plain[last] & self.acks[last]
        carried.first_bare_row[slot] = np.where(bare, self.first_row + self.capture_rows[last], NOWHERE)
        duplicate_before = np.where(before != NOTHING, self.duplicate[before], carried.duplicates[slot] > 0)
        carried.duplicates[slot] = np.where(self.duplicate[last], 1 + duplicate_before, 0)
        carried.known[slot] |= known
        rows = self.first_row + self.capture_rows
        carried.kind_before[slot] = np.where(before != NOTHING, self.kind[before], carried.kind[slot])
        carried.row_before[slot] = np.where(before != NOTHING, rows[before], carried.row[slot])
        carried.row[slot] = rows[last]
        for name in ("seq", "ack", "window", "flags", "ttl", "time_ns", "kind"):
            getattr(carried, name)[slot] = getattr(self, name)[last]
