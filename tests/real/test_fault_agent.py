"""The agent as a process: what it broke heals when its time is up, when it is stopped, killed or told nonsense."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import tcpladder
from real.breaking import connected, eaten_exactly, fault, info, links, records, rules, until
from real.hosts import SERVER, Host, Row, one_host, row_of_hosts
from tcpladder.agent.client import AgentClient, AgentGoneError
from tcpladder.agent.fault_messages import (
    ApplyFault,
    ConnectionReset,
    ExtendFault,
    FaultLogOpened,
    Faults,
    FaultState,
    LiftFault,
    ListFaults,
    OpenFaultLog,
    ResetConnection,
)
from tcpladder.errors import InterfaceError, UsageError
from tcpladder.faults.fault import End, Fault, Match, Place

pytestmark = pytest.mark.real("ip", "nft")

SERVE = """
import socket, sys
from tcpladder.agent.serve import serve
serve(socket.socket(fileno=int(sys.argv[1])), None)
"""


@dataclass
class Agent:
    """An agent in a process of its own."""

    process: subprocess.Popen[bytes]
    client: AgentClient

    def apply(self, wanted: Fault) -> FaultState:
        reply, _ = self.client.request(ApplyFault(fault=wanted))
        assert isinstance(reply, FaultState)
        return reply

    def faults(self) -> list[FaultState]:
        reply, _ = self.client.request(ListFaults())
        assert isinstance(reply, Faults)
        return reply.faults

    def lift(self, number: int) -> FaultState:
        reply, _ = self.client.request(LiftFault(number=number))
        assert isinstance(reply, FaultState)
        return reply

    def log(self) -> tuple[int, socket.socket]:
        reply, (descriptor,) = self.client.request(OpenFaultLog())
        assert isinstance(reply, FaultLogOpened)
        return reply.group, socket.socket(fileno=descriptor)


@contextmanager
def agent_on(host: Host) -> Iterator[Agent]:
    """The agent's loop, on `host`, until it is left."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    environment = {"PYTHONPATH": str(Path(tcpladder.__file__).parent.parent)}
    with host.inside(), theirs:
        process = subprocess.Popen(
            [sys.executable, "-c", SERVE, str(theirs.fileno())], env=environment, pass_fds=[theirs.fileno()]
        )
    with process:
        client = AgentClient(ours.detach())
        try:
            yield Agent(process, client)
        finally:
            client.close()
            process.send_signal(signal.SIGCONT)


@pytest.fixture
def host() -> Iterator[Host]:
    with one_host() as made:
        yield made


@pytest.fixture(scope="module")
def row() -> Iterator[Row]:
    with row_of_hosts() as made:
        yield made


@contextmanager
def broken(agent: Agent, host: Host, **more: Any) -> Iterator[socket.socket]:
    """The client's end of a connection on loopback that is broken towards the server; it has something to send."""
    with connected(host, host, "127.0.0.1") as flow:
        agent.apply(fault(flow.to_server, **more))
        flow.client.sendall(b"lost")
        yield flow.client


def test_the_time_is_up_while_the_agent_is_stopped(host: Host) -> None:
    with agent_on(host) as agent, broken(agent, host, for_ms=500) as sender:
        agent.process.send_signal(signal.SIGSTOP)
        until(lambda: info(sender).retransmits >= 1)
        until(lambda: info(sender).unacked == 0)
        agent.process.send_signal(signal.SIGCONT)
        (state,) = agent.faults()
        assert state.ended_ns == state.since_ns + 500_000_000
        assert state.left_ms is None
        assert state.packets >= 2


