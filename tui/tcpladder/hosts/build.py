"""How a planned network is built: namespaces, cables, addresses, routes, sysctls.

rtnetlink(7), veth(4); include/uapi/linux/if_link.h, if_addr.h, rtnetlink.h.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import struct
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from tcpladder.agent.interfaces import list_interfaces
from tcpladder.agent.netlink import (
    NETLINK_ROUTE,
    NLM_F_ACK,
    NLM_F_CREATE,
    Message,
    Netlink,
    attribute,
    nested,
    text,
)
from tcpladder.errors import InterfaceError, PermissionRefused
from tcpladder.hosts.namespaces import Namespaces
from tcpladder.hosts.plan import End, Plan

_RTM_NEWLINK, _RTM_NEWADDR, _RTM_NEWROUTE = 16, 20, 24
_IFLA_IFNAME, _IFLA_LINKINFO, _IFLA_NET_NS_FD, _IFLA_GSO_MAX_SEGS = 3, 18, 28, 40
_IFLA_INFO_KIND, _IFLA_INFO_DATA, _VETH_INFO_PEER = 1, 2, 1
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_RTA_OIF, _RTA_GATEWAY = 4, 5
_RT_TABLE_MAIN, _RTPROT_STATIC, _RTN_UNICAST = 254, 4, 1
_IFF_UP = 0x1
_LOOPBACK_INDEX = 1
_LINK, _ADDRESS, _ROUTE = struct.Struct("=BxHiII"), struct.Struct("=BBBBI"), struct.Struct("=8BI")
_FORWARDING = ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding")
_AT_ONCE = ("net.ipv6.conf.default.accept_dad", "net.ipv6.conf.default.router_solicitations")
"""Else an IPv6 address, of which a router needs one to find a neighbour, is tried for two seconds before it is used."""
_CARRIER_PATIENCE_S = 5.0


def build(plan: Plan) -> Namespaces:
    """Build it around the network of this process, whose loopback is up. Delay-free: what is sent arrives at once.

    Raises PermissionRefused, or InterfaceError with what failed: the network is then for the bin, with its process.
    """
    try:
        namespaces = Namespaces()
        for host in plan.hosts:
            namespaces.add(host)
            with namespaces.inside(host):
                for name in _AT_ONCE:
                    _set(name, "0", missing_ok=True)
        for number, cable in enumerate(plan.cables, start=1):
            _lay(cable.ends, 2 * number, namespaces)
        for host in plan.hosts:
            with namespaces.inside(host):
                _furnish([end for cable in plan.cables for end in cable.ends if end.host == host])
                for name in _FORWARDING if host in plan.forwards else ():
                    _set(name, "1", missing_ok=True)
        for host, values in plan.sysctls.items():
            with namespaces.inside(host):
                _set_all(values)
        for host in plan.hosts:
            with namespaces.inside(host):
                _await_carriers()
    except PermissionError as refused:
        raise PermissionRefused(f"cannot build the network of {plan.name}: {_words(refused)}") from None
    except OSError as failed:
        raise InterfaceError(f"cannot build the network of {plan.name}: {_words(failed)}") from None
    return namespaces


def raise_loopback() -> None:
    """`ip link set lo up`; the kernel then gives it 127.0.0.1 and ::1. Raises OSError."""
    netlink = Netlink(NETLINK_ROUTE)
    try:
        netlink.call(_up(_LOOPBACK_INDEX))
    finally:
        netlink.close()


def _lay(ends: tuple[End, End], index: int, namespaces: Namespaces) -> None:
    """`ip link add NAME index INDEX netns HOST type veth peer name NAME index INDEX+1 netns HOST`.

    With the same index at both ends, which is what two fresh namespaces give, the kernel takes a second to notice that
    there is a carrier (linkwatch_urgent_event in net/core/link_watch.c).
    """
    first, second = (_named(end, namespaces) for end in ends)
    peer = nested(_IFLA_INFO_DATA, attribute(_VETH_INFO_PEER, _LINK.pack(0, 0, index + 1, 0, 0) + second))
    information = nested(_IFLA_LINKINFO, text(_IFLA_INFO_KIND, "veth"), peer)
    netlink = Netlink(NETLINK_ROUTE)
    try:
        body = _LINK.pack(0, 0, index, 0, 0) + first + information
        netlink.call(Message(_RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE, body))
    finally:
        netlink.close()


def _named(end: End, namespaces: Namespaces) -> bytes:
    """Name and place of an interface; one segment a frame, as on a cable that is none."""
    place = struct.pack("=I", namespaces.descriptors[end.host])
    single = attribute(_IFLA_GSO_MAX_SEGS, struct.pack("=I", 1))
    return text(_IFLA_IFNAME, end.interface) + attribute(_IFLA_NET_NS_FD, place) + single


def _furnish(ends: list[End]) -> None:
    """Bring up the interfaces of this host, give them their addresses, then the host its routes."""
    with_ipv6 = Path("/proc/sys/net/ipv6").exists()
    netlink = Netlink(NETLINK_ROUTE)
    try:
        netlink.call(_up(_LOOPBACK_INDEX))
        for end in ends:
            index = socket.if_nametoindex(end.interface)
            netlink.call(_up(index), *_addresses(end, index, with_ipv6=with_ipv6))
        for end in ends:
            for message in _routes(end, socket.if_nametoindex(end.interface), with_ipv6=with_ipv6):
                netlink.call(message)
    finally:
        netlink.close()


def _up(index: int) -> Message:
    link = _LINK.pack(socket.AF_UNSPEC, 0, index, _IFF_UP, _IFF_UP)
    return Message(_RTM_NEWLINK, NLM_F_ACK, link)


def _addresses(end: End, index: int, *, with_ipv6: bool) -> Iterator[Message]:
    """`ip address add`."""
    for written in end.addresses:
        address = ipaddress.ip_interface(written)
        if address.version == 6 and not with_ipv6:
            continue
        head = _ADDRESS.pack(_family(address.version), address.network.prefixlen, 0, 0, index)
        body = head + attribute(_IFA_LOCAL, address.packed) + attribute(_IFA_ADDRESS, address.packed)
        yield Message(_RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE, body)


def _routes(end: End, index: int, *, with_ipv6: bool) -> Iterator[Message]:
    """`ip route add default via GATEWAY dev INTERFACE`."""
    for written in end.gateways:
        gateway = ipaddress.ip_address(written)
        if gateway.version == 6 and not with_ipv6:
            continue
        head = _ROUTE.pack(
            _family(gateway.version), 0, 0, 0, _RT_TABLE_MAIN, _RTPROT_STATIC, 0, _RTN_UNICAST, 0
        )
        out = attribute(_RTA_OIF, struct.pack("=i", index))
        body = head + attribute(_RTA_GATEWAY, gateway.packed) + out
        yield Message(_RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE, body)


def _family(version: int) -> int:
    return socket.AF_INET if version == 4 else socket.AF_INET6


def _set_all(values: Mapping[str, str]) -> None:
    """Set sysctls of this host. One that this kernel lacks is an error, unless it is to be 0: so it is off anyway."""
    for name, value in values.items():
        _set(name, value, missing_ok=value == "0")


def _set(name: str, value: str, *, missing_ok: bool = False) -> None:
    """One write(2): the kernel reads the value in one piece, and buffered files swallow its refusal."""
    path = Path("/proc/sys", *name.split("."))
    if missing_ok and not path.exists():
        return
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise InterfaceError(f"this kernel has no {name}: the experiment needs a newer one") from None
    try:
        os.write(descriptor, value.encode())
    except OSError as refused:
        raise InterfaceError(f"cannot set {name} to {value}: {_words(refused)}") from None
    finally:
        os.close(descriptor)


def _await_carriers() -> None:
    """Until an interface has its carrier, what is sent on it goes nowhere. Raises OSError."""
    deadline = time.monotonic() + _CARRIER_PATIENCE_S
    while any(one.index != _LOOPBACK_INDEX and one.state != "up" for one in list_interfaces()):
        if time.monotonic() > deadline:
            raise OSError(0, "an interface has no carrier")
        time.sleep(0.001)


def _words(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
