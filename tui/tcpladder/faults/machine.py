"""What a plan must know of the machine: who lives here, which way others are, and whose line must not be cut."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An established connection that a local sshd holds: somebody may sit on it."""

    local: str
    local_port: int
    remote: str
    remote_port: int

    def __str__(self) -> str:
        return f"{end(self.remote, self.remote_port)} → {end(self.local, self.local_port)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The facts about the machine on which the fault is to be. Addresses as in the fault."""

    local: frozenset[str] = frozenset()
    """Those of the fault's addresses that live here."""
    ways: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By address, for those of the fault that live elsewhere: the interfaces of the route there, several where it is
    a multipath route; missing where no route leads there."""
    devices: tuple[str, ...] = ()
    """Every interface that has an address, but loopback."""
    egress: bool = True
    """Whether the kernel has netdev egress hooks (5.16)."""
    lines: tuple[Line, ...] = ()


def is_loopback(address: str) -> bool:
    """Whether the address never leaves a host: 127.0.0.0/8 and ::1."""
    return address == "::1" or address.startswith("127.")


def is_link_local(address: str) -> bool:
    """Whether the address means something else on each interface: fe80::/10."""
    return ":" in address and ipaddress.ip_address(address).is_link_local


def end(address: str, port: int) -> str:
    """An address and a port as one writes them; a port of 0 is any."""
    written = f"[{address}]" if ":" in address else address
    return f"{written}:{port}" if port else address
