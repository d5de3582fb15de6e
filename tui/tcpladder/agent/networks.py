"""Which network the agent works in, and how it gets there."""

from __future__ import annotations

import ctypes
import os
from dataclasses import dataclass
from pathlib import Path

from tcpladder.agent.confine import Capability
from tcpladder.errors import InterfaceError, PermissionRefused

_NAMED = Path("/run/netns")
_CLONE_NEWNET = 0x40000000


@dataclass(frozen=True, slots=True)
class HostNetwork:
    """The network namespace in which the command was typed."""

    needs = frozenset({Capability.NET_RAW})

    def enter(self) -> None:
        """Stay."""


@dataclass(frozen=True, slots=True)
class NetnsNetwork:
    """Another network namespace of this machine."""

    name_or_pid: str
    """A name below /run/netns (as `ip netns` lists them), or the number of a process that lives in it."""

    needs = frozenset({Capability.NET_RAW, Capability.SYS_ADMIN})

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
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.setns(namespace, _CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
            os.close(namespace)
        except OSError as refused:
            raise PermissionRefused(
                f"cannot enter {self.name_or_pid}: {_words(refused)}; it needs CAP_SYS_ADMIN, run it with sudo"
            ) from None


@dataclass(frozen=True, slots=True)
class PrivateNetwork:
    """A fresh network with nothing but `lo`, where experiments run; vanishes with the agent."""

    needs = frozenset[Capability]()

    def enter(self) -> None:
        """Make it and move there. Raises PermissionRefused with the reason where the machine forbids it."""
        from tcpladder.agent import private_network

        private_network.enter()


Network = HostNetwork | NetnsNetwork | PrivateNetwork


def _words(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
