"""Routes, addresses and neighbours as the kernel dumps them, to be put back byte for byte.

Source: rtnetlink(7), include/uapi/linux/rtnetlink.h, if_addr.h, neighbour.h, nexthop.h. What `ip route save` and
`ip route restore` do.
"""

from __future__ import annotations

import socket
import struct
import time

from tcpladder.agent.netlink import (
    NETLINK_ROUTE,
    NLM_F_ACK,
    NLM_F_APPEND,
    NLM_F_CREATE,
    Message,
    Netlink,
    attribute,
    attribute_list,
    attributes,
)

RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR = 20, 21, 22
RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE = 24, 25, 26
RTM_NEWNEIGH, RTM_GETNEIGH = 28, 30
RTM_NEWNEXTHOP, RTM_GETNEXTHOP = 104, 106

RT_TABLE_LOCAL = 255
RTPROT_KERNEL = 2
RTA_DST, RTA_OIF, RTA_GATEWAY, RTA_PRIORITY, RTA_MULTIPATH = 1, 4, 5, 6, 9
_RTA_CACHEINFO, _RTA_TABLE, _RTA_VIA, _RTA_ENCAP_TYPE, _RTA_ENCAP, _RTA_EXPIRES, _RTA_NH_ID = (
    12, 15, 18, 21, 22, 23, 30,
)  # fmt: skip
_NEXTHOP_SPELT_OUT = frozenset({RTA_OIF, RTA_GATEWAY, RTA_MULTIPATH, _RTA_VIA, _RTA_ENCAP, _RTA_ENCAP_TYPE})
_RTMSG, _IFADDRMSG, _NDMSG, _NHMSG = 12, 8, 12, 8
"""The sizes of the structures before the attributes."""
_RTNH_F_ONLINK = 4
"""The one flag of a route that a person can set; the others say how its interface is."""
_IFA_ADDRESS, _IFA_CACHEINFO, _IFA_FLAGS = 1, 6, 8
_IFA_F_TENTATIVE = 0x40
_IFA_F_DADFAILED = 0x08
_FOREVER_S = 0xFFFFFFFF
_NUD_PERMANENT = 0x80
_NHA_OIF = 5
_USER_HZ = 100
_ATTEMPTS = 5


def routes(family: int) -> list[bytes]:
    """Every route of every table, in the kernel's order.

    Read until two readings agree: one that others interrupted by their changes may have left some out.
    """
    last: list[bytes] = []
    for _ in range(_ATTEMPTS):
        found = _dump(RTM_GETROUTE, struct.pack("=B11x", family))
        if [without_age(body) for body in last] == [without_age(body) for body in found]:
            break
        last = found
    return found


def addresses(family: int, index: int) -> list[bytes]:
    """The addresses of one interface."""
    found = _dump(RTM_GETADDR, struct.pack("=B7x", family))
    return [body for body in found if struct.unpack_from("=I", body, 4) == (index,)]


def permanent_neighbours(index: int) -> list[bytes]:
    """The entries of one interface that a person made."""
    found = _dump(RTM_GETNEIGH, struct.pack("=B11x", socket.AF_UNSPEC))
    return [
        body
        for body in found
        if body[0] in (socket.AF_INET, socket.AF_INET6)
        and struct.unpack_from("=iH", body, 4) == (index, _NUD_PERMANENT)
    ]


def nexthops(index: int) -> list[bytes]:
    """The nexthop objects of one interface (`ip nexthop`); none where the kernel has no such thing."""
    try:
        found = _dump(RTM_GETNEXTHOP, struct.pack("=B7x", socket.AF_UNSPEC))
    except OSError:
        return []
    return [body for body in found if attributes(body, _NHMSG).get(_NHA_OIF) == struct.pack("=I", index)]


def links_of(route: bytes) -> list[int]:
    """The interfaces that a route goes through."""
    found = attributes(route, _RTMSG)
    links = [struct.unpack("=i", found[RTA_OIF])[0]] if RTA_OIF in found else []
    hops, start = found.get(RTA_MULTIPATH, b""), 0
    while start + 8 <= len(hops):
        length, _, _, index = struct.unpack_from("=HBBi", hops, start)
        links.append(index)
        start += max(8, (length + 3) & ~3)
    return links


def table_of(route: bytes) -> int:
    """The number of a route's table."""
    wide = attributes(route, _RTMSG).get(_RTA_TABLE)
    return int(struct.unpack("=I", wide)[0]) if wide else route[4]


def protocol_of(route: bytes) -> int:
    """Who made a route: RTPROT_KERNEL …"""
    return route[5]


