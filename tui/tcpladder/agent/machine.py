"""What a plan must know of this machine: which addresses live here, which way others are, whose line must not be cut.

rtnetlink(7), RTM_GETROUTE: what `ip route get` asks.
"""

from __future__ import annotations

import ipaddress
import socket
import struct

from tcpladder.agent.fault_tables import has_egress
from tcpladder.agent.interfaces import list_interfaces
from tcpladder.agent.netlink import NETLINK_ROUTE, NLM_F_ACK, Netlink, attribute, attributes
from tcpladder.agent.ssh import established_connections
from tcpladder.faults.fault import Match
from tcpladder.faults.machine import Line, Machine, Way

_RTM_GETROUTE = 26
_FIB_MATCH = 0x2000
_RTMSG = struct.Struct("=BBBBBBBBI")
_RTA_DST, _RTA_OIF = 1, 4
_RTN_LOCAL, _DST_LEN_AT, _TYPE_AT = 2, 1, 7


def machine_for(match: Match) -> Machine:
    """Look up what a fault of `match` needs. Raises OSError where netlink is forbidden."""
    protected = tuple(lines())
    local, ways = set(), {}
    for address in {match.source, match.destination, *(line.remote for line in protected)}:
        if address is None:
            continue
        lives_here, way = _route(address)
        if lives_here:
            local.add(address)
        elif way is not None:
            ways[address] = way
    return Machine(
        local=frozenset(local),
        ways=ways,
        devices=tuple(one.name for one in list_interfaces() if one.addresses and one.name != "lo"),
        egress=has_egress(),
        lines=protected,
    )


def lines() -> list[Line]:
    """Every established connection that a local sshd holds."""
    return [
        Line(local=one.local, local_port=one.local_port, remote=one.remote, remote_port=one.remote_port)
        for one in established_connections()
    ]


def _route(address: str) -> tuple[bool, Way | None]:
    """Whether the address lives here, and the way there; None where there is none."""
    packed = ipaddress.ip_address(address).packed
    family = socket.AF_INET if len(packed) == 4 else socket.AF_INET6
    asked = _RTMSG.pack(family, 8 * len(packed), 0, 0, 0, 0, 0, 0, _FIB_MATCH)
    netlink = Netlink(NETLINK_ROUTE)
    try:
        for _, body in netlink.dump(_RTM_GETROUTE, asked + attribute(_RTA_DST, packed), NLM_F_ACK):
            return _way(body, len(packed))
    except PermissionError:
        raise
    except OSError:
        return False, None
    finally:
        netlink.close()
    return False, None


def _way(route: bytes, size: int) -> tuple[bool, Way | None]:
    """From a struct rtmsg and its attributes: the entry of the table that matched, thanks to RTM_F_FIB_MATCH."""
    found = attributes(route, _RTMSG.size)
    prefix = ipaddress.ip_network((found.get(_RTA_DST, bytes(size)), route[_DST_LEN_AT]), strict=False)
    if route[_TYPE_AT] == _RTN_LOCAL:
        return True, None
    if _RTA_OIF not in found:
        return False, None
    (index,) = struct.unpack("=I", found[_RTA_OIF])
    return False, Way(device=socket.if_indextoname(index), prefix=str(prefix))
