"""Rules as data to netlink messages of nf_tables: include/uapi/linux/netfilter/nf_tables.h. Talks to nobody.

Byte orders: fields of headers and numgen after `byteorder` in network order; `meta` in host order.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
from typing import assert_never

from tcpladder.agent.netlink import (
    NLM_F_ACK,
    NLM_F_APPEND,
    NLM_F_CREATE,
    Message,
    attribute,
    be16,
    be32,
    be64,
    nested,
    text,
)
from tcpladder.faults.rules import (
    Alive,
    Chain,
    Chance,
    Count,
    Drop,
    Family,
    First,
    Flag,
    Flags,
    Goto,
    Header,
    Hook,
    Into,
    Is,
    Log,
    Operator,
    Reset,
    Rule,
    Speaks,
    Table,
    Tcp,
    Unreachable,
    Version,
)

FAMILIES = {Family.INET: 1, Family.NETDEV: 5}
_SUBSYSTEM = 10 << 8
_NEWTABLE, _DELTABLE, _NEWCHAIN, _DELCHAIN, _NEWRULE = (_SUBSYSTEM | number for number in (0, 2, 3, 5, 6))
_NEWSET, _DELSET, _NEWSETELEM, _DELSETELEM = (_SUBSYSTEM | number for number in (9, 11, 12, 14))
GETRULE, GETSETELEM = _SUBSYSTEM | 7, _SUBSYSTEM | 13
_BATCH_BEGIN, _BATCH_END = 0x10, 0x11
_TABLE_OWNER = 2
_SET_TIMEOUT = 0x10
_TYPE_INET_PROTO = 12
_HOOKS = {Hook.INPUT: 1, Hook.FORWARD: 2, Hook.OUTPUT: 3, Hook.EGRESS: 1}
_PRIORITY_RAW, _PRIORITY_FILTER, _ACCEPT = -300, 0, 1
_VERDICT_REGISTER, _REGISTER = 0, 1
_META_PROTOCOL, _META_NFPROTO, _META_L4PROTO = 1, 15, 16
_NETWORK_HEADER, _TRANSPORT_HEADER = 1, 2
_NF_DROP, _NFT_GOTO = 0, -4
_REJECT_RST, _REJECT_ICMPX, _ICMPX_PORT = 1, 2, 1
_NUMGEN_COUNTS, _NUMGEN_RANDOM, _HTON = 0, 1, 1
_NEVER_AGAIN = 0xFFFFFFFF
_IPPROTO_TCP = b"\x06"
_OPERATORS = {Operator.EQUAL: 0, Operator.UNEQUAL: 1, Operator.BELOW: 2}
_FLAGS = {Flag.FIN: 1, Flag.SYN: 2, Flag.RST: 4, Flag.ACK: 16}
_SPOKEN = {
    (Family.INET, Version.IPV4): (_META_NFPROTO, b"\x02"),
    (Family.INET, Version.IPV6): (_META_NFPROTO, b"\x0a"),
    (Family.NETDEV, Version.IPV4): (_META_PROTOCOL, b"\x08\x00"),
    (Family.NETDEV, Version.IPV6): (_META_PROTOCOL, b"\x86\xdd"),
}
_FIELDS = {
    (Header.SOURCE, Version.IPV4): (_NETWORK_HEADER, 12, 4),
    (Header.DESTINATION, Version.IPV4): (_NETWORK_HEADER, 16, 4),
    (Header.LENGTH, Version.IPV4): (_NETWORK_HEADER, 2, 2),
    (Header.SOURCE, Version.IPV6): (_NETWORK_HEADER, 8, 16),
    (Header.DESTINATION, Version.IPV6): (_NETWORK_HEADER, 24, 16),
    (Header.LENGTH, Version.IPV6): (_NETWORK_HEADER, 4, 2),
    (Header.SOURCE_PORT, None): (_TRANSPORT_HEADER, 0, 2),
    (Header.DESTINATION_PORT, None): (_TRANSPORT_HEADER, 2, 2),
    (Header.SEQUENCE, None): (_TRANSPORT_HEADER, 4, 4),
    (Header.OFFSET, None): (_TRANSPORT_HEADER, 12, 1),
}


def batch(*messages: Message) -> tuple[Message, ...]:
    """The messages as one transaction: all of them or none."""
    resource = family_header(0, _SUBSYSTEM >> 8)
    return (Message(_BATCH_BEGIN, 0, resource), *messages, Message(_BATCH_END, 0, resource))


def family_header(family: int, resource: int = 0) -> bytes:
    """struct nfgenmsg."""
    return struct.pack("!BBH", family, 0, resource)


def new_table(family: Family, name: str) -> Message:
    """A table that belongs to the socket that makes it, and goes with it."""
    return _ask(_NEWTABLE, family, text(1, name) + be32(2, _TABLE_OWNER), NLM_F_CREATE)


def delete_table(family: Family, name: str) -> Message:
    """With all that is in it."""
    return _ask(_DELTABLE, family, text(1, name))


def probe_egress(name: str) -> list[Message]:
    """A table with an egress hook, and then the removal of a chain that is not there: never more than a try."""
    chain = Chain(name="egress", hook=Hook.EGRESS, devices=("lo",))
    nowhere = text(1, name) + text(3, "nowhere")
    return [
        new_table(Family.NETDEV, name),
        _new_chain(Family.NETDEV, name, chain),
        _ask(_DELCHAIN, Family.NETDEV, nowhere),
    ]


def add(table: Table, name: str, group: int | None, prefix: str) -> list[Message]:
    """Put the rules of one fault into the table `name`; Log sends to NFLOG `group` with `prefix`, or is left out."""
    alive = text(1, name) + text(2, table.alive) + be32(3, _SET_TIMEOUT)
    alive += be32(4, _TYPE_INET_PROTO) + be32(5, 1) + be32(10, table.number)
    messages = [_ask(_NEWSET, table.family, alive, NLM_F_CREATE), _new_element(table, name)]
    messages += [_new_chain(table.family, name, chain) for chain in table.chains]
    for chain in table.chains:
        for rule in chain.rules:
            expressions = _expressions(rule, table, group, prefix)
            body = text(1, name) + text(2, chain.name) + nested(4, *expressions)
            messages.append(_ask(_NEWRULE, table.family, body, NLM_F_CREATE | NLM_F_APPEND))
    return messages


def extend(table: Table, name: str) -> list[Message]:
    """Let the rules match for the table's time from now. Emptying the set first is no error where it is empty."""
    emptied = _ask(_DELSETELEM, table.family, text(1, name) + text(2, table.alive))
    return [emptied, _new_element(table, name)]


