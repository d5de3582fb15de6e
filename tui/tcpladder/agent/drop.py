"""How segments are dropped on the way in: one nf_tables table, owned by our socket, each rule with its own end.

The INPUT hook comes after the AF_PACKET tap, so a dropped segment was seen by the capture, and its sender's kernel
counts it as sent. The table has the owner flag: it is gone as soon as the socket is, however the process ends. A rule
matches only while its set still has its one element, which the kernel removes when its time is up.
"""

from __future__ import annotations

import ipaddress
import os
import struct
from dataclasses import dataclass

from tcpladder.agent.messages import DropLifted, Dropping, DropSegments, LiftDrop
from tcpladder.agent.netlink import (
    NETLINK_NETFILTER,
    NLM_F_ACK,
    NLM_F_APPEND,
    NLM_F_CREATE,
    Message,
    Netlink,
    attribute,
    attribute_list,
    attributes,
    be32,
    be64,
    nested,
    text,
)
from tcpladder.errors import InterfaceError, PermissionRefused, UsageError

# include/uapi/linux/netfilter/nf_tables.h: message types, hook, priority, registers, expression keys.
_NFPROTO_INET = 1
_SUBSYSTEM = 10 << 8
_NEWTABLE, _NEWCHAIN, _NEWRULE, _GETRULE, _DELRULE = (_SUBSYSTEM | number for number in (0, 3, 6, 7, 8))
_NEWSET, _DELSET, _NEWSETELEM = (_SUBSYSTEM | number for number in (9, 11, 12))
_BATCH_BEGIN, _BATCH_END = 0x10, 0x11
_TABLE_OWNER = 2
_NF_INET_LOCAL_IN = 1
_PRIORITY_RAW = -300
_SET_TIMEOUT = 0x10
_TYPE_INET_PROTO = 12
_REGISTER_1 = 1
_META_NFPROTO, _META_L4PROTO = 15, 16
_NETWORK_HEADER, _TRANSPORT_HEADER = 1, 2
_VERDICT_DROP = 0
_IPPROTO_TCP = b"\x06"
_CHAIN = "input"
_LONGEST_S = 86_400.0

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Match:
    """What a rule matches, checked."""

    source: _Address | None
    source_port: int | None
    destination: _Address | None
    destination_port: int | None
    for_ms: int


class DropTable:
    """The rules of one agent. Nothing is asked of the kernel before the first drop.

    Raises UsageError for a match that makes no sense, PermissionRefused or InterfaceError where the kernel says no.
    """

    def __init__(self) -> None:
        self.name = f"tcpladder-{os.getpid()}"
        self._netlink: Netlink | None = None
        self._last_rule = 0
        self._rules: set[int] = set()

    def drop(self, wanted: DropSegments) -> Dropping:
        """Put a rule in force, in one transaction."""
        match = checked(wanted)
        rule = self._last_rule + 1
        try:
            self._transaction(*_rule_messages(self.name, rule, match))
        except OSError as error:
            raise _refused("set the drop rule", error) from None
        self._last_rule = rule
        self._rules.add(rule)
        return Dropping(rule=rule, equivalent=equivalent(match))

    def lift(self, wanted: LiftDrop) -> DropLifted:
        """Take a rule away and tell what it ate. A rule whose time is up is still there, with its count."""
        if wanted.rule not in self._rules:
            have = ", ".join(map(str, sorted(self._rules))) or "none"
            raise UsageError(f"cannot lift rule {wanted.rule}: no such rule (have: {have})")
        try:
            handle, eaten = self._find(wanted.rule)
            self._transaction(*_removal_messages(self.name, wanted.rule, handle))
        except OSError as error:
            raise _refused(f"lift rule {wanted.rule}", error) from None
        self._rules.discard(wanted.rule)
        return eaten

    def close(self) -> None:
        """Take everything away: the kernel removes the table with its owner's socket."""
        if self._netlink:
            self._netlink.close()
            self._netlink = None
        self._rules.clear()

    def _transaction(self, *messages: Message) -> None:
        """Send one atomic batch, the table and its chain first if this is the first."""
        first = self._netlink is None
        netlink = self._netlink or Netlink(NETLINK_NETFILTER)
        if first:
            messages = (*_table_messages(self.name), *messages)
        begin = Message(_BATCH_BEGIN, 0, _family(0, _SUBSYSTEM >> 8))
        end = Message(_BATCH_END, 0, _family(0, _SUBSYSTEM >> 8))
        try:
            netlink.call(begin, *messages, end)
        except OSError:
            if first:
                netlink.close()
            raise
        self._netlink = netlink

    def _find(self, rule: int) -> tuple[int, DropLifted]:
        """The kernel's handle of a rule, and its counter."""
        assert self._netlink is not None
        for _, body in self._netlink.dump(_GETRULE, _family() + text(1, self.name)):
            found = attributes(body, 4)
            if found.get(7) == _comment(rule):
                (handle,) = struct.unpack("!Q", found[3])
                return handle, _counter(found[4])
        raise OSError(2, "somebody else removed it")


