"""What a ladder is drawn from: the findings about one flow, or several. Values only; the work is done beside.

A `FlowView` grows while its flow goes on; indices into it never change, until it says that it began anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tcpladder.analysis.kinds import Kind


class Timer(StrEnum):
    """The timer whose expiry sends a segment; the words of the JSON lines contract."""

    KEEPALIVE = "keepalive"
    RTO = "rto"
    TLP = "tlp"
    PERSIST = "persist"
    SYNACK = "synack"
    DELAYED_ACK = "delayed_ack"


class Verdict(StrEnum):
    """Whether a silence was as long as its timer says."""

    ON_TIME = "on time"
    EARLY = "early"
    LATE = "late"
    UNEXPLAINED = "unexplained"


class Origin(StrEnum):
    """Where a believed timer value comes from, strongest first."""

    SOCKET = "socket"
    NETNS = "netns"
    CAPTURE = "capture"
    USER = "user"
    INFERRED = "inferred"
    ASSUMED = "assumed"


class Side(Enum):
    """The two ends of a flow. The client sent the SYN, or is believed to have."""

    CLIENT = 0
    SERVER = 1

    __hash__ = object.__hash__
    """Sides are keys everywhere, and Enum hashes a member's name, in Python."""


SIDES = tuple(Side)
"""For what is done for every flow: an Enum is walked in Python."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One end of a flow. `address` is in the usual text form, without brackets."""

    address: str
    port: int
    name: str = field(default="", compare=False)
    """What stands in place of the address where people read; empty for the address itself."""

    def __str__(self) -> str:
        return f"{self.name}:{self.port}" if self.name else self.numeric

    @property
    def numeric(self) -> str:
        """`addr:port`, whatever the name: for programs."""
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


