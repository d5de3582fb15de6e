"""The two nf_tables tables of one agent, which the kernel removes with the socket that made them.

`inet tcpladder-PID` for what arrives, passes and is refused on the way out; `netdev tcpladder-PID` for what leaves.
They are there only while a fault is. Nobody else can change them, and nobody else's table is touched.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import struct
from dataclasses import dataclass

from tcpladder.agent import nftables
from tcpladder.agent.netlink import NETLINK_NETFILTER, Message, Netlink, attribute_list, attributes, text
from tcpladder.faults.rules import Family, Table

_RULE_CHAIN, _RULE_EXPRESSIONS = 2, 4
_ELEMENTS, _ELEMENT_EXPIRATION = 3, 5


@dataclass(frozen=True, slots=True)
class Eaten:
    """What a fault's rules have eaten, by the kernel's counters."""

    packets: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Remaining:
    """Whether the rules of a fault still match, and for how long; None for ever."""

    matches: bool
    left_ms: int | None


class FaultTables:
    """The tables, made with the first fault in force and gone with the last. Raises OSError with the kernel's words."""

    def __init__(self) -> None:
        self.name = f"tcpladder-{os.getpid()}"
        self._netlink: Netlink | None = None
        self._families: set[Family] = set()
        self._numbers: set[int] = set()

    def add(self, tables: tuple[Table, ...], group: int | None) -> None:
        """Put one fault in force in one transaction; it logs to NFLOG `group`."""
        first = self._netlink is None
        self._netlink = self._netlink or Netlink(NETLINK_NETFILTER)
        messages: list[Message] = []
        for table in tables:
            if table.family not in self._families:
                messages.append(nftables.new_table(table.family, self.name))
            messages += nftables.add(table, self.name, group, prefix(table.number))
        try:
            self._netlink.call(*nftables.batch(*messages))
        except OSError:
            if first:
                self.close()
            raise
        self._families |= {table.family for table in tables}
        self._numbers |= {table.number for table in tables}

    def remove(self, tables: tuple[Table, ...]) -> None:
        """Take one fault out; with the last one, the tables."""
        messages = [message for table in tables for message in nftables.remove(table, self.name)]
        try:
            self._socket().call(*nftables.batch(*messages))
        except FileNotFoundError:
            self._remove_what_is_there(messages)
        self._numbers -= {table.number for table in tables}
        if not self._numbers:
            self.close()

    def extend(self, tables: tuple[Table, ...]) -> None:
        """Let the rules of one fault match for the time that `tables` say, from now."""
        messages = [message for table in tables for message in nftables.extend(table, self.name)]
        self._socket().call(*nftables.batch(*messages))

    def eaten(self, tables: tuple[Table, ...]) -> Eaten:
        """What one fault has eaten so far; what left counts its link header too."""
        packets = size = 0
        for table in tables:
            more = self._counted(table)
            packets, size = packets + more.packets, size + more.bytes
        return Eaten(packets, size)

    def remaining(self, tables: tuple[Table, ...]) -> Remaining:
        """How long the rules of one fault still match, by the kernel's clock."""
        asked = nftables.family_header(nftables.FAMILIES[tables[0].family])
        asked += text(1, self.name) + text(2, tables[0].alive)
        for _, body in self._socket().dump(nftables.GETSETELEM, asked):
            for _, element in attribute_list(attributes(body, 4).get(_ELEMENTS, b"")):
                expiration = attributes(element).get(_ELEMENT_EXPIRATION)
                left = None if expiration is None else int.from_bytes(expiration)
                return Remaining(matches=True, left_ms=left)
        return Remaining(matches=False, left_ms=None)

    def close(self) -> None:
        """Take everything away: the kernel removes the tables with their owner's socket."""
        if self._netlink:
            self._netlink.close()
        self._netlink = None
        self._families.clear()
        self._numbers.clear()

    def _remove_what_is_there(self, messages: list[Message]) -> None:
        """Older kernels take a chain away together with the last interface that it was for."""
        for message in messages:
            with contextlib.suppress(FileNotFoundError):
                self._socket().call(*nftables.batch(message))

    def _socket(self) -> Netlink:
        if self._netlink is None:
            raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
        return self._netlink

    def _counted(self, table: Table) -> Eaten:
        asked = nftables.family_header(nftables.FAMILIES[table.family])
        asked += text(1, self.name) + text(2, table.eaten)
        for _, body in self._socket().dump(nftables.GETRULE, asked):
            found = attributes(body, 4)
            if found[_RULE_CHAIN] == table.eaten.encode() + b"\0":
                return _counter(found[_RULE_EXPRESSIONS])
        return Eaten(0, 0)


@functools.cache
def has_egress() -> bool:
    """Whether this kernel has netdev egress hooks (5.16), by a transaction whose last step fails on purpose."""
    name = f"tcpladder-{os.getpid()}-probe"
    netlink = Netlink(NETLINK_NETFILTER)
    try:
        netlink.call(*nftables.batch(*nftables.probe_egress(name)))
    except OSError as refused:
        return refused.errno == errno.ENOENT
    finally:
        netlink.close()
    return False


def prefix(number: int) -> str:
    """What an NFLOG record of fault `number` begins with."""
    return f"tcpladder {number}"


def _counter(expressions: bytes) -> Eaten:
    """The numbers of the counter among a dumped rule's expressions."""
    for _, body in attribute_list(expressions):
        found = attributes(body)
        if found.get(1) == b"counter\0":
            numbers = attributes(found[2])
            (size,), (packets,) = struct.unpack("!Q", numbers[1]), struct.unpack("!Q", numbers[2])
            return Eaten(packets, size)
    return Eaten(0, 0)
