"""Frames made from lines of a listing: an IP header and a TCP header with what the line says, and no payload."""

from __future__ import annotations

import ipaddress
import socket
import struct
from dataclasses import dataclass, field

from tcpladder.sources.listed import ListedEnd, ListedOptions, ListedOther, ListedSegment
from tcpladder.sources.listing_numbers import Numbers
from tcpladder.wire.frames import LINKTYPE_ETHERNET, LINKTYPE_RAW

MAX_NAMES = 1 << 16
_NAMED_V6 = int(ipaddress.IPv6Address("100::"))
"""Names stand for addresses that are on no wire: 0.0.0.0/8 (RFC 1122 3.2.1.3) and 100::/64 (RFC 6666)."""
_PROTOCOL_TCP = 6
_TTL = 64
_ARP_FRAME = bytes(12) + b"\x08\x06" + bytes(28)


@dataclass(slots=True)
class Names:
    """Hosts that a listing names instead of giving their addresses."""

    names: dict[str, str]
    """Address made up for a host -> the host, as FlowSummary shall show it."""
    _addresses: dict[tuple[str, bool], bytes] = field(default_factory=dict)

    def address(self, host: str, *, is_v6: bool) -> bytes:
        """The address of a host, packed: its own where it is one, else one made up for the name."""
        known = self._addresses.get((host, is_v6))
        if known is None:
            known = self._new_address(host, is_v6=is_v6)
            if len(self._addresses) < MAX_NAMES:
                self._addresses[host, is_v6] = known
        return known

    def _new_address(self, host: str, *, is_v6: bool) -> bytes:
        try:
            address = ipaddress.ip_address(host.partition("%")[0])
        except ValueError:
            number = min(len(self.names) + 1, MAX_NAMES)
            made = ipaddress.IPv6Address(_NAMED_V6 + number) if is_v6 else ipaddress.IPv4Address(number)
            self.names[str(made)] = host if number < MAX_NAMES else "too many names"
            return made.packed
        return address.packed if (address.version == 6) == is_v6 else b"\0" * (16 if is_v6 else 4)


def segment_frame(segment: ListedSegment, numbers: Numbers, names: Names) -> tuple[bytes, int]:
    """The frame of a segment as LINKTYPE_RAW, without its payload; and how long it was with it."""
    source = _resolved(segment.source)
    destination = _resolved(segment.destination)
    options = _option_bytes(segment.options, numbers, syn=bool(segment.flags & 2))
    header_bytes = 20 + len(options)
    tcp = struct.pack(
        ">HHIIHHHH",
        source[1],
        destination[1],
        numbers.seq,
        numbers.ack,
        header_bytes // 4 << 12 | segment.flags & 0x1FF,
        numbers.window,
        0,
        0,
    )
    payload = header_bytes + numbers.length
    ends = [names.address(host, is_v6=segment.is_v6) for host, _ in (source, destination)]
    ip = _ip_header(_PROTOCOL_TCP, payload, ends[0], ends[1], segment.ip_id)
    return ip + tcp + options, len(ip) + payload


def other_frame(other: ListedOther) -> tuple[bytes, int]:
    """A frame of another protocol, and its link type: there to be counted."""
    if other.protocol is None:
        return _ARP_FRAME, LINKTYPE_ETHERNET
    return _ip_header(other.protocol, 8, bytes(4), bytes(4), 0) + bytes(8), LINKTYPE_RAW


def _ip_header(protocol: int, payload: int, source: bytes, destination: bytes, ip_id: int) -> bytes:
    """A length of 0 says that it does not fit: the frame tells (wire.network)."""
    if len(source) == 16:
        length = payload if payload <= 0xFFFF else 0
        return struct.pack(">IHBB", 6 << 28, length, protocol, _TTL) + source + destination
    total = payload + 20 if payload + 20 <= 0xFFFF else 0
    return struct.pack(">BBHHHBBH", 0x45, 0, total, ip_id, 0x4000, _TTL, protocol, 0) + source + destination


def _resolved(end: ListedEnd) -> tuple[str, int]:
    """Host and port. A service that nobody here knows becomes part of the host's name, so that flows stay apart."""
    if end.port.isascii() and end.port.isdigit():
        return end.host, int(end.port[-9:]) & 0xFFFF
    try:
        return end.host, socket.getservbyname(end.port, "tcp")
    except (OSError, ValueError):
        return f"{end.host}.{end.port}", 0


def _option_bytes(listed: ListedOptions, numbers: Numbers, *, syn: bool) -> bytes:
    """The options in the order in which stacks write them, filled up to whole words (RFC 9293 3.1)."""
    out = b""
    if syn and listed.mss is not None:
        out += struct.pack(">BBH", 2, 4, listed.mss)
    if syn and listed.sack_permitted:
        out += b"\x01\x01\x04\x02"
    if listed.timestamps is not None:
        out += b"\x01\x01" + struct.pack(">BBII", 8, 10, *listed.timestamps)
    if syn and listed.window_shift is not None:
        out += b"\x01" + struct.pack(">BBB", 3, 3, listed.window_shift)
    room = (40 - len(out) - 4) // 8
    blocks = numbers.sack[: max(0, room)]
    if blocks:
        out += b"\x01\x01" + struct.pack(">BB", 5, 2 + 8 * len(blocks))
        out += b"".join(struct.pack(">II", *block) for block in blocks)
    return out