@dataclass(frozen=True, slots=True)
class Process:
    """A process that holds a socket of a flow."""

    name: str
    """As the process calls itself (/proc/PID/comm)."""
    pid: int

    def __str__(self) -> str:
        return f"{self.name} {self.pid}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowSummary:
    """One line of the list of flows."""

    number: int
    """From 1, in order of the first segment."""
    client: Endpoint
    server: Endpoint
    state: str
    """In the words of `ss`: syn-sent, estab, fin-wait, closed …; the client's where the ends differ."""
    states: tuple[str, str]
    """TCP state of client and server (RFC 9293 3.3.2, upper case with hyphens as ss prints them)."""
    segments: int
    bytes: int
    """TCP payload in both directions, as captured frames say, retransmitted bytes counted again, those of keepalive
    probes not."""
    first_ns: int
    last_ns: int
    keepalive_probes: int
    retransmissions: int
    began: str = "handshake"
    """`handshake`, `syn` (never answered), `syn_ack` (its SYN is missing) or `middle`."""
    ended: str | None
    """A few words for the last column: `refused`, `RST`, `closed`, `no answer`; None while it goes on."""
    why: str
    """One sentence: how it began, how it ended and why, or what it waits for."""
    owners: tuple[Process, ...] = ()
    """Who holds its sockets on this machine, client first; empty where unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A silence before a segment, and the timer that explains it."""

    observed_ns: int
    """From what armed the timer to the segment."""
    since_frame: int
    """Number of the frame that armed the timer."""
    since_ns: int
    timer: Timer | None
    expected_ns: int | None
    verdict: Verdict
    origin: Origin | None
    name: str
    """The timer in the words of the field, without the length: `keepalive_time 30 s`, `unexplained`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """The next rung that must come if nothing else happens."""

    due_ns: int
    armed_ns: int
    side: Side
    """Who will send it."""
    kind: Kind | None
    """What will be sent; None where a timer gives up in silence."""
    text: str
    """`keepalive probe 2/3`, `RST; application: ETIMEDOUT`, `gives up; connect() fails with ETIMEDOUT`."""
    origin: Origin


class Timeline(Protocol):
    """The segments of one flow, or of several in one order of time. All arrays have one element a segment."""

    @property
    def flows(self) -> Sequence[FlowView]:
        """Those whose segments they are; of a FlowView itself alone."""
        ...

    @property
    def restarts(self) -> int:
        """How often it began anew, as when a replay goes back: then nothing known of it holds."""
        ...

    @property
    def flow(self) -> NDArray[np.uint8]:
        """Which of `flows` each segment is of."""
        ...

    @property
    def time_ns(self) -> NDArray[np.int64]: ...

    @property
    def from_client(self) -> NDArray[np.bool_]: ...

    @property
    def kind(self) -> NDArray[np.uint8]: ...

    @property
    def silent(self) -> NDArray[np.bool_]:
        """Whether a gap row stands before the segment."""
        ...

    def within(self, index: int) -> tuple[FlowView, int]:
        """The flow of a segment, and its index there."""
        ...

    def index_of(self, flow: int, index: int) -> int | None:
        """The segment here that is `index` in one of `flows`; None where that is not here yet."""
        ...

    def lost_segments(self) -> NDArray[np.int64]:
        """(m,) those that are known to be lost; ascending."""
        ...

    @property
    def losses(self) -> int:
        """How many segments of the capture are known to be lost: a rung may change when this grows."""
        ...


class FlowView(Timeline, Protocol):
    """The findings about one flow, for drawing, in capture order."""

    @property
    def summary(self) -> FlowSummary: ...

    @property
    def rows(self) -> NDArray[np.int64]:
        """Where each segment stands among all of its capture; ascending."""
        ...

    def frame(self, index: int) -> int:
        """Number of the frame in its file, from 1."""
        ...

    def index_of_frame(self, frame: int) -> int | None:
        """The segment that came in a frame, None where it is not of this flow."""
        ...

    def file(self, index: int) -> int:
        """Which of the files named on the command line, from 0."""
        ...

    def position(self, index: int) -> int:
        """Where the frame's bytes begin in the file or spool."""
        ...

    def captured(self, index: int) -> int:
        """Bytes of the frame that were captured."""
        ...

    def original(self, index: int) -> int:
        """Bytes that the frame had on the wire."""
        ...

    def link_type(self, index: int) -> int:
        """LINKTYPE_* of the frame."""
        ...

    def relative_seq(self, index: int) -> int | None:
        """Sequence number minus the initial one of its sender; None where unknown."""
        ...

    def relative_ack(self, index: int) -> int | None: ...

    def raw_seq(self, index: int) -> int | None: ...

    def raw_ack(self, index: int) -> int | None: ...

    def length(self, index: int) -> int | None:
        """Payload bytes."""
        ...

    def window(self, index: int) -> int | None:
        """Receive window in bytes, scaled where the scale is known."""
        ...

    def flags(self, index: int) -> str | None:
        """`SYN`, `SYN,ACK`, `PSH,ACK` …"""
        ...

    def label(self, index: int) -> str:
        """The words on the rung: `keepalive probe 2/3`, `data 79`, `RST`."""
        ...

    def lost(self, index: int) -> str | None:
        """What ate the segment on its way: `rule 1`; None where nothing says that it did not arrive."""
        ...

    def payload(self, begin: int, end: int) -> int:
        """Payload bytes of the segments from `begin` up to `end`, repeated ones counted again."""
        ...

    def because(self, index: int) -> str:
        """Why the segment is of its kind, with the numbers compared."""
        ...

    def timer(self, index: int) -> Timer | None:
        """The timer whose expiry sent the segment."""
        ...

    def gap(self, index: int) -> Gap | None:
        """The silence before the segment, where `silent[index]`."""
        ...

    def pending(self, now_ns: int) -> tuple[Pending, ...]:
        """What must come next, soonest first; empty where nothing is armed."""
        ...

    def ending(self, now_ns: int) -> tuple[str, ...]:
        """Which timer gave up, or will, after what, and what the application gets: one sentence each."""
        ...

    def inferred(self) -> tuple[str, ...]:
        """What the flow shows of the timers of its ends, one sentence an end, with how sure that is."""
        ...

    def advice(self) -> tuple[str, ...]:
        """Where the numbers of this flow collide, one sentence each."""
        ...
