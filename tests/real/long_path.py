"""Two hosts and a path between them that delays, loses and reorders: three namespaces and a bridge of our own.

Run as a program it makes the network, has the hosts talk for some seconds, captures at both, and writes what the
kernels counted meanwhile. This kernel has no netem, so the bridge is a loop over two packet sockets.

    long_path.py OUT SEED DELAY_MS JITTER_MS LOSS_PERCENT SECONDS CONNECTIONS KEEPALIVE_S
"""

from __future__ import annotations

import array
import ctypes
import fcntl
import heapq
import json
import os
import random
import select
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

CLIENT, SERVER, PORT = "10.9.0.1", "10.9.0.2", 9000
OFFLOADS = (0x15, 0x17, 0x1F, 0x24, 0x2C)
"""ETHTOOL_SRXCSUM, STXCSUM, STSO, SGSO, SGRO: off, so that frames cross the bridge whole and with checksums."""
_libc = ctypes.CDLL(None, use_errno=True)


def enter(namespace: str) -> None:
    descriptor = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    assert _libc.setns(descriptor, 0x40000000) == 0
    os.close(descriptor)


def without_offloads(device: str) -> None:
    with socket.socket() as any_socket:
        for command in OFFLOADS:
            value = array.array("B", struct.pack("II", command, 0))
            request = struct.pack("16sP", device.encode(), value.buffer_info()[0])
            try:
                fcntl.ioctl(any_socket, 0x8946, request)
            except OSError:
                continue