def test_time_is_added_and_taken_away(host: Host) -> None:
    with agent_on(host) as agent, broken(agent, host, for_ms=300) as sender:
        extended, _ = agent.client.request(ExtendFault(number=1, for_ms=60_000))
        assert isinstance(extended, FaultState)
        assert extended.left_ms is not None
        assert 55_000 < extended.left_ms <= 60_000
        time.sleep(0.4)
        assert info(sender).unacked == 1, "the first 300 ms have passed"
        endless, _ = agent.client.request(ExtendFault(number=1, for_ms=None))
        assert isinstance(endless, FaultState)
        assert (endless.left_ms, endless.ended_ns) == (None, None)
        agent.client.request(ExtendFault(number=1, for_ms=1))
        until(lambda: info(sender).unacked == 0)
        (shortened,) = agent.faults()
        assert shortened.ended_ns is not None
        assert shortened.end is End.TIME_UP, "long before the time that it was applied for"
        with pytest.raises(UsageError, match="cannot extend fault 1: it has ended; apply it again"):
            agent.client.request(ExtendFault(number=1, for_ms=1000))


def test_lifted_behind_the_time_that_it_was_applied_for_is_lifted(host: Host) -> None:
    with agent_on(host) as agent, broken(agent, host, for_ms=300):
        agent.client.request(ExtendFault(number=1, for_ms=60_000))
        until(lambda: time.time_ns() > agent.faults()[0].since_ns + 300_000_000)
        assert agent.lift(1).end is End.LIFTED


def test_a_fault_without_an_end_stays_until_it_is_lifted(host: Host) -> None:
    with agent_on(host) as agent, broken(agent, host, for_ms=None) as sender:
        (state,) = agent.faults()
        assert (state.left_ms, state.ended_ns) == (None, None)
        assert info(sender).unacked == 1
        lifted = agent.lift(1)
        assert lifted.ended_ns is not None
        assert lifted.end is End.LIFTED
        until(lambda: info(sender).unacked == 0)
        assert agent.lift(1) == lifted, "told again"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_agent_leaves_no_rule(host: Host, number: signal.Signals) -> None:
    with agent_on(host) as agent, broken(agent, host) as sender:
        with host.inside():
            assert f"table inet tcpladder-{agent.process.pid}" in rules()
            agent.process.send_signal(number)
            agent.process.wait(5)
            assert rules() == ""
        until(lambda: info(sender).unacked == 0)


@pytest.mark.parametrize("nonsense", [b"nonsense", b'["ApplyFault",{}]', b'["Reboot",{}]'])
def test_nonsense_ends_the_agent_with_everything_lifted(row: Row, nonsense: bytes) -> None:
    with row.client.inside():
        before = links()
    with agent_on(row.client) as agent:
        state = agent.apply(fault(Match(destination=SERVER[4], destination_port=9)))
        assert state.places == [Place.SINK]
        agent.client._channel.send(nonsense)
        assert agent.process.wait(5) == 0
        with row.client.inside():
            assert (rules(), links()) == ("", before)
        with pytest.raises(AgentGoneError):
            agent.client.request(ListFaults())


def test_two_agents_on_one_host_do_not_disturb_each_other(host: Host) -> None:
    with (
        connected(host, host, "127.0.0.1") as first,
        connected(host, host, "::1") as second,
        agent_on(host) as one,
        agent_on(host) as other,
    ):
        (group, log), (other_group, other_log) = one.log(), other.log()
        with log, other_log:
            assert group != other_group
            one.apply(fault(first.to_server))
            other.apply(fault(second.to_server))
            for flow in (first, second):
                flow.client.sendall(b"lost")
                until(lambda flow=flow: info(flow.client).retransmits >= 2)
            assert eaten_exactly(one.lift(1), records(log))
            assert first.server.recv(4) == b"lost"
            assert info(second.client).unacked == 1, "still broken"
            assert eaten_exactly(other.lift(1), records(other_log))


FIREWALL = """
table inet admin {
  set trusted { type ipv4_addr; elements = { 10.9.2.1 }; }
  chain input {
    type filter hook input priority filter; policy drop;
    ip saddr @trusted counter accept
    meta l4proto icmpv6 accept
  }
  chain forward {
    type filter hook forward priority filter - 5; policy accept;
    tcp dport 1 reject
  }
}
table ip nat {
  chain out {
    type nat hook postrouting priority srcnat; policy accept;
    oifname "none" masquerade
  }
}
"""


