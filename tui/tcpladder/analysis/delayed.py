"""Which ACKs the delayed ACK timer sent: bare ones that acknowledge data that came some 40 to 200 ms before.

Linux: tcp_delack_timer; TCP_DELACK_MIN is HZ/25, TCP_DELACK_MAX HZ/5. RFC 1122 4.2.3.2 allows 500 ms.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tcpladder.analysis.columns import FlowColumns, first_of_each
from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.paths import UNKNOWN_NS, Acks, Direction, Paths
from tcpladder.analysis.schedule import MILLISECOND_NS
from tcpladder.flows.seqnum import difference

EARLIEST_NS = 34 * MILLISECOND_NS
"""TCP_DELACK_MIN, less what the loop may have been longer for this segment."""
USUAL_NS = 60 * MILLISECOND_NS
LATEST_NS = 230 * MILLISECOND_NS
"""TCP_DELACK_MAX and its lateness."""
JITTER_NS = 3 * MILLISECOND_NS
JITTER_SHARE = 20
_BARE = np.zeros(256, np.bool_)
_BARE[[Kind.ACK, Kind.ZERO_WINDOW]] = True
"""Kinds that carry nothing but an acknowledgment, the one that closes the window included."""


def delayed_acks(columns: FlowColumns, paths: Paths, acks: Acks, client: bool) -> dict[int, int]:
    """Index of each ACK that the timer of one side sent -> index of the segment that armed it.

    `acks` is what the side acknowledges in the segments that are new.
    """
    peer, loop = paths.sent[not client], paths.loop[client]
    bare = _BARE[columns.kind[acks.index]] & (acks.number > acks.before)
    indices, number = acks.index[bare], acks.number[bare]
    first = np.searchsorted(peer.end.values, acks.before[bare], "right")
    # The first segment that an ACK acknowledges must have waited long enough; few have, and only these are looked at.
    late = first < len(peer.end)
    late[late] = columns.time_ns[indices[late]] - peer.sent_ns.values[first[late]] >= EARLIEST_NS
    indices, number, first = indices[late], number[late], first[late]
    loop_ns = loop.at_each(indices)
    since_first_ns = columns.time_ns[indices] - loop_ns - peer.sent_ns.values[first]
    fair = (loop_ns < UNKNOWN_NS) & (since_first_ns >= EARLIEST_NS) & (peer.end.values[first] <= number)
    fair[fair] = ~loop.is_smeared(indices[fair])
    indices, first, loop_ns, since_first_ns = indices[fair], first[fair], loop_ns[fair], since_first_ns[fair]
    jitter_ns = JITTER_NS + loop_ns // JITTER_SHARE
    sent_ns = columns.time_ns[indices] - loop_ns
    # Arrivals at this end, on its clock: what passed the capture point up to one loop before its ACK did.
    latest = _latest(columns, peer, indices, sent_ns + jitter_ns)
    since_latest_ns = sent_ns - peer.sent_ns.values[np.maximum(latest, 0)]
    slow = (since_latest_ns >= EARLIEST_NS) & (since_latest_ns <= LATEST_NS)
    found = (first <= latest) & (since_latest_ns > jitter_ns) & ((since_first_ns <= USUAL_NS) | slow)
    armed = peer.index.values[np.where(slow, latest, first)[found]]
    by_timer = dict(zip(indices[found].tolist(), armed.tolist(), strict=True))
    for index, at, late in zip(
        indices[found].tolist(), peer.index.values[first[found]].tolist(), slow[found].tolist(), strict=True
    ):
        blocks = columns.sack(index)
        if not blocks:
            continue
        # A report of a hole is sent at once. One of a repeat that came as long ago as the timer takes is not, and what
        # armed the timer came before the repeat.
        if late and all(difference(right, columns.ack.item(index)) <= 0 for _, right in blocks):
            by_timer[index] = at
        else:
            del by_timer[index]
    return by_timer


def _latest(
    columns: FlowColumns, peer: Direction, indices: NDArray[np.int64], until_ns: NDArray[np.int64]
) -> NDArray[np.int64]:
    """(m,) place of the peer's last segment before each of some segments that was sent up to a time."""
    latest = np.searchsorted(peer.index.values, indices) - 1
    if not len(indices):
        return latest
    flow = columns.flow_of(indices)
    begins = first_of_each(flow)
    places = np.searchsorted(peer.index.values, columns.begins[flow[begins]])
    for rows, place in zip(np.split(np.arange(len(flow)), begins[1:]), places.tolist(), strict=True):
        sent_ns = peer.sent_ns.values[place : latest[rows[-1]] + 1]
        until = np.searchsorted(sent_ns, until_ns[rows], "right") - 1
        latest[rows] = np.minimum(latest[rows], place + until)
    return latest
