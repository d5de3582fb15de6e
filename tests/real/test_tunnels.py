"""TCP through a tunnel of the kernel, captured outside: the same segments as tshark reads."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from real.wires import own_network
from tcpladder.sources.files import open_capture
from tcpladder.sources.unwrap import Unwrapper
from tcpladder.wire.decode import Decoder
from tcpladder.wire.segments import Flag

pytestmark = [
    pytest.mark.real("ip", "tcpdump", "tshark", "unshare", "nsenter"),
    pytest.mark.usefixtures("own_network"),
]

__all__ = ["own_network"]
BYTES = 200_000
PEER = """
import socket, sys
print("here", flush=True)
sys.stdin.readline()
socket.setdefaulttimeout(60)
listener = socket.create_server(("10.9.0.2", 7000))
print("ready", flush=True)
talk, _ = listener.accept()
while talk.recv(65536):
    pass
talk.sendall(b"done")
talk.close()
sys.stdin.readline()
"""


def run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True, timeout=20)


def build(peer: int) -> None:
    """A wire between this network and that of process `peer`, and a VXLAN on it."""
    run("ip", "link", "add", "wire", "type", "veth", "peer", "name", "wire", "netns", str(peer))
    there = ("nsenter", "-t", str(peer), "-n")
    for enter, number, other in (((), 1, 2), (there, 2, 1)):
        vxlan = f"vxlan id 42 dstport 4789 local 10.8.0.{number} remote 10.8.0.{other} dev wire"
        run(*enter, "ip", "address", "add", f"10.8.0.{number}/24", "dev", "wire")
        run(*enter, "ip", "link", "set", "wire", "up")
        run(*enter, "ip", "link", "add", "tunnel", "type", *vxlan.split())
        run(*enter, "ip", "address", "add", f"10.9.0.{number}/24", "dev", "tunnel")
        run(*enter, "ip", "link", "set", "tunnel", "up")


def test_segments_inside_a_vxlan(tmp_path: Path) -> None:
    path = tmp_path / "outside.pcap"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(["unshare", "-n", sys.executable, "-c", PEER], **pipes) as peer:
        assert peer.stdout is not None
        assert peer.stdout.readline() == "here\n"
        build(peer.pid)
        dump = ["tcpdump", "-i", "wire", "-U", "-s", "256", "-w", path]
        with subprocess.Popen(dump, stderr=subprocess.PIPE, text=True) as capture:
            try:
                assert capture.stderr is not None
                assert "listening on wire" in capture.stderr.readline()
                talk_to(peer)
                wait_for_the_end(path)
            finally:
                capture.terminate()
                peer.kill()
    assert by_us(path) == by_tshark(path)


def talk_to(peer: subprocess.Popen[str]) -> None:
    assert peer.stdin is not None
    assert peer.stdout is not None
    peer.stdin.write("go\n")
    peer.stdin.flush()
    assert peer.stdout.readline() == "ready\n"
    with socket.create_connection(("10.9.0.2", 7000), timeout=20) as talk:
        talk.sendall(bytes(BYTES))
        talk.shutdown(socket.SHUT_WR)
        assert talk.recv(10) == b"done"


def by_us(path: Path) -> list[tuple[int, ...]]:
    """(frame, source port, sequence number, acknowledgement, payload, flags) of every segment."""
    unwrapper, decoder = Unwrapper(), Decoder()
    capture = open_capture(str(path))
    rows: list[tuple[int, ...]] = []
    for batch in capture.batches():
        s = decoder.decode(unwrapper.unwrapped(batch)).segments
        assert not s.state.any()
        larger, smaller = (s.addresses.ports & 0xFFFF).tolist(), (s.addresses.ports >> 16).tolist()
        source = [
            b if swapped else a for a, b, swapped in zip(smaller, larger, s.swapped.tolist(), strict=True)
        ]
        columns = (c.tolist() for c in (s.seq, s.ack, s.length, s.flags))
        rows += zip(s.frame.tolist(), source, *columns, strict=True)
    capture.close()
    assert unwrapper.frames_through_scapy >= len(rows) > 5
    assert sum(row[4] for row in rows) >= BYTES
    return rows


def by_tshark(path: Path) -> list[tuple[int, ...]]:
    fields = ["frame.number", "tcp.srcport", "tcp.seq_raw", "tcp.ack_raw", "tcp.len", "tcp.flags"]
    command = [
        "tshark",
        "-n",
        "-r",
        path,
        "-Y",
        "tcp",
        "-T",
        "fields",
        *(a for f in fields for a in ("-e", f)),
    ]
    out = subprocess.run(command, capture_output=True, text=True, check=True, timeout=100).stdout
    return [tuple(int(value, 0) for value in line.split("\t")) for line in out.splitlines()]


def wait_for_the_end(path: Path) -> None:
    """Until both FINs are in the file."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        unwrapper, decoder = Unwrapper(), Decoder()
        capture = open_capture(str(path))
        fins = sum(
            int(((decoder.decode(unwrapper.unwrapped(batch)).segments.flags & Flag.FIN) != 0).sum())
            for batch in capture.batches()
        )
        capture.close()
        if fins >= 2:
            return
        threading.Event().wait(0.05)
    raise AssertionError("no FIN came")
