"""How the way to a destination is taken away, and given back exactly: routing rules and routes.

pyroute2 is imported with the first of them. Raises UsageError for what would have no effect, OSError where the kernel
says no.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import socket
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from tcpladder.agent import rtnetlink
from tcpladder.agent.changes import PolicyRule, RouteWithdrawn
from tcpladder.agent.netlink import attributes
from tcpladder.errors import PermissionRefused, UsageError

_RTM_F_LOOKUP_TABLE, _RTM_F_FIB_MATCH = 0x1000, 0x2000
"""Say which entry of which table it is; without them, a route made for this lookup, and always the main table."""
_LOOKUP = _RTM_F_LOOKUP_TABLE | _RTM_F_FIB_MATCH
_RTN_LOCAL = 2
_RTMSG = 12
_MAIN = 32_766
"""The priority of the rule for the main table."""
_FR_ACT_BLACKHOLE = 6
_GONE = (errno.ESRCH, errno.ENOENT)
_THERE = errno.EEXIST


@contextlib.contextmanager
def routing() -> Iterator[Any]:
    """An IPRoute of this network namespace; what the kernel refuses is an OSError.

    Raises PermissionRefused where pyroute2 cannot be imported.
    """
    try:
        from pyroute2 import IPRoute
        from pyroute2.netlink.exceptions import NetlinkError
    except ImportError as missing:
        raise PermissionRefused(
            f"routes and links cannot be broken: {missing}; `pip install pyroute2`, or drop instead"
        ) from None
    try:
        with IPRoute() as netlink:
            yield netlink
    except NetlinkError as refused:
        raise OSError(refused.code, str(refused.args[1] if len(refused.args) > 1 else refused)) from None


def family_of(address: str) -> int:
    """AF_INET or AF_INET6."""
    return socket.AF_INET if ipaddress.ip_address(address).version == 4 else socket.AF_INET6


def route_to(destination: str, *, source: str = "", port: int = 0) -> Any:
    """The route that the kernel uses for a TCP segment to `destination`, as pyroute2 reads it.

    Raises UsageError where there is none, or where the destination is this host, which no route changes.
    """
    lookup: dict[str, Any] = {"dst": destination, "ip_proto": socket.IPPROTO_TCP}
    lookup |= {"src": source} if source and _is_local(source) else {}
    lookup |= {"dport": port} if port else {}
    try:
        with routing() as netlink:
            (found,) = netlink.route("get", family=family_of(destination), flags=_LOOKUP, **lookup)
    except OSError as refused:
        if refused.errno not in (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EACCES, errno.EINVAL):
            raise
        raise UsageError(f"there is no route to {destination} that could be taken away") from None
    if found["type"] == _RTN_LOCAL:
        raise UsageError(
            f"{destination} is an address of this host: routes and rules have no say in how it is reached, drop instead"
        )
    return found


def _is_local(address: str) -> bool:
    with routing() as netlink:
        return any(netlink.get_addr(address=address))


def prepare_rule(change: PolicyRule) -> PolicyRule:
    """Choose where the rule stands: before every rule that leads somewhere, but after the one for local addresses."""
    with routing() as netlink:
        rules = list(netlink.get_rules(family=change.family))
    stands = {rule.get_attr("FRA_PRIORITY") or 0: rule["action"] for rule in rules}
    first = min((one for one, action in stands.items() if one and action != _FR_ACT_BLACKHOLE), default=_MAIN)
    free = next((one for one in range(first - 1, 0, -1) if one not in stands), None)
    if free is None:
        raise UsageError(f"rule {first} of `ip rule` stands first, and nothing can stand before it")
    return replace(change, priority=free)


def make_rule(change: PolicyRule) -> None:
    """`ip rule add … blackhole`."""
    with routing() as netlink:
        netlink.rule("add", **_rule(change))


def undo_rule(change: PolicyRule) -> None:
    """`ip rule del …`, with every word that it was made with."""
    with _suppressed(*_GONE), routing() as netlink:
        netlink.rule("del", **_rule(change))


def _rule(change: PolicyRule) -> dict[str, Any]:
    bits = 32 if change.family == socket.AF_INET else 128
    words: dict[str, Any] = {"family": change.family, "priority": change.priority, "action": "blackhole"}
    words |= {"ip_proto": socket.IPPROTO_TCP}
    for side, address, port in (
        ("src", change.source, change.source_port),
        ("dst", change.destination, change.destination_port),
    ):
        words |= {side: address, f"{side}_len": bits} if address else {}
        words |= {f"{side[0]}port_range": f"{port}:{port}"} if port else {}
    return words


def prepare_route(change: RouteWithdrawn) -> RouteWithdrawn:
    """Find the route that the kernel uses, and keep all of it."""
    wanted = route_to(change.destination, source=change.source)
    for body in rtnetlink.routes(wanted["family"]):
        if _is_same(body, wanted):
            links = rtnetlink.links_of(body)
            words = _words(wanted, links)
            return replace(change, route=body.hex(), words=words, links=links, saved_ns=rtnetlink.boot_ns())
    raise UsageError(f"the route to {change.destination} changed meanwhile: ask again")


def make_route(change: RouteWithdrawn) -> None:
    """`ip route del`, exactly that one."""
    rtnetlink.call(rtnetlink.no_route(bytes.fromhex(change.route)))


def undo_route(change: RouteWithdrawn) -> None:
    """Put it back as it was, before others of its priority."""
    body = bytes.fromhex(change.route)
    if any(rtnetlink.without_age(one) == rtnetlink.without_age(body) for one in rtnetlink.routes(body[0])):
        return
    age_s = (rtnetlink.boot_ns() - change.saved_ns) / 1e9
    with _suppressed(_THERE, errno.ENODEV):
        rtnetlink.call(rtnetlink.new_route(body, age_s, last=False))


def _is_same(body: bytes, wanted: Any) -> bool:
    """Whether a dumped route is the one that a lookup found; the lookup mixes up the order of next hops."""
    if (body[0], body[1], body[3], body[7]) != tuple(wanted[n] for n in ("family", "dst_len", "tos", "type")):
        return False
    found = attributes(body, _RTMSG)
    destination = wanted.get_attr("RTA_DST")
    packed = ipaddress.ip_address(destination).packed if destination else b""
    if (found.get(rtnetlink.RTA_DST, b"") or bytes(len(packed))) != packed:
        return False
    priority = int.from_bytes(found.get(rtnetlink.RTA_PRIORITY, b""), "little")
    links = sorted(rtnetlink.links_of(body))
    asked = [hop["oif"] for hop in wanted.get_attr("RTA_MULTIPATH") or []] or [wanted.get_attr("RTA_OIF")]
    same = (priority, links) == (wanted.get_attr("RTA_PRIORITY") or 0, sorted(one for one in asked if one))
    return same and rtnetlink.table_of(body) == wanted.get_attr("RTA_TABLE")


def _words(route: Any, links: list[int]) -> str:
    """As `ip route` would begin the line."""
    said = f"{route.get_attr('RTA_DST')}/{route['dst_len']}" if route.get_attr("RTA_DST") else "default"
    gateway = route.get_attr("RTA_GATEWAY")
    said += f" via {gateway}" if gateway else ""
    for link in dict.fromkeys(links):
        with contextlib.suppress(OSError):
            said += f" dev {socket.if_indextoname(link)}"
    metric = route.get_attr("RTA_PRIORITY")
    return said + (f" metric {metric}" if metric else "")


@contextlib.contextmanager
def _suppressed(*numbers: int) -> Iterator[None]:
    """What is already as it should be is no failure."""
    try:
        yield
    except OSError as refused:
        if refused.errno not in numbers:
            raise