def without_age(route: bytes) -> bytes:
    """A route without what changes by itself: its age, and what its interface is like at the moment."""
    kept = [pair for pair in attribute_list(route, _RTMSG) if pair[0] not in (_RTA_CACHEINFO, _RTA_EXPIRES)]
    return _with_flags_of_people(route[:_RTMSG]) + b"".join(
        attribute(kind, _hops_without_flags(value) if kind == RTA_MULTIPATH else value)
        for kind, value in kept
    )


def address_of(body: bytes) -> bytes:
    """What an address is told by: interface, prefix length, the address."""
    return body[1:2] + body[4:8] + attributes(body, _IFADDRMSG)[_IFA_ADDRESS]


def is_tentative(body: bytes) -> bool:
    """Whether the kernel still asks if anybody else has the address."""
    return bool(_flags(body) & _IFA_F_TENTATIVE)


def new_route(route: bytes, age_s: float, *, last: bool) -> Message:
    """What puts a route back, `age_s` after it was read: before those of the same priority, or as the `last`."""
    body = _asked(route)
    expires = struct.unpack_from("=8xi", attributes(route, _RTMSG).get(_RTA_CACHEINFO, bytes(12)))[0]
    if expires and route[0] == socket.AF_INET6:
        body += attribute(_RTA_EXPIRES, struct.pack("=I", max(1, int(expires / _USER_HZ - age_s))))
    return Message(RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE | (NLM_F_APPEND if last else 0), body)


def new_nexthop(body: bytes) -> Message:
    """What puts a nexthop object back (struct nhmsg: family, scope, protocol, reserved, flags)."""
    (flags,) = struct.unpack_from("=I", body, 4)
    header = struct.pack("=BxBxI", body[0], body[2], flags & _RTNH_F_ONLINK)
    return Message(RTM_NEWNEXTHOP, NLM_F_ACK | NLM_F_CREATE, header + body[_NHMSG:])


def no_route(route: bytes) -> Message:
    """What takes exactly this route away."""
    return Message(RTM_DELROUTE, NLM_F_ACK, _asked(route))


def _asked(route: bytes) -> bytes:
    """A route as a request names it: by its nexthop object, where it has one, or by what that object says."""
    body = without_age(route)
    kept = list(attribute_list(body, _RTMSG))
    if any(kind == _RTA_NH_ID for kind, _ in kept):
        kept = [pair for pair in kept if pair[0] not in _NEXTHOP_SPELT_OUT]
    return body[:_RTMSG] + b"".join(attribute(kind, value) for kind, value in kept)


def new_address(body: bytes, age_s: float) -> Message:
    """What puts an address back, with what is left of its lifetimes."""
    found = attributes(body, _IFADDRMSG)
    preferred, valid = struct.unpack_from("=II", found[_IFA_CACHEINFO])
    left = [one if one == _FOREVER_S else max(0, round(one - age_s)) for one in (preferred, valid)]
    found[_IFA_CACHEINFO] = struct.pack("=II8x", left[0], max(1, left[1]))
    found[_IFA_FLAGS] = struct.pack("=I", _flags(body) & ~(_IFA_F_TENTATIVE | _IFA_F_DADFAILED))
    kept = b"".join(attribute(kind, value) for kind, value in found.items())
    return Message(RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE, body[:_IFADDRMSG] + kept)


def call(*messages: Message) -> None:
    """Ask for the messages one after the other; raises OSError at the first that the kernel refuses."""
    netlink = Netlink(NETLINK_ROUTE)
    try:
        for message in messages:
            netlink.call(message)
    finally:
        netlink.close()


def boot_ns() -> int:
    """Nanoseconds since the machine was started, suspended or not."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def _dump(kind: int, header: bytes) -> list[bytes]:
    netlink = Netlink(NETLINK_ROUTE)
    try:
        return [body for _, body in netlink.dump(kind, header)]
    finally:
        netlink.close()


def _flags(body: bytes) -> int:
    wide = attributes(body, _IFADDRMSG).get(_IFA_FLAGS)
    return int(struct.unpack("=I", wide)[0]) if wide else body[2]


def _with_flags_of_people(header: bytes) -> bytes:
    (flags,) = struct.unpack_from("=I", header, 8)
    return header[:8] + struct.pack("=I", flags & _RTNH_F_ONLINK)


def _hops_without_flags(hops: bytes) -> bytes:
    """RTA_MULTIPATH: struct rtnexthop (length, flags, hops, interface) and attributes, again and again."""
    kept, start = bytearray(hops), 0
    while start + 8 <= len(hops):
        length = struct.unpack_from("=H", hops, start)[0]
        kept[start + 2] &= _RTNH_F_ONLINK
        start += max(8, (length + 3) & ~3)
    return bytes(kept)
