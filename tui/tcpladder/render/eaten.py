"""A segment that a fault ate, in a line as tcpdump prints it, and as a JSON line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo

from tcpladder.ladder import words
from tcpladder.render.jsonl import Record
from tcpladder.wire.segments import Flag

_LETTERS = (
    (Flag.SYN, "S"), (Flag.FIN, "F"), (Flag.RST, "R"), (Flag.PSH, "P"), (Flag.URG, "U"), (Flag.ECE, "E"),
    (Flag.CWR, "W"), (Flag.AE, "e"), (Flag.ACK, "."),
)  # fmt: skip
"""In tcpdump's order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EatenSegment:
    """One of them, all numbers raw."""

    fault: int
    time_ns: int
    source: str
    source_port: int
    destination: str
    destination_port: int
    flags: Flag
    seq: int
    ack: int
    window: int
    length: int


def line(one: EatenSegment, timezone: tzinfo) -> str:
    """`17:18:22.229 127.0.0.1.22345 > 127.0.0.1.12345: Flags [P.], seq 7:9, ack 1, win 512, length 2`."""
    flags = "".join(letter for flag, letter in _LETTERS if flag in one.flags) or "none"
    numbers = f"seq {one.seq}:{(one.seq + one.length) % (1 << 32)}" if one.length else f"seq {one.seq}"
    acknowledged = f", ack {one.ack}" if Flag.ACK in one.flags else ""
    return (
        f"{words.clock(one.time_ns, timezone)} {one.source}.{one.source_port} > "
        f"{one.destination}.{one.destination_port}: Flags [{flags}], {numbers}{acknowledged}, win {one.window}, "
        f"length {one.length}"
    )


def record(one: EatenSegment) -> Record:
    """The JSON line."""
    return {
        "record": "eaten",
        "fault": one.fault,
        "time_ns": one.time_ns,
        "src": _end(one.source, one.source_port),
        "dst": _end(one.destination, one.destination_port),
        "flags": ",".join(str(flag.name) for flag, _ in _LETTERS if flag in one.flags),
        "seq": one.seq,
        "ack": one.ack if Flag.ACK in one.flags else None,
        "window": one.window,
        "length": one.length,
    }


def _end(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
