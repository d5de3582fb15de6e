"""The command that a person would type with iptables for the same, where there is one."""

from __future__ import annotations

from tcpladder.faults.fault import Action, Fault, Match, Place, Segments
from tcpladder.faults.places import Direction

_CHAINS = {Place.INPUT: "INPUT", Place.FORWARD: "FORWARD", Place.OUTPUT: "OUTPUT"}
_SEGMENTS = {
    Segments.ALL: ("",),
    Segments.SYN: (" --tcp-flags SYN SYN",),
    Segments.FIN_RST: (" --tcp-flags FIN FIN", " --tcp-flags FIN,RST RST"),
}


def commands(fault: Fault, ways: tuple[Direction, ...], verb: str = "-A") -> list[str]:
    """One command a line; `-D` as `verb` takes them back. `differs` says what is missing."""
    if fault.segments not in _SEGMENTS or fault.action is Action.DROP_NEXT:
        return []
    return [
        f"{program} {verb} {_CHAINS[place]} -p tcp{_ends(way.match)}{segments}{_target(fault)}"
        for way in ways
        for place in way.places
        if place in _CHAINS
        for segments in _SEGMENTS[fault.segments]
        for program in _programs(way.match)
    ]


def differs(fault: Fault, ways: tuple[Direction, ...]) -> str:
    """Why iptables has nothing like it, or not for what leaves; empty where it has."""
    if fault.segments not in _SEGMENTS:
        return "iptables knows no payload length"
    if fault.action is Action.DROP_NEXT:
        return "iptables does not count to n and then stop"
    if any(Place.SINK in way.places for way in ways):
        return (
            "iptables -A OUTPUT … -j DROP is not the same: this host's TCP is told and counts nothing as sent"
        )
    return ""


def _ends(match: Match) -> str:
    words = ""
    for address, port, flag, port_flag in (
        (match.source, match.source_port, "-s", "--sport"),
        (match.destination, match.destination_port, "-d", "--dport"),
    ):
        words += f" {flag} {address}" if address is not None else ""
        words += f" {port_flag} {port}" if port else ""
    return words


def _programs(match: Match) -> tuple[str, ...]:
    address = match.source or match.destination
    if address is None:
        return ("iptables", "ip6tables")
    return ("ip6tables",) if ":" in address else ("iptables",)


def _target(fault: Fault) -> str:
    match fault.action:
        case Action.REJECT_RST:
            return " -j REJECT --reject-with tcp-reset"
        case Action.REJECT_ICMP:
            return " -j REJECT"
        case Action.LOSE:
            return f" -m statistic --mode random --probability {fault.amount / 100:g} -j DROP"
        case _:
            return " -j DROP"
