"""Why a segment is of its kind, in one sentence with the numbers compared. Made for one segment at a time."""

from __future__ import annotations

from dataclasses import dataclass

from tcpladder.analysis.duration import about, milliseconds
from tcpladder.analysis.kinds import KINDS, Kind
from tcpladder.wire.segments import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The numbers behind the kind of one segment; sequence numbers relative, None where unknown."""

    kind: Kind
    state: State
    seq: int | None
    raw_seq: int | None
    ack: int | None
    ttl: int
    ttl_before: int | None
    """Time to live of the same sender's segment before."""
    length: int
    window: int
    expected: int | None
    """The sequence number that its sender had to send next."""
    peer_ack: int | None
    """How far the peer had acknowledged it."""
    captured: int
    original: int
    icmp: str | None
    wait_ns: int | None
    """Since what armed the timer that sent it."""


def because(c: Compared) -> str:
    """The sentence for the detail, the why line and JSON lines."""
    if c.state is not State.WHOLE:
        return _unbelievable(c)
    match c.kind:
        case Kind.SYN | Kind.SYN_CROSSING | Kind.SYN_DATA | Kind.SYN_ACK | Kind.HANDSHAKE_ACK:
            return _opening(c)
        case Kind.FIN:
            return f"FIN behind seq {_n(c.seq)} + {c.length}: its sender has no more data"
        case Kind.RST_FORGED:
            return f"time to live {c.ttl}, the segment before had {_n(c.ttl_before)}: something in between sent it"
        case Kind.RST_NO_CONNECTION:
            return f"RST without ACK at seq {_n(c.seq)}: its sender knows no such connection"
        case Kind.RST:
            return (
                f"RST with ACK at seq {_n(c.seq)}, next is {_n(c.expected)}: its sender aborts the connection"
            )
        case Kind.CHALLENGE_ACK:
            return f"answers a SYN or RST with ack {_n(c.ack)}, which does not acknowledge it"
        case Kind.KEEPALIVE_PROBE:
            return _probe(c)
        case Kind.ZERO_WINDOW_PROBE:
            return f"the peer's window is zero; seq {c.seq}, {_bytes(c.length)}, peer acknowledged {_n(c.peer_ack)}"
        case Kind.KEEPALIVE_ACK:
            return f"repeats ack {_n(c.ack)} without data, first answer to a keepalive probe"
        case Kind.ZERO_WINDOW_PROBE_ACK:
            return f"answers a zero-window probe with ack {_n(c.ack)}; the window is still 0"
        case Kind.SYN_RETRANSMISSION | Kind.SYN_ACK_RETRANSMISSION:
            after = "" if c.wait_ns is None else f", {about(c.wait_ns)} after it was sent last"
            return f"the same initial sequence number as before{after}"
        case (
            Kind.RETRANSMISSION | Kind.FAST_RETRANSMISSION | Kind.SPURIOUS_RETRANSMISSION | Kind.OUT_OF_ORDER
        ):
            return _repetition(c)
        case Kind.TAIL_LOSS_PROBE:
            after = "" if c.wait_ns is None else f", {milliseconds(c.wait_ns)} after it was sent last"
            return f"the last segment again{after}: no ACK asked for it"
        case Kind.DELAYED_ACK:
            after = "" if c.wait_ns is None else f" {milliseconds(c.wait_ns)} after it came"
            return f"acknowledges up to {_n(c.ack)}{after}"
        case Kind.DUPLICATE_ACK:
            return f"repeats ack {_n(c.ack)} with the same window while the peer has sent more"
        case Kind.WINDOW_UPDATE:
            return f"repeats ack {_n(c.ack)} with another window, {c.window}"
        case Kind.WINDOW_FULL:
            return f"seq {_n(c.seq)} + {c.length} reaches the last byte that the peer's window allows"
        case Kind.AFTER_HOLE if c.expected is not None and c.seq is not None and c.seq > c.expected:
            missing = c.seq - c.expected
            return (
                f"carries {_bytes(c.length)}; seq {c.seq} where {c.expected} is next: {missing} not captured"
            )
        case Kind.DATA:
            return f"carries {_bytes(c.length)} from seq {_n(c.seq)}"
        case Kind.ACK:
            return f"no data, acknowledges up to {_n(c.ack)}"
        case Kind.RST_GIVES_UP if c.wait_ns is not None:
            return (
                f"RST behind an unanswered keepalive probe, {about(c.wait_ns)} after it: keepalive gives up"
            )
        case _:
            return KINDS[c.kind].rule


def _unbelievable(c: Compared) -> str:
    match c.state:
        case State.ICMP:
            return f"an ICMP error quotes a segment of this flow: {c.icmp}"
        case State.CUT_SHORT:
            return f"only {c.captured} of {c.original} bytes were captured, the TCP header is cut"
        case State.IP_LENGTH:
            return f"the IP length does not fit a frame of {c.original} bytes"
        case _:
            return "the TCP data offset does not fit the IP length"


def _opening(c: Compared) -> str:
    number = "" if c.raw_seq is None else f" {c.raw_seq}"
    match c.kind:
        case Kind.SYN:
            return f"the first SYN with initial sequence number{number}"
        case Kind.SYN_CROSSING:
            return f"a SYN with initial sequence number{number} while the peer's own SYN waits for an answer"
        case Kind.SYN_DATA:
            return f"a SYN with initial sequence number{number} that carries {_bytes(c.length)}"
        case Kind.SYN_ACK:
            return f"the first SYN-ACK with initial sequence number{number}, acknowledges up to {_n(c.ack)}"
        case _:
            return f"no data, ack {_n(c.ack)} acknowledges the SYN of the SYN-ACK"


def _probe(c: Compared) -> str:
    if c.seq is None:
        silent = "" if c.wait_ns is None else f" of {about(c.wait_ns)}"
        return f"an ACK without data out of a silence{silent}; its source gives no sequence numbers"
    if c.expected is None:
        return f"seq {_n(c.seq)}, {_bytes(c.length)}; the peer's answer acknowledges one more"
    acknowledged = "" if c.peer_ack is None else ", already acknowledged"
    return f"seq {_n(c.seq)} = next {c.expected} − 1, {_bytes(c.length)}{acknowledged}"


def _repetition(c: Compared) -> str:
    seen = f"seq {_n(c.seq)} is below {_n(c.expected)}, the next to send"
    match c.kind:
        case Kind.FAST_RETRANSMISSION:
            return f"{seen}; duplicate ACKs asked for it"
        case Kind.SPURIOUS_RETRANSMISSION:
            return f"{seen}; the peer acknowledged up to {_n(c.peer_ack)} before"
        case Kind.OUT_OF_ORDER:
            return f"{seen}, sooner than a retransmission could come"
        case _:
            return seen


def _bytes(length: int) -> str:
    return "no data" if length == 0 else "1 byte" if length == 1 else f"{length} bytes"


def _n(number: int | None) -> str:
    return "?" if number is None else str(number)
