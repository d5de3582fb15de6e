"""Write a large, realistic capture for the benchmarks: many flows, losses, keepalives, zero windows, IPv6, VLAN tags.

    python tests/bench/generate.py OUT --segments 1000000 --flows 2000 --payload small|large --seed 7

The same arguments give the same bytes. The file is a nanosecond pcap; payloads are filler.
"""

from __future__ import annotations

import argparse
import random
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
EPOCH_NS = 1_760_000_000 * 10**9
PAYLOADS = {"small": (100, 180, 60, 250, 120), "large": (1448, 1448, 1448, 700, 1448)}
TCP_HEADER = 32
SLAB_SEGMENTS = 100_000
"""Segments turned into bytes at a time, so that memory stays bounded."""


@dataclass
class Events:
    """What happened, one element a segment, in columns."""

    time_s: array[float] = field(default_factory=lambda: array("d"))
    flow: array[int] = field(default_factory=lambda: array("i"))
    side: array[int] = field(default_factory=lambda: array("b"))
    seq: array[int] = field(default_factory=lambda: array("Q"))
    ack: array[int] = field(default_factory=lambda: array("Q"))
    length: array[int] = field(default_factory=lambda: array("i"))
    flags: array[int] = field(default_factory=lambda: array("i"))
    window: array[int] = field(default_factory=lambda: array("i"))

    def __len__(self) -> int:
        return len(self.time_s)


class Conversation:
    """One flow from its SYN to its FIN or RST: side 0 asks, side 1 answers in bursts."""

    def __init__(self, events: Events, flow: int, dice: random.Random, sizes: tuple[int, ...]) -> None:
        self._events = events
        self._flow = flow
        self._dice = dice
        self._sizes = sizes
        self._now_s = dice.random() * 60
        self._rtt_s = dice.choice((0.0005, 0.01, 0.03, 0.08))
        self._next = [dice.getrandbits(32), dice.getrandbits(32)]
        if flow % 10 == 0:
            self._next[1] = (1 << 32) - 5000

    def run(self, segments: int) -> None:
        """Talk until about that many segments were sent, then end."""
        stop = len(self._events) + segments
        self._handshake()
        while len(self._events) < stop:
            self._now_s += self._dice.expovariate(20)
            if self._dice.random() < 0.03:
                self._keepalive()
            self._request()
            self._response()
            if self._dice.random() < 0.002:
                self._zero_window()
        self._end()

    def _send(self, side: int, flags: int, length: int = 0, *, seq: int | None = None, **other: int) -> None:
        events = self._events
        events.time_s.append(self._now_s)
        events.flow.append(self._flow)
        events.side.append(side)
        events.seq.append((self._next[side] if seq is None else seq) & 0xFFFFFFFF)
        events.ack.append(other.get("ack", self._next[1 - side]) & 0xFFFFFFFF)
        events.length.append(length)
        events.flags.append(flags)
        events.window.append(other.get("window", 501))

    def _handshake(self) -> None:
        self._send(0, SYN, ack=0, window=64240)
        self._next[0] += 1
        self._now_s += self._rtt_s / 2
        self._send(1, SYN | ACK, window=65535)
        self._next[1] += 1
        self._now_s += self._rtt_s / 2
        self._send(0, ACK, window=502)

    def _keepalive(self) -> None:
        for _ in range(self._dice.randint(1, 3)):
            self._now_s += 10
            side = int(self._dice.random() >= 0.8)
            self._send(side, ACK, self._dice.choice((0, 0, 1)), seq=self._next[side] - 1)
            self._now_s += self._rtt_s / 2
            self._send(1 - side, ACK)
            self._now_s += self._rtt_s / 2

    def _request(self) -> None:
        length = self._dice.randint(80, 600)
        self._send(0, PSH | ACK, length)
        self._next[0] += length
        self._now_s += self._rtt_s / 2
        self._send(1, ACK)

    def _response(self) -> None:
        count = self._dice.randint(1, 24)
        lost: tuple[int, int] | None = None
        for number in range(count):
            last = number == count - 1
            length = self._dice.choice(self._sizes)
            seq = self._next[1]
            self._now_s += 2e-5
            self._send(1, ACK | (PSH if last else 0), length)
            self._next[1] += length
            if lost is None and self._dice.random() < 0.004:
                lost = (seq, length)
                continue
            self._now_s += 1e-6
            if lost is not None:
                self._send(0, ACK, ack=lost[0])
            elif number & 1 or last:
                self._send(0, ACK)
        if lost is not None:
            self._now_s += self._rtt_s if self._dice.random() < 0.6 else 0.25
            self._send(1, ACK, lost[1], seq=lost[0])
            self._now_s += self._rtt_s / 2
            self._send(0, ACK)

    def _zero_window(self) -> None:
        self._now_s += 0.01
        self._send(0, ACK, window=0)
        self._now_s += 0.3
        self._send(1, ACK, seq=self._next[1] - 1)
        self._now_s += self._rtt_s
        self._send(0, ACK, window=0)
        self._now_s += 0.5
        self._send(0, ACK)

    def _end(self) -> None:
        if self._dice.random() < 0.2:
            self._now_s += 0.01
            self._send(self._dice.randint(0, 1), RST | ACK, window=0)
            return
        for side, flags in ((0, FIN | ACK), (1, FIN | ACK), (0, ACK)):
            self._send(side, flags)
            self._next[side] += flags & FIN
            self._now_s += self._rtt_s / 2


