"""Which rules carry out a fault: tables, chains and conditions, as data."""

from __future__ import annotations

from tcpladder.faults.fault import Action, Fault, Match, Place, Segments
from tcpladder.faults.places import Direction
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
    Statement,
    Table,
    Tcp,
    Unreachable,
    Version,
    eaten,
)

_HOOKS = {Place.INPUT: Hook.INPUT, Place.FORWARD: Hook.FORWARD, Place.OUTPUT: Hook.OUTPUT}
_FIXED_HEADER = {Version.IPV4: 20, Version.IPV6: 0}
"""Bytes of the IP header that the length field counts."""
_OFFSETS = range(5, 16)
"""Every length that a TCP header can have, in words."""
_FLAGS: dict[Segments, tuple[Statement, ...]] = {
    Segments.ALL: (),
    Segments.SYN: (Flags((Flag.SYN,), None),),
    Segments.FIN_RST: (Flags((Flag.FIN, Flag.RST), None),),
    Segments.DATA: (),
    Segments.PURE_ACK: (Flags((Flag.FIN, Flag.SYN, Flag.RST, Flag.ACK), Flag.ACK),),
    Segments.KEEPALIVE_PROBE: (Flags((Flag.FIN, Flag.SYN, Flag.RST, Flag.ACK), Flag.ACK),),
}


def tables(fault: Fault, number: int, ways: tuple[Direction, ...], sink: str) -> tuple[Table, ...]:
    """The rules that carry out `fault`, whose number is in every name; `sink` is the device for what must leave."""
    inet = tuple(
        Chain(name=f"{hook}-{number}", hook=hook, rules=rules)
        for place, hook in _HOOKS.items()
        if (rules := _rules(fault, number, ways, place))
    )
    made = []
    if inet:
        made.append(_table(fault, number, Family.INET, inet, _verdict(fault.action)))
    egress = _rules(fault, number, ways, Place.SINK)
    if egress:
        devices = tuple(sorted({device for way in ways for device in way.devices}))
        chain = Chain(name=f"egress-{number}", hook=Hook.EGRESS, devices=devices, rules=egress)
        made.append(_table(fault, number, Family.NETDEV, (chain,), Into(sink)))
    return tuple(made)


def _table(fault: Fault, number: int, family: Family, chains: tuple[Chain, ...], verdict: Statement) -> Table:
    """The chain that eats, before it those that choose, before them those that match."""
    # A reject with RST is accepted by the kernel only after a look at the protocol.
    checks: Rule = (Tcp(),) if isinstance(verdict, Reset) else ()
    last = Chain(name=eaten(number), rules=((*checks, Log(), Count(), verdict),))
    choosing = _amount(fault)
    chosen = tuple(
        Chain(name=_next(fault, number, index), rules=((*choosing, Goto(eaten(number))),))
        for index in range(1 + fault.both)
        if choosing
    )
    return Table(family=family, number=number, for_ms=fault.for_ms, chains=(last, *chosen, *chains))


def _amount(fault: Fault) -> Rule:
    """What chooses among those that match, for each direction on its own."""
    match fault.action:
        case Action.LOSE:
            return (Chance(fault.amount),)
        case Action.DROP_NEXT:
            return (First(fault.amount),)
        case _:
            return ()


def _next(fault: Fault, number: int, index: int) -> str:
    """Where segments go that match in direction `index`."""
    return f"chosen-{number}{'-back' if index else ''}" if _amount(fault) else eaten(number)


def _verdict(action: Action) -> Statement:
    match action:
        case Action.REJECT_RST:
            return Reset()
        case Action.REJECT_ICMP:
            return Unreachable()
        case _:
            return Drop()


def _rules(fault: Fault, number: int, ways: tuple[Direction, ...], place: Place) -> tuple[Rule, ...]:
    """The rules of one hook: each finds segments and goes where they are eaten."""
    rules: list[Rule] = []
    for index, way in enumerate(ways):
        if place in way.places:
            sequence = fault.probe_sequences[index] if fault.probe_sequences else None
            rules += [
                (Tcp(), Alive(), *conditions, Goto(_next(fault, number, index)))
                for conditions in _conditions(way.match, fault.segments, sequence)
            ]
    return tuple(rules)


def _conditions(match: Match, segments: Segments, sequence: int | None) -> list[Rule]:
    """Lists of conditions, any of which may hold."""
    found = []
    for version in _versions(match, segments):
        for size in _sizes(segments, version):
            conditions = [Speaks(version)] if version is not None else []
            rule: Rule = (*conditions, *_ends(match, version), *_FLAGS[segments])
            rule += () if sequence is None else (Is(Header.SEQUENCE, sequence),)
            found.append(rule + size)
    return found


def _versions(match: Match, segments: Segments) -> tuple[Version | None, ...]:
    """The versions of IP to look for; None where it makes no difference."""
    address = match.source or match.destination
    if address is not None:
        return (Version.IPV6 if ":" in address else Version.IPV4,)
    return (None,) if _sizes(segments, Version.IPV4) == [()] else (Version.IPV4, Version.IPV6)


def _ends(match: Match, version: Version | None) -> tuple[Statement, ...]:
    found: list[Statement] = []
    if match.source is not None:
        found.append(Is(Header.SOURCE, match.source, version=version))
    if match.destination is not None:
        found.append(Is(Header.DESTINATION, match.destination, version=version))
    if match.source_port:
        found.append(Is(Header.SOURCE_PORT, match.source_port))
    if match.destination_port:
        found.append(Is(Header.DESTINATION_PORT, match.destination_port))
    return tuple(found)


def _sizes(segments: Segments, version: Version | None) -> list[Rule]:
    """Conditions on the payload. nf_tables knows no payload length, so: one for each length of the TCP header.

    The IP header's own length is used, because `meta length` counts the link header on the way out. A super-segment
    beyond 64 KiB (BIG TCP) says 0 and is not equal, so it counts as data.
    """
    match segments:
        case Segments.PURE_ACK:
            operator, extra = Operator.EQUAL, 0
        case Segments.DATA:
            operator, extra = Operator.UNEQUAL, 0
        case Segments.KEEPALIVE_PROBE:
            operator, extra = Operator.BELOW, 2
        case _:
            return [()]
    fixed = _FIXED_HEADER[version or Version.IPV4]
    return [
        (
            Is(Header.OFFSET, words),
            Is(Header.LENGTH, fixed + 4 * words + extra, operator, version),
        )
        for words in _OFFSETS
    ]
