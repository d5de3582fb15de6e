"""What a plan must know of this machine: which addresses live here, which way others are, whose line must not be cut.

rtnetlink(7), RTM_GETROUTE: what `ip route get` asks.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
import sys

from tcpladder.agent.fault_tables import has_egress
from tcpladder.agent.interfaces import list_interfaces
from tcpladder.agent.netlink import NETLINK_ROUTE, NLM_F_ACK, Netlink, attribute, attributes
from tcpladder.agent.ssh import established_connections
from tcpladder.faults.fault import Match
from tcpladder.faults.machine import Line, Machine

_RTM_GETROUTE = 26
_FIB_MATCH = 0x2000
"""RTM_F_FIB_MATCH: the entry of the table, with every hop, and not the one that a flow would take."""
_RTMSG = struct.Struct("=BBBBBBBBI")
_HOP = struct.Struct("=HxxI")
_RTA_DST, _RTA_OIF, _RTA_MULTIPATH = 1, 4, 9
_RTN_LOCAL, _TYPE_AT = 2, 7


def machine_for(match: Match) -> Machine:
    """Look up what a fault of `match` needs. Raises OSError where netlink is forbidden."""
    local, ways = set(), {}
    for address in {match.source, match.destination}:
        if address is not None:
            lives_here, interfaces = _route(address)
            if lives_here:
                local.add(address)
            elif interfaces:
                ways[address] = interfaces
    return Machine(
        local=frozenset(local),
        ways=ways,
        devices=tuple(one.name for one in list_interfaces() if one.addresses and one.name != "lo"),
        egress=has_egress(),
        lines=tuple(lines()),
    )


def lines() -> list[Line]:
    """Every established connection that a local sshd holds."""
    return [
        Line(local=one.local, local_port=one.local_port, remote=one.remote, remote_port=one.remote_port)
        for one in established_connections()
    ]


def _route(address: str) -> tuple[bool, tuple[str, ...]]:
    """Whether the address lives here, and the interfaces that lead there; none without a route."""
    packed = ipaddress.ip_address(address).packed
    family = socket.AF_INET if len(packed) == 4 else socket.AF_INET6
    asked = _RTMSG.pack(family, 8 * len(packed), 0, 0, 0, 0, 0, 0, _FIB_MATCH)
    netlink = Netlink(NETLINK_ROUTE)
    try:
        for _, route in netlink.dump(_RTM_GETROUTE, asked + attribute(_RTA_DST, packed), NLM_F_ACK):
            names = (socket.if_indextoname(index) for index in _indices(attributes(route, _RTMSG.size)))
            return route[_TYPE_AT] == _RTN_LOCAL, tuple(dict.fromkeys(names))
    except PermissionError:
        raise
    except OSError:
        return False, ()
    finally:
        netlink.close()
    return False, ()


def _indices(route: dict[int, bytes]) -> list[int]:
    """Of the interface of a route, or of those of each hop of a multipath route (struct rtnexthop)."""
    if _RTA_OIF in route:
        return [int.from_bytes(route[_RTA_OIF], sys.byteorder)]
    hops, start, found = route.get(_RTA_MULTIPATH, b""), 0, []
    while start + _HOP.size <= len(hops):
        length, index = _HOP.unpack_from(hops, start)
        if length < _HOP.size:
            break
        found.append(index)
        start += (length + 3) & ~3
    return found
