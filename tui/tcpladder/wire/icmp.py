"""ICMP errors that quote a TCP segment (RFC 792, RFC 4443): what they say, and about which segment."""

from __future__ import annotations

from dataclasses import dataclass

PROTOCOL_TCP = 6

_UNREACHABLE_V4 = {
    0: "network unreachable", 1: "host unreachable", 2: "protocol unreachable", 3: "port unreachable",
    4: "fragmentation needed", 5: "source route failed", 6: "network unknown", 7: "host unknown",
    9: "network prohibited", 10: "host prohibited", 11: "network unreachable for this service",
    12: "host unreachable for this service", 13: "administratively prohibited", 14: "precedence violation",
    15: "precedence cut off",
}  # fmt: skip
_UNREACHABLE_V6 = {
    0: "no route to destination", 1: "administratively prohibited", 2: "beyond scope of source address",
    3: "address unreachable", 4: "port unreachable", 5: "source address failed policy", 6: "route rejected",
}  # fmt: skip
_EXCEEDED = {0: "hop limit exceeded in transit", 1: "fragment reassembly time exceeded"}


@dataclass(frozen=True, slots=True)
class Quote:
    """What an ICMP error says about a segment."""

    words: str
    is_v6: bool
    source: bytes
    """Source address of the quoted segment, 4 or 16 bytes."""
    destination: bytes
    source_port: int
    destination_port: int
    seq: int


def quoted_segment(message: bytes, is_v6: bool) -> Quote | None:
    """Read an ICMP message from its type on; None if it is no error, or quotes no TCP."""
    if len(message) < 8:
        return None
    words = _words(message[0], message[1], is_v6)
    quoted = message[8:]
    if words is None or not quoted:
        return None
    if is_v6:
        if len(quoted) < 48 or quoted[0] >> 4 != 6 or quoted[6] != PROTOCOL_TCP:
            return None
        source, destination, tcp = quoted[8:24], quoted[24:40], quoted[40:]
    else:
        header = (quoted[0] & 15) * 4
        if quoted[0] >> 4 != 4 or header < 20 or len(quoted) < header + 8 or quoted[9] != PROTOCOL_TCP:
            return None
        if (quoted[6] & 0x1F) << 8 | quoted[7]:
            return None
        source, destination, tcp = quoted[12:16], quoted[16:20], quoted[header:]
    return Quote(
        words=words,
        is_v6=is_v6,
        source=source,
        destination=destination,
        source_port=int.from_bytes(tcp[0:2]),
        destination_port=int.from_bytes(tcp[2:4]),
        seq=int.from_bytes(tcp[4:8]),
    )


def _words(kind: int, code: int, is_v6: bool) -> str | None:
    """An error in words, None for a message that is not an error."""
    if is_v6:
        match kind:
            case 1:
                return _UNREACHABLE_V6.get(code, f"unreachable, code {code}")
            case 2:
                return "packet too big"
            case 3:
                return _EXCEEDED.get(code, f"time exceeded, code {code}")
            case 4:
                return f"parameter problem, code {code}"
        return None
    match kind:
        case 3:
            return _UNREACHABLE_V4.get(code, f"unreachable, code {code}")
        case 4:
            return "source quench"
        case 11:
            return _EXCEEDED.get(code, f"time exceeded, code {code}")
        case 12:
            return f"parameter problem, code {code}"
    return None
