"""Routes and addresses as `ip` takes them, so that a person could put back by hand what was saved as bytes."""

from __future__ import annotations

import contextlib
import socket
import struct
from typing import Any

_PROTOCOLS = {2: "kernel", 3: "boot", 4: "static", 9: "ra", 16: "dhcp", 186: "bgp", 188: "ospf"}
_SCOPES = {253: "link", 254: "host"}
_TYPES = {
    1: "",
    3: "broadcast ",
    4: "anycast ",
    5: "multicast ",
    6: "blackhole ",
    7: "unreachable ",
    8: "prohibit ",
}
_MAIN_TABLE = 254
_FOREVER_S = 0xFFFFFFFF
_METRICS = {"RTAX_MTU": "mtu", "RTAX_ADVMSS": "advmss", "RTAX_WINDOW": "window", "RTAX_INITCWND": "initcwnd"}
_NLMSG_HEADER = 16


def route_words(body: bytes) -> str:
    """What comes after `ip route add` for a dumped route (struct rtmsg and attributes)."""
    from pyroute2.netlink.rtnl.rtmsg import rtmsg

    route = _parsed(rtmsg, body)
    destination = route.get_attr("RTA_DST")
    words = _TYPES.get(route["type"], "") + (
        f"{destination}/{route['dst_len']}" if destination else "default"
    )
    nexthop = route.get_attr("RTA_NH_ID")
    words += f" nhid {nexthop}" if nexthop else _way(route)
    table, metric = route.get_attr("RTA_TABLE") or route["table"], route.get_attr("RTA_PRIORITY")
    words += f" table {table}" if table != _MAIN_TABLE else ""
    words += f" proto {_PROTOCOLS.get(route['proto'], route['proto'])}" if route["proto"] != 3 else ""
    words += f" scope {_SCOPES[route['scope']]}" if route["scope"] in _SCOPES else ""
    source = route.get_attr("RTA_PREFSRC")
    words += f" src {source}" if source else ""
    words += f" metric {metric}" if metric else ""
    metrics = route.get_attr("RTA_METRICS")
    for name, value in metrics["attrs"] if metrics else ():
        words += f" {_METRICS[name]} {value}" if name in _METRICS else ""
    for hop in route.get_attr("RTA_MULTIPATH") or () if not nexthop else ():
        words += f" nexthop{_way(hop)} weight {hop['hops'] + 1}"
    return words + (" onlink" if route["flags"] & 4 else "")


def address_words(body: bytes) -> str:
    """What comes after `ip addr add` for a dumped address (struct ifaddrmsg and attributes)."""
    from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg

    address = _parsed(ifaddrmsg, body)
    words = f"{address.get_attr('IFA_ADDRESS')}/{address['prefixlen']}{_device(address['index'])}"
    lifetimes = address.get_attr("IFA_CACHEINFO")
    if lifetimes is not None and lifetimes["ifa_valid"] != _FOREVER_S:
        words += f" valid_lft {lifetimes['ifa_valid']} preferred_lft {lifetimes['ifa_preferred']}"
    return words


def _parsed(kind: Any, body: bytes) -> Any:
    """A body as pyroute2 reads a whole message."""
    message = kind(struct.pack("=IHHII", _NLMSG_HEADER + len(body), 0, 0, 0, 0) + body)
    message.decode()
    return message


def _way(hop: Any) -> str:
    via, other = hop.get_attr("RTA_GATEWAY"), hop.get_attr("RTA_VIA")
    words = f" via {via}" if via else ""
    words += f" via inet6 {other['addr']}" if other else ""
    return words + _device(hop.get_attr("RTA_OIF") or hop.get("oif"))


def _device(index: int | None) -> str:
    if index:
        with contextlib.suppress(OSError):
            return f" dev {socket.if_indextoname(index)}"
    return ""