def equivalent(match: Match) -> str:
    """The command that a person would type for the same, without its end."""
    words = "-A INPUT -p tcp"
    for address, port, flag, port_flag in (
        (match.source, match.source_port, "-s", "--sport"),
        (match.destination, match.destination_port, "-d", "--dport"),
    ):
        words += f" {flag} {address}" if address is not None else ""
        words += f" {port_flag} {port}" if port is not None else ""
    versions = {address.version for address in (match.source, match.destination) if address is not None}
    programs = {4: "iptables", 6: "ip6tables"}
    return "; ".join(f"{programs[version]} {words} -j DROP" for version in sorted(versions or programs))


def checked(wanted: DropSegments) -> Match:
    """Refuse what no rule should be made of: bad addresses and ports, everything, for ever."""
    match = Match(
        source=_address(wanted.source),
        source_port=_port(wanted.source_port),
        destination=_address(wanted.destination),
        destination_port=_port(wanted.destination_port),
        for_ms=round(wanted.for_s * 1000) if 0 < wanted.for_s <= _LONGEST_S else 0,
    )
    if not match.for_ms:
        raise UsageError(
            f"cannot drop for {wanted.for_s:g} s: say more than 0 and at most {_LONGEST_S:.0f} s"
        )
    if match.source is not None and match.destination is not None:
        if match.source.version != match.destination.version:
            raise UsageError(
                f"cannot drop {match.source} to {match.destination}: one is IPv4 and the other IPv6"
            )
    elif (match.source, match.source_port, match.destination, match.destination_port) == (None,) * 4:
        raise UsageError("cannot drop everything: name an address or a port")
    return match


def _address(written: str | None) -> _Address | None:
    try:
        return None if written is None else ipaddress.ip_address(written)
    except ValueError:
        raise UsageError(f"cannot drop segments of {written!r}: not an IPv4 or IPv6 address") from None


def _port(number: int | None) -> int | None:
    if number is not None and not 0 <= number <= 65535:
        raise UsageError(f"cannot drop segments of port {number}: ports go from 0 to 65535")
    return number


def _refused(what: str, error: OSError) -> PermissionRefused | InterfaceError:
    if isinstance(error, PermissionError):
        return PermissionRefused(
            f"cannot {what}: it needs CAP_NET_ADMIN in this network ({error.strerror}); run with sudo, or use the lab"
        )
    return InterfaceError(
        f"cannot {what}: nf_tables says {error.strerror}; it needs a kernel with CONFIG_NF_TABLES_INET"
    )


def _family(number: int = _NFPROTO_INET, resource: int = 0) -> bytes:
    """struct nfgenmsg."""
    return struct.pack("!BBH", number, 0, resource)


def _table_messages(table: str) -> tuple[Message, ...]:
    """The owned table and its chain: type filter, hook input, policy accept."""
    hook = nested(4, be32(1, _NF_INET_LOCAL_IN), be32(2, _PRIORITY_RAW))
    chain = text(1, table) + text(3, _CHAIN) + hook + be32(5, 1) + text(7, "filter")
    return (
        _ask(_NEWTABLE, text(1, table) + be32(2, _TABLE_OWNER), NLM_F_CREATE),
        _ask(_NEWCHAIN, chain, NLM_F_CREATE),
    )


