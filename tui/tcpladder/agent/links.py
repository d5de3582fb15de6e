"""How an interface is taken down and comes back with everything that went with it.

What the kernel forgets when an interface goes down: its routes in every table, its IPv6 addresses, the neighbours that
a person entered, nexthop objects. IPv4 addresses stay.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import time
from collections.abc import Iterator
from dataclasses import replace

from tcpladder.agent import rtnetlink
from tcpladder.agent.changes import LinkDown
from tcpladder.agent.netlink import NLM_F_ACK, NLM_F_CREATE, Message, attributes
from tcpladder.agent.routes import routing
from tcpladder.errors import UsageError

_FAMILIES = (socket.AF_INET, socket.AF_INET6)
_MOST_SAVED = 10_000
_SETTLES_WITHIN_S = 3.0
"""How long the kernel's own work may take after an interface comes up: duplicate address detection above all."""
_LOOK_EVERY_S = 0.01
_RT_SCOPE_LINK = 253
_IFF_UP, _IFF_LOOPBACK = 0x1, 0x8
_NHA_ID = 1


def prepare_link(change: LinkDown) -> LinkDown:
    """Save what would be lost. Raises UsageError for an interface that cannot come back as it is."""
    index = _index(change.name)
    with routing() as netlink:
        links = list(netlink.get_links())
    link = next(one for one in links if one["index"] == index)
    if link["flags"] & _IFF_LOOPBACK:
        raise UsageError(f"{change.name} is loopback: what it carries can be dropped, it is not taken down")
    if not link["flags"] & _IFF_UP:
        raise UsageError(f"{change.name} is down already")
    for other in links:
        if other.get_attr("IFLA_LINK") == index and other.get_attr("IFLA_LINK_NETNSID") is None:
            kind = other.get_attr("IFLA_LINKINFO")
            if kind is not None and kind.get_attr("IFLA_INFO_KIND") == "vlan":
                name = other.get_attr("IFLA_IFNAME")
                raise UsageError(
                    f"{name} stands on {change.name} and would not come back as it is: take {name} down"
                )
    routes = _routes(index)
    if len(routes) > _MOST_SAVED:
        raise UsageError(
            f"{len(routes)} routes go through {change.name}, more than can be put back: drop instead"
        )
    return replace(
        change,
        index=index,
        routes=[one.hex() for one in routes],
        addresses=[one.hex() for one in rtnetlink.addresses(socket.AF_INET6, index)],
        neighbours=[one.hex() for one in rtnetlink.permanent_neighbours(index)],
        nexthops=[one.hex() for one in rtnetlink.nexthops(index)],
        saved_ns=rtnetlink.boot_ns(),
    )


def make_link_down(change: LinkDown) -> None:
    """`ip link set NAME down`."""
    with routing() as netlink:
        netlink.link("set", index=change.index, state="down")


def undo_link_down(change: LinkDown) -> None:
    """Up again, then all that is missing, until nothing is, or as long as the kernel may need for its own part."""
    if _index(change.name, missing=0) != change.index:
        return
    with routing() as netlink:
        netlink.link("set", index=change.index, state="up")
    age_s = (rtnetlink.boot_ns() - change.saved_ns) / 1e9
    deadline = time.monotonic() + _SETTLES_WITHIN_S
    _take_away_what_came(change)
    while True:
        refused = _put_back(change, age_s)
        if _is_as_before(change):
            _take_away_what_came(change)
            return
        if time.monotonic() > deadline:
            if refused is not None:
                raise refused
            return
        time.sleep(_LOOK_EVERY_S)


def _index(name: str, *, missing: int | None = None) -> int:
    try:
        return socket.if_nametoindex(name)
    except OSError:
        if missing is not None:
            return missing
        raise UsageError(f"there is no interface {name}") from None


def _routes(index: int) -> list[bytes]:
    return [
        body for family in _FAMILIES for body in rtnetlink.routes(family) if index in rtnetlink.links_of(body)
    ]


