"""What the frames are that carry no TCP: counted, so that it can be said."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tcpladder.wire.frames import FrameBatch
from tcpladder.wire.link import ETHERTYPE_IPV4, ETHERTYPE_IPV6, LINK_TYPES
from tcpladder.wire.network import NO_PROTOCOL, Network

_ETHERTYPE_ARP = 0x0806
_PROTOCOLS = {
    1: "ICMP",
    2: "IGMP",
    6: "TCP cut off before its ports",
    17: "UDP",
    58: "ICMPv6",
    132: "SCTP",
    253: "other IP",
}
"""253 is for experiments (RFC 3692): a listing tells that a frame is none of the others, and no more."""


def count_others(batch: FrameBatch, net: Network, other: NDArray[np.bool_]) -> dict[str, int]:
    """What the frames of the rows where `other` (n,) is true are, in words, and how many."""
    found: dict[str, int] = {}

    def add(words: str, count: int) -> None:
        if count:
            found[words] = found.get(words, 0) + count

    fragment = np.zeros(len(batch), np.bool_)
    fragment[list(net.fragments)] = True
    add("IP fragment", int(np.count_nonzero(fragment & other)))
    rest = other & ~fragment
    is_ip = (net.ethertype == ETHERTYPE_IPV4) | (net.ethertype == ETHERTYPE_IPV6)
    protocols = np.bincount(net.protocol[rest & is_ip], minlength=256)
    for protocol in np.flatnonzero(protocols).tolist():
        words = (
            "cut short" if protocol == NO_PROTOCOL else _PROTOCOLS.get(protocol, f"IP protocol {protocol}")
        )
        add(words, int(protocols[protocol]))
    no_ip = np.flatnonzero(rest & ~is_ip)
    links = np.bincount(batch.link_type[no_ip]) if len(no_ip) else np.zeros(0, np.int64)
    known = np.zeros(len(no_ip), np.bool_)
    for link in np.flatnonzero(links).tolist():
        if link in LINK_TYPES:
            known |= batch.link_type[no_ip] == link
        else:
            add(f"link type {link}", int(links[link]))
    ethertype = net.ethertype[no_ip][known]
    arp = int(np.count_nonzero(ethertype == _ETHERTYPE_ARP))
    add("ARP", arp)
    add("not IP", len(ethertype) - arp)
    return found
