"""Where on its way a direction is broken, so that the sender's kernel believes what it is meant to believe.

A segment that is refused on the way out (OUTPUT) was never sent for the TCP that wrote it: no retransmission, no
backoff. One that is to look lost on the network must first have left, into a device that leads nowhere (SINK), or
have arrived (INPUT).
"""

from __future__ import annotations

from dataclasses import dataclass

from tcpladder.errors import InterfaceError
from tcpladder.faults.fault import ROUTING, Action, Fault, Match, Place
from tcpladder.faults.machine import Machine, is_link_local, is_loopback


@dataclass(frozen=True, slots=True, kw_only=True)
class Direction:
    """One direction of a fault and where it is broken."""

    match: Match
    places: tuple[Place, ...]
    """The most telling first."""
    devices: tuple[str, ...]
    """For SINK: whose outgoing segments are diverted."""


def directions(fault: Fault, machine: Machine) -> tuple[Direction, ...]:
    """The direction of the fault's match, and its reverse where both are broken.

    Raises InterfaceError where segments would have to leave and no route says through which interface.
    """
    matches = (fault.match, fault.match.reverse()) if fault.both else (fault.match,)
    if fault.action in ROUTING:
        place = Place.LINK if fault.action is Action.LINK_DOWN else Place.ROUTE
        return tuple(Direction(match=match, places=(place,), devices=()) for match in matches)
    return tuple(_direction(fault.action, match, machine) for match in matches)


def _direction(action: Action, match: Match, machine: Machine) -> Direction:
    places = tuple(
        _leaving(action, machine) if place is Place.SINK else place for place in _places(match, machine)
    )
    devices: tuple[str, ...] = ()
    if Place.SINK in places:
        devices = machine.devices if match.destination is None else _way(match.destination, machine)
    if places == (Place.SINK,) and not devices:
        raise InterfaceError("cannot break what leaves this host: no interface has an address")
    if not devices:
        places = tuple(place for place in places if place is not Place.SINK)
    return Direction(match=match, places=places, devices=devices)


def _places(match: Match, machine: Machine) -> tuple[Place, ...]:
    """By who lives here; an address that is not named may be here and elsewhere."""
    source = None if match.source is None else match.source in machine.local
    if match.source is not None and is_loopback(match.source):
        return (Place.INPUT,)
    if match.destination is not None and match.destination in machine.local:
        return (Place.INPUT,)
    if match.destination is not None:
        return {True: (Place.SINK,), False: (Place.FORWARD,), None: (Place.SINK, Place.FORWARD)}[source]
    return (Place.INPUT, Place.FORWARD) if source is False else (Place.INPUT, Place.SINK)


def _leaving(action: Action, machine: Machine) -> Place:
    """A refusal is told to the sender's TCP at once; a loss must look like one."""
    rejects = action in (Action.REJECT_RST, Action.REJECT_ICMP)
    return Place.OUTPUT if rejects or not machine.egress else Place.SINK


def _way(destination: str, machine: Machine) -> tuple[str, ...]:
    """The interfaces of the route; any, for an address that means something else on each of them."""
    if is_link_local(destination):
        return machine.devices
    if destination not in machine.ways:
        raise InterfaceError(
            f"cannot break what leaves for {destination}: there is no route to it (look at `ip route`)"
        )
    return machine.ways[destination]
