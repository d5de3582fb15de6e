"""Which segments a fault takes and what happens to them, over IPv4 and IPv6, arriving and leaving."""

from __future__ import annotations

import socket
import struct
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from real.breaking import connected, eaten_exactly, family_of, fault, faults_on, info, logged, records, until
from real.hosts import CLIENT, SERVER, Host, Row, one_host, row_of_hosts
from tcpladder.faults.fault import Action, Match, Place, Segments

pytestmark = pytest.mark.real("ip", "nft")

SYN, FIN, RST, ACK = 2, 1, 4, 16
VERSIONS = pytest.mark.parametrize("version", [4, 6])
WHERE = pytest.mark.parametrize("where", ["client", "server"])
"""From client to server: leaving the client, with a link header before IP; arriving at the server."""


@pytest.fixture(scope="module")
def row() -> Iterator[Row]:
    with row_of_hosts() as made:
        yield made


@pytest.fixture
def host() -> Iterator[Host]:
    with one_host() as made:
        yield made


@VERSIONS
@WHERE
def test_data_alone_is_taken(row: Row, where: str, version: int) -> None:
    with (
        faults_on(getattr(row, where)) as book,
        logged(book) as log,
        connected(row.client, row.server, SERVER[version]) as flow,
    ):
        state = book.apply(fault(flow.to_server, segments=Segments.DATA))
        flow.server.sendall(b"acknowledge me")
        until(lambda: info(flow.server).unacked == 0)
        assert book.list().faults[-1].packets == 0, "a pure ACK went through"
        flow.client.sendall(b"x")
        until(lambda: info(flow.client).retransmits >= 1)
        lifted = book.lift(state.number)
        assert lifted.packets >= 2
        assert eaten_exactly(lifted, records(log))


@VERSIONS
@WHERE
def test_pure_acks_alone_are_taken_whatever_options_they_carry(row: Row, where: str, version: int) -> None:
    """From the second on they carry a DSACK, which makes the header longer."""
    with (
        faults_on(getattr(row, where)) as book,
        logged(book) as log,
        connected(row.client, row.server, SERVER[version]) as flow,
    ):
        state = book.apply(fault(flow.to_server, segments=Segments.PURE_ACK))
        flow.server.sendall(b"x")
        assert flow.client.recv(1) == b"x"
        until(lambda: info(flow.server).retransmits >= 2)
        assert info(flow.server).unacked == 1
        lifted = book.lift(state.number)
        seen = records(log)
        assert eaten_exactly(lifted, seen)
        assert {one.flags & (SYN | FIN | RST | ACK) for one in seen} == {ACK}
        state = book.apply(fault(flow.to_server, segments=Segments.PURE_ACK))
        flow.client.sendall(b"data goes through")
        assert flow.server.recv(17) == b"data goes through"
        until(lambda: info(flow.client).unacked == 0)
        book.lift(state.number)


@VERSIONS
@WHERE
def test_syns_alone_are_taken(row: Row, where: str, version: int) -> None:
    with (
        faults_on(getattr(row, where)) as book,
        logged(book) as log,
        connected(row.client, row.server, SERVER[version]) as flow,
    ):
        port = flow.to_server.destination_port
        match = Match(destination=SERVER[version], destination_port=port)
        state = book.apply(fault(match, segments=Segments.SYN))
        assert flow.talks()
        with row.client.inside(), socket.socket(family_of(SERVER[version])) as late:
            late.settimeout(0.2)
            with pytest.raises(TimeoutError):
                late.connect((SERVER[version], port))
        lifted = book.lift(state.number)
        seen = records(log)
        assert eaten_exactly(lifted, seen)
        assert {one.flags & (SYN | ACK) for one in seen} == {SYN}


@VERSIONS
@WHERE
def test_the_end_alone_is_taken(row: Row, where: str, version: int) -> None:
    with (
        faults_on(getattr(row, where)) as book,
        logged(book) as log,
        connected(row.client, row.server, SERVER[version]) as flow,
    ):
        state = book.apply(fault(flow.to_server, segments=Segments.FIN_RST))
        assert flow.talks()
        flow.client.shutdown(socket.SHUT_WR)
        until(lambda: info(flow.client).retransmits >= 1)
        lifted = book.lift(state.number)
        seen = records(log)
        assert eaten_exactly(lifted, seen)
        assert all(one.flags & FIN for one in seen)


