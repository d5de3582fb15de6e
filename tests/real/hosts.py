"""Hosts of a test's own, network namespaces joined by veth pairs: one, or client, router and server in a row."""

from __future__ import annotations

import ctypes
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from real.wires import CLONE_NEWNET, ip
from tcpladder.agent.interfaces import list_interfaces

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Host:
    """A namespace, held by its descriptor."""

    namespace: int

    @contextmanager
    def inside(self) -> Iterator[None]:
        """This thread, and the processes and sockets that it makes meanwhile, are on this host."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        assert _libc.setns(self.namespace, CLONE_NEWNET) == 0
        try:
            yield
        finally:
            assert _libc.setns(home, CLONE_NEWNET) == 0
            os.close(home)


CLIENT = {4: "10.9.1.1", 6: "fd01::1"}
SERVER = {4: "10.9.2.1", 6: "fd02::1"}


@dataclass(frozen=True)
class Row:
    """Client 10.9.1.1 and fd01::1, router 10.9.1.2 and 10.9.2.2, server 10.9.2.1 and fd02::1."""

    client: Host
    router: Host
    server: Host


@contextmanager
def one_host() -> Iterator[Host]:
    """A host with lo up, where nothing waits for duplicate addresses and retransmissions come soon."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    assert _libc.unshare(CLONE_NEWNET) == 0
    host = Host(os.open("/proc/thread-self/ns/net", os.O_RDONLY))
    ip("link set lo up")
    Path("/proc/sys/net/ipv6/conf/default/dad_transmits").write_text("0")
    soonest = Path("/proc/sys/net/ipv4/tcp_rto_min_us")
    if soonest.exists():
        soonest.write_text("20000")
    assert _libc.setns(home, CLONE_NEWNET) == 0
    os.close(home)
    yield host
    os.close(host.namespace)


@contextmanager
def row_of_hosts() -> Iterator[Row]:
    """Three hosts; `c` and `s` are the interfaces of client and server, `rc` and `rs` those of the router."""
    with one_host() as client, one_host() as router, one_host() as server:
        with router.inside():
            for name in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
                Path("/proc/sys/net", name).write_text("1")
            _wire(client, "c", "rc")
            _wire(server, "s", "rs")
            _addresses("rc", "10.9.1.2/24", "fd01::2/64")
            _addresses("rs", "10.9.2.2/24", "fd02::2/64")
        for host, name, number in ((client, "c", 1), (server, "s", 2)):
            with host.inside():
                _addresses(name, f"10.9.{number}.1/24", f"fd0{number}::1/64")
                ip(f"route add default via 10.9.{number}.2")
                ip(f"-6 route add default via fd0{number}::2")
        for host in (client, router, server):
            with host.inside():
                _wait_for_carrier()
        with client.inside():
            for address in SERVER.values():
                _until_quick(address)
        yield Row(client, router, server)


def _wire(host: Host, theirs: str, ours: str) -> None:
    """A veth pair between the router, where this thread is, and `host`."""
    path = f"/proc/{os.getpid()}/fd/{host.namespace}"
    ip(f"link add {ours} type veth peer name {theirs} netns {path}")


def _addresses(name: str, v4: str, v6: str) -> None:
    ip(f"addr add {v4} dev {name}")
    ip(f"-6 addr add {v6} dev {name} nodad")
    ip(f"link set {name} up")


def _until_quick(address: str) -> None:
    """Until every host on the way knows its neighbours: a first round trip of a second makes a long timeout."""
    deadline = time.monotonic() + 10
    took = 1.0
    while took > 0.05:
        assert time.monotonic() < deadline
        began = time.monotonic()
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as asking:
            asking.settimeout(2)
            asking.connect_ex((address, 9))
        took = time.monotonic() - began


def _wait_for_carrier() -> None:
    """Until then what is sent on a veth goes nowhere."""
    deadline = time.monotonic() + 5
    while {one.state for one in list_interfaces() if one.name != "lo"} != {"up"}:
        assert time.monotonic() < deadline
        time.sleep(0.005)