def _bodies(saved: list[str]) -> list[bytes]:
    return [bytes.fromhex(one) for one in saved]


def _put_back(change: LinkDown, age_s: float) -> OSError | None:
    """Ask for all that is missing but what the kernel makes itself; the last refusal, if there was one."""
    refused = None
    for message in _missing(change, age_s):
        try:
            rtnetlink.call(message)
        except OSError as error:
            refused = error if error.errno != errno.EEXIST else refused
    return refused


def _missing(change: LinkDown, age_s: float) -> Iterator[Message]:
    """In the order in which one needs the other."""
    there = {rtnetlink.address_of(body) for body in rtnetlink.addresses(socket.AF_INET6, change.index)}
    # The kernel puts a new address before those of its scope.
    for body in reversed(_bodies(change.addresses)):
        if rtnetlink.address_of(body) not in there:
            yield rtnetlink.new_address(body, age_s)
    have = rtnetlink.permanent_neighbours(change.index)
    for body in _bodies(change.neighbours):
        if body not in have:
            yield Message(rtnetlink.RTM_NEWNEIGH, NLM_F_ACK | NLM_F_CREATE, body)
    known = {attributes(body, 8)[_NHA_ID] for body in rtnetlink.nexthops(change.index)}
    for body in _bodies(change.nexthops):
        if attributes(body, 8)[_NHA_ID] not in known:
            yield rtnetlink.new_nexthop(body)
    routes = {rtnetlink.without_age(body) for body in _routes(change.index)}
    for body in _direct_first(_bodies(change.routes)):
        if rtnetlink.table_of(body) != rtnetlink.RT_TABLE_LOCAL and rtnetlink.without_age(body) not in routes:
            yield rtnetlink.new_route(body, age_s, last=True)


def _direct_first(routes: list[bytes]) -> list[bytes]:
    """A gateway must be reachable before a route through it."""
    return sorted(routes, key=lambda body: rtnetlink.RTA_GATEWAY in attributes(body, 12))


def _is_as_before(change: LinkDown) -> bool:
    """Whether everything saved is there, and the kernel is done with its own part."""
    addresses = rtnetlink.addresses(socket.AF_INET6, change.index)
    tentative = {rtnetlink.address_of(body) for body in addresses if rtnetlink.is_tentative(body)}
    was_tentative = {
        rtnetlink.address_of(body) for body in _bodies(change.addresses) if rtnetlink.is_tentative(body)
    }
    routes = {rtnetlink.without_age(body) for body in _routes(change.index)}
    return (
        tentative <= was_tentative
        and {rtnetlink.address_of(body) for body in _bodies(change.addresses)}
        <= {rtnetlink.address_of(body) for body in addresses}
        and {rtnetlink.without_age(body) for body in _bodies(change.routes)} <= routes
    )


def _take_away_what_came(change: LinkDown) -> None:
    """What the kernel adds to an interface that comes up, where somebody had taken it away before."""
    saved = {rtnetlink.address_of(body) for body in _bodies(change.addresses)}
    routes = {rtnetlink.without_age(body) for body in _bodies(change.routes)}
    surplus = [
        Message(rtnetlink.RTM_DELADDR, NLM_F_ACK, body)
        for body in rtnetlink.addresses(socket.AF_INET6, change.index)
        if body[3] == _RT_SCOPE_LINK and rtnetlink.address_of(body) not in saved
    ] + [
        rtnetlink.no_route(body)
        for body in _routes(change.index)
        if rtnetlink.protocol_of(body) == rtnetlink.RTPROT_KERNEL
        and rtnetlink.table_of(body) != rtnetlink.RT_TABLE_LOCAL
        and rtnetlink.without_age(body) not in routes
    ]
    for message in surplus:
        with contextlib.suppress(OSError):
            rtnetlink.call(message)
