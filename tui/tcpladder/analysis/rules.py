"""The rules that say what a segment is: each a line that reads like its source in kinds.KINDS."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tcpladder.analysis.answers import tell_answers
from tcpladder.analysis.batch_columns import ACK, NEVER, RST, SYN, BatchColumns, where
from tcpladder.analysis.carried import SHIFT_UNKNOWN
from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.sent_again import tell_repetitions
from tcpladder.flows.order import NOTHING

SHORTEST_KEEPALIVE_NS = 900_000_000
"""No stack probes an idle peer more often than once a second; tcp(7), and less its clock's coarseness."""


def decide(batch: BatchColumns) -> None:
    """Apply the rules, the most general first, so that the more specific ones have the last word."""
    empty = batch.length == 0
    pure = empty & batch.plain & batch.acks
    at_next = batch.have & (batch.start == batch.highest)
    keepalive, zero_window_probe = _probes(batch, empty, pure, at_next)
    kind = batch.kind = np.where(empty, np.uint8(Kind.ACK), np.uint8(Kind.DATA))
    repeated = pure & at_next & batch.same_ack
    open_window = repeated & (batch.window != 0)
    batch.duplicate = open_window & batch.same_window & batch.outstanding
    kind[where(batch.duplicate)] = Kind.DUPLICATE_ACK
    kind[where(open_window & ~batch.same_window & (batch.own_flags & SYN == 0))] = Kind.WINDOW_UPDATE
    kind[where(_fills_window(batch))] = Kind.WINDOW_FULL
    kind[where(batch.have & (batch.start > batch.highest) & ~empty & batch.plain)] = Kind.AFTER_HOLE
    kind[where((batch.window == 0) & batch.plain)] = Kind.ZERO_WINDOW
    kind[where(batch.fin)] = Kind.FIN
    _openings(batch, pure, repeated)
    kind[keepalive] = Kind.KEEPALIVE_PROBE
    kind[zero_window_probe] = Kind.ZERO_WINDOW_PROBE
    _resets(batch)
    again = batch.have & (batch.end > batch.start) & (batch.start < batch.highest) & ~batch.rst
    again[keepalive] = again[zero_window_probe] = False
    tell_repetitions(batch, where(again))
    tell_answers(batch, pure, repeated, batch.order.latest_from_peer(kind, batch.carried.kind))


