"""What repeats a number that was sent before: a retransmission and which one, or a segment that was overtaken.

Only these few segments, below the highest number sent, are looked at one by one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tcpladder.analysis.batch_columns import ACK, SYN, BatchColumns, where
from tcpladder.analysis.kinds import Kind
from tcpladder.flows.order import NOTHING

REORDERING_NS = 3_000_000
"""Sooner than this after the highest number, a lower one is a reordered segment, unless the handshake showed a round
trip time (Wireshark, tcp_analyze_sequence_number)."""
FAST_NS = 20_000_000
"""A retransmission this soon after the last duplicate ACK is a fast one (Wireshark, likewise)."""


def tell_repetitions(batch: BatchColumns, positions: NDArray[np.int64]) -> None:
    """Tell apart what lies below the highest number sent, segment by segment, in file order."""
    order, carried = batch.order, batch.carried
    highest_at: dict[int, int] = {}
    events = np.concatenate([positions, batch.handshake, where(batch.syn)])
    sent_again = set(positions.tolist())
    handshakes = set(batch.handshake.tolist())
    for position in sorted(set(events.tolist())):
        slot = int(order.slot[position])
        if position in handshakes and carried.syn_ns[slot]:
            rtt = int(batch.time_ns[position]) - int(carried.syn_ns[slot])
            carried.initial_rtt_ns[slot & ~1] = max(0, rtt)
        if position in sent_again:
            at = highest_at[position] = _highest_reached_at(batch, position, highest_at)
            since = int(batch.time_ns[at] if at != NOTHING else carried.highest_ns[slot])
            batch.kind[position] = _kind_of_repetition(batch, position, slot, since)
        if batch.syn[position]:
            carried.syn_ns[slot] = batch.time_ns[position]


def _highest_reached_at(batch: BatchColumns, position: int, found: dict[int, int]) -> int:
    """Position of the segment that reached the highest number before this one, NOTHING if in an earlier batch.

    `found` holds the answers for earlier positions, so that all look-ups of a batch walk each segment once.
    """
    at = int(batch.order.previous[position])
    while at != NOTHING and not batch.advanced[at]:
        if at in found:
            return found[at]
        at = int(batch.order.previous[at])
    return at


def _kind_of_repetition(batch: BatchColumns, position: int, slot: int, highest_ns: int) -> Kind:
    if batch.syn[position]:
        if not batch.acks[position]:
            return Kind.SYN_RETRANSMISSION
        # In a simultaneous open, a SYN-ACK repeats the number of the SYN before it (RFC 9293 3.5).
        first = batch.own_flags[position] & (SYN | ACK) == SYN
        return Kind.SYN_ACK if first else Kind.SYN_ACK_RETRANSMISSION
    if batch.length[position] and batch.end[position] <= batch.acknowledged[position]:
        return Kind.SPURIOUS_RETRANSMISSION
    now, peer = int(batch.time_ns[position]), int(batch.order.peer[position])
    if batch.peer_acks[position] and batch.start[position] == batch.acknowledged[position]:
        acked_ns = batch.time_ns[peer] if peer != NOTHING else batch.carried.time_ns[slot ^ 1]
        if _duplicates(batch, peer, slot ^ 1) >= 2 and now - int(acked_ns) < FAST_NS:
            return Kind.FAST_RETRANSMISSION
    reordering_ns = int(batch.carried.initial_rtt_ns[slot & ~1]) or REORDERING_NS
    if now - highest_ns < reordering_ns and batch.end[position] != batch.highest[position]:
        return Kind.OUT_OF_ORDER
    return Kind.RETRANSMISSION


def _duplicates(batch: BatchColumns, position: int, slot: int) -> int:
    """Duplicate ACKs in a row up to a segment, counted to 2."""
    if position == NOTHING:
        return int(batch.carried.duplicates[slot])
    if not batch.duplicate[position]:
        return 0
    before = int(batch.order.previous[position])
    if before != NOTHING:
        return 1 + int(batch.duplicate[before])
    return min(2, 1 + int(batch.carried.duplicates[slot]))
