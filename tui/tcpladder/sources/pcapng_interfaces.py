"""The interfaces of a pcapng file: what their description blocks say, and how their ticks become nanoseconds."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tcpladder.sources.pcap import link_type_of
from tcpladder.wire.frames import TIME_LIMIT_NS, UNKNOWN_TIME_NS

_OPT_END = 0
_IF_NAME = 2
_IF_TSRESOL = 9
_IF_TSOFFSET = 14
_MICROSECONDS = 6
"""The value of if_tsresol where the option is absent."""
_INT64_MAX = int(np.iinfo(np.int64).max)
_BINARY_EXACT = 34
"""Up to 2^-34 s, a fraction times 10^9 fits 64 bits."""


@dataclass(slots=True)
class Interfaces:
    """The interfaces described so far in one section, and how many the sections before had."""

    before: int = 0
    link_type: list[int] = field(default_factory=list)
    snap_length: list[int] = field(default_factory=list)
    resolution: list[int] = field(default_factory=list)
    """if_tsresol as it stands in the file: 10^-n, or 2^-n where the top bit is set."""
    offset_s: list[int] = field(default_factory=list)
    """if_tsoffset: seconds to add."""
    name: list[str] = field(default_factory=list)
    """if_name, or `number N` where the file does not say."""

    def __len__(self) -> int:
        return len(self.link_type)

    def next_section(self) -> Interfaces:
        """Interfaces are counted from 0 in each section; `before` keeps their numbers apart in the file."""
        return Interfaces(before=self.before + len(self))

    def add(self, body: bytes, byte_order: str) -> None:
        """Take in the body of an interface description block (type 1); options that are cut off are ignored."""
        link_type, _, snap_length = struct.unpack_from(byte_order + "HHI", body.ljust(8, b"\0"))
        resolution, offset_s, name = _MICROSECONDS, 0, f"number {self.before + len(self)}"
        for code, value in options(body, 8, byte_order):
            if code == _IF_TSRESOL and len(value) == 1:
                resolution = value[0]
            elif code == _IF_TSOFFSET and len(value) == 8:
                (offset_s,) = struct.unpack(byte_order + "q", value)
            elif code == _IF_NAME:
                name = value.decode("utf-8", "replace").rstrip("\0") or name
        self.link_type.append(link_type_of(link_type))
        self.snap_length.append(snap_length)
        self.resolution.append(resolution)
        self.offset_s.append(offset_s)
        self.name.append(name)

    def time_ns(self, ticks: NDArray[np.uint64], interface: NDArray[np.int64]) -> NDArray[np.int64]:
        """(n,) ticks of each frame's interface as ns since 1970; UNKNOWN_TIME_NS beyond the year 2116."""
        resolution = np.array(self.resolution, np.uint8)[interface]
        used = np.flatnonzero(np.bincount(resolution, minlength=256)).tolist()
        if len(used) == 1:
            time_ns = _to_ns(ticks, used[0])
        else:
            time_ns = np.empty(len(ticks), np.int64)
            for value in used:
                rows = np.flatnonzero(resolution == value)
                time_ns[rows] = _to_ns(ticks[rows], value)
        if any(self.offset_s):
            time_ns = _add_seconds(time_ns, np.array(self.offset_s, np.int64)[interface])
        return np.where(np.abs(time_ns) < TIME_LIMIT_NS, time_ns, UNKNOWN_TIME_NS)


def options(body: bytes, at: int, byte_order: str) -> Iterator[tuple[int, bytes]]:
    """The (code, value) pairs of the options from `at` on; stops at the end option and at one that is cut off."""
    while at + 4 <= len(body):
        code, length = struct.unpack_from(byte_order + "HH", body, at)
        value = body[at + 4 : at + 4 + length]
        if code == _OPT_END or len(value) < length:
            return
        yield code, value
        at += 4 + (length + 3 & ~3)


def _to_ns(ticks: NDArray[np.uint64], resolution: int) -> NDArray[np.int64]:
    """Ticks of 10^-n or 2^-n seconds as whole nanoseconds, rounded down, exact."""
    exponent = resolution & 0x7F
    if resolution & 0x80:
        return _binary_to_ns(ticks, exponent)
    if exponent > 9:
        divisor = 10 ** (exponent - 9)
        whole = ticks // np.uint64(divisor) if divisor < 2**64 else np.zeros_like(ticks)
        return _within(whole, _INT64_MAX)
    factor = 10 ** (9 - exponent)
    return _within(ticks, _INT64_MAX // factor, factor)


def _binary_to_ns(ticks: NDArray[np.uint64], exponent: int) -> NDArray[np.int64]:
    if exponent > _BINARY_EXACT:
        exact = [(tick * 10**9) >> exponent for tick in ticks.tolist()]
        return np.array([ns if ns <= _INT64_MAX else UNKNOWN_TIME_NS for ns in exact], np.int64)
    shift = np.uint64(exponent)
    seconds = ticks >> shift
    fraction = ticks & np.uint64((1 << exponent) - 1)
    whole = _within(seconds, _INT64_MAX // 10**9 - 1, 10**9)
    part = ((fraction * np.uint64(10**9)) >> shift).astype(np.int64)
    return np.where(whole == UNKNOWN_TIME_NS, UNKNOWN_TIME_NS, whole + part)


def _within(ticks: NDArray[np.uint64], limit: int, factor: int = 1) -> NDArray[np.int64]:
    """`ticks * factor`, and UNKNOWN_TIME_NS where ticks are above the limit and the product would not fit."""
    if len(ticks) and int(ticks.max()) > limit:
        inside = ticks <= np.uint64(limit)
        scaled = np.where(inside, ticks, np.uint64(0)).astype(np.int64) * factor
        return np.where(inside, scaled, UNKNOWN_TIME_NS)
    return ticks.astype(np.int64) * factor


def _add_seconds(time_ns: NDArray[np.int64], offset_s: NDArray[np.int64]) -> NDArray[np.int64]:
    fits = np.abs(offset_s // 2) < _INT64_MAX // 10**9 // 2
    offset_ns = np.where(fits, offset_s, 0) * 10**9
    moved = time_ns + offset_ns
    overflowed = (offset_ns > 0) & (moved < time_ns)
    return np.where((time_ns == UNKNOWN_TIME_NS) | ~fits | overflowed, UNKNOWN_TIME_NS, moved)
