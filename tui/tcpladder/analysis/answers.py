"""Which segments answer probes, and which were probes, as only their answers or the silence before them show."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tcpladder.analysis.batch_columns import BatchColumns, where
from tcpladder.analysis.carried import NOWHERE
from tcpladder.analysis.classified import Amended
from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.listed import BARE, bare_ack, gap_to_latest
from tcpladder.flows.order import NOTHING
from tcpladder.wire.frames import Unknown


def tell_answers(
    batch: BatchColumns, pure: NDArray[np.bool_], repeated: NDArray[np.bool_], peer_kind: NDArray[np.uint8]
) -> None:
    """The answers to probes; they look like duplicate ACKs and window updates, so they come last."""
    kind = batch.kind
    plain_ack = (kind == Kind.ACK) | (kind == Kind.DUPLICATE_ACK) | (kind == Kind.WINDOW_UPDATE)
    first_word = pure & ~batch.have
    keepalive = (peer_kind == Kind.KEEPALIVE_PROBE) & plain_ack & (repeated | first_word)
    kind[where(keepalive)] = Kind.KEEPALIVE_ACK
    _answer_crossing(batch, where(pure & repeated & plain_ack & ~keepalive))
    zero = (peer_kind == Kind.ZERO_WINDOW_PROBE) & (kind == Kind.ZERO_WINDOW) & repeated & batch.same_window
    kind[where(zero)] = Kind.ZERO_WINDOW_PROBE_ACK
    batch.duplicate &= ~keepalive
    _explain_first_probe(batch, where(first_word & plain_ack & ~keepalive))


def _answer_crossing(batch: BatchColumns, positions: NDArray[np.int64]) -> None:
    """Two keepalive probes crossed: the second of the answers comes behind the first, not behind its probe."""
    order = batch.order
    own_kind = np.where(
        order.previous[positions] != NOTHING,
        batch.kind[order.previous[positions]],
        batch.carried.kind[order.slot[positions]],
    )
    for position in positions[own_kind == Kind.KEEPALIVE_PROBE].tolist():
        slot, peer_slot = int(order.slot[position]), int(order.peer_slot[position])
        own = _last_two(batch, int(order.previous[position]), slot)
        peer = _last_two(batch, int(order.peer[position]), peer_slot)
        asked = [kind for kind, _ in peer] == [Kind.KEEPALIVE_PROBE, Kind.KEEPALIVE_ACK]
        # What this end said last before its own probe came before the peer's probe, and is no answer to it.
        if asked and own[0][1] < peer[0][1]:
            batch.kind[position] = Kind.KEEPALIVE_ACK


def _last_two(batch: BatchColumns, position: int, slot: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Kind and row of the capture of a segment and of the one before it in its direction, that one first."""
    carried = batch.carried
    last = int(carried.kind[slot]), int(carried.row[slot])
    if position == NOTHING:
        return (int(carried.kind_before[slot]), int(carried.row_before[slot])), last
    before = int(batch.order.previous[position])
    return (last if before == NOTHING else _kind_and_row(batch, before)), _kind_and_row(batch, position)


def _kind_and_row(batch: BatchColumns, position: int) -> tuple[int, int]:
    return int(batch.kind[position]), batch.first_row + int(batch.capture_rows[position])


def _explain_first_probe(batch: BatchColumns, positions: NDArray[np.int64]) -> None:
    """A capture that begins with a keepalive probe: only the answer shows that it was one."""
    order, carried = batch.order, batch.carried
    for position in positions.tolist():
        peer = int(order.peer[position])
        if peer == NOTHING:
            slot = int(order.peer_slot[position])
            row, seq = int(carried.first_bare_row[slot]), int(carried.seq[slot])
            # The only segment of its direction reached as far as it is long.
            length = (int(carried.highest[slot]) - seq) % (1 << 32)
        else:
            row = int(batch.first_bare_row(np.array([peer]))[0])
            seq, length = int(batch.seq[peer]), int(batch.length[peer])
        if row != NOWHERE and (int(batch.ack[position]) - seq) % (1 << 32) == 1:
            answer = batch.first_row + int(batch.capture_rows[position])
            batch.amended[row] = Amended(int(order.flow[position]), answer, length)
            batch.kind[position] = Kind.KEEPALIVE_ACK


def listen_for_probes(batch: BatchColumns) -> None:
    """Segments without a known sequence number: silence tells keepalive, one segment after the other."""
    order, carried = batch.order, batch.carried
    for position in where(batch.unknown & Unknown.SEQ != 0).tolist():
        if Kind(int(batch.kind[position])) not in BARE or batch.length[position]:
            continue
        now_ns, times = int(batch.time_ns[position]), {}
        for at, slot in (
            (int(order.previous[position]), int(order.slot[position])),
            (int(order.peer[position]), int(order.peer_slot[position])),
        ):
            if at != NOTHING or carried.flags[slot]:
                times[slot] = int(batch.time_ns[at] if at != NOTHING else carried.time_ns[slot])
        peer, peer_slot = int(order.peer[position]), int(order.peer_slot[position])
        peer_kind = batch.kind[peer] if peer != NOTHING else carried.kind[peer_slot]
        batch.kind[position] = bare_ack(
            gap_to_latest(now_ns, list(times.values())),
            Kind(int(peer_kind)) if peer_kind else None,
            gap_to_latest(now_ns, [times[peer_slot]] if peer_slot in times else []),
        )
