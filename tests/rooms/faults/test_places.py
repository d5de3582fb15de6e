"""Where each direction is broken, by who lives on this machine."""

from __future__ import annotations

import pytest

from tcpladder.errors import InterfaceError
from tcpladder.faults.fault import Action, Fault, Match, Place
from tcpladder.faults.machine import Machine
from tcpladder.faults.places import Direction, directions

HERE, THERE, ELSEWHERE = "10.0.0.1", "10.0.0.2", "10.0.7.7"
MACHINE = Machine(
    local=frozenset({HERE, "127.0.0.1", "::1", "fe80::1"}),
    ways={
        THERE: ("eth0",),
        ELSEWHERE: ("eth1", "eth2"),
    },
    devices=("eth0", "eth1"),
)


def places(
    source: str | None,
    destination: str | None,
    *,
    action: Action = Action.DROP,
    machine: Machine = MACHINE,
    both: bool = False,
) -> list[tuple[Place, ...]]:
    match = Match(source=source, destination=destination, destination_port=80)
    ways = directions(Fault(match=match, both=both, action=action, probe_sequences=[]), machine)
    return [way.places for way in ways]


@pytest.mark.parametrize(
    ("source", "destination", "expected"),
    [
        ("127.0.0.1", "127.0.0.1", (Place.INPUT,)),
        ("::1", "::1", (Place.INPUT,)),
        ("127.0.0.1", None, (Place.INPUT,)),
        (None, "127.0.0.1", (Place.INPUT,)),
        (THERE, HERE, (Place.INPUT,)),
        (None, HERE, (Place.INPUT,)),
        (HERE, HERE, (Place.INPUT,)),
        (HERE, THERE, (Place.SINK,)),
        (THERE, ELSEWHERE, (Place.FORWARD,)),
        (None, THERE, (Place.SINK, Place.FORWARD)),
        (THERE, None, (Place.INPUT, Place.FORWARD)),
        (HERE, None, (Place.INPUT, Place.SINK)),
        (None, None, (Place.INPUT, Place.SINK)),
    ],
)
def test_a_loss_is_made_where_the_sender_has_counted_it_as_sent(
    source: str | None, destination: str | None, expected: tuple[Place, ...]
) -> None:
    assert places(source, destination) == [expected]


def test_both_directions_have_places_of_their_own() -> None:
    assert places(HERE, THERE, both=True) == [(Place.SINK,), (Place.INPUT,)]


@pytest.mark.parametrize("action", [Action.REJECT_RST, Action.REJECT_ICMP])
def test_what_leaves_is_rejected_before_it_leaves(action: Action) -> None:
    assert places(HERE, THERE, action=action) == [(Place.OUTPUT,)]
    assert places(THERE, HERE, action=action) == [(Place.INPUT,)]
    assert places(None, None, action=action) == [(Place.INPUT, Place.OUTPUT)]


def test_a_kernel_without_egress_hooks_drops_on_the_way_out() -> None:
    old = Machine(local=MACHINE.local, ways=MACHINE.ways, devices=MACHINE.devices, egress=False)
    assert places(HERE, THERE, machine=old) == [(Place.OUTPUT,)]


def test_only_the_interfaces_of_the_route_are_touched() -> None:
    def devices(match: Match) -> tuple[str, ...]:
        (way,) = directions(Fault(match=match, probe_sequences=[]), MACHINE)
        return way.devices

    assert devices(Match(source=HERE, destination=THERE)) == ("eth0",)
    assert devices(Match(source=HERE, destination=ELSEWHERE)) == ("eth1", "eth2"), "a multipath route"
    assert devices(Match(destination_port=80)) == ("eth0", "eth1")
    assert devices(Match(source="fe80::1", destination="fe80::2")) == ("eth0", "eth1"), "may be on any"
    assert devices(Match(source=THERE, destination=HERE)) == ()


def test_without_a_route_it_says_so() -> None:
    with pytest.raises(
        InterfaceError, match=r"cannot break what leaves for 192.0.2.1: there is no route to it"
    ):
        places(HERE, "192.0.2.1")


def test_a_machine_with_loopback_alone_breaks_what_arrives() -> None:
    lonely = Machine(local=frozenset({"127.0.0.1"}))
    assert places(None, None, machine=lonely) == [(Place.INPUT,)]
    assert isinstance(directions(Fault(match=Match(source_port=1), probe_sequences=[]), lonely)[0], Direction)
