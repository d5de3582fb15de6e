"""How to talk netlink: attributes in and out, one atomic batch with the kernel's own words on failure, a dump.

Standard library only. One object is one socket, so an nf_tables table with the owner flag belongs to one object.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

NETLINK_ROUTE = 0
NETLINK_SOCK_DIAG = 4
NETLINK_NETFILTER = 12

NLM_F_REQUEST = 0x1
NLM_F_ACK = 0x4
NLM_F_DUMP = 0x300
NLM_F_EXCL = 0x200
NLM_F_CREATE = 0x400
NLM_F_APPEND = 0x800

_SOL_NETLINK = 270
_NETLINK_EXT_ACK = 11
_NLMSG_ERROR = 2
_NLMSG_DONE = 3
_NLM_F_CAPPED = 0x100
_NLM_F_ACK_TLVS = 0x200
_NLMSGERR_ATTR_MSG = 1
_NLA_F_NESTED = 0x8000
_NLA_TYPE = 0x3FFF
_HEADER = struct.Struct("=IHHII")
_RECEIVE_BYTES = 1 << 18
_PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True)
class Message:
    """One netlink message without its header (include/uapi/linux/netlink.h, struct nlmsghdr)."""

    type: int
    flags: int
    body: bytes


def attribute(kind: int, value: bytes) -> bytes:
    """One attribute (struct nlattr), padded to four bytes."""
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def nested(kind: int, *attributes: bytes) -> bytes:
    """An attribute whose value is attributes."""
    return attribute(kind | _NLA_F_NESTED, b"".join(attributes))


def text(kind: int, value: str) -> bytes:
    """An attribute whose value is a string, ended by a zero byte."""
    return attribute(kind, value.encode() + b"\0")


def be16(kind: int, value: int) -> bytes:
    """An attribute whose value is 16 bits in network order."""
    return attribute(kind, struct.pack("!H", value))


def be32(kind: int, value: int) -> bytes:
    """An attribute whose value is 32 bits in network order; negative values as two's complement."""
    return attribute(kind, struct.pack("!I", value & 0xFFFFFFFF))


def be64(kind: int, value: int) -> bytes:
    """An attribute whose value is 64 bits in network order."""
    return attribute(kind, struct.pack("!Q", value))


def attribute_list(body: bytes, start: int = 0) -> Iterator[tuple[int, bytes]]:
    """Yield (kind, value) of the attributes in `body[start:]`, as far as their lengths make sense."""
    while start + 4 <= len(body):
        length, kind = struct.unpack_from("=HH", body, start)
        if length < 4:
            return
        yield kind & _NLA_TYPE, body[start + 4 : start + length]
        start += (length + 3) & ~3


def attributes(body: bytes, start: int = 0) -> dict[int, bytes]:
    """The attributes in `body[start:]` by kind; of several of a kind, the last."""
    return dict(attribute_list(body, start))


class Netlink:
    """One netlink socket of the network namespace in which it is made; `socket` is for its options.

    Raises OSError, with the kernel's error number and its words (strerror, and the ext-ack text where there is one).
    """

    def __init__(self, protocol: int) -> None:
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol)
        self.socket.setsockopt(_SOL_NETLINK, _NETLINK_EXT_ACK, 1)
        self.socket.settimeout(_PATIENCE_S)
        self.socket.bind((0, 0))
        self._sequence = 0

    def close(self) -> None:
        """Close the socket; what the kernel ties to it (an owned table) goes with it."""
        self.socket.close()

    def call(self, *messages: Message) -> None:
        """Send the messages in one datagram and wait until the kernel has answered those with NLM_F_ACK."""
        first, unanswered = self._sequence + 1, set()
        datagram = b""
        for message in messages:
            datagram += self._pack(message)
            if message.flags & NLM_F_ACK:
                unanswered.add(self._sequence)
        self.socket.send(datagram)
        while unanswered:
            for kind, flags, sequence, body in self._receive():
                # A batch refused as a whole is refused at its first message, which asked for no answer.
                if kind == _NLMSG_ERROR and sequence >= first:
                    unanswered.discard(sequence)
                    _raise_refusal(body, flags)

    def dump(self, kind: int, body: bytes, flags: int = NLM_F_DUMP) -> Iterator[tuple[int, bytes]]:
        """Ask for a dump and yield (message type, body) of each answer; with NLM_F_ACK as `flags`, for one thing."""
        self.socket.send(self._pack(Message(kind, NLM_F_REQUEST | flags, body)))
        asked = self._sequence
        while True:
            for answer, flags, sequence, answer_body in self._receive():
                if sequence != asked:
                    continue
                if answer in (_NLMSG_DONE, _NLMSG_ERROR):
                    _raise_refusal(answer_body, flags if answer == _NLMSG_ERROR else 0)
                    return
                yield answer, answer_body

    def _pack(self, message: Message) -> bytes:
        self._sequence += 1
        length = _HEADER.size + len(message.body)
        header = _HEADER.pack(length, message.type, message.flags | NLM_F_REQUEST, self._sequence, 0)
        return header + message.body + bytes(-length % 4)

    def _receive(self) -> Iterator[tuple[int, int, int, bytes]]:
        datagram = self.socket.recv(_RECEIVE_BYTES)
        start = 0
        while start + _HEADER.size <= len(datagram):
            length, kind, flags, sequence, _ = _HEADER.unpack_from(datagram, start)
            if length < _HEADER.size:
                return
            yield kind, flags, sequence, datagram[start + _HEADER.size : start + length]
            start += (length + 3) & ~3


def _raise_refusal(body: bytes, flags: int) -> None:
    """Raise what an NLMSG_ERROR or NLMSG_DONE body says; zero is success (struct nlmsgerr)."""
    (error,) = struct.unpack_from("=i", body) if len(body) >= 4 else (0,)
    if not error:
        return
    words = os.strerror(-error)
    if flags & _NLM_F_ACK_TLVS:
        (request,) = struct.unpack_from("=I", body, 4)
        after_request = 4 + (_HEADER.size if flags & _NLM_F_CAPPED else (request + 3) & ~3)
        said = (
            attributes(body, after_request)
            .get(_NLMSGERR_ATTR_MSG, b"")
            .rstrip(b"\0")
            .decode(errors="replace")
        )
        words += f": {said}" if said else ""
    raise OSError(-error, words)
