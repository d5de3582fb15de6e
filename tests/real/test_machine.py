"""What the kernel says of addresses: which live here, and through which interfaces the others are reached."""

from __future__ import annotations

import pytest

from real.hosts import one_host
from real.wires import ip
from tcpladder.agent.machine import machine_for
from tcpladder.faults.fault import Match

pytestmark = pytest.mark.real("ip")


def test_every_kind_of_route_is_read() -> None:
    with one_host() as host, host.inside():
        for name, number in (("wa", 1), ("wb", 2)):
            ip(f"link add {name} type veth peer name {name}{name}")
            for each in (name, 2 * name):
                ip(f"link set {each} up")
            ip(f"addr add 10.{number}.0.1/24 dev {name}")
            ip(f"-6 addr add fd0{number}::1/64 dev {name} nodad")
        ip("route add 10.9.0.0/16 nexthop via 10.1.0.2 nexthop via 10.2.0.2")
        ip("-6 route add fd09::/64 nexthop via fd01::2 nexthop via fd02::2")
        ip("route add local 10.6.0.0/16 dev lo")
        ip("route add blackhole 10.5.0.0/16")
        for here in ("10.1.0.1", "10.6.0.7", "127.0.0.9", "::1", "fd01::1"):
            assert asked(here) == (True, None), here
        for there, interfaces in (
            ("10.1.0.9", ("wa",)),
            ("fd02::9", ("wb",)),
            ("10.9.0.1", ("wa", "wb")),
            ("fd09::1", ("wa", "wb")),
        ):
            assert asked(there) == (False, interfaces)
        for nowhere in ("10.5.0.1", "192.0.2.1", "2001:db8::1"):
            assert asked(nowhere) == (False, None)
        wide = machine_for(Match(destination_port=1))
        assert (wide.local, wide.ways) == (frozenset(), {})
        assert {"wa", "wb"} <= set(wide.devices) <= {"wa", "wb", "wawa", "wbwb"}, "without lo"


def asked(address: str) -> tuple[bool, tuple[str, ...] | None]:
    machine = machine_for(Match(destination=address))
    return address in machine.local, machine.ways.get(address)
