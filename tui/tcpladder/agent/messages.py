"""What app and agent say to each other: one JSON pair (name, fields) a datagram, descriptors beside it (SCM_RIGHTS).

Requests travel from app to agent, each is answered by exactly one reply of its pair, or by `Refused`. Both sides build
the dataclasses below from what arrives and refuse anything else: an unknown message, a missing or surplus field, a
value of another type or out of range.
"""

from __future__ import annotations

from dataclasses import dataclass

from tcpladder.agent.fault_messages import (
    ApplyFault,
    ConnectionReset,
    ExtendFault,
    FaultLogOpened,
    FaultPlan,
    Faults,
    FaultState,
    LiftFault,
    ListFaults,
    OpenFaultLog,
    PlanFault,
    ResetConnection,
    SetSysctl,
    SysctlSet,
)
from tcpladder.agent.lab_messages import EndPeer, PeerEnded, PeerStarted, StartPeer


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
class ReadSockets:
    """List TCP sockets of the agent's network namespace, but those that listen. Answered by Sockets."""

    local: str | None = None
    local_port: int = 0
    """0 for any; ports are compared in the kernel, addresses by the agent."""
    remote: str | None = None
    remote_port: int = 0
    most: int = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpInfo:
    """Some of struct tcp_info (include/uapi/linux/tcp.h); names and units are the kernel's, without `tcpi_`."""

    probes: int
    backoff: int
    rto_us: int
    ato_us: int
    unacked: int
    """Segments."""
    lost: int
    last_data_sent_ms: int
    """Milliseconds ago, as the next two."""
    last_data_recv_ms: int
    last_ack_recv_ms: int
    rtt_us: int
    rttvar_us: int
    total_retrans: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketState:
    """One TCP socket, seen from its local end (struct inet_diag_msg, include/uapi/linux/inet_diag.h)."""

    local: str
    """As on the wire: an IPv4 peer of an IPv6 socket is an IPv4 address."""
    local_port: int
    remote: str
    remote_port: int
    state: str
    """As `ss` prints it: `ESTAB`, `SYN-SENT` …"""
    uid: int
    inode: int
    """As in the link /proc/PID/fd/N -> socket:[inode]; 0 where no process holds it."""
    cookie: int
    """The kernel's number of the socket, never used twice."""
    timer: str | None
    """The one timer that the kernel reports: `retransmission`, `keepalive`, `timewait`, `persist`."""
    expires_ms: int
    """Until that timer; 0 without one."""
    retransmits: int
    """Unanswered so far: retransmissions, or probes where the timer is keepalive or persist."""
    receive_queue: int
    send_queue: int
    """Bytes that the peer has not acknowledged."""
    info: TcpInfo | None
    """None for a socket without one: TIME-WAIT, SYN-RECV."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sockets:
    """The answer to ReadSockets."""

    sockets: list[SocketState]
    left_out: int
    """How many more there were than `most`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadSocketOptions:
    """Read the options of the socket with exactly these two ends, and who holds it. Answered by SocketOptions."""

    local: str
    local_port: int
    remote: str
    remote_port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketOwner:
    """The process that holds a socket; of several, the one with the lowest number."""

    pid: int
    command: str
    """/proc/PID/comm: the process chose it, so it may hold any character."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOwners:
    """Say which processes hold the sockets with these ports, pair by pair. Answered by Owners."""

    local_ports: list[int]
    remote_ports: list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldSocket:
    """A socket and the process that holds it."""

    local: str
    """As on the wire, see SocketState."""
    local_port: int
    remote: str
    remote_port: int
    owner: SocketOwner


@dataclass(frozen=True, slots=True, kw_only=True)
class Owners:
    """The answer to ReadOwners: no socket that nobody holds, or whose holder is hidden."""

    held: list[HeldSocket]


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketOptions:
    """The answer to ReadSocketOptions. What could not be read is an answer, too."""

    owner: SocketOwner | None
    options: dict[str, int]
    """By name, in the kernel's units: SO_KEEPALIVE, TCP_KEEPIDLE …; what this kernel lacks is left out."""
    congestion: str
    """TCP_CONGESTION: `cubic`, `reno` …; empty where unknown."""
    refused: str
    """Why the options are not known, empty where they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The agent could not do it; `reason` is a sentence for the operator."""

    reason: str
    exit_code: int
    """The ExitCode that the command should end with: 2, 3 or 4."""


HostRequest = (
    OpenCapture
    | ListInterfaces
    | ReadSysctls
    | StartPeer
    | EndPeer
    | ReadSockets
    | ReadSocketOptions
    | ReadOwners
    | PlanFault
    | ApplyFault
    | LiftFault
    | ExtendFault
    | ListFaults
    | OpenFaultLog
    | ResetConnection
    | SetSysctl
)
"""What can be asked of each host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnHost:
    """Do this on a host of the lab, answered as it is without; asked plainly it means the agent's own network."""

    host: str
    """The name that the topology gives it."""
    request: HostRequest


Request = HostRequest | OnHost
Reply = (
    AgentReady
    | CaptureOpened
    | Interfaces
    | Sysctls
    | PeerStarted
    | PeerEnded
    | Sockets
    | SocketOptions
    | Owners
    | FaultPlan
    | FaultState
    | Faults
    | FaultLogOpened
    | ConnectionReset
    | SysctlSet
    | Refused
)
