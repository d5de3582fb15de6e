"""What stands across the lanes of a flow about the faults that broke it: when each came, when it went, what it ate."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

from tcpladder.agent.fault_messages import FaultState, Place
from tcpladder.analysis.view import Endpoint
from tcpladder.faults import phrases
from tcpladder.faults.fault import ROUTING
from tcpladder.ladder.model import Note

NOTE_COLUMNS = 36
"""Between the lanes of a ladder 80 columns wide."""
_NOT_CAPTURED: dict[Place, str] = {
    Place.SINK: "dropped before the tap: its segments are shown from the fault log",
    Place.OUTPUT: "refused before the tap: its segments are shown from the fault log",
    Place.ROUTE: "no way there: what would be sent is in no capture",
    Place.LINK: "interface down: what would be sent is in no capture",
}
"""What a capture on this host cannot have."""


def fault_notes(state: FaultState, client: Endpoint, server: Endpoint) -> list[Note]:
    """The notes of one fault for a flow; none where it does not touch the flow."""
    fault = state.fault
    forward = phrases.touches(fault, client.address, client.port, server.address, server.port)
    backward = phrases.touches(fault, server.address, server.port, client.address, client.port)
    if not forward and not backward:
        return []
    way = "both ways" if forward and backward else "client → server" if forward else "server → client"
    came = f"{phrases.broken(fault)} {way}, rule {state.number}, {phrases.length(fault.for_ms)}"
    told = [came, *dict.fromkeys(_NOT_CAPTURED[place] for place in state.places if place in _NOT_CAPTURED)]
    notes = [
        note for number, text in enumerate(told) for note in in_lines(state.since_ns, text, again=number > 0)
    ]
    if state.ended_ns is not None:
        notes += in_lines(state.ended_ns, went(state))
    return notes


def went(state: FaultState) -> str:
    """`rule 1 lifted: ate 3 segments, 156 bytes`."""
    how = phrases.ENDED[state.end]
    if state.fault.action in ROUTING:
        return f"rule {state.number} {how}: routes and links are as before"
    return f"rule {state.number} {how}: {phrases.ate(state.packets, state.bytes)}"


def in_lines(time_ns: int, text: str, *, again: bool = False) -> Iterator[Note]:
    """A remark as notes that fit between the lanes of a narrow ladder; `again`: it belongs to the note above."""
    for number, line in enumerate(wrap(text, NOTE_COLUMNS)):
        yield Note(time_ns, line, continues=again or number > 0)
