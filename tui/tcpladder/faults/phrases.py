"""What a fault is in a few words, and what it did: for the notes across a ladder, the status line and lists."""

from __future__ import annotations

from tcpladder.faults.fault import Action, End, Fault, Match, Segments

WHAT: dict[Segments, str] = {
    Segments.ALL: "",
    Segments.SYN: "SYN",
    Segments.DATA: "data",
    Segments.PURE_ACK: "pure ACKs",
    Segments.KEEPALIVE_PROBE: "keepalive probes",
    Segments.FIN_RST: "FIN/RST",
}
"""Which segments, in words; empty for all."""
ENDED: dict[End | None, str] = {
    End.TIME_UP: "is over",
    End.LIFTED: "lifted",
    End.GUARDIAN_GONE: "ended with its guardian",
    End.AGENT_GONE: "ended with the agent",
    None: "in force",
}
"""What stands behind its number."""


def action(fault: Fault) -> str:
    """`DROP`, `REJECT with RST`, `LOSE 30 %`, `DROP the next 3`, `BLACKHOLE` …"""
    match fault.action:
        case Action.DROP:
            return "DROP"
        case Action.REJECT_RST:
            return "REJECT with RST"
        case Action.REJECT_ICMP:
            return "REJECT with ICMP"
        case Action.LOSE:
            return f"LOSE {fault.amount} %"
        case Action.DROP_NEXT:
            return f"DROP the next {fault.amount}"
        case Action.BLACKHOLE:
            return "BLACKHOLE"
        case Action.WITHDRAW:
            return "ROUTE WITHDRAWN"
        case Action.LINK_DOWN:
            return "LINK DOWN"


def broken(fault: Fault) -> str:
    """What happens to which segments: `DROP`, `DROP data`."""
    what = WHAT[fault.segments]
    return f"{action(fault)} {what}" if what else action(fault)


def length(for_ms: int | None) -> str:
    """How long: `60 s`, `1.5 s`, `2 h 11 min`, `forever`."""
    if for_ms is None:
        return "forever"
    seconds, rest = divmod(for_ms, 1000)
    if rest:
        return f"{for_ms / 1000:.1f} s"
    if seconds < 1000:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60:02d} s" if seconds % 60 else f"{seconds // 60} min"
    return f"{seconds // 3600} h {seconds % 3600 // 60:02d} min"


def ate(packets: int, octets: int) -> str:
    """`ate 3 segments, 156 bytes`."""
    return (
        f"ate {packets:,} segment{'' if packets == 1 else 's'}, {octets:,} byte{'' if octets == 1 else 's'}"
    )


def whom(match: Match, arrow: str = "→") -> str:
    """`127.0.0.1:22345 → 127.0.0.1:12345`, `any → *:80`."""
    return (
        f"{_end(match.source, match.source_port)} {arrow} {_end(match.destination, match.destination_port)}"
    )


def matches(match: Match, source: str, source_port: int, destination: str, destination_port: int) -> bool:
    """Whether segments from one end to another are meant."""
    return (
        match.source in (None, source)
        and match.source_port in (0, source_port)
        and match.destination in (None, destination)
        and match.destination_port in (0, destination_port)
    )


def touches(fault: Fault, source: str, source_port: int, destination: str, destination_port: int) -> bool:
    """Whether a fault breaks what one end sends to another, in either of its directions."""
    directions = (fault.match, fault.match.reverse()) if fault.both else (fault.match,)
    return any(matches(one, source, source_port, destination, destination_port) for one in directions)


def _end(address: str | None, port: int) -> str:
    if address is None:
        return f"any:{port}" if port else "any"
    shown = f"[{address}]" if ":" in address else address
    return f"{shown}:{port}" if port else address