def _rule_messages(table: str, rule: int, match: Match) -> tuple[Message, ...]:
    """The set whose one element, TCP, has the timeout; then the rule that looks itself up in it."""
    name = f"rule-{rule}"
    new_set = text(1, table) + text(2, name) + be32(3, _SET_TIMEOUT)
    new_set += be32(4, _TYPE_INET_PROTO) + be32(5, 1) + be32(10, rule) + be64(11, match.for_ms)
    tcp = nested(1, nested(1, attribute(1, _IPPROTO_TCP)), be64(4, match.for_ms))
    expressions = b"".join(nested(1, body) for body in _expressions(name, rule, match))
    new_rule = text(1, table) + text(2, _CHAIN) + nested(4, expressions) + attribute(7, _comment(rule))
    return (
        _ask(_NEWSET, new_set, NLM_F_CREATE),
        _ask(_NEWSETELEM, text(1, table) + text(2, name) + nested(3, tcp), NLM_F_CREATE),
        _ask(_NEWRULE, new_rule, NLM_F_CREATE | NLM_F_APPEND),
    )


def _removal_messages(table: str, rule: int, handle: int) -> tuple[Message, ...]:
    return (
        _ask(_DELRULE, text(1, table) + text(2, _CHAIN) + be64(3, handle)),
        _ask(_DELSET, text(1, table) + text(2, f"rule-{rule}")),
    )


def _ask(kind: int, body: bytes, flags: int = 0) -> Message:
    return Message(kind, NLM_F_ACK | flags, _family() + body)


def _expressions(set_name: str, set_number: int, match: Match) -> list[bytes]:
    """`meta l4proto @set`, then the addresses and ports asked for, then counter and drop."""
    lookup = text(1, set_name) + be32(2, _REGISTER_1) + be32(4, set_number)
    parts = [_meta(_META_L4PROTO), _expression("lookup", lookup)]
    for address, v4_offset, v6_offset in ((match.source, 12, 8), (match.destination, 16, 24)):
        if address is not None:
            parts += [_meta(_META_NFPROTO), _equal(bytes([2 if address.version == 4 else 10]))]
            offset = v4_offset if address.version == 4 else v6_offset
            parts += [_load(_NETWORK_HEADER, offset, len(address.packed)), _equal(address.packed)]
    for port, offset in ((match.source_port, 0), (match.destination_port, 2)):
        if port is not None:
            parts += [_load(_TRANSPORT_HEADER, offset, 2), _equal(struct.pack("!H", port))]
    verdict = be32(1, 0) + nested(2, nested(2, be32(1, _VERDICT_DROP)))
    return [*parts, _expression("counter", b""), _expression("immediate", verdict)]


def _expression(name: str, body: bytes) -> bytes:
    return text(1, name) + nested(2, body)


def _meta(key: int) -> bytes:
    return _expression("meta", be32(1, _REGISTER_1) + be32(2, key))


def _load(header: int, offset: int, length: int) -> bytes:
    return _expression("payload", be32(1, _REGISTER_1) + be32(2, header) + be32(3, offset) + be32(4, length))


def _equal(value: bytes) -> bytes:
    return _expression("cmp", be32(1, _REGISTER_1) + be32(2, 0) + nested(3, attribute(1, value)))


def _comment(rule: int) -> bytes:
    """The user data that `nft list` shows as a comment (type, length, text with its zero byte)."""
    words = f"tcpladder rule {rule}".encode() + b"\0"
    return bytes([0, len(words)]) + words


def _counter(expressions: bytes) -> DropLifted:
    """The numbers of the counter among a dumped rule's expressions."""
    for _, body in attribute_list(expressions):
        found = attributes(body)
        if found.get(1) == b"counter\0":
            numbers = attributes(found[2])
            (size,), (packets,) = struct.unpack("!Q", numbers[1]), struct.unpack("!Q", numbers[2])
            return DropLifted(packets=packets, bytes=size)
    return DropLifted(packets=0, bytes=0)
