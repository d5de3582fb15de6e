"""The networks that ship: what the table says, and what it may not say."""

from __future__ import annotations

import ipaddress
from itertools import combinations

import pytest

from tcpladder.errors import UsageError
from tcpladder.hosts.plan import Plan
from tcpladder.lab.topology import read, topologies, topology


def test_without_a_name_it_is_a_loopback() -> None:
    assert topology("") == Plan()


def test_client_router_server() -> None:
    plan = topology("routed")
    assert plan.hosts == ("client", "router", "server")
    assert plan.forwards == {"router"}
    assert [(end.host, end.interface) for cable in plan.cables for end in cable.ends] == [
        ("client", "eth0"),
        ("router", "to-client"),
        ("server", "eth0"),
        ("router", "to-server"),
    ]


@pytest.mark.parametrize("name", topologies())
def test_each_cable_is_a_network_and_gateways_are_at_its_other_end(name: str) -> None:
    for cable in topology(name).cables:
        networks = [{ipaddress.ip_interface(one).network for one in end.addresses} for end in cable.ends]
        assert networks[0] == networks[1]
        assert {network.version for network in networks[0]} == {4, 6}
        for end, other in (cable.ends, cable.ends[::-1]):
            assert set(end.gateways) <= {one.partition("/")[0] for one in other.addresses}


@pytest.mark.parametrize("name", topologies())
def test_no_address_is_there_twice(name: str) -> None:
    ends = [end for cable in topology(name).cables for end in cable.ends]
    assert not [pair for pair in combinations(ends, 2) if set(pair[0].addresses) & set(pair[1].addresses)]


def test_an_unknown_network_is_refused_with_those_that_are_there() -> None:
    with pytest.raises(UsageError, match=r"there is no network 'ring' \(have: pair, routed\)"):
        topology("ring")


@pytest.mark.parametrize(
    ("end", "forwards", "sentence"),
    [
        ({"interface": "a-name-of-sixteen"}, [], "is no name of an interface"),
        ({"addresses": ["10.0.0.256/24"]}, [], "eth0 of a cannot be built"),
        ({"gateways": ["10.0.0.0/24"]}, [], "eth0 of a cannot be built"),
        ({}, ["c"], "no cable leads to c"),
    ],
)
def test_a_table_that_cannot_be_built_is_refused(
    end: dict[str, object], forwards: list[str], sentence: str
) -> None:
    ends = [{"host": "a", "interface": "eth0"} | end, {"host": "b", "interface": "eth0"}]
    with pytest.raises(UsageError, match=sentence):
        read("mine", {"cable": [{"ends": ends}], "forwards": forwards})
