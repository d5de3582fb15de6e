"""How a flow ended and why, in a few words for the list and in one sentence; the same for a flow that goes on."""

from __future__ import annotations

from dataclasses import dataclass

from tcpladder.analysis.duration import about
from tcpladder.analysis.tracking import Beginning, Ending, Track
from tcpladder.analysis.view import Side
from tcpladder.flows.state import TcpState

_NAME = {Side.CLIENT: "client", Side.SERVER: "server"}
_PEER = {Side.CLIENT: "server", Side.SERVER: "client"}


@dataclass(frozen=True, slots=True)
class FlowVerdict:
    """What the list says of a flow's end."""

    ended: str | None
    why: str


def verdict_of(track: Track) -> FlowVerdict:
    """Say how the flow ended, or what it is doing."""
    match track.ending:
        case None:
            return FlowVerdict(None, _going_on(track))
        case Ending.REFUSED:
            return FlowVerdict(
                "refused", "refused: a RST answered the SYN; connect() fails with ECONNREFUSED"
            )
        case Ending.ICMP:
            return FlowVerdict(track.icmp, f"an ICMP error answered the SYN: {track.icmp}")
        case Ending.KEEPALIVE:
            return FlowVerdict("no answer", _keepalive(track))
        case Ending.RST_ANSWER:
            return FlowVerdict("RST", _reset_answer(track))
        case Ending.RST:
            return FlowVerdict("RST", _reset(track))
        case Ending.CLOSED:
            first = "" if track.ended_by is None else f": the {_NAME[track.ended_by]} sent the first FIN"
            return FlowVerdict("closed", f"closed in order{first}")


def _keepalive(track: Track) -> str:
    assert track.ended_by is not None
    end = track.ends[track.ended_by]
    probes = "1 keepalive probe" if end.probes == 1 else f"{end.probes} keepalive probes"
    apart = "" if end.probe_apart_ns is None else f", {about(end.probe_apart_ns)} apart"
    return f"no answer: {probes}{apart}, unanswered; the {_NAME[track.ended_by]} gets ETIMEDOUT"


def _reset_answer(track: Track) -> str:
    assert track.ended_by is not None
    return (
        f"a RST answered a keepalive probe: the {_NAME[track.ended_by]} no longer knows the connection; "
        f"the {_PEER[track.ended_by]} gets ECONNRESET"
    )


def _reset(track: Track) -> str:
    assert track.ended_by is not None
    name, peer = _NAME[track.ended_by], _PEER[track.ended_by]
    if any(end.fin_end is not None for end in track.ends.values()):
        return f"reset by the {name} after a FIN"
    return f"reset by the {name}; the {peer} gets ECONNRESET"


def _going_on(track: Track) -> str:
    client, server = track.ends[Side.CLIENT], track.ends[Side.SERVER]
    if client.state is TcpState.SYN_SENT and server.state is TcpState.UNKNOWN:
        sent = "1 SYN" if client.syns == 1 else f"{client.syns} SYNs"
        return f"connecting: {sent} without an answer"
    for side in Side:
        end = track.ends[side]
        if end.probes > 1:
            return f"the {_NAME[side]} probes: {end.probes} keepalive probes without an answer so far"
    fins = [side for side in Side if track.ends[side].fin_end is not None]
    if len(fins) == 1:
        return f"half-closed: the {_NAME[fins[0]]} sent FIN, the {_PEER[fins[0]]} did not"
    if len(fins) == 2:
        return "closing: both ends sent FIN"
    if track.beginning is Beginning.MIDDLE:
        return "open; the capture begins in the middle of the connection"
    if server.state is TcpState.SYN_RECEIVED:
        return "opening: the SYN-ACK is not acknowledged yet"
    return "open"
