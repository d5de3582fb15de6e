"""Builds captures byte by byte, as the format drafts draw them, so that the readers are tested against the drafts."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from tcpladder.sources.files import open_capture
from tcpladder.wire.frames import PADDING


@dataclass(frozen=True)
class Frame:
    """What one frame must come out as."""

    data: bytes
    time_ns: int
    original: int
    link_type: int = 1
    interface: int = 0


def pcap(
    frames: list[Frame], *, order: str = "<", unit_ns: int = 1, network: int = 1, snap: int = 262144
) -> bytes:
    magic = {1: 0xA1B23C4D, 1000: 0xA1B2C3D4}[unit_ns]
    out = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snap, network)
    for frame in frames:
        seconds, rest = divmod(frame.time_ns, 10**9)
        out += (
            struct.pack(order + "4I", seconds, rest // unit_ns, len(frame.data), frame.original) + frame.data
        )
    return out


def block(order: str, block_type: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    length = len(body) + 12
    return struct.pack(order + "II", block_type, length) + body + struct.pack(order + "I", length)


def option(order: str, code: int, value: bytes) -> bytes:
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def section(order: str = "<", options: bytes = b"") -> bytes:
    return block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1) + options)


def interface(
    order: str = "<",
    *,
    link_type: int = 1,
    snap: int = 0,
    resolution: int | None = None,
    offset_s: int | None = None,
) -> bytes:
    options = option(order, 2, b"eth0")
    if resolution is not None:
        options += option(order, 9, bytes([resolution]))
    if offset_s is not None:
        options += option(order, 14, struct.pack(order + "q", offset_s))
    return block(order, 1, struct.pack(order + "HHI", link_type, 0, snap) + options + option(order, 0, b""))


def enhanced(
    data: bytes,
    ticks: int,
    *,
    order: str = "<",
    interface: int = 0,
    original: int | None = None,
    options: bytes = b"",
) -> bytes:
    head = struct.pack(
        order + "5I", interface, ticks >> 32, ticks & 0xFFFFFFFF, len(data), original or len(data)
    )
    return block(order, 6, head + data + bytes(-len(data) % 4) + options)


def obsolete(data: bytes, ticks: int, *, order: str = "<", interface: int = 0) -> bytes:
    head = struct.pack(order + "HH4I", interface, 7, ticks >> 32, ticks & 0xFFFFFFFF, len(data), len(data))
    return block(order, 2, head + data)


def simple(data: bytes, *, order: str = "<", original: int | None = None) -> bytes:
    return block(order, 3, struct.pack(order + "I", original or len(data)) + data)


def read(path: object, chunk_bytes: int = 1 << 20) -> tuple[list[Frame], list[str]]:
    """All frames and warnings of a file. Checks on the way what every batch promises."""
    capture = open_capture(str(path), chunk_bytes=chunk_bytes)
    frames: list[Frame] = []
    for batch in capture.batches():
        assert len(batch) > 0
        assert batch.first_frame == len(frames) + 1
        assert int(batch.start.max()) + PADDING <= len(batch.data)
        for index in range(len(batch)):
            start, size = int(batch.start[index]), int(batch.captured[index])
            data = batch.data[start : start + size].tobytes()
            assert capture.frame_bytes(int(batch.position[index]), size) == data
            frames.append(
                Frame(
                    data,
                    int(batch.time_ns[index]),
                    int(batch.original[index]),
                    int(batch.link_type[index]),
                    int(batch.interface[index]),
                )
            )
    assert capture.progress().read_bytes <= (capture.progress().total_bytes or 0)
    capture.close()
    return frames, capture.warnings
