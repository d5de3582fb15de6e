"""Lost at the sender, in the middle, at the receiver, on loopback: each time the sender's kernel believes a loss."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from real.breaking import (
    NETDEV,
    connected,
    eaten_exactly,
    ends,
    fault,
    faults_on,
    info,
    links,
    logged,
    records,
    until,
)
from real.breaking import rules as rules_of_the_kernel
from real.hosts import SERVER, Host, Row, row_of_hosts
from real.wires import ip
from tcpladder.agent import machine, nftables
from tcpladder.agent.fault_tables import FaultTables
from tcpladder.faults import ruleset
from tcpladder.faults.fault import Match, Place
from tcpladder.faults.places import Direction

pytestmark = pytest.mark.real("ip", "nft")


@pytest.fixture(scope="module")
def row() -> Iterator[Row]:
    with row_of_hosts() as made:
        yield made


CASES = [
    ("client", "to_server", Place.SINK),
    ("router", "to_server", Place.FORWARD),
    ("server", "to_server", Place.INPUT),
    ("client", "to_client", Place.INPUT),
    ("router", "to_client", Place.FORWARD),
    ("server", "to_client", Place.SINK),
]


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize(("where", "direction", "place"), CASES)
def test_what_is_dropped_anywhere_looks_lost_to_its_sender(
    row: Row, where: str, direction: str, place: Place, version: int
) -> None:
    with (
        connected(row.client, row.server, SERVER[version]) as flow,
        faults_on(getattr(row, where)) as book,
        logged(book) as log,
    ):
        sender, receiver = (
            (flow.client, flow.server) if direction == "to_server" else (flow.server, flow.client)
        )
        match: Match = getattr(flow, direction)
        assert flow.talks()
        state = book.apply(fault(match))
        assert state.places == [place]
        sender.sendall(b"lost")
        until(lambda: info(sender).retransmits >= 2)
        assert info(sender).unacked == 1, "counted as sent"
        assert info(sender).probes == 0, "not kept back by the persist timer"
        lifted = book.lift(state.number)
        seen = records(log)
        assert lifted.packets >= 3
        assert eaten_exactly(lifted, seen)
        assert {ends(one) for one in seen} == {match}
        assert {one.prefix for one in seen} == {f"tcpladder {state.number}"}
        assert {one.family == NETDEV for one in seen} == {place is Place.SINK}
        assert receiver.recv(4) == b"lost", "retransmitted now that nothing eats it"
        assert rules_of_the_kernel() == ""
        assert "tl" not in links()


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("direction", ["to_server", "to_client"])
def test_the_same_on_loopback(row: Row, address: str, direction: str) -> None:
    host: Host = row.client
    with connected(host, host, address) as flow, faults_on(host) as book, logged(book) as log:
        sender = flow.client if direction == "to_server" else flow.server
        state = book.apply(fault(getattr(flow, direction)))
        assert state.places == [Place.INPUT]
        sender.sendall(b"lost")
        until(lambda: info(sender).retransmits >= 2)
        assert info(sender).unacked == 1
        assert eaten_exactly(book.lift(state.number), records(log))


@pytest.mark.parametrize("where", ["client", "router", "server"])
@pytest.mark.parametrize("version", [4, 6])
def test_both_directions_are_broken_and_each_is_logged(row: Row, where: str, version: int) -> None:
    with (
        connected(row.client, row.server, SERVER[version]) as flow,
        faults_on(getattr(row, where)) as book,
        logged(book) as log,
    ):
        state = book.apply(fault(flow.to_server, both=True))
        assert (
            state.places
            == {
                "client": [Place.SINK, Place.INPUT],
                "router": [Place.FORWARD, Place.FORWARD],
                "server": [Place.INPUT, Place.SINK],
            }[where]
        )
        flow.client.sendall(b"lost")
        flow.server.sendall(b"lost")
        until(lambda: info(flow.client).retransmits >= 1 and info(flow.server).retransmits >= 1)
        lifted = book.lift(state.number)
        seen = records(log)
        assert eaten_exactly(lifted, seen)
        assert {ends(one) for one in seen} == {flow.to_server, flow.to_client}


def test_a_connection_that_does_not_exist_yet_is_broken_on_every_way(row: Row) -> None:
    """By the server's port alone: on the server's host it arrives, on the client's it leaves."""
    for where in ("client", "server"):
        with connected(row.client, row.server, SERVER[4]) as flow, faults_on(getattr(row, where)) as book:
            state = book.apply(fault(Match(destination_port=flow.to_server.destination_port)))
            flow.client.sendall(b"lost")
            until(lambda flow=flow: info(flow.client).retransmits >= 1)
            assert book.lift(state.number).packets >= 2


def test_a_kernel_without_egress_hooks_drops_on_the_way_out_and_says_what_differs(
    row: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "has_egress", lambda: False)
    with connected(row.client, row.server, SERVER[4]) as flow, faults_on(row.client) as book:
        assert "new data waits for the persist timer" in book.plan(fault(flow.to_server)).why
        state = book.apply(fault(flow.to_server))
        assert state.places == [Place.OUTPUT]
        flow.client.sendall(b"kept")
        until(lambda: info(flow.client).probes >= 1)
        assert info(flow.client).unacked == 0, "never counted as sent"
        assert book.lift(state.number).packets >= 1
        assert flow.server.recv(4) == b"kept"


def test_a_chain_that_the_kernel_took_away_with_its_interface_is_not_missed(row: Row) -> None:
    """Older kernels take it with the last interface that it is for."""
    with row.client.inside():
        owner = FaultTables()
        match = Match(destination=SERVER[4], destination_port=9)
        way = Direction(match=match, places=(Place.SINK,), devices=("c",))
        made = ruleset.tables(fault(match), 1, (way,), "lo")
        owner.add(made, None)
        (table,) = made
        only = replace(table, chains=table.chains[-1:])
        gone = nftables.remove(only, owner.name)[0]
        owner._socket().call(*nftables.batch(gone))
        assert "egress" not in rules_of_the_kernel()
        owner.remove(made)
        assert rules_of_the_kernel() == ""


def test_an_interface_that_goes_away_does_not_keep_a_fault(row: Row) -> None:
    with row_of_hosts() as other, faults_on(other.client) as book:
        state = book.apply(fault(Match(destination=SERVER[4], destination_port=9)))
        assert state.places == [Place.SINK]
        assert "c" in state.interfaces
        ip("link delete c")
        assert book.lift(state.number).ended_ns is not None
        assert rules_of_the_kernel() == ""
