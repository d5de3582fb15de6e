"""What app and agent say to each other about peers, in the lab only. The rules of agent/messages.py hold."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class StartPeer:
    """Start one of our own peers. Answered by PeerStarted and one descriptor."""

    role: str
    """`client` or `server`."""
    options: dict[str, int]
    """Socket options by name, set before anything is sent: SO_KEEPALIVE, TCP_KEEPIDLE …"""
    address: str
    port: int
    """Where the server listens and the client connects."""
    local_address: str = ""
    """What the client binds to before it connects; empty for the address that the route gives."""
    local_port: int = 0
    """0 for any."""
    script: list[str]
    """What it does, in the words of lab/peer.py: `connect`, `send 100`, `read until end` …"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerStarted:
    """The descriptor beside it is the read end of the peer's report, JSON lines of what its calls returned."""

    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EndPeer:
    """End a peer from outside. Answered by PeerEnded."""

    pid: int
    silently: bool
    """As on a machine that loses its power: no FIN and no RST, the kernel has forgotten its connections. Otherwise as
    by `kill -9`: its kernel closes them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerEnded:
    """The peer is gone."""

    connections: int
    """How many of its connections vanished without a word."""
