"""Whether what was eaten on a host of a lab had come by the tap before."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from tcpladder.hosts.plan import HOME, Plan
from tcpladder.lab.experiment import Point
from tcpladder.lab.topology import topology
from tcpladder.session.lab_paths import LabPaths

CLIENT, ROUTER, SERVER = "10.0.1.1", "fd00:2::fe", "fd00:2::1"


@pytest.mark.parametrize(
    ("tap", "source", "eats", "passed"),
    [
        (("client", "eth0"), CLIENT, "router", True),
        (("client", "eth0"), CLIENT, "client", None),
        (("client", "eth0"), SERVER, "client", True),
        (("client", "eth0"), SERVER, "router", False),
        (("client", "eth0"), SERVER, "server", False),
        (("client", "any"), CLIENT, "server", True),
        (("client", "lo"), CLIENT, "server", False),
        (("router", "to-client"), SERVER, "router", False),
        (("router", "to-server"), SERVER, "router", True),
        (("router", "any"), CLIENT, "client", False),
        (("server", "eth0"), ROUTER, "server", True),
        (("server", "eth0"), ROUTER, "router", False),
        (("client", "eth0"), "127.0.0.1", "router", False),
        (("client", "eth0"), "127.0.0.1", "client", None),
    ],
)
def test_what_a_tap_has_seen(tap: tuple[str, str], source: str, eats: str, passed: bool | None) -> None:
    paths = LabPaths(topology("routed"), [Point(host=tap[0], interface=tap[1])])
    assert paths.passed_tap(ip_address(source), eats) is passed


def test_on_one_host_the_hook_knows() -> None:
    assert LabPaths(Plan(), [Point()]).passed_tap(ip_address("127.0.0.1"), HOME) is None


TAPS = [
    Point(host="server", interface="eth0"),
    Point(host="router", interface="any"),
    Point(host="client", interface="eth0"),
]


def test_several_taps_are_passed_in_the_order_of_the_way() -> None:
    paths = LabPaths(topology("routed"), TAPS)
    assert paths.taps(CLIENT, "10.0.2.1") == (2, 1, 0)
    assert paths.taps("10.0.2.1", CLIENT) == (0, 1, 2)
    assert paths.taps(ROUTER, SERVER) == (1, 0)
    assert paths.taps(CLIENT, "10.0.9.9") == ()


def test_what_one_of_several_taps_has_seen_has_come_by() -> None:
    assert LabPaths(topology("routed"), TAPS).passed_tap(ip_address(SERVER), "router") is True
    assert LabPaths(topology("routed"), TAPS).passed_tap(ip_address(CLIENT), "client") is None
    assert LabPaths(topology("routed"), TAPS[:1]).passed_tap(ip_address(CLIENT), "router") is False
