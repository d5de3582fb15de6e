"""Conversations as tests write them, turned into real frames: `Talk().handshake().silence(75).keepalive()`.

Numbers are relative as on a ladder: a SYN has 0, the first byte of data 1. What a side says advances what it says next,
and what its peer acknowledges, unless the segment is `lost` behind the capture point or was `unseen` by the capture.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np

from tcpladder.analysis.capture import CaptureAnalysis
from tcpladder.analysis.kinds import KINDS, Kind
from tcpladder.wire.frames import LINKTYPE_ETHERNET, PADDING, FrameBatch
from tcpladder.wire.segments import Flag

By = Literal["client", "server"]
SALT = bytes(range(1, 65))
START_NS = 1_760_000_000_000_000_000
SECOND_NS = 1_000_000_000
STEP_NS = 50_000
"""Between two segments where the test says nothing else."""
ACK, SYN, FIN, RST, PSH = Flag.ACK, Flag.SYN, Flag.FIN, Flag.RST, Flag.PSH
MAC = b"\2\0\0\0\0\1\2\0\0\0\0\2"


@dataclass(frozen=True)
class Frame:
    """One captured frame."""

    time_ns: int
    data: bytes
    original: int
    link_type: int = LINKTYPE_ETHERNET

    def cut(self, captured: int) -> Frame:
        """The same frame under a snap length."""
        return replace(self, data=self.data[:captured])


def frame(data: bytes, *, time_ns: int = START_NS, link_type: int = LINKTYPE_ETHERNET) -> Frame:
    """A frame captured whole."""
    return Frame(time_ns, data, len(data), link_type)


# ---- headers, as the RFCs draw them -------------------------------------------------------------------------------


def tcp(
    source: int = 1,
    destination: int = 2,
    *,
    seq: int = 0,
    ack: int = 0,
    flags: int = ACK,
    window: int = 512,
    options: bytes = b"",
    payload: bytes = b"",
    offset: int | None = None,
) -> bytes:
    """A TCP header (RFC 9293 3.1) and its payload; `options` are padded to words."""
    options += bytes(-len(options) % 4)
    words = 5 + len(options) // 4 if offset is None else offset
    head = struct.pack(
        ">HHIIHHHH", source, destination, seq % 2**32, ack % 2**32, words << 12 | flags, window, 0, 0
    )
    return head + options + payload


def ipv4(
    payload: bytes,
    source: str = "10.0.0.1",
    destination: str = "10.0.0.2",
    *,
    protocol: int = 6,
    options: bytes = b"",
    total: int | None = None,
    ident: int = 7,
    fragment: int = 0,
    version: int = 4,
    ttl: int = 64,
) -> bytes:
    """An IPv4 datagram with its real checksum (RFC 791 3.1). `fragment`: flags and offset field as on the wire."""
    words = 5 + len(options) // 4
    total = words * 4 + len(payload) if total is None else total
    addresses = ipaddress.IPv4Address(source).packed + ipaddress.IPv4Address(destination).packed
    head = struct.pack(">BBHHHBBH", version << 4 | words, 0, total, ident, fragment, ttl, protocol, 0)
    head += addresses + options
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + payload


def ipv6(
    payload: bytes,
    source: str = "fd00::1",
    destination: str = "fd00::2",
    *,
    following: int = 6,
    length: int | None = None,
) -> bytes:
    """An IPv6 packet (RFC 8200 3); `following` is its next header field."""
    length = len(payload) if length is None else length
    head = struct.pack(">IHBB", 6 << 28, length, following, 64)
    return head + ipaddress.IPv6Address(source).packed + ipaddress.IPv6Address(destination).packed + payload


def ethernet(payload: bytes, ethertype: int | None = None) -> bytes:
    """An Ethernet II frame; without an ethertype, that of the IP version."""
    if ethertype is None:
        ethertype = 0x86DD if payload[0] >> 4 == 6 else 0x0800
    return MAC + struct.pack(">H", ethertype) + payload


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def mss(value: int = 1460) -> bytes:
    return struct.pack(">BBH", 2, 4, value)


def window_scale(shift: int) -> bytes:
    return bytes([1, 3, 3, shift])


def timestamps(value: int, echo: int) -> bytes:
    """NOP NOP timestamps, as every stack puts them (RFC 7323 appendix A)."""
    return struct.pack(">BBBBII", 1, 1, 8, 10, value % 2**32, echo % 2**32)


def sack(*blocks: tuple[int, int]) -> bytes:
    """NOP NOP SACK (RFC 2018 3)."""
    edges = [edge % 2**32 for block in blocks for edge in block]
    return bytes([1, 1, 5, 2 + 4 * len(edges)]) + struct.pack(f">{len(edges)}I", *edges)


# ---- batches and files --------------------------------------------------------------------------------------------


def batch(frames: Sequence[Frame], first_frame: int = 1) -> FrameBatch:
    """The frames as a source yields them."""
    return FrameBatch(
        data=np.frombuffer(b"".join(f.data for f in frames) + bytes(PADDING), np.uint8),
        start=np.array([0, *np.cumsum([len(f.data) for f in frames])[:-1]], np.int64)[: len(frames)],
        captured=np.array([len(f.data) for f in frames], np.int64),
        original=np.array([f.original for f in frames], np.int64),
        time_ns=np.array([f.time_ns for f in frames], np.int64),
        position=np.arange(len(frames), dtype=np.int64) + first_frame,
        link_type=np.array([f.link_type for f in frames], np.uint16),
        interface=np.zeros(len(frames), np.uint16),
        first_frame=first_frame,
    )


def batches(frames: Sequence[Frame], cuts: Iterable[int] = ()) -> Iterator[FrameBatch]:
    """The frames in pieces, cut before each of the indices `cuts`."""
    ends = sorted({0, len(frames), *(cut for cut in cuts if 0 < cut < len(frames))})
    for begin, end in pairwise(ends):
        yield batch(frames[begin:end], begin + 1)


def write_pcap(path: Path, frames: Iterable[Frame], link_type: int = LINKTYPE_ETHERNET) -> Path:
    """A nanosecond pcap."""
    out = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, link_type)
    for f in frames:
        out += struct.pack("<IIII", *divmod(f.time_ns, SECOND_NS), len(f.data), f.original) + f.data
    path.write_bytes(out)
    return path


def analysed(
    frames: Sequence[Frame],
    cuts: Iterable[int] = (),
    *,
    keep_segments: bool = True,
    columns: Collection[str] | None = None,
) -> CaptureAnalysis:
    """The findings about the frames, read in pieces."""
    capture = CaptureAnalysis(SALT, keep_segments=keep_segments, columns=columns)
    for piece in batches(frames, cuts):
        capture.feed(piece)
    return capture


def kinds(frames: Sequence[Frame] | Talk, cuts: Iterable[int] = ()) -> list[str]:
    """The word of each segment's kind, in file order; copies of a frame are left out."""
    capture = analysed(frames.frames if isinstance(frames, Talk) else frames, cuts)
    found = {}
    for number in range(1, capture.flows + 1):
        view = capture.view(number)
        found |= {view.frame(index): Kind(kind) for index, kind in enumerate(view.kind.tolist())}
    return [KINDS[kind].word for _, kind in sorted(found.items())]


