"""The fault log: the segments that rules of ours ate, as the kernel told of each just before it was gone.

The agent opens and configures the socket and the rules write into it; this reads what comes (nfnetlink_log,
include/uapi/linux/netfilter/nfnetlink_log.h). Records of one layout are read together: a flood has one layout.
"""

from __future__ import annotations

import contextlib
import re
import select
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tcpladder.wire.frames import LINKTYPE_RAW, PADDING, FrameBatch

_OURS = re.compile(rb"tcpladder (\d{1,9})")
"""The prefix of each record, with the number of the fault."""
_MESSAGE_HEADER = 16
_BODY = 4
"""struct nfgenmsg, before the attributes."""
_PACKET = 4 << 8
"""NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET."""
_HEADER_ATTRIBUTE, _TIME, _PAYLOAD, _PREFIX, _SEQUENCE = 1, 3, 9, 10, 12
_NETDEV = 5
"""NFPROTO_NETDEV, whose hooks are counted by themselves."""
_FIRST_OUTGOING = 3
"""NF_INET_LOCAL_OUT, and behind it POST_ROUTING; of NFPROTO_NETDEV, egress is 1."""
_NETDEV_EGRESS = 1
_ETHERNET_BYTES = 14
_MOST_BYTES = 4 << 20
_ONE_DATAGRAM = 1 << 16
_ALIGNMENT = 4
_word, _record = struct.Struct("=HH").unpack_from, struct.Struct("=IH").unpack_from


@dataclass(frozen=True, slots=True, kw_only=True)
class Eaten:
    """n segments that were eaten, in the order in which the kernel told of them; every array is (n,)."""

    frames: FrameBatch
    """As much of each datagram as the log has, from its IP header on. `position` and `first_frame` mean nothing."""
    rule: NDArray[np.int64]
    """The number of the fault."""
    before_tap: NDArray[np.bool_]
    """Whether it was on its way out of this host, so that a capture there cannot have it."""
    sequence: NDArray[np.int64]
    """The kernel's count of the records of this log; a gap is records that found no room."""