def next_sequence(connection: socket.socket) -> int:
    """The sequence number of the next byte that it will send (TCP_REPAIR; tcp(7) of the kernel's source)."""
    repair, queue, sequence, send_queue = 19, 20, 21, 2
    connection.setsockopt(socket.IPPROTO_TCP, repair, 1)
    connection.setsockopt(socket.IPPROTO_TCP, queue, send_queue)
    number = connection.getsockopt(socket.IPPROTO_TCP, sequence) & 0xFFFFFFFF
    connection.setsockopt(socket.IPPROTO_TCP, repair, -1)
    return number


@VERSIONS
@WHERE
def test_keepalive_probes_alone_are_taken(row: Row, where: str, version: int) -> None:
    with (
        faults_on(getattr(row, where)) as book,
        logged(book) as log,
        connected(row.client, row.server, SERVER[version]) as flow,
    ):
        probe = (next_sequence(flow.client) - 1) & 0xFFFFFFFF
        probes = replace(fault(flow.to_server), segments=Segments.KEEPALIVE_PROBE, probe_sequences=[probe])
        state = book.apply(probes)
        for option, value in (("TCP_KEEPIDLE", 1), ("TCP_KEEPINTVL", 1)):
            flow.client.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
        flow.client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        # The client counts a probe when it is sent, which is before a rule further on has eaten it.
        until(lambda: info(flow.client).probes >= 1 and book.list().faults[-1].packets >= 1)
        flow.server.sendall(b"x")
        assert flow.client.recv(1) == b"x"
        until(lambda: info(flow.server).unacked == 0)
        lifted = book.lift(state.number)
        seen = records(log)
        assert eaten_exactly(lifted, seen)
        assert {one.tcp_sequence for one in seen} == {probe}


@VERSIONS
@pytest.mark.parametrize(
    ("where", "place"), [("client", Place.OUTPUT), ("router", Place.FORWARD), ("server", Place.INPUT)]
)
def test_a_reject_with_rst_ends_it_at_once(row: Row, where: str, place: Place, version: int) -> None:
    address = SERVER[version]
    with (
        faults_on(getattr(row, where)) as book,
        logged(book) as log,
        connected(row.client, row.server, address) as flow,
    ):
        port = flow.to_server.destination_port
        rejecting = fault(replace(flow.to_server, source_port=0), action=Action.REJECT_RST)
        state = book.apply(rejecting)
        assert state.places == [place]
        with row.client.inside(), socket.socket(family_of(address)) as late:
            late.settimeout(3)
            with pytest.raises(ConnectionRefusedError):
                late.connect((address, port))
        flow.client.sendall(b"x")
        with pytest.raises(ConnectionResetError):
            flow.client.recv(1)
        lifted = book.lift(state.number)
        seen = records(log)
        assert eaten_exactly(lifted, seen)
        assert any(one.flags & SYN for one in seen)
        assert any(not one.flags & SYN for one in seen)


@VERSIONS
@pytest.mark.parametrize("where", ["client", "router", "server"])
def test_a_reject_with_icmp_refuses_what_opens_and_not_what_is_established(
    row: Row, where: str, version: int
) -> None:
    address = SERVER[version]
    with (
        faults_on(getattr(row, where)) as book,
        logged(book) as log,
        connected(row.client, row.server, address) as flow,
    ):
        port = flow.to_server.destination_port
        state = book.apply(
            fault(Match(destination=address, destination_port=port), action=Action.REJECT_ICMP)
        )
        with row.client.inside(), socket.socket(family_of(address)) as late:
            late.settimeout(3)
            with pytest.raises(ConnectionRefusedError):
                late.connect((address, port))
        flow.client.sendall(b"hello")
        until(lambda: book.list().faults[-1].packets >= 3, seconds=8)
        lifted = book.lift(state.number)
        assert eaten_exactly(lifted, records(log))
        assert flow.server.recv(5) == b"hello", "it went on trying"


