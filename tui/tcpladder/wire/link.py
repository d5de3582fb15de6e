"""Where the IP header of a frame begins. Knows link layers only, nothing of IP."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tcpladder.wire import frames
from tcpladder.wire.frames import FrameBatch

ETHERTYPE_IPV4 = 0x0800
ETHERTYPE_IPV6 = 0x86DD
VLAN_TAGS = (0x8100, 0x88A8, 0x9100)
"""IEEE 802.1Q, 802.1ad, and the value that came before it."""
MAX_VLAN_TAGS = 4
LLC_SNAP = b"\xaa\xaa\x03"
PPP_IPV4, PPP_IPV6 = 0x0021, 0x0057
"""RFC 1332 and RFC 5072."""
NOT_IP = 0
"""The ethertype given to a frame whose link layer carries no IP, or is unknown."""

LINK_TYPES = frozenset(
    {
        frames.LINKTYPE_NULL,
        frames.LINKTYPE_ETHERNET,
        frames.LINKTYPE_PPP,
        frames.LINKTYPE_PPP_HDLC,
        frames.LINKTYPE_RAW,
        frames.LINKTYPE_LOOP,
        frames.LINKTYPE_LINUX_SLL,
        frames.LINKTYPE_IPNET,
        frames.LINKTYPE_IPV4,
        frames.LINKTYPE_IPV6,
        frames.LINKTYPE_LINUX_SLL2,
    }
)
"""Link types that are read here; `_one_link_type` is the other half."""


def ip_start(batch: FrameBatch) -> tuple[NDArray[np.int64], NDArray[np.uint16]]:
    """Offset of the network header from the start of each frame, and its ethertype.

    Returns two (n,) arrays; the ethertype is NOT_IP where the link type is unknown or the frame too short to tell.
    """
    kinds = batch.link_type
    if len(batch) and bool((kinds == kinds[0]).all()):
        offset, ethertype = _one_link_type(batch, batch.start, int(kinds[0]))
    else:
        offset = np.zeros(len(batch), np.int64)
        ethertype = np.zeros(len(batch), np.uint16)
        for kind in np.unique(kinds).tolist():
            rows = np.flatnonzero(kinds == kind)
            offset[rows], ethertype[rows] = _one_link_type(batch, batch.start[rows], kind)
    _skip_vlan_tags(batch, offset, ethertype)
    ethertype[batch.captured < offset + 1] = NOT_IP
    return offset, ethertype


def _one_link_type(
    batch: FrameBatch, start: NDArray[np.int64], link_type: int
) -> tuple[NDArray[np.int64], NDArray[np.uint16]]:
    data = batch.data
    match link_type:
        case frames.LINKTYPE_ETHERNET:
            ethertype = _u16(data, start + 12)
            offset = np.full(len(start), 14, np.int64)
            for row in np.flatnonzero(ethertype <= 1500).tolist():
                at = int(start[row]) + 14
                if data[at : at + 3].tobytes() == LLC_SNAP:
                    offset[row] = 22
                    ethertype[row] = int(data[at + 6]) << 8 | int(data[at + 7])
            return offset, ethertype
        case frames.LINKTYPE_LINUX_SLL:
            return np.full(len(start), 16, np.int64), _u16(data, start + 14)
        case frames.LINKTYPE_LINUX_SLL2:
            return np.full(len(start), 20, np.int64), _u16(data, start)
        case frames.LINKTYPE_NULL | frames.LINKTYPE_LOOP:
            # The address family of IPv6 differs between systems, the version nibble does not.
            return np.full(len(start), 4, np.int64), _by_version(data, start + 4)
        case frames.LINKTYPE_IPNET:
            # dl_ipnetinfo_t of Solaris: 24 bytes; its address families are that system's own.
            return np.full(len(start), 24, np.int64), _by_version(data, start + 24)
        case frames.LINKTYPE_PPP | frames.LINKTYPE_PPP_HDLC:
            return _ppp(data, start)
        case frames.LINKTYPE_RAW | frames.LINKTYPE_IPV4 | frames.LINKTYPE_IPV6 | 12 | 14:
            return np.zeros(len(start), np.int64), _by_version(data, start)
        case _:
            return np.zeros(len(start), np.int64), np.full(len(start), NOT_IP, np.uint16)


def _ppp(data: NDArray[np.uint8], start: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.uint16]]:
    """PPP (RFC 1661 2) with or without address and control field (RFC 1662 3.1), protocol field of 2 or 1 bytes."""
    offset = np.where((data[start] == 0xFF) & (data[start + 1] == 0x03), 2, 0)
    at = start + offset
    short = (data[at] & 1) == 1
    protocol = np.where(short, data[at], _u16(data, at))
    offset += np.where(short, 1, 2)
    ethertype = np.where(
        protocol == PPP_IPV4, ETHERTYPE_IPV4, np.where(protocol == PPP_IPV6, ETHERTYPE_IPV6, NOT_IP)
    )
    return offset, ethertype.astype(np.uint16)


def _skip_vlan_tags(batch: FrameBatch, offset: NDArray[np.int64], ethertype: NDArray[np.uint16]) -> None:
    """Step over up to MAX_VLAN_TAGS tags, in place (IEEE 802.1Q 9.6)."""
    rows = np.flatnonzero(_is_tag(ethertype))
    for _ in range(MAX_VLAN_TAGS):
        if not len(rows):
            return
        ethertype[rows] = _u16(batch.data, batch.start[rows] + offset[rows] + 2)
        offset[rows] += 4
        rows = rows[_is_tag(ethertype[rows])]


def _is_tag(ethertype: NDArray[np.uint16]) -> NDArray[np.bool_]:
    first, second, third = VLAN_TAGS
    tagged: NDArray[np.bool_] = (ethertype == first) | (ethertype == second) | (ethertype == third)
    return tagged


def _u16(data: NDArray[np.uint8], at: NDArray[np.int64]) -> NDArray[np.uint16]:
    """Big-endian 16-bit values at the offsets `at`."""
    return (data[at].astype(np.uint16) << np.uint16(8)) | data[at + 1]


def _by_version(data: NDArray[np.uint8], at: NDArray[np.int64]) -> NDArray[np.uint16]:
    """The ethertype that the version nibble of an IP header stands for."""
    version = data[at] >> 4
    return np.where(version == 4, ETHERTYPE_IPV4, np.where(version == 6, ETHERTYPE_IPV6, NOT_IP)).astype(
        np.uint16
    )
