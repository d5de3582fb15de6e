"""Keepalive in a listing that gives no sequence numbers: told by silence, which is all there is.

On an idle connection nothing but a probe is sent without data after a second of silence: delayed ACKs come within half
a second (RFC 1122 4.2.3.2), window updates need a reader who lets bytes wait. Only segments whose sequence number their
source does not give are judged so.
"""

from __future__ import annotations

from collections.abc import Sequence

from tcpladder.analysis.kinds import Kind

SILENCE_NS = 1_000_000_000
BARE = frozenset({Kind.ACK, Kind.DUPLICATE_ACK, Kind.WINDOW_UPDATE, Kind.KEEPALIVE_PROBE, Kind.KEEPALIVE_ACK})
"""What a segment without data and without SYN, FIN or RST may look like when its numbers are guessed."""


def bare_ack(since_any_ns: int | None, peer_kind: Kind | None, since_peer_ns: int | None) -> Kind:
    """What an ACK without data and without a known sequence number is.

    Args:
        since_any_ns: since the segment before, of either end; None for the first of the flow.
        peer_kind: what the peer sent last.
        since_peer_ns: since then.
    """
    if since_any_ns is not None and since_any_ns >= SILENCE_NS:
        return Kind.KEEPALIVE_PROBE
    if peer_kind is Kind.KEEPALIVE_PROBE and since_peer_ns is not None and since_peer_ns < SILENCE_NS:
        return Kind.KEEPALIVE_ACK
    return Kind.ACK


def gap_to_latest(now_ns: int, earlier_ns: Sequence[int]) -> int | None:
    """From the latest of some times to now; None where there is none."""
    return now_ns - max(earlier_ns) if earlier_ns else None
