"""The networks in which experiments run, read from a table that a person can read: topologies.toml."""

from __future__ import annotations

import ipaddress
import tomllib
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

from tcpladder.errors import UsageError
from tcpladder.hosts.plan import Cable, End, Plan
from tcpladder.lab.experiment import Point

_LONGEST_INTERFACE = 15


def topologies() -> dict[str, str]:
    """The topologies that ship with the package: a sentence about each, by name."""
    return {name: str(table["sentence"]) for name, table in _tables().items()}


def topology(name: str) -> Plan:
    """A topology by name; empty for one host and its loopback. Raises UsageError for one that is not there."""
    if not name:
        return Plan()
    tables = _tables()
    if name not in tables:
        raise UsageError(f"there is no network {name!r} (have: {', '.join(tables)})")
    return read(name, tables[name])


def taps(plan: Plan, written: Sequence[str]) -> tuple[Point, ...]:
    """Capture points as a user writes them: `client`, `router:to-server`. Raises UsageError, with what there is."""
    return tuple(dict.fromkeys(_tap(plan, words) for words in written))


def _tap(plan: Plan, words: str) -> Point:
    host, _, interface = words.partition(":")
    there = [end.interface for cable in plan.cables for end in cable.ends if end.host == host]
    if not interface and len(there) == 1:
        interface = there[0]
    if interface not in there:
        ends = [end for cable in plan.cables for end in cable.ends]
        have = ", ".join(f"{end.host}:{end.interface}" for end in ends) or "one host, leave --at out"
        raise UsageError(f"cannot capture at {words!r} in this network (have: {have})")
    return Point(host=host, interface=interface)


def read(name: str, table: Mapping[str, Any]) -> Plan:
    """A topology from its parsed TOML; the hosts in the order in which the cables name them.

    Raises UsageError for an end that is no interface, with its name.
    """
    cables = tuple(_cable(entry["ends"]) for entry in table["cable"])
    hosts = tuple(dict.fromkeys(end.host for cable in cables for end in cable.ends))
    forwards = frozenset(table.get("forwards", ()))
    if not forwards <= set(hosts):
        raise UsageError(
            f"no cable leads to {', '.join(sorted(forwards - set(hosts)))} in the network {name}"
        )
    return Plan(name=name, hosts=hosts, cables=cables, forwards=forwards)


def _tables() -> dict[str, dict[str, Any]]:
    return tomllib.loads(resources.files(__package__).joinpath("topologies.toml").read_text(encoding="utf-8"))


def _cable(ends: list[Mapping[str, Any]]) -> Cable:
    first, second = (_end(entry) for entry in ends)
    return Cable(ends=(first, second))


def _end(entry: Mapping[str, Any]) -> End:
    end = End(
        host=entry["host"],
        interface=entry["interface"],
        addresses=tuple(entry.get("addresses", ())),
        gateways=tuple(entry.get("gateways", ())),
    )
    try:
        for address in end.addresses:
            ipaddress.ip_interface(address)
        for gateway in end.gateways:
            ipaddress.ip_address(gateway)
    except ValueError as wrong:
        raise UsageError(f"{end.interface} of {end.host} cannot be built: {wrong}") from None
    if not 0 < len(end.interface.encode()) <= _LONGEST_INTERFACE:
        raise UsageError(f"{end.interface!r} of {end.host} is no name of an interface: at most 15 bytes")
    return end
