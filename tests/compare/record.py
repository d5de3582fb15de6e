"""Record captures/ anew: two kernels' TCP over a path that loses, delays, overtakes and doubles packets.

    python tests/compare/record.py        as root; needs ip and tcpdump

Two network namespaces of this process's own, a tun device in each, and a relay between the two that misbehaves.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import gzip
import heapq
import os
import random
import select
import shutil
import socket
import struct
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

CAPTURES = Path(__file__).parent / "captures"
CLONE_NEWNET = 0x40000000
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000
PORT = 9000
LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Behaviour:
    """How the path between the two ends behaves."""

    delay_s: float
    lost: float = 0.0
    """Share of the packets, of each of the following as well."""
    overtaken: float = 0.0
    doubled: float = 0.0


PATHS = {
    "loss": Behaviour(0.01, lost=0.02),
    "reordering": Behaviour(0.004, overtaken=0.03, doubled=0.01),
    "everything": Behaviour(0.02, lost=0.01, overtaken=0.01, doubled=0.005),
}


class Relay(threading.Thread):
    """Carries packets between two tun devices."""

    def __init__(self, left: int, right: int, path: Behaviour, seed: int) -> None:
        super().__init__(daemon=True)
        self._other = {left: right, right: left}
        self._path, self._dice = path, random.Random(seed)
        self._due: list[tuple[float, int, int, bytes]] = []
        self.stop = False

    def run(self) -> None:
        number = 0
        while not self.stop:
            wait = max(0.0, self._due[0][0] - time.monotonic()) if self._due else 0.05
            for come in select.select(list(self._other), [], [], min(wait, 0.05))[0]:
                packet = os.read(come, 65536)
                for _ in range(self._copies()):
                    number += 1
                    heapq.heappush(self._due, (self._arrival(), number, self._other[come], packet))
            while self._due and self._due[0][0] <= time.monotonic():
                _, _, to, packet = heapq.heappop(self._due)
                with contextlib.suppress(OSError):
                    os.write(to, packet)

    def _copies(self) -> int:
        chance = self._dice.random()
        if chance < self._path.lost:
            return 0
        return 2 if chance < self._path.lost + self._path.doubled else 1

    def _arrival(self) -> float:
        late = self._path.delay_s * 0.7 if self._dice.random() < self._path.overtaken else 0.0
        return time.monotonic() + self._path.delay_s + late


def network(address: str) -> tuple[int, int]:
    """A fresh namespace with a tun device; this thread is in it. Returns the namespace and the device."""
    assert LIBC.unshare(CLONE_NEWNET) == 0
    tun = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH14x", b"tun0", IFF_TUN | IFF_NO_PI))
    for words in (f"addr add {address}/24 dev tun0", "link set tun0 up"):
        subprocess.run(["ip", *words.split()], check=True)
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY), tun


def keepalive(one: socket.socket, idle_s: int) -> None:
    one.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in ((socket.TCP_KEEPIDLE, idle_s), (socket.TCP_KEEPINTVL, 1), (socket.TCP_KEEPCNT, 5)):
        one.setsockopt(socket.IPPROTO_TCP, option, value)


def talk(client: socket.socket, server: socket.socket) -> None:
    """A download, one that the reader stalls, questions and answers, silence, an upload, the end."""
    download(server, client, 500_000)
    download(server, client, 300_000, stall_s=3)
    for number in range(40):
        download(client, server, 10 + number)
        download(server, client, 600 + 37 * number)
    time.sleep(5)
    download(client, server, 200_000)
    client.shutdown(socket.SHUT_WR)
    assert server.recv(1) == b""
    server.close()
    assert client.recv(1) == b""
    client.close()


def download(sender: socket.socket, reader: socket.socket, size: int, stall_s: float = 0) -> None:
    thread = threading.Thread(target=sender.sendall, args=(bytes(size),))
    thread.start()
    time.sleep(stall_s)
    while size:
        size -= len(reader.recv(min(size, 65536)))
    thread.join()


def record(name: str, path: Behaviour, seed: int) -> None:
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there, left = network("10.77.0.1")
    _, right = network("10.77.0.2")
    relay = Relay(left, right, path, seed)
    relay.start()
    listener = socket.create_server(("10.77.0.2", PORT))
    assert LIBC.setns(there, CLONE_NEWNET) == 0
    file = CAPTURES / f"{name}.pcap"
    dump = subprocess.Popen(
        ["tcpdump", "-i", "tun0", "-s", "100", "-U", "-w", str(file), "tcp"],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert dump.stderr is not None
    assert any("listening" in line for line in dump.stderr)
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 30_000)
    client.connect(("10.77.0.2", PORT))
    server, _ = listener.accept()
    keepalive(client, 1)
    keepalive(server, 2)
    talk(client, server)
    time.sleep(1)
    dump.terminate()
    dump.wait()
    relay.stop = True
    relay.join()
    assert LIBC.setns(home, CLONE_NEWNET) == 0
    for descriptor in (home, there, left, right):
        os.close(descriptor)
    with file.open("rb") as plain, gzip.GzipFile(f"{file}.gz", "wb", mtime=0) as squeezed:
        shutil.copyfileobj(plain, squeezed)
    file.unlink()


def main() -> None:
    CAPTURES.mkdir(exist_ok=True)
    for seed, (name, path) in enumerate(PATHS.items()):
        record(name, path, seed)


if __name__ == "__main__":
    main()
