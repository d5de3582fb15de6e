"""Which ACKs the delayed ACK timer sent: bare ones that acknowledge data that came some 40 to 200 ms before.

Linux: tcp_delack_timer; TCP_DELACK_MIN is HZ/25, TCP_DELACK_MAX HZ/5. RFC 1122 4.2.3.2 allows 500 ms.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tcpladder.analysis.columns import FlowColumns
from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.paths import UNKNOWN_NS, Direction, Loop, Paths
from tcpladder.analysis.schedule import MILLISECOND_NS

EARLIEST_NS = 34 * MILLISECOND_NS
"""TCP_DELACK_MIN, less what the loop may have been longer for this segment."""
USUAL_NS = 60 * MILLISECOND_NS
LATEST_NS = 230 * MILLISECOND_NS
"""TCP_DELACK_MAX and its lateness."""
JITTER_NS = 3 * MILLISECOND_NS
JITTER_SHARE = 20


def delayed_acks(
    columns: FlowColumns, paths: Paths, begin: int, client: bool, acked_before: int
) -> dict[int, int]:
    """Index of each ACK from `begin` on that the timer of an end sent -> index of the segment that armed it.

    `acked_before` is the relative number that the end had acknowledged before `begin`, -1 for none.
    """
    peer, loop = paths.sent[not client], paths.loop[client]
    if peer.base is None or not len(peer.end):
        return {}
    own = (columns.from_client[begin:] == client) & (columns.flags[begin:] & 0x10 != 0)
    indices = np.flatnonzero(own) + begin
    number = (columns.ack[indices] - np.uint32(peer.base)).astype(np.int64)
    before = np.maximum.accumulate(np.concatenate([[acked_before], number]))[:-1]
    bare = (columns.kind[indices] == Kind.ACK) & (number > before)
    return _judge(columns, peer, loop, indices[bare], number[bare], before[bare])


def _judge(
    columns: FlowColumns,
    peer: Direction,
    loop: Loop,
    indices: NDArray[np.int64],
    number: NDArray[np.int64],
    before: NDArray[np.int64],
) -> dict[int, int]:
    loop_ns = loop.at_each(indices)
    known = (loop_ns < UNKNOWN_NS) & ~loop.is_smeared(indices)
    loop_ns = np.where(known, loop_ns, 0)
    jitter_ns = JITTER_NS + loop_ns // JITTER_SHARE
    sent_ns = columns.time_ns[indices] - loop_ns
    # Arrivals at this end, on its clock: what passed the capture point up to one loop before its ACK did.
    latest = np.searchsorted(peer.sent_ns.values, sent_ns + jitter_ns, "right") - 1
    latest = np.minimum(latest, np.searchsorted(peer.index.values, indices) - 1)
    first = np.searchsorted(peer.end.values, before, "right")
    arrived = known & (latest >= 0) & (first <= latest) & (first < len(peer.end))
    latest, first = np.maximum(latest, 0), np.minimum(first, len(peer.end) - 1)
    since_latest_ns = sent_ns - peer.sent_ns.values[latest]
    since_first_ns = sent_ns - peer.sent_ns.values[first]
    usual = (since_first_ns >= EARLIEST_NS) & (since_first_ns <= USUAL_NS)
    slow = (since_latest_ns >= EARLIEST_NS) & (since_latest_ns <= LATEST_NS)
    covered = peer.end.values[first] <= number
    candidates = np.flatnonzero(arrived & covered & (since_latest_ns > jitter_ns) & (usual | slow))
    return {
        int(indices[i]): int(peer.index.values[latest[i] if slow[i] else first[i]])
        for i in candidates.tolist()
        if not columns.sack(int(indices[i]))
    }
