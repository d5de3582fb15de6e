"""The line of a flow in the list, from what was tracked of it."""

from __future__ import annotations

from tcpladder.analysis.tracking import Tracker
from tcpladder.analysis.verdicts import verdict_of
from tcpladder.analysis.view import Endpoint, FlowSummary, Process, Side
from tcpladder.flows.state import TcpState


def summed_up(
    tracker: Tracker,
    flow: int,
    number: int,
    ends: tuple[Endpoint, Endpoint],
    owners: tuple[Process, ...] = (),
) -> FlowSummary:
    """The line of the tracker's flow `flow`, from 0, whose client and server are `ends`, under its number."""
    track = tracker.tracks[flow]
    said = verdict_of(track)
    states = (track.ends[Side.CLIENT].state, track.ends[Side.SERVER].state)
    shown = states[0] if states[0] is not TcpState.UNKNOWN else states[1]
    return FlowSummary(
        number=number,
        client=ends[0],
        server=ends[1],
        state=shown.value.lower(),
        states=(states[0].value, states[1].value),
        segments=int(tracker.segments[flow]),
        bytes=int(tracker.bytes[flow]),
        first_ns=int(tracker.first_ns[flow]),
        last_ns=int(tracker.last_ns[flow]),
        keepalive_probes=int(tracker.keepalive_probes[flow]),
        retransmissions=int(tracker.retransmissions[flow]),
        began="handshake" if track.handshake else track.beginning.value,
        ended=said.ended,
        why=said.why,
        owners=owners,
    )