def test_a_firewall_that_is_there_is_the_same_byte_for_byte(row: Row) -> None:
    def without_counts() -> str:
        listed = subprocess.run(["nft", "-s", "list", "ruleset"], capture_output=True, text=True, check=True)
        return listed.stdout

    with row.client.inside():
        subprocess.run(["nft", "-f", "-"], input=FIREWALL, text=True, check=True)
        before, links_before = without_counts(), links()
    with agent_on(row.client) as agent, connected(row.client, row.server, SERVER[4]) as flow:
        agent.apply(fault(flow.to_server, both=True))
        with row.client.inside():
            during = without_counts()
        assert during.startswith(before), "ours stands beside it"
        assert during != before
        agent.lift(1)
        with row.client.inside():
            assert (without_counts(), links()) == (before, links_before)
        agent.apply(fault(flow.to_server, both=True))
        agent.process.kill()
        agent.process.wait(5)
        with row.client.inside():
            assert without_counts() == before
            until(lambda: links() == links_before)
            subprocess.run(["nft", "flush", "ruleset"], check=True)


def test_a_reset_ends_both_ends_that_are_here(host: Host) -> None:
    with agent_on(host) as agent, connected(host, host, "127.0.0.1") as flow:
        ends = flow.to_server
        asked = ResetConnection(
            local="127.0.0.1",
            local_port=ends.source_port,
            remote="127.0.0.1",
            remote_port=ends.destination_port,
        )
        assert agent.client.request(asked)[0] == ConnectionReset(sockets=2)
        with pytest.raises(ConnectionAbortedError):
            flow.client.recv(1)
        with pytest.raises(ConnectionError):
            flow.server.recv(1)
        with pytest.raises(InterfaceError, match="neither end has a socket here"):
            agent.client.request(asked)


@pytest.mark.parametrize("version", [4, 6])
def test_a_reset_of_one_end_sends_an_rst_to_the_other(row: Row, version: int) -> None:
    with agent_on(row.client) as agent, connected(row.client, row.server, SERVER[version]) as flow:
        (local, local_port), (remote, remote_port) = (
            flow.client.getsockname()[:2],
            flow.client.getpeername()[:2],
        )
        asked = ResetConnection(local=local, local_port=local_port, remote=remote, remote_port=remote_port)
        assert agent.client.request(asked)[0] == ConnectionReset(sockets=1)
        with pytest.raises(ConnectionAbortedError):
            flow.client.recv(1)
        with pytest.raises(ConnectionResetError):
            flow.server.recv(1)


def test_the_log_cannot_be_turned_to_something_else(host: Host) -> None:
    """Whoever holds the descriptor without privilege: another group and another filter are refused."""
    script = """
import os, socket, struct, sys
os.setgroups([]); os.setgid(65534); os.setuid(65534)
log = socket.socket(fileno=int(sys.argv[1]))
body = struct.pack("!BBH", 0, 0, 5) + struct.pack("=HHB3x", 5, 1, 1)
log.send(struct.pack("=IHHII", 16 + len(body), 4 << 8 | 1, 5, 1, 0) + body)
log.settimeout(2)
print(struct.unpack_from("=i", log.recv(4096), 16)[0])
try: log.setsockopt(socket.SOL_SOCKET, 27, 0)
except PermissionError: print("locked")
"""
    with agent_on(host) as agent:
        _, log = agent.log()
        with log, host.inside():
            done = subprocess.run(
                [sys.executable, "-c", script, str(log.fileno())],
                pass_fds=[log.fileno()],
                capture_output=True,
                text=True,
                check=True,
            )
        assert done.stdout.split() == ["-1", "locked"]
        assert os.geteuid() == 0
