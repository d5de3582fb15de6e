"""What we change that the kernel does not take back by itself, each with its undo as data.

A change is asked for with its first fields; `prepare` fills in what it will have to be put back to, `make` does it,
`undo` takes it back. `undo` may be called for a change that was never made, or was undone: it then does nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class SysctlChange:
    """A sysctl has another value."""

    name: str
    value: str
    before: str = ""
    deadline_ns: int | None = None
    """When it is undone by itself, CLOCK_BOOTTIME; None for when the agent ends. As in all others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRule:
    """A rule of the routing policy database discards TCP segments."""

    family: int
    """AF_INET or AF_INET6."""
    source: str = ""
    """An address, empty for any; as the next."""
    source_port: int = 0
    destination: str = ""
    destination_port: int = 0
    priority: int = 0
    """Where it stands among the rules; chosen by `prepare`."""
    deadline_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteWithdrawn:
    """A route is gone."""

    destination: str
    """The address that the route was found for."""
    source: str = ""
    route: str = ""
    """The RTM_NEWROUTE that puts it back, in hex; struct rtmsg and attributes as the kernel dumped them."""
    words: str = ""
    """`192.0.2.0/24 via 10.0.0.1 dev eth0`, for people."""
    links: list[int] = field(default_factory=list)
    """The interfaces that it goes through."""
    saved_ns: int = 0
    """When it was read, CLOCK_BOOTTIME: lifetimes count on from there."""
    deadline_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkDown:
    """An interface is down; with it went routes, IPv6 addresses and permanent neighbours."""

    name: str
    index: int = 0
    routes: list[str] = field(default_factory=list)
    """RTM_NEWROUTE in hex, in the kernel's order; as the next three."""
    addresses: list[str] = field(default_factory=list)
    neighbours: list[str] = field(default_factory=list)
    nexthops: list[str] = field(default_factory=list)
    saved_ns: int = 0
    deadline_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceMade:
    """A pair of virtual interfaces exists that we made; what is sent into the first is lost."""

    name: str
    peer: str
    deadline_ns: int | None = None


Change = SysctlChange | PolicyRule | RouteWithdrawn | LinkDown | DeviceMade


def exclude(one: Change, other: Change) -> bool:
    """Whether undoing one while the other is in force would leave something behind."""
    match one, other:
        case SysctlChange(), SysctlChange():
            return one.name == other.name
        case LinkDown(), LinkDown():
            return one.index == other.index
        case (LinkDown(index=index), RouteWithdrawn(links=links)) | (
            RouteWithdrawn(links=links),
            LinkDown(index=index),
        ):
            return index in links
        case RouteWithdrawn(), RouteWithdrawn():
            return one.route == other.route
        case DeviceMade(), DeviceMade():
            return one.name == other.name
    return False


def words(change: Change) -> str:
    """What is there because of the change, for a sentence to the user."""
    match change:
        case SysctlChange(name=name, before=before):
            return f"{name} is not {before}"
        case PolicyRule(priority=priority):
            return f"rule {priority} discards segments"
        case RouteWithdrawn(words=route):
            return f"the route {route} is away"
        case LinkDown(name=name):
            return f"{name} is down"
        case DeviceMade(name=name):
            return f"the interface {name} is there"
