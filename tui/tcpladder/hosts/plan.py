"""What a private network consists of: hosts, the cables between them, what is set on each. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

HOME = ""
"""The agent's own network: a loopback, and no cable leads there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """One end of a cable: an interface of a host."""

    host: str
    interface: str
    """At most 15 bytes (IFNAMSIZ less the terminating zero)."""
    addresses: tuple[str, ...] = ()
    """With prefix length: `10.0.1.1/24`, `fd00:1::1/64`."""
    gateways: tuple[str, ...] = ()
    """Where the default routes of the host lead, at most one of each IP version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cable:
    """A pair of virtual Ethernet interfaces (veth(4)); what enters one leaves the other at once."""

    ends: tuple[End, End]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A network to be built. Without hosts it is a loopback and nothing else."""

    name: str = "lab"
    """What it is called where running labs are listed."""
    hosts: tuple[str, ...] = ()
    cables: tuple[Cable, ...] = ()
    forwards: frozenset[str] = frozenset()
    """The hosts that pass on what is not for them: routers."""
    sysctls: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By host, HOME too: net.* sysctls by name, set before anything is sent."""
