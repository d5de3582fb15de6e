"""A diagram as a script that plays one of its ends again: what that end does, hears and must send, and when.

Which calls an application must have made follows from what its kernel sent; how packetdrill writes it is in render/.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

import numpy as np

from tcpladder.analysis.kinds import RESETS, RETRANSMISSIONS, Kind
from tcpladder.analysis.view import Side, Timer
from tcpladder.ladder.diagram import Diagram
from tcpladder.ladder.model import Rung


class Call(Enum):
    """What the application of the local end does."""

    CONNECT = auto()
    LISTEN = auto()
    ACCEPT = auto()
    WRITE = auto()
    READ = auto()
    SHUTDOWN = auto()
    ABORT = auto()
    """close() with SO_LINGER 0, which sends a RST."""
    FIND_TIMED_OUT = auto()
    """read() that returns ETIMEDOUT: the timer has given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One thing that the application does, `after_ns` after what stands before it."""

    call: Call
    after_ns: int = 0
    length: int = 0
    """Bytes written or read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A segment that the local end gets, or with `sent` one that its kernel must send."""

    rung: Rung
    sent: bool
    after_ns: int


@dataclass(frozen=True, slots=True)
class Remarked:
    """A line for the reader of the script."""

    text: str


Event = Act | Heard | Remarked

_NOT_WRITTEN = RETRANSMISSIONS | {Kind.ZERO_WINDOW_PROBE, Kind.KEEPALIVE_PROBE, Kind.OUT_OF_ORDER}
"""Data that the kernel sends without a call of the application."""
_ONE_WRITE_NS = 1_000_000_000
"""What comes later than this behind the first segment was not waiting in the send buffer, as far as anyone can tell."""
_SYN_ACKS = frozenset({Kind.SYN_ACK, Kind.SYN_ACK_RETRANSMISSION})
_FIRST_READ = frozenset({Kind.DATA, Kind.WINDOW_FULL})


def local_side(diagram: Diagram) -> Side:
    """The end whose timers sent more segments: the one that is worth playing again. The client where both did alike."""
    view = diagram.view
    sent = dict.fromkeys(Side, 0)
    for index in diagram.rungs:
        if view.timer(index) is not None:
            sent[Side.CLIENT if view.from_client[index] else Side.SERVER] += 1
    return Side.SERVER if sent[Side.SERVER] > sent[Side.CLIENT] else Side.CLIENT


def begins_with_handshake(diagram: Diagram) -> bool:
    """Whether the connection is made in the rungs that are drawn, or at least asked for."""
    kinds = diagram.view.kind[diagram.rungs.start : diagram.rungs.stop]
    return bool(np.isin(kinds[:1], [int(Kind.SYN), int(Kind.SYN_DATA)]).any())


def events(diagram: Diagram, local: Side) -> Iterator[Event]:
    """The script behind the handshake that was not seen, where there was none to see."""
    if begins_with_handshake(diagram) and not _is_refusal(diagram, local):
        yield Act(call=Call.CONNECT if local is Side.CLIENT else Call.LISTEN)
    before: int | None = None
    written = 0
    for index in diagram.rungs:
        rung = _rung(diagram, index)
        why = _left_out(rung, local, diagram)
        if why:
            yield Remarked(f"left out: {rung.label}, {why}")
            continue
        after_ns = 0
        if rung.time_ns is not None:
            after_ns = max(rung.time_ns - before, 0) if before is not None else 0
            before = rung.time_ns
        burst: list[int] = []
        if _is_written(rung, local):
            if written:
                # Sent by the write() before: a kernel sets PSH on the last segment of each.
                written -= 1
                yield Heard(rung=rung, sent=True, after_ns=after_ns)
                continue
            burst = _burst(rung, local, diagram)
            written = len(burst) - 1
        yield from _rung_events(rung, after_ns, local, diagram, sum(burst))


def _rung(diagram: Diagram, index: int) -> Rung:
    rung = diagram.ladder.row(diagram.ladder.row_of_segment(index))
    assert isinstance(rung, Rung)
    return rung


def _is_written(rung: Rung, local: Side) -> bool:
    return rung.sender is local and _call(rung) is Call.WRITE


def _burst(rung: Rung, local: Side, diagram: Diagram) -> list[int]:
    """The lengths of the segments that one write() makes: from this one to the next with PSH, within a second."""
    lengths: list[int] = []
    for index in range(rung.segment, diagram.rungs.stop):
        one = _rung(diagram, index)
        if (one.time_ns or 0) - (rung.time_ns or 0) > _ONE_WRITE_NS or one.kind in RETRANSMISSIONS:
            break
        if _is_written(one, local):
            lengths.append(one.numbers.length or 0)
            if "PSH" in (one.numbers.flags or "").split(","):
                break
    return lengths


def _rung_events(rung: Rung, after_ns: int, local: Side, diagram: Diagram, written: int) -> Iterator[Event]:
    """What one segment is to the local end; `written` bytes are handed over by the call that sends it, if one does."""
    sent = rung.sender is local
    length = rung.numbers.length or 0
    call = _call(rung) if sent else None
    if call is not None:
        yield Act(call=call, after_ns=after_ns, length=written or length)
        after_ns = 0
    yield Heard(rung=rung, sent=sent, after_ns=after_ns)
    if sent:
        if rung.kind is Kind.RST_GIVES_UP:
            yield Act(call=Call.FIND_TIMED_OUT)
    elif rung.kind is Kind.HANDSHAKE_ACK:
        yield Act(call=Call.ACCEPT)
    elif rung.kind in _FIRST_READ and _is_read(rung, diagram):
        yield Act(call=Call.READ, length=length)


def _left_out(rung: Rung, local: Side, diagram: Diagram) -> str:
    """Why a segment has no place in the script; empty where it has one."""
    numbers = rung.numbers
    unknown = None in (numbers.flags, numbers.relative_seq, numbers.length)
    if unknown and rung.kind is not Kind.ICMP_ERROR:
        return "whose numbers are not known"
    if rung.sender is local:
        return ""
    if rung.lost is not None:
        return f"which did not arrive: {rung.lost}"
    return "which did not arrive" if _was_not_heard(rung, local, diagram) else ""


def _call(rung: Rung) -> Call | None:
    """The call that makes a kernel send this segment, None where a timer or an arrival does."""
    flags = (rung.numbers.flags or "").split(",")
    if rung.kind is Kind.RST:
        return Call.ABORT
    if rung.kind in RESETS or rung.kind in _NOT_WRITTEN or "SYN" in flags:
        return None
    if "FIN" in flags:
        return Call.SHUTDOWN
    return Call.WRITE if rung.numbers.length else None


def _was_not_heard(rung: Rung, local: Side, diagram: Diagram) -> bool:
    """Whether the local end goes on as if this answer had not come: it was lost behind the capture point."""
    view = diagram.view
    for index in range(rung.segment + 1, diagram.rungs.stop):
        if bool(view.from_client[index]) != (local is Side.CLIENT):
            continue
        if rung.kind in _SYN_ACKS:
            return bool(view.kind[index] == Kind.SYN_RETRANSMISSION)
        if rung.kind is not Kind.KEEPALIVE_ACK:
            return False
        if view.timer(index) is Timer.KEEPALIVE:
            gap = view.gap(index) if view.silent[index] else None
            return gap is not None and gap.since_frame < rung.numbers.frame
    return False


def _is_read(rung: Rung, diagram: Diagram) -> bool:
    """Whether the application took the data: its next segment does not announce a window of zero."""
    view = diagram.view
    for index in range(rung.segment + 1, diagram.rungs.stop):
        if (rung.sender is Side.CLIENT) != bool(view.from_client[index]):
            return view.window(index) != 0
    return True


def _is_refusal(diagram: Diagram, local: Side) -> bool:
    """Whether the local end refuses: then nothing may listen."""
    refused = diagram.view.kind[diagram.rungs.start : diagram.rungs.stop] == Kind.REFUSED
    return local is Side.SERVER and bool(refused.any())
