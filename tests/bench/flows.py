"""What the list of 10,000 flows costs while five times a second some of them have new segments. Asserts nothing.

The real app follows a file that grows: its CPU is that of reading, analysis and screen together.
"""

from __future__ import annotations

import struct
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from figure import Figure, table
from terminal import Terminal, running

TCPLADDER = [sys.executable, "-m", "tcpladder"]
FLOWS = 10_000
CHANGED = 100
UPDATES_S = 0.2
MEASURED_S = 8.0
SETTLED_S = 3.0
SYN, ACK = 2, 16
START_S = 1_760_000_000
SCENES = [
    ("first seen", ""),
    ("by activity", "s"),
    ("by activity, filter port:443", "/port:443\r"),
    ("the same, grouped by end", "bbb"),
]
"""What it is called, and the keys that lead there from the scene before."""


def frame(flow: int, flags: int, seq: int, length: int, time_us: int) -> bytes:
    """One record of a pcap with an Ethernet frame."""
    tcp = struct.pack("!HHIIBBHHH", 20_000 + flow // 4, 443, seq, 0, 5 << 4, flags, 65_535, 0, 0)
    size = 40 + length
    client, server = b"\x0a\x00\x00" + bytes([1 + flow % 4]), b"\x0a\x00\x01\x01"
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, size, 0, 0, 64, 6, 0, client, server)
    data = bytes(12) + b"\x08\x00" + ip + tcp + bytes(length)
    head = struct.pack("<IIII", START_S + time_us // 10**6, time_us % 10**6, len(data), len(data))
    return head + data


def grow(path: Path, terminal: Terminal, seconds: float, first: int) -> int:
    """Append the segments of CHANGED flows, five times a second, while the terminal draws; the next update."""
    end_s, update = time.perf_counter() + seconds, first
    with path.open("ab", buffering=0) as file:
        while time.perf_counter() < end_s:
            changed = ((update * CHANGED + n) * 7919 % FLOWS for n in range(CHANGED))
            time_us = 10**6 + update * 200_000
            file.write(b"".join(frame(flow, ACK, 1 + update, 1, time_us) for flow in changed))
            update += 1
            terminal.read(UPDATES_S)
    return update


def figures() -> Iterator[Figure]:
    """Percent of a core and bytes a second to the terminal, for several orders of the list."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "flows.pcap")
        head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 1)
        path.write_bytes(head + b"".join(frame(n, SYN, 0, 0, n * 50) for n in range(FLOWS)))
        update = 0
        with running([*TCPLADDER, "open", "--follow", str(path)], columns=160, rows=50) as terminal:
            terminal.read_until_first_frame()
            terminal.read(SETTLED_S)
            for name, keys in SCENES:
                for key in keys:
                    terminal.press(key)
                    terminal.read(0.1)
                update = grow(path, terminal, SETTLED_S, update)
                terminal.drawn.clear()
                before_s, began_s = terminal.cpu_s(), time.perf_counter()
                update = grow(path, terminal, MEASURED_S, update)
                passed_s = time.perf_counter() - began_s
                percent = 100 * (terminal.cpu_s() - before_s) / passed_s
                yield Figure(
                    what=f"{FLOWS:,} flows, {CHANGED} changed 5 times a second, {name}",
                    measured=f"{percent:.1f} % of a core, {len(terminal.drawn) / passed_s / 1000:.1f} kB/s",
                    aim="5 %",
                    reached=percent < 5,
                )


if __name__ == "__main__":
    print(table(figures()))
