"""Which changes a fault of routes or links is, and the script of the same."""

from __future__ import annotations

import socket
from collections.abc import Sequence

from tcpladder.agent import rtnetlink
from tcpladder.agent.changes import Change, LinkDown, PolicyRule, RouteWithdrawn
from tcpladder.agent.route_words import address_words, route_words
from tcpladder.agent.routes import family_of, prepare_route, route_to
from tcpladder.errors import UsageError
from tcpladder.faults.fault import Action, Fault, Match, Segments
from tcpladder.faults.machine import Line


def changes_of(fault: Fault) -> list[Change]:
    """The changes to ask for. Raises UsageError where routes have no say."""
    if fault.segments is not Segments.ALL:
        raise UsageError(
            f"{fault.action.value} takes all segments, not {fault.segments.value} alone: drop those instead"
        )
    match = fault.match
    if fault.action is Action.BLACKHOLE:
        return [rule for one in _directions(fault) for rule in _rules(one)]
    if match.destination is None:
        raise UsageError(f"{fault.action.value} needs a destination: which route, or which interface, is it")
    if fault.action is Action.WITHDRAW:
        ways = [one for one in _directions(fault) if one.destination is not None]
        return [RouteWithdrawn(destination=one.destination or "", source=one.source or "") for one in ways]
    return [LinkDown(name=_link_to(match))]


def _directions(fault: Fault) -> list[Match]:
    """Those that a route or rule can break: not what arrives here, unless that is all that was asked for."""
    match, back = fault.match, fault.match.reverse()
    if not fault.both:
        return [match]
    return [one for one in (match, back) if not _arrives_here(one)] or [match]


def _arrives_here(match: Match) -> bool:
    if match.destination is None:
        return match.source is not None
    try:
        route_to(match.destination)
    except UsageError:
        return True
    return False


def _rules(match: Match) -> list[Change]:
    """A rule for each version of IP that is meant."""
    if match.destination is not None:
        route_to(match.destination, source=match.source or "", port=match.destination_port)
    named = match.destination or match.source
    families = [family_of(named)] if named else [socket.AF_INET, socket.AF_INET6]
    return [
        PolicyRule(
            family=family,
            source=match.source or "",
            source_port=match.source_port,
            destination=match.destination or "",
            destination_port=match.destination_port,
        )
        for family in families
    ]


def _link_to(match: Match) -> str:
    route = route_to(match.destination or "", source=match.source or "", port=match.destination_port)
    hops = route.get_attr("RTA_MULTIPATH") or [route]
    links = {hop.get_attr("RTA_OIF") or hop.get("oif") for hop in hops} - {None}
    if len(links) != 1:
        raise UsageError(
            f"{len(links)} interfaces lead to {match.destination}, not one: withdraw the route instead"
        )
    return socket.if_indextoname(links.pop())


def cuts(prepared: Sequence[Change], lines: Sequence[Line]) -> str:
    """Which SSH connection of this machine the changes would cut, by the way that the kernel takes to its far end."""
    if not any(isinstance(change, LinkDown | RouteWithdrawn) for change in prepared):
        return ""
    for line in lines:
        try:
            way = prepare_route(RouteWithdrawn(destination=line.remote))
        except UsageError:
            continue
        for change in prepared:
            match change:
                case LinkDown(name=name, index=index) if index in way.links:
                    return (
                        f"cannot take {name} down: the SSH connection {line} of this machine goes through it"
                    )
                case RouteWithdrawn(route=route) if route == way.route:
                    return f"cannot withdraw {way.words}: the SSH connection {line} of this machine takes it"
    return ""


def script(prepared: Sequence[Change]) -> str:
    """What a person would type for the same."""
    lines = ["#!/bin/sh -e"]
    for change in prepared:
        match change:
            case PolicyRule():
                lines.append(f"ip{_version(change)} rule add {_rule_words(change)}")
            case RouteWithdrawn():
                lines.append(
                    f"ip{_route_version(change.route)} route del {route_words(bytes.fromhex(change.route))}"
                )
            case LinkDown(name=name):
                lines.append(f"ip link set {name} down")
    return "\n".join(lines) + "\n"


def undo_script(prepared: Sequence[Change]) -> str:
    """What takes it back by hand; after a link, also what the kernel does not bring back itself."""
    lines = ["#!/bin/sh"]
    for change in reversed(prepared):
        match change:
            case PolicyRule():
                lines.append(f"ip{_version(change)} rule del {_rule_words(change)}")
            case RouteWithdrawn():
                lines.append(
                    f"ip{_route_version(change.route)} route add {route_words(bytes.fromhex(change.route))}"
                )
            case LinkDown():
                lines += _link_lines(change)
    return "\n".join(lines) + "\n"


def _link_lines(change: LinkDown) -> list[str]:
    addresses = [address_words(bytes.fromhex(one)) for one in reversed(change.addresses)]
    routes = [
        f"ip{_route_version(one)} route replace {route_words(body)}"
        for one in change.routes
        if rtnetlink.protocol_of(body := bytes.fromhex(one)) != rtnetlink.RTPROT_KERNEL
    ]
    return [
        f"ip link set {change.name} up",
        *(f"ip -6 addr replace {words}" for words in addresses if not words.startswith("fe80:")),
        *routes,
    ]


def _rule_words(rule: PolicyRule) -> str:
    words = f"priority {rule.priority}"
    for name, port_name, address, port in (
        ("from", "sport", rule.source, rule.source_port),
        ("to", "dport", rule.destination, rule.destination_port),
    ):
        words += f" {name} {address}" if address else ""
        words += f" {port_name} {port}" if port else ""
    return f"{words} ipproto tcp blackhole"


def _version(rule: PolicyRule) -> str:
    return " -6" if rule.family == socket.AF_INET6 else ""


def _route_version(route: str) -> str:
    return " -6" if bytes.fromhex(route)[0] == socket.AF_INET6 else ""
