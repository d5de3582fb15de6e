"""What app and agent say to each other about faults. The rules of agent/messages.py hold."""

from __future__ import annotations

from dataclasses import dataclass

from tcpladder.faults.fault import End as End
from tcpladder.faults.fault import Fault
from tcpladder.faults.fault import Place as Place


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFault:
    """What would ApplyFault do? Changes nothing. Answered by FaultPlan."""

    fault: Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultPlan:
    """The answer to PlanFault."""

    places: list[Place]
    """The most telling one for each direction that is broken, in the order of the fault's match and its reverse."""
    script: str
    """A complete shell script that a person could run by hand, several lines."""
    undo: str
    """The script that takes it back."""
    why: str
    """Why it is done there, and how it differs from what one would type; sentences for a person."""
    refused: str
    """Why it would be refused; empty where it would not. The rest is filled as far as it is known."""
    needs_insist: bool
    """Whether typing INSIST would get around `refused`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyFault:
    """Break it. Answered by FaultState, or Refused."""

    fault: Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultState:
    """A fault that is in force, or was."""

    number: int
    """From 1, never used twice by an agent: `rule 1` on the ladder."""
    fault: Fault
    places: list[Place]
    since_ns: int
    """When it was applied, nanoseconds since 1970."""
    ended_ns: int | None
    """When it was lifted or its time was up; None while it is in force."""
    left_ms: int | None
    """Until it lifts itself; None for never or not any more."""
    packets: int
    """What it ate so far, by the kernel's counter; 0 for routes and links, which count nothing."""
    bytes: int
    """IP headers included, link headers where it leaves (Place.SINK), too."""
    interfaces: list[str]
    """Interfaces that it takes segments away from or into (a sink); for captures."""
    end: End | None = None
    """How it ended; None while it is in force."""
    stuck: str = ""
    """Why it is still in force although it was lifted or its time is up, a sentence; it is tried again each second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiftFault:
    """Take one fault back. Answered by FaultState with `ended_ns`."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendFault:
    """Let a fault in force last for this long from now. Answered by FaultState."""

    number: int
    for_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFaults:
    """Answered by Faults."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """Every fault of this agent in order of its number, those that ended too (the last 64)."""

    faults: list[FaultState]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenFaultLog:
    """The segments that rules eat, as they eat them. Answered by FaultLogOpened and one descriptor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultLogOpened:
    """The descriptor beside it is a bound NFLOG socket; each record's prefix is `tcpladder N`, N the fault's number.

    A datagram may hold several messages (struct nlmsghdr, struct nfgenmsg, attributes NFULA_*). NFULA_PAYLOAD has the
    first 256 bytes: from the IP header on, but in a record of family NETDEV (5; Place.SINK), where a link header stands
    before it, as long as the value of NFULA_L2HDR (0 or missing for none). NFULA_SEQ counts the records of the group;
    a gap is records that the reader was too slow for. NFULA_TIMESTAMP is missing for what was sent from here.
    What was eaten before the first OpenFaultLog is not in it. One reader: a second OpenFaultLog gets the same socket.
    """

    group: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetConnection:
    """Destroy the local sockets of one connection (SOCK_DESTROY): RST to the peer, ECONNABORTED to its process.

    Where both ends are here, the RST of the one mostly reaches the other before its turn comes: ECONNRESET there.

    Answered by ConnectionReset, or Refused where it is the line that somebody sits on.
    """

    local: str
    local_port: int
    remote: str
    remote_port: int
    insist: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionReset:
    """How many sockets were destroyed: both ends where both are local."""

    sockets: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SetSysctl:
    """Set a TCP timer sysctl of the agent's network namespace until the agent ends. Answered by SysctlSet."""

    name: str
    """One of SETTABLE in agent/sysctls.py."""
    value: int | None
    """None puts the value back that was there before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SysctlSet:
    """What holds now, and what was there before the first SetSysctl of this agent."""

    value: str
    before: str