def events_of(segments: int, flows: int, payload: str, seed: int) -> Iterator[dict[str, NDArray[np.int64]]]:
    """Yield the segments of all conversations in order of time, a slab of columns at a time."""
    events = Events()
    dice = random.Random(seed)
    weights = [dice.choice((0.2, 0.5, 1, 1, 1.6, 1.7)) for _ in range(flows)]
    for flow, weight in enumerate(weights):
        Conversation(events, flow, dice, PAYLOADS[payload]).run(int(segments * weight / sum(weights)) + 1)
    time_s = np.frombuffer(events.time_s)
    order = np.argsort(time_s, kind="stable")[:segments]
    columns = {
        name: np.frombuffer(values, values.typecode)
        for name, values in vars(events).items()
        if name != "time_s"
    }
    for begin in range(0, len(order), SLAB_SEGMENTS):
        rows = order[begin : begin + SLAB_SEGMENTS]
        slab = {name: values[rows].astype(np.int64) for name, values in columns.items()}
        slab["time_ns"] = (time_s[rows] * 1e9).astype(np.int64) + EPOCH_NS
        yield slab


class Slab:
    """The bytes of many records at once: fields are scattered into one buffer."""

    def __init__(self, record_bytes: NDArray[np.int64]) -> None:
        self.begin = np.concatenate(([0], np.cumsum(record_bytes)[:-1]))
        self.bytes = np.full(int(record_bytes.sum()), 0x55, np.uint8)

    def put(
        self, at: NDArray[np.int64], value: NDArray[np.int64] | int, size: int, order: str = "big"
    ) -> None:
        """Write an integer of `size` bytes at each of the offsets."""
        values = np.broadcast_to(np.asarray(value, np.int64), at.shape)
        for index in range(size):
            shift = 8 * (size - 1 - index if order == "big" else index)
            self.bytes[at + index] = (values >> shift) & 0xFF


