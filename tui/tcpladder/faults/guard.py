"""The line you sit on: which faults would cut an SSH connection of this machine, or everything that goes to a host."""

from __future__ import annotations

from collections.abc import Iterable

from tcpladder.faults.fault import ROUTING, Action, Fault, Match
from tcpladder.faults.machine import Line, Machine, end, is_loopback


def protects(fault: Fault, machine: Machine) -> str:
    """Why the fault is not for the asking, as a sentence that names what it would cut; empty where nothing speaks
    against it. Whether somebody insists is not looked at.
    """
    for line in machine.lines:
        how = _cuts(fault, line, machine)
        if how is not None:
            return (
                f"cannot {what_it_does(fault)}: it would cut the SSH connection {line} of this machine{how}"
            )
    named = [address for address in (fault.match.source, fault.match.destination) if address is not None]
    ports = fault.match.source_port or fault.match.destination_port
    far = next((address for address in named if not is_loopback(address)), None)
    if fault.action in (Action.WITHDRAW, Action.LINK_DOWN):
        return f"cannot {what_it_does(fault)}: whatever else goes that way is broken as well"
    if far is not None and not ports:
        return (
            f"cannot {what_it_does(fault)}: without a port it breaks everything to or from {far}; name a port"
        )
    return ""


def protects_connection(connection: Match, lines: Iterable[Line]) -> str:
    """The same for the reset of one connection, whose ends `connection` names in either order."""
    for line in lines:
        if _matches(connection, line):
            return f"cannot reset {line}: it is an SSH connection of this machine"
    return ""


def what_it_does(fault: Fault) -> str:
    """The fault in a few words: `drop 10.0.0.1:5000 → 10.0.0.2:80`."""
    verb = {
        Action.DROP: "drop",
        Action.REJECT_RST: "reject",
        Action.REJECT_ICMP: "reject",
        Action.LOSE: f"lose {fault.amount} % of",
        Action.DROP_NEXT: f"drop the next {fault.amount} of",
        Action.BLACKHOLE: "blackhole",
        Action.WITHDRAW: "withdraw the route of",
        Action.LINK_DOWN: "take down the link of",
    }[fault.action]
    match = fault.match
    arrow = "↔" if fault.both else "→"
    source = _who(match.source, match.source_port)
    return f"{verb} {source} {arrow} {_who(match.destination, match.destination_port)}"


def _who(address: str | None, port: int) -> str:
    if address is None:
        return f"port {port}" if port else "anyone"
    return end(address, port)


def _cuts(fault: Fault, line: Line, machine: Machine) -> str | None:
    """How the fault would cut the line, None where it would not."""
    if fault.action not in ROUTING or fault.action is Action.BLACKHOLE:
        matches = (fault.match, fault.match.reverse()) if fault.both else (fault.match,)
        return "" if any(_matches(match, line) for match in matches) else None
    destination, remote = fault.match.destination, line.remote
    if destination is None or is_loopback(remote):
        return None
    if destination == remote:
        return ""
    mine, lines = machine.ways.get(destination), machine.ways.get(remote)
    if mine is None or lines is None:
        return None
    if fault.action is Action.WITHDRAW and mine == lines:
        return f", which takes the same route ({lines.prefix})"
    if fault.action is Action.LINK_DOWN and mine.device == lines.device:
        return f", which goes through {lines.device}"
    return None


def _matches(match: Match, line: Line) -> bool:
    """Whether segments of the line match, in one direction or the other."""
    near, far = (line.local, line.local_port), (line.remote, line.remote_port)
    return any(
        match.source in (None, source)
        and match.source_port in (0, source_port)
        and match.destination in (None, destination)
        and match.destination_port in (0, destination_port)
        for (source, source_port), (destination, destination_port) in ((near, far), (far, near))
    )