class FaultLog:
    """Reads the descriptor of FaultLogOpened, which it takes over."""

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)
        self._socket.setblocking(False)
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)
        self._buffer = bytearray(_MOST_BYTES + _ONE_DATAGRAM)
        self._next = 0
        self._began = False
        self.lost = 0
        """Records that found no room in the socket's buffer."""

    def wait(self, timeout_s: float) -> bool:
        """Wait until there is something to read; False after `timeout_s` without anything."""
        return bool(self._poll.poll(round(timeout_s * 1000)))

    def read(self, now_ns: int) -> Eaten | None:
        """What has come, without waiting; None for nothing. A record without a time of its own came at now_ns."""
        view, used, starts = memoryview(self._buffer), 0, []
        with contextlib.suppress(OSError):  # nothing more, or the socket overran: the sequence tells
            while used < _MOST_BYTES:
                size = self._socket.recv_into(view[used:])
                starts.append((used, used + size))
                used += -(-size // _ALIGNMENT) * _ALIGNMENT
        eaten = parse(np.frombuffer(bytes(view[:used]) + bytes(PADDING), np.uint8), starts, now_ns)
        if eaten is not None:
            self._count(eaten.sequence)
        return eaten

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _count(self, sequence: NDArray[np.int64]) -> None:
        """Look for gaps; the count is of 32 bits."""
        expected = np.concatenate([[self._next if self._began else sequence[0]], sequence[:-1] + 1])
        self.lost += int(((sequence - expected) % (1 << 32)).sum())
        self._next, self._began = int(sequence[-1]) + 1, True


def parse(data: NDArray[np.uint8], datagrams: Sequence[tuple[int, int]], now_ns: int) -> Eaten | None:
    """The records in `data`, which has PADDING bytes behind the last; `datagrams`: (begin, end) of each.

    What is no record of ours is passed over, whatever it holds.
    """
    records = np.array(_bodies(data, datagrams), np.int64).reshape(-1, 2)
    parts = []
    while len(records):
        layout = _attributes(data, int(records[0, 0]), int(records[0, 1]))
        alike = _alike(data, records, layout)
        alike[0] = True
        if {_HEADER_ATTRIBUTE, _PAYLOAD, _PREFIX} <= layout.keys():
            parts.append(_read(data, records[alike, 0], layout, now_ns))
        records = records[~alike]
    found = np.concatenate(parts, axis=1) if parts else np.zeros((7, 0), np.int64)
    found = found[:, found[0] > 0]
    if not found.shape[1]:
        return None
    rule, before_tap, sequence, time_ns, start, captured, original = found[:, np.argsort(found[4])]
    frames = len(rule)
    return Eaten(
        frames=FrameBatch(
            data=data,
            start=start,
            captured=captured,
            original=original,
            time_ns=time_ns,
            position=start,
            link_type=np.full(frames, LINKTYPE_RAW, np.uint16),
            interface=np.zeros(frames, np.uint16),
            first_frame=1,
        ),
        rule=rule,
        before_tap=before_tap.astype(np.bool_),
        sequence=sequence,
    )


def _bodies(data: NDArray[np.uint8], datagrams: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """(begin, end) of the body of every record; several stand in a datagram where the kernel gathers them."""
    found, whole = [], data.data
    for at, end in datagrams:
        while at + _MESSAGE_HEADER + _BODY <= end:
            size, kind = _record(whole, at)
            if size < _MESSAGE_HEADER + _BODY or at + size > end:
                break
            if kind == _PACKET:
                found.append((at + _MESSAGE_HEADER, at + size))
            at += -(-size // _ALIGNMENT) * _ALIGNMENT
    return found


def _attributes(data: NDArray[np.uint8], begin: int, end: int) -> dict[int, tuple[int, int]]:
    """Kind -> (offset of the value from `begin`, bytes of it), of one record."""
    found, at = {}, begin + _BODY
    while at + 4 <= end:
        size, kind = _word(data.data, at)
        if size < 4 or at + size > end:
            break
        found[kind & 0x7FFF] = at + 4 - begin, size - 4
        at += -(-size // _ALIGNMENT) * _ALIGNMENT
    return found


def _alike(
    data: NDArray[np.uint8], records: NDArray[np.int64], layout: dict[int, tuple[int, int]]
) -> NDArray[np.bool_]:
    """Which records have the family and the very attributes of the first."""
    begin, first = records[:, 0], int(records[0, 0])
    size = records[:, 1] - begin
    alike: NDArray[np.bool_] = (size == size[0]) & (data[begin] == data[first])
    words = data[: len(data) // 4 * 4].view(np.uint32)
    # Netlink aligns what it holds to four bytes, and so do the datagrams in the buffer.
    for offset, _ in layout.values():
        place = begin[alike] + offset - 4
        alike[alike] = words[place // 4] == words[(first + offset - 4) // 4]
    return alike


def _read(
    data: NDArray[np.uint8], begin: NDArray[np.int64], layout: dict[int, tuple[int, int]], now_ns: int
) -> NDArray[np.int64]:
    """(7, n): rule (0 for none), before_tap, sequence, time_ns, start, captured, original of records alike."""
    hook = data[begin + layout[_HEADER_ATTRIBUTE][0] + 2].astype(np.int64)
    first_outgoing = _NETDEV_EGRESS if data[begin[0]] == _NETDEV else _FIRST_OUTGOING
    start, captured = begin + layout[_PAYLOAD][0], np.full(len(begin), layout[_PAYLOAD][1], np.int64)
    head = _bytes(data, start, _ETHERNET_BYTES + 1)
    ethernet = (head[:, _ETHERNET_BYTES] >> 4 == 4) & (head[:, 12] == 0x08) & (head[:, 13] == 0)
    ethernet |= (head[:, _ETHERNET_BYTES] >> 4 == 6) & (head[:, 12] == 0x86) & (head[:, 13] == 0xDD)
    ethernet &= data[begin[0]] == _NETDEV
    start, captured = start + ethernet * _ETHERNET_BYTES, captured - ethernet * _ETHERNET_BYTES
    sequence = np.zeros(len(begin), np.int64)
    if _SEQUENCE in layout:
        sequence = _number(data, begin + layout[_SEQUENCE][0], 4)
    time_ns = np.full(len(begin), now_ns, np.int64)
    if layout.get(_TIME, (0, 0))[1] == 16:
        at = begin + layout[_TIME][0]
        time_ns = _number(data, at, 8) * 1_000_000_000 + _number(data, at + 8, 8) * 1_000
    rule = _rules(_bytes(data, begin + layout[_PREFIX][0], layout[_PREFIX][1]))
    original = np.maximum(captured, _datagram_bytes(data, start))
    return np.stack([rule, hook >= first_outgoing, sequence, time_ns, start, captured, original])


def _bytes(data: NDArray[np.uint8], at: NDArray[np.int64], count: int) -> NDArray[np.uint8]:
    """(n, count) the bytes from each place on."""
    found: NDArray[np.uint8] = data[at[:, None] + np.arange(count)]
    return found


def _number(data: NDArray[np.uint8], at: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """(n,) the numbers of `count` bytes in network order."""
    return _bytes(data, at, count).view(f">u{count}").reshape(-1).astype(np.int64)


def _rules(prefixes: NDArray[np.uint8]) -> NDArray[np.int64]:
    """(n,) the number of the fault in each prefix, 0 where it is not one of ours."""
    texts, which = np.unique(prefixes, axis=0, return_inverse=True)
    numbers = [_OURS.fullmatch(text.tobytes().rstrip(b"\0")) for text in texts]
    return np.array([int(found[1]) if found else 0 for found in numbers], np.int64)[which.reshape(-1)]


def _datagram_bytes(data: NDArray[np.uint8], ip: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n,) bytes of the whole datagram, as its IP header says: the log has only the beginning of a long one."""
    is_v6 = data[ip] >> 4 == 6
    return np.where(is_v6, 40 + _number(data, ip + 4, 2), _number(data, ip + 2, 2))
