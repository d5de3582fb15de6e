"""What app and agent say to each other: one JSON pair (name, fields) a datagram, descriptors beside it (SCM_RIGHTS).

Requests travel from app to agent, each is answered by exactly one reply of its pair, or by `Refused`. Both sides build
the dataclasses below from what arrives and refuse anything else: an unknown message, a missing or surplus field, a
value of another type or out of range.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentReady:
    """The agent's first word, before any request: it is in its network namespace and listens."""

    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCapture:
    """Capture on an interface of the agent's network namespace. Answered by CaptureOpened and one descriptor."""

    interface: str
    filter: str = ""
    """A tcpdump filter; empty for all TCP. The agent adds `or icmp or icmp6`."""
    snap_length: int = 256
    """Bytes kept of each frame; 0 for all."""
    include_ssh: bool = False
    """Whether the terminal's own SSH connections are captured too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureOpened:
    """The descriptor beside it is an AF_PACKET socket: filter locked, ring allocated, bound."""

    interface: str
    link_type: int
    """LINKTYPE_* of the frames."""
    block_size: int
    """Bytes of a ring block; 0 where the kernel gave no ring and the socket is read with recvmsg."""
    block_count: int
    snap_length: int
    excluded_ssh: int
    """How many SSH connections the kernel filter leaves out."""
    local_addresses: list[str]
    """Addresses of this network namespace: an endpoint that has one lives here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListInterfaces:
    """Answered by Interfaces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InterfaceState:
    """One interface of the agent's network namespace."""

    name: str
    index: int
    state: str
    """`up`, `down`, `unknown` (as `ip link` says of lo)."""
    addresses: list[str]
    received_bytes: int
    received_packets: int
    sent_bytes: int
    sent_packets: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Interfaces:
    """The answer to ListInterfaces."""

    interfaces: list[InterfaceState]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadSysctls:
    """Read net.* sysctls of the agent's network namespace. Answered by Sysctls."""

    names: list[str]
    """`net.ipv4.tcp_keepalive_time` …; only names below net. are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sysctls:
    """The answer to ReadSysctls: text as the kernel prints it, None for a name that this kernel does not have."""

    values: dict[str, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class StartPeer:
    """Start one of our own peers in the private network (lab only). Answered by PeerStarted and one descriptor."""

    role: str
    """`client` or `server`."""
    options: dict[str, int]
    """Socket options by name: SO_KEEPALIVE, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT …"""
    address: str
    port: int
    """Where the server listens and the client connects."""
    local_port: int = 0
    """What the client binds to before it connects; 0 for any."""
    message: str = ""
    """What the peer sends once connected; nothing when empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerStarted:
    """The descriptor beside it is the read end of the peer's report, JSON lines of what its calls returned."""

    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DropSegments:
    """Drop TCP segments on the way in, after the capture has seen them (lab only). Answered by Dropping."""

    destination: str | None
    destination_port: int | None
    source: str | None = None
    source_port: int | None = None
    for_s: float = 60.0
    """The rule stops matching by itself after this many seconds, in the kernel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropping:
    """A rule is in force."""

    rule: int
    equivalent: str
    """The command that a person would type for the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiftDrop:
    """Take a rule away. Answered by DropLifted."""

    rule: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DropLifted:
    """What the rule ate while it was there."""

    packets: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The agent could not do it; `reason` is a sentence for the operator."""

    reason: str
    exit_code: int
    """The ExitCode that the command should end with: 2, 3 or 4."""


Request = OpenCapture | ListInterfaces | ReadSysctls | StartPeer | DropSegments | LiftDrop
Reply = AgentReady | CaptureOpened | Interfaces | Sysctls | PeerStarted | Dropping | DropLifted | Refused
