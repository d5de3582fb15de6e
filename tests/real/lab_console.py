"""A lab without an app, for tests to speak with: standard library, the agent, the lab.

    python lab_console.py NETWORK '{"client": {"net.ipv4.tcp_retries2": "3"}}'

Writes the agent's pid, then for each line on stdin the repr of what it evaluates to, or of the error that it raises.
"""

from __future__ import annotations

import json
import mmap
import sys
import time
from dataclasses import replace

from lab_driver import frames

from tcpladder.agent.client import AgentClient
from tcpladder.agent.fault_messages import *  # noqa: F403 - what a test may say
from tcpladder.agent.lab_messages import EndPeer, PeerEnded, PeerStarted, StartPeer  # noqa: F401
from tcpladder.agent.messages import *  # noqa: F403
from tcpladder.agent.messages import CaptureOpened, HostRequest, OnHost, OpenCapture, Reply
from tcpladder.agent.start import start_agent
from tcpladder.errors import TcpladderError
from tcpladder.faults.fault import *  # noqa: F403
from tcpladder.hosts.network import PrivateNetwork
from tcpladder.lab.reports import Report, ReportPipe
from tcpladder.lab.topology import topology

PATIENCE_S = 10
pipes: dict[str, ReportPipe] = {}
heard: dict[str, list[Report]] = {}
rings: dict[str, tuple[mmap.mmap, CaptureOpened]] = {}


def ask(host: str, request: HostRequest) -> Reply:
    """The answer of a host."""
    return client.request(OnHost(host=host, request=request))[0]


def play(name: str, host: str, address: str, *script: str, **more: object) -> int:
    """Start a peer, a server where it listens; its pid."""
    role = "server" if script[0] == "listen" else "client"
    part = StartPeer(role=role, options={}, address=address, port=7777, script=list(script))
    reply, (report,) = client.request(OnHost(host=host, request=replace(part, **more)))
    assert isinstance(reply, PeerStarted)
    pipes[name], heard[name] = ReportPipe(report), []
    return reply.pid


def hear(name: str, event: str) -> tuple[str, str, str | None]:
    """Wait for an event of a peer's report: the other end's address, the call, the error."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := [report for report in heard[name] if report.event == event]):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{name} said {[report.event for report in heard[name]]}")
        heard[name] += pipes[name].read()
        time.sleep(0.005)
    return found[0].address, found[0].call, found[0].error


def capture(host: str, interface: str) -> None:
    """Begin to capture there."""
    opened, (packets,) = client.request(OnHost(host=host, request=OpenCapture(interface=interface)))
    assert isinstance(opened, CaptureOpened)
    rings[host] = mmap.mmap(packets, opened.block_size * opened.block_count), opened


def captured(host: str, count: int) -> list[bytes]:
    """The first frames of a capture, as bytes; TCP over IPv4 only."""
    found: list[bytes] = []
    deadline = time.monotonic() + PATIENCE_S
    for frame in frames(*rings[host]):
        if frame[12:14] == b"\x08\x00" and frame[23] == 6:
            found.append(frame)
        if len(found) == count or time.monotonic() > deadline:
            break
        time.sleep(0 if frame else 0.01)
    return found


def say(value: object) -> None:
    sys.stdout.write(f"{value!r}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    plan = replace(topology(sys.argv[1]), name="console", sysctls=json.loads(sys.argv[2]))
    try:
        channel, agent_pid = start_agent(PrivateNetwork(plan))
    except TcpladderError as refused:
        sys.exit(str(refused))
    client = AgentClient(channel.detach())
    say(agent_pid)
    for line in sys.stdin:
        try:
            say(eval(line))
        except Exception as error:
            say(f"{type(error).__name__}: {error}")