def segments_from(source_port: int, count: int) -> None:
    """So many TCP segments to 127.0.0.1:9, where nobody listens."""
    header = struct.pack("!HHIIBBHHH", source_port, 9, 1, 1, 0x50, ACK, 100, 0, 0)
    pseudo = struct.pack("!4s4sHH", b"\x7f\0\0\1", b"\x7f\0\0\1", 6, len(header))
    total = sum(struct.unpack("!16H", pseudo + header))
    checksum = ~(total + (total >> 16)) & 0xFFFF
    header = header[:16] + struct.pack("!H", checksum) + header[18:]
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP) as raw:
        for _ in range(count):
            raw.sendto(header, ("127.0.0.1", 0))


def test_a_loss_of_thirty_percent_is_that(host: Host) -> None:
    """1500 trials: the standard deviation is 18, and six of them are allowed."""
    with faults_on(host) as book, logged(book) as log:
        losing = fault(Match(destination="127.0.0.1", destination_port=9), action=Action.LOSE, amount=30)
        state = book.apply(losing)
        seen = []
        for _ in range(15):
            segments_from(7, 100)
            seen += records(log)
        lifted = book.lift(state.number)
        assert 450 - 108 <= lifted.packets <= 450 + 108
        assert eaten_exactly(lifted, [*seen, *records(log)])


def test_the_next_n_are_dropped_and_no_more(host: Host) -> None:
    match = Match(destination="127.0.0.1", destination_port=9)
    with faults_on(host) as book, logged(book) as log:
        state = book.apply(fault(match, action=Action.DROP_NEXT, amount=7))
        segments_from(7, 5)
        assert book.list().faults[-1].packets == 5
        segments_from(7, 20)
        lifted = book.lift(state.number)
        assert lifted.packets == 7
        assert eaten_exactly(lifted, records(log))


def test_the_next_n_are_counted_in_each_direction(host: Host) -> None:
    match = Match(source="127.0.0.1", source_port=7, destination="127.0.0.1", destination_port=9)
    with faults_on(host) as book, logged(book) as log:
        book.apply(fault(match, both=True, action=Action.DROP_NEXT, amount=3))
        segments_from(7, 20)
        eaten = Counter(one.source_port for one in records(log))
        assert eaten == {7: 3, 9: 3}, "three segments, and three RSTs that answered others"


@VERSIONS
def test_the_next_n_that_leave_are_dropped_and_no_more(row: Row, version: int) -> None:
    with (
        connected(row.client, row.server, SERVER[version]) as flow,
        faults_on(row.client) as book,
        logged(book) as log,
    ):
        book.apply(fault(flow.to_server, action=Action.DROP_NEXT, amount=2))
        flow.client.sendall(b"hello")
        assert flow.server.recv(5) == b"hello"
        assert info(flow.client).total_retrans >= 1
        (state,) = book.list().faults
        assert state.packets == 2
        assert eaten_exactly(state, records(log))


def test_faults_of_one_agent_do_not_disturb_each_other(row: Row) -> None:
    with (
        connected(row.client, row.server, SERVER[4]) as first,
        connected(row.client, row.server, SERVER[6]) as second,
        faults_on(row.client) as book,
        logged(book) as log,
    ):
        states = [book.apply(fault(flow.to_server, both=True)) for flow in (first, second)]
        assert [state.number for state in states] == [1, 2]
        for flow in (first, second):
            flow.client.sendall(b"hello")
            until(lambda flow=flow: info(flow.client).retransmits >= 1)
        assert book.lift(1).ended_ns is not None
        assert first.server.recv(5) == b"hello"
        assert second.server.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
        assert info(second.client).unacked == 1
        assert book.lift(2).packets >= 2
        assert second.server.recv(5) == b"hello"
        assert {one.prefix for one in records(log)} == {"tcpladder 1", "tcpladder 2"}
        assert time.time_ns() > book.list().faults[0].since_ns > 0
        assert CLIENT[4] in str(book.list().faults[0].fault.match)