def remove(table: Table, name: str) -> list[Message]:
    """Take the rules of one fault out of the table `name`."""
    chains = [
        _ask(_DELCHAIN, table.family, text(1, name) + text(3, chain.name)) for chain in reversed(table.chains)
    ]
    return [*chains, _ask(_DELSET, table.family, text(1, name) + text(2, table.alive))]


def _ask(kind: int, family: Family, body: bytes, flags: int = 0) -> Message:
    return Message(kind, NLM_F_ACK | flags, family_header(FAMILIES[family]) + body)


def _new_element(table: Table, name: str) -> Message:
    """TCP, for so long as the fault is to last."""
    tcp = nested(1, attribute(1, _IPPROTO_TCP))
    tcp += b"" if table.for_ms is None else be64(4, table.for_ms)
    body = text(1, name) + text(2, table.alive) + nested(3, nested(1, tcp))
    return _ask(_NEWSETELEM, table.family, body, NLM_F_CREATE)


def _new_chain(family: Family, name: str, chain: Chain) -> Message:
    """A base chain has policy accept: what no rule takes goes on as if we were not there."""
    body = text(1, name) + text(3, chain.name)
    if chain.hook is not None:
        priority = _PRIORITY_FILTER if family is Family.NETDEV else _PRIORITY_RAW
        hook = be32(1, _HOOKS[chain.hook]) + be32(2, priority)
        if chain.devices:
            hook += nested(4, *(text(1, device) for device in chain.devices))
        body += nested(4, hook) + be32(5, _ACCEPT) + text(7, "filter")
    return _ask(_NEWCHAIN, family, body, NLM_F_CREATE)


def _expressions(rule: Rule, table: Table, group: int | None, prefix: str) -> list[bytes]:
    found: list[bytes] = []
    for statement in rule:
        match statement:
            case Log():
                found += [] if group is None else [_log(group, prefix)]
            case Alive():
                look = text(1, table.alive) + be32(2, _REGISTER) + be32(4, table.number)
                found += [_meta(_META_L4PROTO), _expression("lookup", look)]
            case Speaks(version=version):
                key, value = _SPOKEN[table.family, version]
                found += [_meta(key), _compare(value)]
            case _:
                found += _expression_list(statement)
    return [nested(1, one) for one in found]


