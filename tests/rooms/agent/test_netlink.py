"""Netlink attributes, and a real dump and refusal that need no privilege."""

from __future__ import annotations

import errno
import socket
import struct

import pytest

from tcpladder.agent import netlink

RTM_NEWLINK, RTM_GETLINK = 16, 18
IFLA_IFNAME = 3
ANY_LINK = struct.pack("=BxHiII", socket.AF_UNSPEC, 0, 0, 0, 0)


def test_attributes_are_padded_to_four_bytes_and_read_back() -> None:
    packed = netlink.text(1, "lo") + netlink.be32(2, -300) + netlink.be64(3, 1 << 40)
    assert packed[:8] == b"\x07\x00\x01\x00lo\0\0"
    assert netlink.attributes(packed) == {
        1: b"lo\0",
        2: struct.pack("!i", -300),
        3: struct.pack("!Q", 1 << 40),
    }


def test_a_nested_attribute_reads_like_the_ones_inside() -> None:
    packed = netlink.nested(4, netlink.text(1, "a"), netlink.text(1, "b"))
    ((kind, inside),) = netlink.attribute_list(packed)
    assert kind == 4
    assert list(netlink.attribute_list(inside)) == [(1, b"a\0"), (1, b"b\0")]


@pytest.mark.parametrize("body", [b"\x00", b"\x03\x00\x01\x00", b"\x00\x00\x00\x00aaaa"])
def test_a_length_that_lies_ends_the_list(body: bytes) -> None:
    assert list(netlink.attribute_list(body)) == []


def test_a_dump_of_links_has_lo() -> None:
    link = netlink.Netlink(netlink.NETLINK_ROUTE)
    try:
        names = [netlink.attributes(body, 16)[IFLA_IFNAME] for _, body in link.dump(RTM_GETLINK, ANY_LINK)]
    finally:
        link.close()
    assert b"lo\0" in names


def test_a_refusal_has_the_number_and_words_of_the_kernel() -> None:
    link = netlink.Netlink(netlink.NETLINK_ROUTE)
    nameless = struct.pack("=BxHiII", socket.AF_UNSPEC, 0, 2**31 - 1, 0, 0)
    try:
        with pytest.raises(OSError, match=r"\w") as refused:
            link.call(netlink.Message(RTM_GETLINK, netlink.NLM_F_ACK, nameless))
    finally:
        link.close()
    assert refused.value.errno == errno.ENODEV


def test_a_refusal_carries_the_extended_text() -> None:
    link = netlink.Netlink(netlink.NETLINK_ROUTE)
    name_of_300_bytes = ANY_LINK + netlink.text(IFLA_IFNAME, "x" * 299)
    try:
        with pytest.raises(OSError, match=r": .*[Aa]ttribute"):
            link.call(netlink.Message(RTM_GETLINK, netlink.NLM_F_ACK, name_of_300_bytes))
        assert list(link.dump(RTM_GETLINK, ANY_LINK)), "a refusal leaves the socket usable"
    finally:
        link.close()
