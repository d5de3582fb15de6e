"""Why a fault is done where it is done, and what that looks like: sentences for a person."""

from __future__ import annotations

from tcpladder.faults.fault import Action, Fault, Place
from tcpladder.faults.machine import Machine
from tcpladder.faults.places import Direction

_PLACES = {
    Place.INPUT: "Taken away where it arrives, after the capture has seen it: the sender's kernel counts it as sent "
    "and then as lost.",
    Place.FORWARD: "Taken away where it passes through this host: captured where it came in, never sent on.",
    Place.SINK: "Diverted where it leaves, into a device that leads nowhere: this host's TCP counts it as sent "
    "and then as lost. A DROP in OUTPUT would be told to TCP, which then never counts new data as sent and shows no "
    "retransmission. The capture of the real interface does not see it.",
    Place.OUTPUT: "Refused before it leaves: this host's TCP is told, and nothing was sent; no capture sees it.",
    Place.ROUTE: "There is no way to the destination, so nothing is sent: a connection that opens fails at once, an "
    "established one keeps its new data for later and shows no retransmission. That is not a loss on the network; to "
    "see retransmissions, drop instead.",
    Place.LINK: "The interface is down: nothing comes and nothing goes, for every connection that uses it. Its routes "
    "and IPv6 addresses go with it, and are put back afterwards.",
}
_ACTIONS = {
    Action.REJECT_RST: "The sender gets an RST: a connection ends with ECONNRESET, one that opens with ECONNREFUSED.",
    Action.REJECT_ICMP: "The sender gets ICMP port unreachable, what `iptables -j REJECT` sends: one that opens ends "
    "with ECONNREFUSED; an established connection takes it as a hint and retransmits until it gives up.",
    Action.LOSE: "Each segment is lost with the same probability, whatever happened to the one before it.",
    Action.BLACKHOLE: "A rule that stands before the main table discards what matches it; connect() returns EINVAL.",
    Action.WITHDRAW: "Everything that takes this route is affected, whatever its port. Where a wider route leads to "
    "the destination too, that one is taken. A program that manages the network may add the route again.",
    Action.DROP_NEXT: "After the last of them the rule stays and takes nothing more.",
}
_NO_EGRESS = (
    "This kernel has no hook on the way out of an interface (Linux 5.16): the segments are dropped in OUTPUT instead. "
    "TCP is told, so new data waits for the persist timer and is not retransmitted."
)


def why(fault: Fault, ways: tuple[Direction, ...], machine: Machine) -> str:
    """Sentences about the places and the action, one paragraph."""
    places = list(dict.fromkeys(place for way in ways for place in way.places))
    rejects = fault.action in (Action.REJECT_RST, Action.REJECT_ICMP)
    said = [_PLACES[place] for place in places]
    if Place.OUTPUT in places and not rejects and not machine.egress:
        said.append(_NO_EGRESS)
    said += [_ACTIONS[fault.action]] if fault.action in _ACTIONS else []
    return " ".join(said)
