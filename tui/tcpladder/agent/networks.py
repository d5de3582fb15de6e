"""Which network the agent works in, and how it gets there."""

from __future__ import annotations

import ctypes
import os
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tcpladder.agent.confine import Capability
from tcpladder.agent.lab_messages import EndPeer, PeerEnded, PeerStarted, StartPeer
from tcpladder.errors import InterfaceError, PermissionRefused

CLONE_NEWNET = 0x40000000
_NAMED = Path("/run/netns")


class PrivateWork(Protocol):
    """What the agent can do in a private network only (hosts/network.py)."""

    def inside(self, host: str) -> AbstractContextManager[None]: ...
    def start_peer(self, wanted: StartPeer) -> tuple[PeerStarted, int]: ...
    def end_peer(self, wanted: EndPeer) -> PeerEnded: ...
    def end(self) -> None: ...


class Network(Protocol):
    """Which network, and what it takes."""

    needs: frozenset[Capability]
    """What the first process must have."""
    keeps: frozenset[Capability]
    """What the agent keeps for it, beside what it always keeps."""

    def enter(self) -> PrivateWork | None:
        """Move this thread there; only a private network has work of its own. Raises TcpladderError."""


@dataclass(frozen=True, slots=True)
class HostNetwork:
    """The network namespace in which the command was typed."""

    needs = frozenset({Capability.NET_RAW})
    keeps = frozenset[Capability]()

    def enter(self) -> None:
        """Stay."""


@dataclass(frozen=True, slots=True)
class NetnsNetwork:
    """Another network namespace of this machine."""

    name_or_pid: str
    """A name below /run/netns (as `ip netns` lists them), or the number of a process that lives in it."""

    needs = frozenset({Capability.NET_RAW, Capability.SYS_ADMIN})
    keeps = frozenset[Capability]()

    def enter(self) -> None:
        """Move this thread there (setns(2)). Raises InterfaceError, PermissionRefused."""
        named = sorted(path.name for path in _NAMED.iterdir()) if _NAMED.is_dir() else []
        path = _NAMED / self.name_or_pid
        if self.name_or_pid not in named:
            path = Path("/proc", self.name_or_pid, "ns/net")
            if not self.name_or_pid.isascii() or not self.name_or_pid.isdigit() or not path.parent.exists():
                known = ", ".join(named) or "no names, give a process number"
                raise InterfaceError(
                    f"cannot enter {self.name_or_pid}: no such network namespace (have: {known})"
                )
        try:
            namespace = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            enter_namespace(namespace, CLONE_NEWNET)
            os.close(namespace)
        except OSError as refused:
            raise PermissionRefused(
                f"cannot enter {self.name_or_pid}: {_words(refused)}; it needs CAP_SYS_ADMIN, run it with sudo"
            ) from None


def enter_namespace(descriptor: int, kind: int) -> None:
    """Move this thread (setns(2)). Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, kind):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _words(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
