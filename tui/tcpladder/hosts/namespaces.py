"""The hosts of a private network as network namespaces, held as descriptors by a process with one thread.

A namespace is there as long as a process, a socket or a descriptor is in it or on it: these end with their process.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tcpladder.agent.networks import CLONE_NEWNET, enter_namespace
from tcpladder.errors import UsageError
from tcpladder.hosts.plan import HOME

CLONE_NEWUSER = 0x10000000
_OWN_NETWORK = "/proc/thread-self/ns/net"


def unshare(flags: int) -> None:
    """Move this process into fresh namespaces (unshare(2)). Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(flags):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


class Namespaces:
    """The hosts by name. What is done `inside` one, is done there by this thread."""

    def __init__(self) -> None:
        self._descriptors = {HOME: _own_network()}

    @property
    def descriptors(self) -> Mapping[str, int]:
        """Host -> descriptor of its namespace; HOME is the one in which this object was made."""
        return self._descriptors

    def add(self, host: str) -> None:
        """Make a namespace for a host. Raises OSError."""
        unshare(CLONE_NEWNET)
        try:
            self._descriptors[host] = _own_network()
        finally:
            enter_namespace(self._descriptors[HOME], CLONE_NEWNET)

    @contextmanager
    def inside(self, host: str) -> Iterator[None]:
        """Work in a host, then be at HOME again. Raises UsageError for a host that is not there, OSError."""
        if host not in self._descriptors:
            have = ", ".join(name for name in self._descriptors if name) or "none"
            raise UsageError(f"there is no host {host!r} in this lab (have: {have})")
        enter_namespace(self._descriptors[host], CLONE_NEWNET)
        try:
            yield
        finally:
            enter_namespace(self._descriptors[HOME], CLONE_NEWNET)

    def identities(self) -> frozenset[str]:
        """What /proc/PID/ns/net says of a process that is in one of them: `net:[4026532321]`."""
        return frozenset(
            os.readlink(f"/proc/self/fd/{number}")  # noqa: PTH115 - no file lies there
            for number in self._descriptors.values()
        )


def _own_network() -> int:
    return os.open(_OWN_NETWORK, os.O_RDONLY | os.O_CLOEXEC)
