"""A live session in a network of its own, where segments are eaten: what it marked, what the kernel counted.

    python eaten_driver.py (4|6) (lo|out|in) FILE

`lo`: on loopback. `out`, `in`: what leaves for, and what comes from, a host behind a veth. FILE gets the capture.
Prints one JSON object. TCP timestamps are off, so that IPv6 probes are alike to the last bit. Run by test_eaten.py.
"""

from __future__ import annotations

import ctypes
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

CLONE_NEWNET = 0x40000000
PATIENCE_S = 20.0
HERE, THERE = {4: "10.9.0.1", 6: "fd09::1"}, {4: "10.9.0.2", 6: "fd09::2"}
LOOPBACK = {4: "127.0.0.1", 6: "::1"}
PORT = 7001


def run(words: str) -> None:
    subprocess.run(words.split(), check=True)


def network(name: str) -> None:
    """Loopback, and no timestamps."""
    run("ip link set lo up")
    Path("/proc/sys/net/ipv4/tcp_timestamps").write_text("0")
    if name:
        run(f"ip link set {name} addrgenmode none up")


def serve(address: str, version: int) -> socket.socket:
    server = socket.create_server(
        (address, PORT), family=socket.AF_INET6 if version == 6 else socket.AF_INET, reuse_port=True
    )
    server.settimeout(PATIENCE_S)
    return server


def other_host(version: int) -> int:
    """A process in a network behind the veth vb, which takes what comes and answers `more` with data; its pid."""
    ready, tell = os.pipe()
    moved, go = os.pipe()
    pid = os.fork()
    if pid:
        os.read(ready, 1)
        run("ip link add va type veth peer name vb")
        run(f"ip link set vb netns {pid}")
        network("va")
        run(
            f"ip addr add {HERE[version]}/{24 if version == 4 else 64} dev va {'nodad' if version == 6 else ''}"
        )
        os.write(go, b"1")
        os.read(ready, 1)
        return pid
    try:
        assert ctypes.CDLL(None).unshare(CLONE_NEWNET) == 0
        os.write(tell, b"1")
        os.read(moved, 1)
        network("vb")
        run(
            f"ip addr add {THERE[version]}/{24 if version == 4 else 64} dev vb {'nodad' if version == 6 else ''}"
        )
        server = serve(THERE[version], version)
        os.write(tell, b"1")
        talk(server)
    finally:
        os._exit(0)


def talk(server: socket.socket) -> None:
    accepted, _ = server.accept()
    while got := accepted.recv(100):
        accepted.sendall(got)


def keepalive(on: socket.socket) -> None:
    on.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in ((4, 1), (5, 1), (6, 5)):
        on.setsockopt(socket.IPPROTO_TCP, option, value)


def main() -> None:
    version, place, file = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    assert ctypes.CDLL(None).unshare(CLONE_NEWNET) == 0
    network("")
    peer = 0 if place == "lo" else other_host(version)
    from tcpladder.agent.client import AgentClient
    from tcpladder.agent.messages import OpenCapture
    from tcpladder.agent.start import HostNetwork, start_agent
    from tcpladder.faults.fault import Fault, Match

    channel, _ = start_agent(HostNetwork())
    from tcpladder.session.live import LiveSession
    from tcpladder.session.notes import UserNote

    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    request = OpenCapture(interface="lo" if place == "lo" else "va")
    session = LiveSession(AgentClient(channel.detach()), request, write=(descriptor, file))

    def until(holds: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            session.look(0.02)
            if answer := holds():
                return answer
        raise TimeoutError

    server = None if peer else serve(LOOPBACK[version], version)
    client = socket.create_connection(((THERE if peer else LOOPBACK)[version], PORT))
    accepted = server.accept()[0] if server is not None else None
    if accepted is not None:
        keepalive(client)
        until(lambda: session.flow_count() and session.summary(1).keepalive_probes)
    else:
        client.sendall(b"first")
        client.recv(100)
        until(lambda: session.flow_count() and session.summary(1).segments >= 6)
    source = client.getsockname()
    match = Match(
        source=source[0],
        source_port=source[1],
        destination=(THERE if peer else LOOPBACK)[version],
        destination_port=PORT,
    )
    if place == "in":
        match = match.reverse()
    before = session.summary(1).segments
    fault = session.faults.apply(Fault(match=match, probe_sequences=[], for_ms=20_000))
    if peer:
        client.sendall(b"again")
    ate = until(lambda: (s := session.faults.states()[0]).packets >= 2 and s)
    lifted = session.faults.lift(fault.number)
    if peer:
        client.settimeout(PATIENCE_S)
        client.recv(100)
    else:
        probes = session.summary(1).keepalive_probes
        until(lambda: session.summary(1).keepalive_probes > probes)
    until(lambda: not session.faults.active)
    view = session.view(1)
    rungs = [
        [view.frame(i), view.label(i), view.lost(i), int(view.time_ns[i])] for i in range(len(view.time_ns))
    ]
    session.put_note(
        UserNote(flow=1, frame=rungs[1][0], time_ns=rungs[1][3], text="seen by a person", mark="a")
    )
    said = {
        "places": [str(one) for one in ate.places],
        "packets": lifted.packets,
        "bytes": lifted.bytes,
        "told": session._eaten.told[1],
        "told_bytes": session._eaten.bytes[1],
        "lost_records": session.faults.logs.lost,
        "before": before,
        "rungs": rungs,
        "since_ns": lifted.since_ns,
        "ended_ns": lifted.ended_ns,
        "notes": [note.text for note in session.notes(1)],
        "bytes_again": session.frame_bytes(1, len(rungs) - 1).hex(),
        "warnings": list(session.status().warnings),
    }
    session.close()
    sys.stdout.write(json.dumps(said) + "\n")
    if peer:
        os.kill(peer, 9)


main()
