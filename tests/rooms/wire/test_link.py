"""Where the IP header begins, for each link layer; numbers from tcpdump.org/linktypes.html and IEEE 802."""

from __future__ import annotations

import struct

import pytest

from talk import MAC, Frame, batch, ethernet, frame, ipv4, ipv6, tcp
from tcpladder.wire import frames as links
from tcpladder.wire.decode import Decoder
from tcpladder.wire.segments import State

FOUR, SIX = ipv4(tcp(seq=44, payload=b"four")), ipv6(tcp(seq=66, payload=b"sixsix"))
SEQ_LENGTH = {FOUR: (44, 4), SIX: (66, 6)}


def tags(*types: int) -> bytes:
    return b"".join(struct.pack(">HH", kind, 5) for kind in types)


def sll(ethertype: int) -> bytes:
    return struct.pack(">HHH8sH", 4, 1, 6, MAC[:8], ethertype)


def sll2(ethertype: int) -> bytes:
    return struct.pack(">HHIHBB8s", ethertype, 0, 2, 1, 0, 6, MAC[:8])


HEADERS: dict[str, tuple[int, bytes, bytes]] = {
    "Ethernet, IPv4": (links.LINKTYPE_ETHERNET, MAC + b"\x08\0", FOUR),
    "Ethernet, IPv6": (links.LINKTYPE_ETHERNET, MAC + b"\x86\xdd", SIX),
    "VLAN": (links.LINKTYPE_ETHERNET, MAC + tags(0x8100) + b"\x08\0", FOUR),
    "QinQ": (links.LINKTYPE_ETHERNET, MAC + tags(0x88A8, 0x8100) + b"\x86\xdd", SIX),
    "QinQ of old": (links.LINKTYPE_ETHERNET, MAC + tags(0x9100, 0x8100) + b"\x08\0", FOUR),
    "four tags": (links.LINKTYPE_ETHERNET, MAC + tags(0x8100, 0x8100, 0x8100, 0x8100) + b"\x08\0", FOUR),
    "802.3 with LLC and SNAP": (
        links.LINKTYPE_ETHERNET,
        MAC + struct.pack(">H", 8 + len(FOUR)) + b"\xaa\xaa\x03\0\0\0\x08\0",
        FOUR,
    ),
    "SLL, IPv4": (links.LINKTYPE_LINUX_SLL, sll(0x0800), FOUR),
    "SLL, IPv6": (links.LINKTYPE_LINUX_SLL, sll(0x86DD), SIX),
    "SLL, VLAN": (links.LINKTYPE_LINUX_SLL, sll(0x8100) + b"\0\5\x08\0", FOUR),
    "SLL2, IPv4": (links.LINKTYPE_LINUX_SLL2, sll2(0x0800), FOUR),
    "SLL2, IPv6": (links.LINKTYPE_LINUX_SLL2, sll2(0x86DD), SIX),
    "null, AF_INET, little-endian": (links.LINKTYPE_NULL, struct.pack("<I", 2), FOUR),
    "null, AF_INET, big-endian": (links.LINKTYPE_NULL, struct.pack(">I", 2), FOUR),
    "null, AF_INET6 of NetBSD": (links.LINKTYPE_NULL, struct.pack("<I", 24), SIX),
    "null, AF_INET6 of FreeBSD": (links.LINKTYPE_NULL, struct.pack("<I", 28), SIX),
    "null, AF_INET6 of macOS": (links.LINKTYPE_NULL, struct.pack("<I", 30), SIX),
    "loop of OpenBSD": (links.LINKTYPE_LOOP, struct.pack(">I", 24), SIX),
    "raw, IPv4": (links.LINKTYPE_RAW, b"", FOUR),
    "raw, IPv6": (links.LINKTYPE_RAW, b"", SIX),
    "raw of BSD": (12, b"", FOUR),
    "IPv4 only": (links.LINKTYPE_IPV4, b"", FOUR),
    "IPv6 only": (links.LINKTYPE_IPV6, b"", SIX),
}


def seqs(*frames: Frame) -> list[tuple[int, int]]:
    segments = Decoder().decode(batch(frames)).segments
    assert (segments.state == State.WHOLE).all()
    return list(zip(segments.seq.tolist(), segments.length.tolist(), strict=True))


@pytest.mark.parametrize("name", HEADERS)
def test_the_ip_header_is_found(name: str) -> None:
    link_type, header, packet = HEADERS[name]
    assert seqs(frame(header + packet, link_type=link_type)) == [SEQ_LENGTH[packet]]


def test_link_types_mix_in_a_batch() -> None:
    """A pcapng may have several interfaces."""
    frames = [frame(header + packet, link_type=kind) for kind, header, packet in HEADERS.values()]
    assert seqs(*frames) == [SEQ_LENGTH[packet] for _, _, packet in HEADERS.values()]


@pytest.mark.parametrize(
    "data",
    [
        MAC + tags(0x8100, 0x8100, 0x8100, 0x8100, 0x8100) + b"\x08\0" + FOUR,
        MAC + b"\x08\x06" + FOUR,
        MAC + struct.pack(">H", 100) + b"\x42\x42\x03" + FOUR,
        MAC + struct.pack(">H", 8 + len(FOUR)) + b"\xaa\xaa\x03\0\0\0\x80\x9b" + FOUR,
    ],
    ids=["five tags", "ARP", "LLC without SNAP", "SNAP of AppleTalk"],
)
def test_what_carries_no_ip_is_not_tcp(data: bytes) -> None:
    assert seqs(frame(data)) == []


def test_an_unknown_link_type_is_not_tcp() -> None:
    assert seqs(frame(ethernet(FOUR), link_type=147)) == []