# ---- conversations ------------------------------------------------------------------------------------------------


@dataclass
class Side:
    """What one end knows."""

    address: str
    port: int
    isn: int
    next: int = 0
    """Relative number that it sends next."""
    expects: int = 0
    """Relative number that it acknowledges."""
    window: int = 501
    echo: int = 0
    """TSval of its peer that it echoes."""


@dataclass
class Talk:
    """One conversation; every method says something and returns the talk."""

    client_isn: int = 1000
    server_isn: int = 5_000_000
    v6: bool = False
    client_port: int = 40000
    server_port: int = 80
    shift: int | None = 7
    """Window scale that both SYNs offer, None for none."""
    permits_sack: bool = False
    """Whether both SYNs permit SACK (RFC 2018 2), without which Linux sends no tail loss probe."""
    stamps: bool = True
    """Whether segments carry timestamps."""
    now_ns: int = START_NS
    frames: list[Frame] = field(default_factory=list)
    datagrams: int = 0
    sides: dict[By, Side] = field(init=False)

    def __post_init__(self) -> None:
        ends = ("fd00::1", "fd00::2") if self.v6 else ("10.0.0.1", "10.0.0.2")
        self.sides = {
            "client": Side(ends[0], self.client_port, self.client_isn),
            "server": Side(ends[1], self.server_port, self.server_isn),
        }

    def say(
        self,
        by: By = "client",
        flags: int = ACK,
        length: int = 0,
        *,
        seq: int | None = None,
        ack: int | None = None,
        window: int | None = None,
        options: bytes = b"",
        echo: int | None = None,
        ttl: int = 64,
        after_ns: int = STEP_NS,
        lost: bool = False,
        unseen: bool = False,
    ) -> Talk:
        """One segment. Numbers that are not given follow from what was said before."""
        side, peer = self.sides[by], self.sides[other(by)]
        begin = side.next if seq is None else seq
        self.now_ns += after_ns
        if window is not None:
            side.window = window
        if self.stamps:
            stamp = self.now_ns // 1_000_000
            options += timestamps(stamp, side.echo if echo is None else echo)
        segment = tcp(
            side.port,
            peer.port,
            seq=side.isn + begin,
            ack=peer.isn + (side.expects if ack is None else ack) if flags & ACK else 0,
            flags=flags,
            window=side.window,
            options=options,
            payload=b"x" * length,
        )
        end = begin + length + bool(flags & SYN) + bool(flags & FIN)
        side.next = max(side.next, end)
        if not unseen:
            ends = side.address, peer.address
            packet = ipv6(segment, *ends) if self.v6 else ipv4(segment, *ends, ident=self._ident(), ttl=ttl)
            self.frames.append(frame(ethernet(packet), time_ns=self.now_ns))
        if not lost:
            if begin <= peer.expects:
                peer.expects = max(peer.expects, end)
            if self.stamps:
                peer.echo = self.now_ns // 1_000_000
        return self

    def syn(self, by: By = "client", **how: int) -> Talk:
        return self.say(by, SYN, options=self._syn_options(), seq=0, window=64240, **how)

    def syn_ack(self, by: By = "server", **how: int) -> Talk:
        return self.say(by, SYN | ACK, options=self._syn_options(), seq=0, window=65160, **how)

    def _syn_options(self) -> bytes:
        return (
            mss()
            + (b"\4\2" if self.permits_sack else b"")
            + (b"" if self.shift is None else window_scale(self.shift))
        )

    def ack(self, by: By = "client", **how: int) -> Talk:
        """An ACK without data; the window is the side's usual one."""
        how.setdefault("window", 501 if self.sides[by].window > 60000 else self.sides[by].window)
        return self.say(by, ACK, **how)

    def data(self, length: int = 100, by: By = "client", **how: int) -> Talk:
        how.setdefault("window", 501 if self.sides[by].window > 60000 else self.sides[by].window)
        return self.say(by, PSH | ACK, length, **how)

    def fin(self, by: By = "client", **how: int) -> Talk:
        return self.say(by, FIN | ACK, **how)

    def rst(self, by: By = "client", flags: int = RST | ACK, **how: int) -> Talk:
        return self.say(by, flags, **how)

    def handshake(self) -> Talk:
        return self.syn().syn_ack().ack()

    def established(self) -> Talk:
        """Open without the handshake: a capture that begins in the middle."""
        for side in self.sides.values():
            side.next = side.expects = 1
        return self

    def keepalive(self, by: By = "client", length: int = 0, **how: int) -> Talk:
        """A probe: one below the next number, with one garbage byte on some stacks."""
        return self.say(by, ACK, length, seq=self.sides[by].next - 1, **how)

    def silence(self, seconds: float) -> Talk:
        self.now_ns += round(seconds * SECOND_NS)
        return self

    def again(self, index: int = -1, after_ns: int = STEP_NS, *, doubled: bool = False) -> Talk:
        """Frame `index` once more: sent again, or with `doubled` the same datagram twice."""
        self.now_ns += after_ns
        data = self.frames[index].data
        if not doubled and data[12:14] == b"\x08\0":
            header = bytearray(data[14:34])
            header[4:6], header[10:12] = self._ident().to_bytes(2), b"\0\0"
            header[10:12] = checksum(bytes(header)).to_bytes(2)
            data = data[:14] + bytes(header) + data[34:]
        self.frames.append(replace(self.frames[index], data=data, time_ns=self.now_ns))
        return self

    def _ident(self) -> int:
        """Every datagram has an identification of its own."""
        self.datagrams += 1
        return self.datagrams & 0xFFFF

    def swap(self) -> Talk:
        """The last two frames overtook each other."""
        before, last = self.frames[-2:]
        self.frames[-2:] = [replace(last, time_ns=before.time_ns), replace(before, time_ns=last.time_ns)]
        return self

    def icmp(self, about: int = -1, *, kind: int = 3, code: int = 3, after_ns: int = STEP_NS) -> Talk:
        """An ICMP error that quotes the IPv4 frame `about`, sent by a router."""
        self.now_ns += after_ns
        quoted = self.frames[about].data[14:][:28]
        source = ipaddress.IPv4Address(quoted[12:16])
        message = ipv4(struct.pack(">BBHI", kind, code, 0, 0) + quoted, "10.0.0.254", str(source), protocol=1)
        self.frames.append(frame(ethernet(message), time_ns=self.now_ns))
        return self

    def reuse(self, *, client_isn: int, server_isn: int) -> Talk:
        """The same four numbers again for another connection: its initial sequence numbers."""
        for side, isn in zip(self.sides.values(), (client_isn, server_isn), strict=True):
            side.isn, side.next, side.expects, side.window = isn, 0, 0, 501
        return self


def other(by: By) -> By:
    return "server" if by == "client" else "client"
