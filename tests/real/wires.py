"""A network of a test's own, a veth pair in it, and raw frames to put on it."""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import subprocess
import time
from collections.abc import Iterator

import pytest

from tcpladder.agent.interfaces import list_interfaces

CLONE_NEWNET = 0x40000000


@pytest.fixture
def own_network() -> Iterator[None]:
    """A network namespace of this test's own, for this thread."""
    libc = ctypes.CDLL(None, use_errno=True)
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    assert libc.unshare(CLONE_NEWNET) == 0
    ip("link set lo up")
    yield
    assert libc.setns(home, CLONE_NEWNET) == 0
    os.close(home)


def ip(words: str) -> None:
    subprocess.run(["ip", *words.split()], check=True)


def veth() -> None:
    ip("link add va type veth peer name vb")
    for name in ("va", "vb"):
        subprocess.run(["sh", "-c", f"echo 1 >/proc/sys/net/ipv6/conf/{name}/disable_ipv6"], check=True)
        ip(f"link set {name} up")
    carrier()


def carrier() -> None:
    """Until then what is sent on a veth goes nowhere."""
    deadline = time.monotonic() + 5
    while {one.state for one in list_interfaces() if one.name in ("va", "vb")} != {"up"}:
        assert time.monotonic() < deadline
        time.sleep(0.005)


def tcp_frame(port: int, *, vlan: int | None = None, payload: bytes = b"") -> bytes:
    segment = struct.pack("!HHIIBBHHH", port, 9, 1, 1, 0x50, 0x10, 100, 0, 0) + payload
    header = struct.pack(
        "!BBHHHBBH4s4s", 0x45, 0, 20 + len(segment), 0, 0, 64, 6, 0, b"\n\x09\0\1", b"\n\x09\0\2"
    )
    tag = b"" if vlan is None else struct.pack("!HH", 0x8100, vlan)
    return b"\2\0\0\0\0\1\2\0\0\0\0\2" + tag + b"\x08\0" + header + segment


def inject(interface: str, frames: list[bytes]) -> None:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as out:
        out.bind((interface, 0))
        for frame in frames:
            out.send(frame)