def write_slab(out: BinaryIO, event: dict[str, NDArray[np.int64]]) -> None:
    """Write the records of one slab of segments."""
    ipv6 = event["flow"] % 7 == 0
    tagged = event["flow"] % 19 == 0
    frame_bytes = 14 + 4 * tagged + np.where(ipv6, 40, 20) + TCP_HEADER + event["length"]
    slab = Slab(16 + frame_bytes)
    at = slab.begin
    slab.put(at, event["time_ns"] // 10**9, 4, "little")
    slab.put(at + 4, event["time_ns"] % 10**9, 4, "little")
    slab.put(at + 8, frame_bytes, 4, "little")
    slab.put(at + 12, frame_bytes, 4, "little")
    at = at + 16
    slab.put(at, 0x020202020202, 6)
    slab.put(at + 6, 0x040404040404, 6)
    at = at + 12
    slab.put(at[tagged], 0x8100000A, 4)
    at = at + 4 * tagged
    slab.put(at, np.where(ipv6, 0x86DD, 0x0800), 2)
    at = at + 2
    _put_ip(slab, at, event, ipv6)
    _put_tcp(slab, at + np.where(ipv6, 40, 20), event)
    out.write(slab.bytes.data)


def _put_ip(
    slab: Slab, at: NDArray[np.int64], event: dict[str, NDArray[np.int64]], ipv6: NDArray[np.bool_]
) -> None:
    client = 0x0A000001 + event["flow"] // 50
    server = 0x0A640001 + event["flow"] % 37
    source = np.where(event["side"] == 0, client, server)
    target = np.where(event["side"] == 0, server, client)
    old = ~ipv6
    four = at[old]
    slab.put(four, 0x4500, 2)
    slab.put(four + 2, (20 + TCP_HEADER + event["length"])[old], 2)
    slab.put(four + 4, np.arange(len(at))[old] & 0xFFFF, 2)
    slab.put(four + 6, 0x40004006, 4)
    slab.put(four + 10, 0, 2)
    slab.put(four + 12, source[old], 4)
    slab.put(four + 16, target[old], 4)
    six = at[ipv6]
    slab.put(six, 0x60000000, 4)
    slab.put(six + 4, (TCP_HEADER + event["length"])[ipv6], 2)
    slab.put(six + 6, 0x0640, 2)
    for offset, address in ((8, source), (24, target)):
        slab.put(six + offset, 0xFD00, 2)
        slab.put(six + offset + 2, 0, 6)
        slab.put(six + offset + 8, address[ipv6], 8)


def _put_tcp(slab: Slab, at: NDArray[np.int64], event: dict[str, NDArray[np.int64]]) -> None:
    port = 20000 + event["flow"]
    slab.put(at, np.where(event["side"] == 0, port, 443), 2)
    slab.put(at + 2, np.where(event["side"] == 0, 443, port), 2)
    slab.put(at + 4, event["seq"], 4)
    slab.put(at + 8, event["ack"], 4)
    slab.put(at + 12, 0x80, 1)
    slab.put(at + 13, event["flags"], 1)
    slab.put(at + 14, event["window"], 2)
    slab.put(at + 16, 0, 4)
    slab.put(at + 20, 0x0101080A, 4)
    stamp = event["time_ns"] // 10**6 & 0xFFFFFFFF
    slab.put(at + 24, stamp, 4)
    slab.put(at + 28, stamp, 4)


def generate(path: Path, *, segments: int, flows: int, payload: str, seed: int) -> None:
    """Write the capture; the name appears when it is complete."""
    unfinished = path.with_name(path.name + ".part")
    with unfinished.open("wb") as out:
        out.write(np.array([0xA1B23C4D, 0x00040002, 0, 0, 262144, 1], "<u4").tobytes())
        for slab in events_of(segments, flows, payload, seed):
            write_slab(out, slab)
    unfinished.rename(path)


def main() -> None:
    parser = argparse.ArgumentParser(description="write a capture for the benchmarks")
    parser.add_argument("out", type=Path)
    parser.add_argument("--segments", type=int, default=1_000_000)
    parser.add_argument("--flows", type=int, default=2000)
    parser.add_argument("--payload", choices=sorted(PAYLOADS), default="small")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    generate(
        options.out,
        segments=options.segments,
        flows=options.flows,
        payload=options.payload,
        seed=options.seed,
    )


if __name__ == "__main__":
    main()
