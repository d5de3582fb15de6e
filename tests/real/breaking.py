"""What tests of faults need: a connection between two hosts, what the kernel says of it, what NFLOG delivered."""

from __future__ import annotations

import ipaddress
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from real.hosts import Host
from tcpladder.agent.fault_messages import FaultState
from tcpladder.agent.faults import FaultBook
from tcpladder.agent.guarded import Changes
from tcpladder.agent.netlink import attribute_list
from tcpladder.faults.fault import Fault, Match

NETDEV = 5
"""nfgen_family of a record of a netdev table."""


@dataclass(frozen=True)
class Info:
    """Some of struct tcp_info of a socket."""

    retransmits: int
    probes: int
    unacked: int
    total_retrans: int


def info(connection: socket.socket) -> Info:
    packed = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
    words = struct.unpack_from("=24I", packed, 8)
    return Info(retransmits=packed[2], probes=packed[3], unacked=words[4], total_retrans=words[23])


def until(true: Callable[[], bool], *, seconds: float = 5) -> None:
    """Wait until it is true, at most so long."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def fault(match: Match, **more: Any) -> Fault:
    return Fault(**{"match": match, "probe_sequences": [], "for_ms": 20_000} | more)


def rules() -> str:
    listed = subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True, check=True)
    return listed.stdout


def links() -> str:
    return subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout


@dataclass(frozen=True)
class Flow:
    """An established connection; each end is a blocking socket with a timeout."""

    client: socket.socket
    server: socket.socket

    @property
    def to_server(self) -> Match:
        (source, source_port), (destination, destination_port) = (
            one[:2] for one in (self.client.getsockname(), self.client.getpeername())
        )
        return Match(
            source=source,
            source_port=source_port,
            destination=destination,
            destination_port=destination_port,
        )

    @property
    def to_client(self) -> Match:
        return self.to_server.reverse()

    def talks(self) -> bool:
        """Whether a message goes either way."""
        for sender, receiver in ((self.client, self.server), (self.server, self.client)):
            sender.sendall(b"hello")
            if receiver.recv(5) != b"hello":
                return False
        return True


def family_of(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


@contextmanager
def connected(client: Host, server: Host, address: str) -> Iterator[Flow]:
    """A connection from one host to the other, which listens on `address`."""
    with server.inside():
        listener = socket.create_server((address, 0), family=family_of(address))
    with client.inside():
        near = socket.create_connection(listener.getsockname()[:2], timeout=5)
    far, _ = listener.accept()
    with listener, near, far:
        for one in (near, far):
            one.settimeout(5)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield Flow(near, far)


@contextmanager
def faults_on(host: Host, *, private: bool = True) -> Iterator[FaultBook]:
    """The faults of an agent on `host`, where this thread is meanwhile."""
    with host.inside():
        changes = Changes(private)
        book = FaultBook(private, changes)
        try:
            yield book
        finally:
            book.close()
            changes.end()


@dataclass(frozen=True)
class Record:
    """One NFLOG record."""

    prefix: str
    family: int
    sequence: int
    source: str
    source_port: int
    destination: str
    destination_port: int
    tcp_sequence: int
    flags: int


def records(log: socket.socket) -> list[Record]:
    """What has arrived so far."""
    found = []
    log.setblocking(False)
    while True:
        try:
            datagram = log.recv(1 << 16)
        except BlockingIOError:
            return found
        start = 0
        while start + 16 <= len(datagram):
            length, kind = struct.unpack_from("=IH", datagram, start)
            if kind == 4 << 8:
                found.append(_record(datagram[start + 16 : start + length]))
            start += (length + 3) & ~3


def _record(message: bytes) -> Record:
    """From a struct nfgenmsg and NFULA_* attributes."""
    given = dict(attribute_list(message, 4))
    packet = given[9][len(given.get(21, b"")) if message[0] == NETDEV else 0 :]
    size, at, end = (4, 12, 20) if packet[0] >> 4 == 4 else (16, 8, 40)
    source, destination = packet[at : at + size], packet[at + size : at + 2 * size]
    source_port, destination_port, tcp_sequence = struct.unpack_from("!HHI", packet, end)
    return Record(
        prefix=given[10].rstrip(b"\0").decode(),
        family=message[0],
        sequence=int.from_bytes(given[12]),
        source=str(ipaddress.ip_address(source)),
        source_port=source_port,
        destination=str(ipaddress.ip_address(destination)),
        destination_port=destination_port,
        tcp_sequence=tcp_sequence,
        flags=packet[end + 13],
    )


@contextmanager
def logged(book: FaultBook) -> Iterator[socket.socket]:
    """The log of what is eaten."""
    _, descriptor = book.open_log()
    with socket.socket(fileno=descriptor) as log:
        yield log


def ends(record: Record) -> Match:
    return Match(
        source=record.source,
        source_port=record.source_port,
        destination=record.destination,
        destination_port=record.destination_port,
    )


def eaten_exactly(state: FaultState, seen: list[Record]) -> bool:
    """Whether the kernel's counter and NFLOG say the same, and no record is missing."""
    numbers = [one.sequence for one in seen]
    return len(seen) == state.packets and numbers == list(range(numbers[0], numbers[0] + len(seen)))
