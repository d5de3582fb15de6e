"""What an end has heard of its peer, as far as its own words show: a capture may stand before the rule that eats it."""

from __future__ import annotations

from tcpladder.analysis.columns import NOTHING, FlowColumns
from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.paths import Outgoing
from tcpladder.wire.segments import Flag

LOOK_BACK = 64
"""How many segments are looked at."""
_ACK = int(Flag.ACK)


def heard_by(columns: FlowColumns, peer: Outgoing, probe: int, heard: int, *, client: bool) -> int:
    """Index of the last segment of `peer`, up to `heard`, that had reached an end when it sent a keepalive probe.

    The acknowledgment of the probe says up to where it has data.
    """
    has = peer.relative(columns.ack.item(probe))
    for at in range(heard, max(-1, heard - LOOK_BACK), -1):
        if not _refreshes(columns, at, client=client):
            continue
        length = columns.length.item(at)
        if not length or peer.relative(columns.seq.item(at)) + length <= has:
            return at
    return heard


def before(columns: FlowColumns, index: int, *, client: bool) -> int:
    """Index of the last segment before one that refreshed the keepalive clock of an end; NOTHING where it is far."""
    found = (
        at
        for at in range(index - 1, max(-1, index - LOOK_BACK), -1)
        if _refreshes(columns, at, client=client)
    )
    return next(found, NOTHING)


def acknowledged_at(columns: FlowColumns, own: Outgoing, acked: int, *, client: bool) -> int:
    """Index of the segment that was the first to acknowledge all of an end's that is acknowledged by now.

    NOTHING where that is far back.
    """
    found = NOTHING
    for at in range(len(columns) - 1, max(-1, len(columns) - LOOK_BACK), -1):
        if columns.from_client.item(at) == client or not columns.flags.item(at) & _ACK:
            continue
        if own.relative(columns.ack.item(at)) != acked:
            break
        found = at
    return found


def _refreshes(columns: FlowColumns, at: int, *, client: bool) -> bool:
    """Whether a segment comes from the peer of an end and is no keepalive probe (tcp_ack)."""
    return bool(columns.from_client.item(at) != client) and columns.kind.item(at) != Kind.KEEPALIVE_PROBE