def _expression_list(
    statement: Tcp | Is | Flags | Chance | First | Count | Drop | Reset | Unreachable | Into | Goto,
) -> list[bytes]:
    match statement:
        case Tcp():
            return [_meta(_META_L4PROTO), _compare(_IPPROTO_TCP)]
        case Is():
            return _is(statement)
        case Flags(of=of, set=wanted):
            mask = bytes([sum(_FLAGS[flag] for flag in of)])
            loaded = [_load(_TRANSPORT_HEADER, 13, 1), _mask(mask)]
            if wanted is None:
                return [*loaded, _compare(b"\0", Operator.UNEQUAL)]
            return [*loaded, _compare(bytes([_FLAGS[wanted]]))]
        case Chance(percent=percent):
            return _numgen(100, _NUMGEN_RANDOM, percent)
        case First(count=count):
            return _numgen(_NEVER_AGAIN, _NUMGEN_COUNTS, count)
        case Count():
            return [_expression("counter", b"")]
        case Drop():
            return [_verdict(be32(1, _NF_DROP))]
        case Goto(chain=chain):
            return [_verdict(be32(1, _NFT_GOTO) + text(2, chain))]
        case Reset():
            return [_expression("reject", be32(1, _REJECT_RST))]
        case Unreachable():
            return [_expression("reject", be32(1, _REJECT_ICMPX) + attribute(2, bytes([_ICMPX_PORT])))]
        case Into(device=device):
            index = struct.pack("=I", socket.if_nametoindex(device))
            loaded = [_expression("immediate", be32(1, _REGISTER) + nested(2, attribute(1, index)))]
            return [*loaded, _expression("fwd", be32(1, _REGISTER))]
    assert_never(statement)


def _is(condition: Is) -> list[bytes]:
    base, offset, size = _FIELDS[condition.header, condition.version]
    loaded = [_load(base, offset, size)]
    if condition.header is Header.OFFSET:
        return [*loaded, _mask(b"\xf0"), _compare(bytes([int(condition.value) << 4]))]
    if isinstance(condition.value, str):
        return [*loaded, _compare(ipaddress.ip_address(condition.value).packed, condition.operator)]
    return [*loaded, _compare(condition.value.to_bytes(size), condition.operator)]


def _expression(name: str, body: bytes) -> bytes:
    return text(1, name) + nested(2, body)


def _verdict(verdict: bytes) -> bytes:
    return _expression("immediate", be32(1, _VERDICT_REGISTER) + nested(2, nested(2, verdict)))


def _meta(key: int) -> bytes:
    return _expression("meta", be32(1, _REGISTER) + be32(2, key))


def _load(header: int, offset: int, size: int) -> bytes:
    return _expression("payload", be32(1, _REGISTER) + be32(2, header) + be32(3, offset) + be32(4, size))


def _mask(mask: bytes) -> bytes:
    body = be32(1, _REGISTER) + be32(2, _REGISTER) + be32(3, len(mask))
    return _expression(
        "bitwise", body + nested(4, attribute(1, mask)) + nested(5, attribute(1, bytes(len(mask))))
    )


def _log(group: int, prefix: str) -> bytes:
    """The threshold of one hands every record over at once."""
    return _expression("log", be16(1, group) + text(2, prefix) + be16(4, 1))


def _compare(value: bytes, operator: Operator = Operator.EQUAL) -> bytes:
    body = be32(1, _REGISTER) + be32(2, _OPERATORS[operator]) + nested(3, attribute(1, value))
    return _expression("cmp", body)


def _numgen(modulus: int, kind: int, below: int) -> list[bytes]:
    """A number from the generator, in network order so that it can be compared."""
    return [
        _expression("numgen", be32(1, _REGISTER) + be32(2, modulus) + be32(3, kind) + be32(4, 0)),
        _expression(
            "byteorder",
            be32(1, _REGISTER) + be32(2, _REGISTER) + be32(3, _HTON) + be32(4, 4) + be32(5, 4),
        ),
        _compare(struct.pack("!I", below), Operator.BELOW),
    ]
