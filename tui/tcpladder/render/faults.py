"""A fault in words and as a JSON line: how long it lasts, what it ate."""

from __future__ import annotations

from tcpladder.agent.fault_messages import FaultState
from tcpladder.faults.fault import ROUTING
from tcpladder.ladder import words
from tcpladder.render.jsonl import Value

_MS = 1_000_000


def left(state: FaultState) -> str:
    """`41 s left`, `until it is lifted`, `not put back yet`."""
    if state.stuck:
        return "not put back yet"
    return "until it is lifted" if state.left_ms is None else f"{words.remaining(state.left_ms * _MS)} left"


def ate(state: FaultState) -> str:
    """`, ate 3 segments (148 B)`; nothing for a fault of routes or links, which counts nothing."""
    if state.fault.action in ROUTING:
        return ""
    segments = "1 segment" if state.packets == 1 else f"{words.count(state.packets)} segments"
    return f", ate {segments} ({_size(state.bytes)})"


def fault_record(state: FaultState) -> dict[str, Value | list[str]]:
    """The JSON line of a fault."""
    match = state.fault.match
    return {
        "record": "fault",
        "fault": state.number,
        "action": state.fault.action.value,
        "segments": state.fault.segments.value,
        "src": match.source,
        "sport": match.source_port or None,
        "dst": match.destination,
        "dport": match.destination_port or None,
        "both": state.fault.both,
        "amount": state.fault.amount or None,
        "places": [place.value for place in state.places],
        "since_ns": state.since_ns,
        "ended_ns": state.ended_ns,
        "left_ms": state.left_ms,
        "packets": state.packets,
        "bytes": state.bytes,
        "end": None if state.end is None else state.end.value,
        "stuck": state.stuck or None,
    }


def _size(count: int) -> str:
    """`148 B`, `48.2 kB`, `3.0 MB`."""
    if count < 1000:
        return f"{count} B"
    thousands = count / 1000
    return f"{thousands:.1f} kB" if thousands < 1000 else f"{thousands / 1000:.1f} MB"