def counters(namespace: str) -> dict[str, int]:
    command = ["ip", "netns", "exec", namespace, "cat", "/proc/net/netstat", "/proc/net/snmp"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    counted: dict[str, int] = {}
    for names, values in zip(lines[::2], lines[1::2], strict=False):
        if names.startswith(("TcpExt:", "Tcp:")):
            counted.update(zip(names.split()[1:], map(int, values.split()[1:]), strict=True))
    return counted


def bridge(
    devices: tuple[str, str], seed: int, delay_s: float, jitter_s: float, loss: float, until_s: float
) -> None:
    dice = random.Random(seed)
    ends = []
    for device in devices:
        end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        end.setsockopt(263, 23, 1)  # PACKET_IGNORE_OUTGOING
        end.bind((device, 3))
        end.setblocking(False)
        ends.append(end)
    waiting: list[tuple[float, int, int, bytes]] = []
    number = 0
    while time.monotonic() < until_s:
        wait_s = max(0.0, min(0.05, waiting[0][0] - time.monotonic())) if waiting else 0.05
        for end in select.select(ends, [], [], wait_s)[0]:
            for frame in iter(lambda end=end: _next(end), None):
                number += 1
                if frame[12:14] == b"\x08\x00" and dice.random() < loss:
                    continue
                late_s = dice.random() * jitter_s if dice.random() < 0.3 else 0.0
                heapq.heappush(
                    waiting, (time.monotonic() + delay_s + late_s, number, 1 - ends.index(end), frame)
                )
        while waiting and waiting[0][0] <= time.monotonic():
            _, _, to, frame = heapq.heappop(waiting)
            ends[to].send(frame)


def _next(end: socket.socket) -> bytes | None:
    try:
        return end.recv(70_000)
    except BlockingIOError:
        return None


def serve(until_s: float) -> None:
    """Answer requests (length, length of the answer, milliseconds to think) until it is time."""
    listener = socket.create_server((SERVER, PORT))
    listener.settimeout(0.5)
    while time.monotonic() < until_s:
        try:
            connection, _ = listener.accept()
        except TimeoutError:
            continue
        threading.Thread(target=_answer, args=(connection,), daemon=True).start()


def _answer(connection: socket.socket) -> None:
    with connection:
        try:
            while len(head := connection.recv(12, socket.MSG_WAITALL)) == 12:
                size, wanted, think_ms = struct.unpack("!III", head)
                if not _take(connection, size):
                    return
                time.sleep(think_ms / 1000)
                connection.sendall(b"r" * wanted)
        except OSError:
            return


def _take(connection: socket.socket, size: int) -> bool:
    while size:
        data = connection.recv(min(65_536, size))
        if not data:
            return False
        size -= len(data)
    return True


def ask(seed: int, seconds: float, connections: int, keepalive_s: int) -> None:
    threads = [
        threading.Thread(target=_ask, args=(random.Random(seed * 1000 + number), seconds, keepalive_s))
        for number in range(connections)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _ask(dice: random.Random, seconds: float, keepalive_s: int) -> None:
    end_s = time.monotonic() + seconds
    with _connect(seconds + 5) as connection:
        if keepalive_s:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, keepalive_s)
        if dice.random() < 0.5:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while time.monotonic() < end_s:
            size = dice.choice((1, 10, 500, 3000, 20_000, dice.randint(1, 60_000)))
            wanted = dice.choice((1, 100, 1400, 5000, 30_000, dice.randint(1, 80_000)))
            head = struct.pack("!III", size, wanted, dice.choice((0, 0, 0, 5, 60, 150)))
            if dice.random() < 0.3:
                connection.sendall(head)
                connection.sendall(b"x" * size)
            else:
                connection.sendall(head + b"x" * size)
            if not _take(connection, wanted):
                return
            time.sleep(dice.choice((0, 0, 0.01, 0.1, 0.5, 2.5 if keepalive_s else 0)))


def _connect(timeout_s: float) -> socket.socket:
    """Connect as soon as the server listens."""
    while True:
        try:
            return socket.create_connection((SERVER, PORT), timeout=timeout_s)
        except ConnectionRefusedError:
            time.sleep(0.05)


def in_namespace(namespace: str, work: Callable[[], None]) -> int:
    """Fork a process that works there; its pid."""
    pid = os.fork()
    if pid == 0:
        try:
            enter(namespace)
            work()
        finally:
            os._exit(0)
    return pid


def main(out: str, seed: int, path: tuple[float, float, float], talk: tuple[float, int, int]) -> None:
    """`path` is delay and jitter in ms and loss in percent; `talk` seconds, connections and keepalive."""
    name = f"tl{os.getpid()}"
    client, middle, server = f"{name}c", f"{name}m", f"{name}s"
    devices = {f"{name}a": client, f"{name}b": middle, f"{name}e": middle, f"{name}d": server}
    children: list[int] = []
    captures = []
    try:
        _make(name, client, middle, server, devices)
        until_s = time.monotonic() + talk[0] + 4
        for where, device, side in ((client, f"{name}a", "client"), (server, f"{name}d", "server")):
            command = ["tcpdump", "-i", device, "-w", f"{out}.{side}.pcap", "-U", "-s", "200", "tcp"]
            command = ["ip", "netns", "exec", where, *command]
            captures.append(subprocess.Popen(command, stderr=subprocess.PIPE))
        for capture in captures:
            assert capture.stderr is not None
            assert b"listening" in capture.stderr.readline()
        delay_s, jitter_s, loss = path[0] / 1000, path[1] / 1000, path[2] / 100
        ends = f"{name}b", f"{name}e"
        children.append(in_namespace(middle, lambda: bridge(ends, seed, delay_s, jitter_s, loss, until_s)))
        children.append(in_namespace(server, lambda: serve(until_s)))
        before = {"client": counters(client), "server": counters(server)}
        os.waitpid(in_namespace(client, lambda: ask(seed, *talk)), 0)
        time.sleep(1.0)  # for what is still on the path
        after = {"client": counters(client), "server": counters(server)}
        counted = {s: {k: after[s][k] - before[s].get(k, 0) for k in after[s]} for s in after}
        Path(f"{out}.json").write_text(json.dumps(counted))
    finally:
        for capture in captures:
            capture.terminate()
            capture.wait()
        for child in children:
            os.waitpid(child, 0)
        for namespace in (client, middle, server):
            subprocess.run(["ip", "netns", "del", namespace], check=False)


def _make(name: str, client: str, middle: str, server: str, devices: dict[str, str]) -> None:
    for namespace in (client, middle, server):
        subprocess.run(["ip", "netns", "add", namespace], check=True)
    for near, far in ((f"{name}a", f"{name}b"), (f"{name}d", f"{name}e")):
        pair = f"ip link add {near} netns {devices[near]} type veth peer name {far} netns {devices[far]}"
        subprocess.run(pair.split(), check=True)
    for device, address in ((f"{name}a", CLIENT), (f"{name}d", SERVER)):
        command = f"ip -n {devices[device]} addr add {address}/24 dev {device}"
        subprocess.run(command.split(), check=True)
    for device, namespace in devices.items():
        subprocess.run(["ip", "-n", namespace, "link", "set", device, "up"], check=True)
        os.waitpid(in_namespace(namespace, lambda device=device: without_offloads(device)), 0)


if __name__ == "__main__":
    place, *numbers = sys.argv[1:]
    figures = [float(number) for number in numbers]
    main(
        place,
        int(figures[0]),
        (figures[1], figures[2], figures[3]),
        (figures[4], int(figures[5]), int(figures[6])),
    )
