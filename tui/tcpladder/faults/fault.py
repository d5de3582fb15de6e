"""What a fault is: which segments of whom, what happens to them, for how long. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

INSIST = "insist"
"""What a person types to break the line that they sit on."""


class Segments(StrEnum):
    """Which of the matched segments are affected."""

    ALL = "all"
    SYN = "syn"
    """With the SYN flag: SYN and SYN-ACK."""
    DATA = "data"
    """With payload."""
    PURE_ACK = "ack"
    """With ACK, without payload, SYN, FIN and RST."""
    KEEPALIVE_PROBE = "probe"
    """Sequence number one below the next, at most one byte; needs a flow and that number."""
    FIN_RST = "fin-rst"


class Action(StrEnum):
    """What happens to them."""

    DROP = "drop"
    REJECT_RST = "rst"
    REJECT_ICMP = "icmp"
    LOSE = "lose"
    """Each with a probability of `amount` percent."""
    DROP_NEXT = "next"
    """The next `amount` of them, then no more."""
    BLACKHOLE = "blackhole"
    """A rule of the routing policy database discards what goes to the destination."""
    WITHDRAW = "withdraw"
    """The route to the destination is taken away."""
    LINK_DOWN = "link-down"
    """The interface towards the destination goes down."""


class Place(StrEnum):
    """Where a fault takes segments away, and so what a capture on this host can see of them."""

    INPUT = "input"
    """Arriving at this host, after the tap: captured, and the sender counts them as sent."""
    FORWARD = "forward"
    """Passing through this host, after the tap of the interface where they came in."""
    SINK = "sink"
    """Leaving this host, into a device that leads nowhere: counted as sent, before the tap of the real interface."""
    OUTPUT = "output"
    """Leaving this host, refused at once: its own TCP is told, nothing was sent."""
    ROUTE = "route"
    """Never sent: there is no way to the destination."""
    LINK = "link"
    """Neither sent nor received: the interface is down."""


class End(StrEnum):
    """How a fault came to its end."""

    TIME_UP = "time-up"
    LIFTED = "lifted"
    GUARDIAN_GONE = "guardian-gone"
    """The guardian died, and the one after it put back what it had changed."""
    AGENT_GONE = "agent-gone"
    """The agent died, and the kernel and the guardian took back all that it had done."""


ROUTING = frozenset({Action.BLACKHOLE, Action.WITHDRAW, Action.LINK_DOWN})
"""The actions that change routes or links, which the kernel does not undo by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """From whom to whom, one direction. None and 0 match anything."""

    source: str | None = None
    """An IPv4 or IPv6 address, as the next."""
    source_port: int = 0
    destination: str | None = None
    destination_port: int = 0

    def reverse(self) -> Match:
        """The other direction."""
        return Match(
            source=self.destination,
            source_port=self.destination_port,
            destination=self.source,
            destination_port=self.source_port,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One way to break a connection."""

    match: Match
    both: bool = False
    """Whether the other direction is broken as well."""
    segments: Segments = Segments.ALL
    probe_sequences: list[int]
    """Raw sequence numbers of the keepalive probes that are meant, one for each direction that is broken; empty
    unless `segments` is KEEPALIVE_PROBE."""
    action: Action = Action.DROP
    amount: int = 0
    """Percent for LOSE (1 to 99), segments in each direction for DROP_NEXT (1 to 1,000,000), else 0."""
    for_ms: int | None = 60_000
    """Milliseconds until it is lifted by itself; None until somebody lifts it."""
    insist: bool = False
    """Whether a person typed INSIST: also where it may cut the line that they sit on."""
