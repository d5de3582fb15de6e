"""Which interfaces this network namespace has, with addresses and counters. Needs no privilege.

rtnetlink(7): RTM_GETLINK, RTM_GETADDR; include/uapi/linux/if_link.h.
"""

from __future__ import annotations

import ipaddress
import struct
from collections import defaultdict

from tcpladder.agent.messages import InterfaceState
from tcpladder.agent.netlink import NETLINK_ROUTE, Netlink, attributes

_RTM_GETLINK, _RTM_GETADDR = 18, 22
_IFINFOMSG, _IFADDRMSG = struct.Struct("=BxHiII"), struct.Struct("=BBBBI")
_IFLA_IFNAME, _IFLA_OPERSTATE, _IFLA_STATS64 = 3, 16, 23
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_IFF_UP = 0x1
_OPERSTATE_UNKNOWN, _OPERSTATE_UP = 0, 6


def list_interfaces() -> list[InterfaceState]:
    """Every interface, by index; addresses without prefix length. Raises OSError where netlink is forbidden."""
    netlink = Netlink(NETLINK_ROUTE)
    try:
        addresses = _addresses(netlink)
        links = netlink.dump(_RTM_GETLINK, _IFINFOMSG.pack(0, 0, 0, 0, 0))
        return sorted((_state(body, addresses) for _, body in links), key=lambda found: found.index)
    finally:
        netlink.close()


def _addresses(netlink: Netlink) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    for _, body in netlink.dump(_RTM_GETADDR, _IFADDRMSG.pack(0, 0, 0, 0, 0)):
        index = _IFADDRMSG.unpack_from(body)[4]
        values = attributes(body, _IFADDRMSG.size)
        # On a point-to-point link IFA_ADDRESS is the peer's, IFA_LOCAL ours; IPv6 often has only IFA_ADDRESS.
        packed = values.get(_IFA_LOCAL) or values.get(_IFA_ADDRESS)
        if packed:
            found[index].append(str(ipaddress.ip_address(packed)))
    return found


def _state(body: bytes, addresses: dict[int, list[str]]) -> InterfaceState:
    _, _, index, flags, _ = _IFINFOMSG.unpack_from(body)
    values = attributes(body, _IFINFOMSG.size)
    operational = values.get(_IFLA_OPERSTATE, b"\0")[0]
    if not flags & _IFF_UP:
        state = "down"
    else:
        state = {_OPERSTATE_UNKNOWN: "unknown", _OPERSTATE_UP: "up"}.get(operational, "down")
    counters = struct.unpack_from("=4Q", values.get(_IFLA_STATS64, bytes(32)))
    return InterfaceState(
        name=values[_IFLA_IFNAME].rstrip(b"\0").decode(errors="replace"),
        index=index,
        state=state,
        addresses=addresses.get(index, []),
        received_packets=counters[0],
        sent_packets=counters[1],
        received_bytes=counters[2],
        sent_bytes=counters[3],
    )
