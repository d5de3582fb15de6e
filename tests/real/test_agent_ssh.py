"""The line that a person sits on stays out of the capture: a process called sshd, a terminal, real frames."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from real.wires import inject, ip, own_network, tcp_frame, veth
from tcpladder.agent.capture import open_capture
from tcpladder.agent.messages import OpenCapture
from tcpladder.sources.live import open_live

pytestmark = [pytest.mark.real("ip"), pytest.mark.usefixtures("own_network")]
__all__ = ["own_network"]

SSHD = """
import os, socket, sys
open("/proc/self/comm", "w").write(sys.argv[1])
line = socket.create_connection(("10.9.0.2", 9), source_address=("10.9.0.1", 0))
terminal = open("/dev/ptmx", "rb", buffering=0) if sys.argv[2] == "terminal" else None
print(line.getsockname()[1], flush=True)
sys.stdin.read()
"""


@contextmanager
def session(comm: str, what: str) -> Iterator[int]:
    """A connection 10.9.0.1:PORT to 10.9.0.2:9 held by a process called `comm`; yields PORT."""
    for address in ("10.9.0.1", "10.9.0.2"):
        ip(f"addr add {address}/32 dev lo")
    with socket.create_server(("10.9.0.2", 9)):
        process = subprocess.Popen(
            [sys.executable, "-c", SSHD, comm, what], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        with process:
            assert process.stdout is not None
            yield int(process.stdout.readline())


def ports(asked: OpenCapture, sent: list[int]) -> tuple[int, list[int]]:
    """(excluded connections, source ports seen) when frames from these ports arrive."""
    about, packets = open_capture(asked)
    source = open_live(packets.detach(), about)
    inject("va", [tcp_frame(port) for port in sent])
    batch = source.read(2)
    assert batch is not None
    seen = [int.from_bytes(batch.data[start + 34 : start + 36].tobytes()) for start in batch.start]
    source.close()
    return about.excluded_ssh, seen


@pytest.mark.parametrize("comm", ["sshd", "sshd-session"])
def test_a_terminal_session_is_left_out_and_its_neighbour_is_not(comm: str) -> None:
    veth()
    with session(comm, "terminal") as port:
        assert ports(OpenCapture(interface="vb"), [port, port - 1]) == (1, [port - 1])
        assert ports(OpenCapture(interface="vb", filter="tcp port 9"), [port, port - 1]) == (1, [port - 1])


def test_include_ssh_leaves_nothing_out() -> None:
    veth()
    with session("sshd", "terminal") as port:
        assert ports(OpenCapture(interface="vb", include_ssh=True), [port]) == (0, [port])


@pytest.mark.parametrize(("comm", "what"), [("sshd", "no terminal"), ("bash", "terminal")])
def test_only_an_sshd_with_a_terminal_is_left_out(comm: str, what: str) -> None:
    veth()
    with session(comm, what) as port:
        assert ports(OpenCapture(interface="vb"), [port]) == (0, [port])


def test_loopback_leaves_nothing_out() -> None:
    with session("sshd", "terminal"):
        about, packets = open_capture(OpenCapture(interface="lo"))
        packets.close()
        assert about.excluded_ssh == 0
