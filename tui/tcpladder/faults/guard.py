"""The line you sit on: which faults would cut an SSH connection of this machine, or everything that goes to a host."""

from __future__ import annotations

from collections.abc import Iterable

from tcpladder.faults.fault import Action, Fault, Match
from tcpladder.faults.machine import Line, end, is_loopback


def protects(fault: Fault, lines: Iterable[Line]) -> str:
    """Why the fault is not for the asking, as a sentence that names what it would cut; empty where nothing speaks
    against it. Whether somebody insists is not looked at. Which route or link a line takes, agent/routing.py asks the
    kernel; here no route and no link is for the asking, because others take it too.
    """
    if fault.action in (Action.WITHDRAW, Action.LINK_DOWN):
        return f"cannot {what_it_does(fault)}: whatever else goes that way is broken as well"
    for line in lines:
        if _cuts(fault, line):
            return f"cannot {what_it_does(fault)}: it would cut the SSH connection {line} of this machine"
    named = [address for address in (fault.match.source, fault.match.destination) if address is not None]
    ports = fault.match.source_port or fault.match.destination_port
    far = next((address for address in named if not is_loopback(address)), None)
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


def _cuts(fault: Fault, line: Line) -> bool:
    """Whether segments of the line match, in a direction that is broken."""
    matches = (fault.match, fault.match.reverse()) if fault.both else (fault.match,)
    return any(_matches(match, line) for match in matches)


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
