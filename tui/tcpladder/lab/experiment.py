"""What an experiment is: two peers, the network they talk in, the steps, and what must have been seen. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum

from tcpladder.faults.fault import ROUTING, Action
from tcpladder.faults.fault import Segments as Affected
from tcpladder.hosts.plan import HOME, Plan


class Role(StrEnum):
    """The two ends, in the words that the agent takes."""

    CLIENT = "client"
    SERVER = "server"

    @property
    def other(self) -> Role:
        """The end at the other side."""
        return Role.SERVER if self is Role.CLIENT else Role.CLIENT


class Event(Enum):
    """What a step can wait for, in the words of the TOML files."""

    ANSWERED_PROBES = "answered probes"
    UNANSWERED_PROBES = "unanswered probes"
    RESET = "reset"
    SEGMENTS = "segments"
    """Of one kind, from one end."""
    FAILED = "failed"
    """A call of a peer's, which then went on."""
    CLIENT_ENDED = "client ended"
    SERVER_ENDED = "server ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One end: where it is, the socket options it sets before anything is sent, what it does."""

    host: str = HOME
    address: str
    port: int
    """0 for any; only the client may have that."""
    options: Mapping[str, int] = field(default_factory=dict)
    script: tuple[str, ...]
    """In the words of lab/peer.py."""

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Start a peer; a server that listens, a client whose script begins."""

    role: Role
    until: str
    """The event of its report that is awaited: `listening`, `connected`; empty for none."""
    say: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segments:
    """Segments of a kind, in the words of the JSON lines (`zero_window`), or of several; from one end or either."""

    kinds: tuple[str, ...]
    sender: Role | None = None

    def __str__(self) -> str:
        words = " or ".join(self.kinds).replace("_", " ")
        return words + (f" from the {self.sender}" if self.sender else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Wait until `event` was seen `count` times; the rest is what a call of the application must have come to."""

    event: Event
    count: int = 1
    segments: Segments | None = None
    """For SEGMENTS."""
    role: Role | None = None
    """For FAILED: whose call."""
    call: str = ""
    error: str = ""
    took_s: float | None = None
    """How long the call took by its timers, which may be late and never early."""
    longest_s: float
    """After which the experiment has failed: the timers' own time, what the kernel may add, and a margin."""
    say: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Let time pass in which nothing has to be seen."""

    for_s: float
    say: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """Break what one end sends until the experiment ends, or a Restore."""

    sender: Role
    action: Action = Action.DROP
    segments: Affected = Affected.ALL
    amount: int = 0
    """As in faults.fault.Fault."""
    host: str | None = None
    """Where it is broken; None for the host of the other end, which is where a loss is believed."""
    for_s: float
    """It ends by itself after this time."""
    say: str = ""

    @property
    def routing(self) -> bool:
        """Whether it is the way to the other end that is broken, and not segments."""
        return self.action in ROUTING


@dataclass(frozen=True, slots=True, kw_only=True)
class Restore:
    """Lift what is broken."""

    say: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """End a peer from outside: its process is killed, or its machine loses its power and all it knew."""

    role: Role
    silently: bool
    say: str = ""


Step = Start | Wait | Pause | Break | Restore | End


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """How many segments of a kind there must be when all is over."""

    segments: Segments
    count: int
    or_more: bool = False

    def holds(self, seen: int) -> bool:
        """Whether so many are as expected."""
        return seen == self.count or (self.or_more and seen > self.count)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """A segment that must come, in its place."""

    kinds: tuple[str, ...]
    """Any of these: the kernel may choose."""
    sender: Role
    after_s: float | None = None
    """How long after the segment before it, by the timer alone; None where no timer sends it."""
    timer: str = ""
    """In the words of the JSON lines."""
    optional: bool = False
    """Whether it depends on how busy the machine is if it comes."""

    @property
    def kind(self) -> str:
        """In words."""
        return " or ".join(self.kinds).replace("_", " ")

    def __str__(self) -> str:
        return f"{self.kind} from the {self.sender}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """What comes again and again for as long as nobody takes the next step."""

    at: int
    """Behind so many rungs of the order."""
    rungs: tuple[Rung, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Where frames are captured."""

    host: str = HOME
    interface: str = "lo"

    def __str__(self) -> str:
        return f"{self.interface} of {self.host}" if self.host else self.interface


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A number of an experiment that `--set` changes."""

    name: str
    value: int
    least: int
    most: int
    unit: str
    means: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """An experiment with its numbers filled in."""

    name: str
    sentence: str
    article: str
    values: tuple[Value, ...]
    network: Plan
    """With the sysctls that the experiment sets on its hosts."""
    capture: Point
    server: Peer
    client: Peer
    steps: tuple[Step, ...]
    expected: tuple[Expected, ...]
    order: tuple[Rung, ...]
    """Every segment from the first to the last; empty where the order is the kernel's to choose."""
    again: Again | None
    """What there is more of where a person delays a step; None where nothing happens then."""
    ended: str | None
    """What the list of flows says of its end; None where no segment shows one."""

    def peer(self, role: Role) -> Peer:
        """The peer that plays a role."""
        return self.client if role is Role.CLIENT else self.server