def _probes(
    batch: BatchColumns, empty: NDArray[np.bool_], pure: NDArray[np.bool_], at_next: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The positions of the probes of an idle peer, and of those of a closed window."""
    below = where((batch.start == batch.expected - 1) & (batch.expected > NEVER) & batch.plain & batch.acks)
    acknowledged, bare = batch.acknowledged[below], empty[below]
    all_acknowledged = (acknowledged >= batch.highest[below]) | ~batch.peer_acks[below]
    one_byte = (batch.length[below] == 1) & (acknowledged >= batch.end[below])
    is_probe = bare & all_acknowledged
    is_probe |= one_byte & ~_come_too_soon(batch, below)
    closed = where(batch.peer_closed)
    to_closed = np.zeros(len(empty), np.bool_)
    to_closed[below[is_probe]] = True
    to_closed[closed] |= at_next[closed] & (batch.length[closed] == 1) & batch.plain[closed]
    to_closed[closed] |= pure[closed] & (batch.start[closed] == batch.acknowledged[closed] - 1)
    return below[is_probe & ~batch.peer_closed[below]], closed[to_closed[closed]]


def _come_too_soon(batch: BatchColumns, positions: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of some one-byte segments come too soon after their sender's last one to be keepalive probes: a byte
    sent again whose ACK was lost behind the capture point."""
    order = batch.order
    before = order.previous[positions]
    carried_ns = batch.carried.time_ns[order.slot[positions]]
    before_ns = np.where(before == NOTHING, carried_ns, batch.time_ns[before])
    soon: NDArray[np.bool_] = batch.time_ns[positions] - before_ns < SHORTEST_KEEPALIVE_NS
    return soon


def _openings(batch: BatchColumns, pure: NDArray[np.bool_], repeated: NDArray[np.bool_]) -> None:
    """The segments of handshakes; few, so they are compared one row of theirs with another."""
    kind, peer_flags = batch.kind, batch.peer_flags
    syns = where(batch.syn)
    kind[syns] = Kind.SYN
    kind[syns[batch.length[syns] != 0]] = Kind.SYN_DATA
    kind[syns[peer_flags[syns] & (SYN | ACK) == SYN]] = Kind.SYN_CROSSING
    kind[syns[batch.acks[syns]]] = Kind.SYN_ACK
    answers = where(pure & (peer_flags & (SYN | RST) != 0))
    said, acks_all = peer_flags[answers], batch.acks_all[answers]
    challenge = (said & (SYN | ACK) == SYN) & ~acks_all | (said & RST != 0) & repeated[answers]
    kind[answers[challenge]] = Kind.CHALLENGE_ACK
    handshake = (said & (SYN | ACK) == SYN | ACK) & acks_all & (batch.own_flags[answers] & SYN != 0)
    batch.handshake = answers[handshake]
    kind[batch.handshake] = Kind.HANDSHAKE_ACK


def _resets(batch: BatchColumns) -> None:
    kind, order, carried = batch.kind, batch.order, batch.carried
    resets = where(batch.rst)
    if not len(resets):
        return
    kind[resets] = Kind.RST
    kind[resets[~batch.acks[resets]]] = Kind.RST_NO_CONNECTION
    elsewhere = batch.ttl[resets] != order.before_in_direction(batch.ttl, carried.ttl)[resets]
    kind[resets[(batch.own_flags[resets] != 0) & elsewhere]] = Kind.RST_FORGED
    opens = batch.peer_flags[resets] & (SYN | ACK) == SYN
    kind[resets[opens & ~batch.have[resets]]] = Kind.REFUSED


def _fills_window(batch: BatchColumns) -> NDArray[np.bool_]:
    """Whether data reaches the last byte of the peer's window, where its scale is known (RFC 7323 2.2)."""
    own, peer = _shifts(batch)
    scaled = (own >= 0) & (peer >= 0) & (batch.peer_flags & SYN == 0)
    window = batch.peer_window.astype(np.int64) << np.where(scaled, peer, 0)
    seen: NDArray[np.bool_] = (
        (own > SHIFT_UNKNOWN) & (peer > SHIFT_UNKNOWN) & batch.peer_acks & ~batch.peer_closed
    )
    full: NDArray[np.bool_] = batch.end == batch.acknowledged + window
    filled: NDArray[np.bool_] = seen & (batch.length > 0) & batch.plain & full
    return filled


def _shifts(batch: BatchColumns) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """(m,) the window scale shift of each segment's sender, and of its peer, as the SYNs up to there say."""
    order, shifts = batch.order, batch.carried.shift
    syns = where(batch.syn)
    behind_data = np.zeros(len(syns), np.bool_)
    for earlier in (order.previous[syns], order.peer[syns]):
        behind_data |= (earlier != NOTHING) & ~batch.syn[earlier]
    before = shifts.copy() if behind_data.any() else shifts
    # Of equal slots the last assignment stays.
    shifts[order.slot[syns]] = batch.shift[batch.capture_rows[syns]]
    if before is shifts:
        return shifts.take(order.slot, mode="clip"), shifts.take(order.peer_slot, mode="clip")
    # Segments in front of a SYN of their flow, which no capture of one connection has, do not know of it yet.
    marks = np.where(batch.syn, np.arange(len(order)) + 1, 0)
    _, latest = order.highest_before(marks, np.zeros(len(order), np.int64))
    latest_of_peer = np.where(order.peer == NOTHING, 0, latest[order.peer])
    said = batch.shift[batch.capture_rows]
    return (
        np.where(latest > 0, said[latest - 1], before[order.slot]),
        np.where(latest_of_peer > 0, said[latest_of_peer - 1], before[order.peer_slot]),
    )
