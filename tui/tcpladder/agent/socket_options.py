"""Which process holds a socket, and the socket's own timer options: read through pidfd_getfd(2), never set.

A socket of another user's process is readable with CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH, one's own without any.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass

from tcpladder.agent.messages import SocketOptions, SocketOwner, SocketState

_SYS_PIDFD_GETFD = 438
_libc = ctypes.CDLL(None, use_errno=True)
_TCP_CONGESTION = 13
_CONGESTION_BYTES = 16
_OPTIONS = {
    "SO_KEEPALIVE": (socket.SOL_SOCKET, socket.SO_KEEPALIVE),
    "TCP_KEEPIDLE": (socket.IPPROTO_TCP, 4),
    "TCP_KEEPINTVL": (socket.IPPROTO_TCP, 5),
    "TCP_KEEPCNT": (socket.IPPROTO_TCP, 6),
    "TCP_SYNCNT": (socket.IPPROTO_TCP, 7),
    "TCP_LINGER2": (socket.IPPROTO_TCP, 8),
    "TCP_USER_TIMEOUT": (socket.IPPROTO_TCP, 18),
    "TCP_RTO_MAX_MS": (socket.IPPROTO_TCP, 44),
    "TCP_RTO_MIN_US": (socket.IPPROTO_TCP, 45),
    "TCP_DELACK_MAX_US": (socket.IPPROTO_TCP, 46),
}
"""Name -> level and number (include/uapi/linux/tcp.h); the last three are newer than Linux 6.14."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a socket is held."""

    pid: int
    descriptor: int


class SocketReader:
    """Reads options by inode; remembers where each inode was found, because looking through /proc takes long.

    Args:
        pid: the only process to look at, None for all.
    """

    def __init__(self, pid: int | None = None) -> None:
        self._pid = pid
        self._places: dict[int, _Place] = {}

    def look_through_processes(self) -> None:
        """Learn who holds which socket, as far as /proc lets this process see."""
        places: dict[int, _Place] = {}
        pids = [self._pid] if self._pid is not None else _processes()
        for inode, place in _held_sockets(pids):
            places.setdefault(inode, place)
        self._places = places

    def read(self, found: SocketState | None, *, search: bool = True) -> SocketOptions:
        """Owner and options of a socket; with `search`, processes are looked through again where it is new."""
        if found is None:
            return _unknown("no socket of this network namespace has these two ends")
        if not found.inode:
            return _unknown(f"no process holds a socket in {found.state}")
        if search and not self._is_there(found.inode):
            self.look_through_processes()
        place = self._places.get(found.inode)
        if place is None:
            return _unknown(
                f"the process that holds it belongs to uid {found.uid} and is hidden: this needs sudo"
            )
        owner = SocketOwner(pid=place.pid, command=_command(place.pid))
        try:
            options, congestion = _read_options(place, found.inode)
        except OSError as refused:
            words = (refused.strerror or str(refused)).lower()
            return _unknown(f"the socket of {owner.command} {owner.pid} cannot be read: {words}", owner)
        return SocketOptions(owner=owner, options=options, congestion=congestion, refused="")

    def owner(self, inode: int) -> SocketOwner | None:
        """The process that held a socket when the processes were looked through; None for nobody who may be seen."""
        place = self._places.get(inode)
        return None if place is None else SocketOwner(pid=place.pid, command=_command(place.pid))

    def _is_there(self, inode: int) -> bool:
        place = self._places.get(inode)
        return place is not None and _link(f"/proc/{place.pid}/fd/{place.descriptor}") == f"socket:[{inode}]"


def _unknown(reason: str, owner: SocketOwner | None = None) -> SocketOptions:
    return SocketOptions(owner=owner, options={}, congestion="", refused=reason)


def _processes() -> list[int]:
    return sorted(int(name) for name in _names("/proc") if name.isdigit())


def _held_sockets(pids: list[int]) -> Iterator[tuple[int, _Place]]:
    """(inode, place) of every open socket of these processes, in their order."""
    for pid in pids:
        for descriptor in _names(f"/proc/{pid}/fd"):
            target = _link(f"/proc/{pid}/fd/{descriptor}")
            if target.startswith("socket:["):
                yield int(target[8:-1]), _Place(pid, int(descriptor))


def _names(directory: str) -> list[str]:
    """What is in a directory; nothing in one that is gone or hidden."""
    try:
        with os.scandir(directory) as entries:
            return [entry.name for entry in entries]
    except OSError:
        return []


def _link(path: str) -> str:
    """Where a link leads; empty for one that is gone or hidden."""
    try:
        return os.readlink(path)  # noqa: PTH115 - ten thousand descriptors, five times as fast
    except OSError:
        return ""


def _command(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as comm:
            return comm.read().rstrip("\n").replace("\0", "")
    except OSError:
        return ""


def _read_options(place: _Place, inode: int) -> tuple[dict[str, int], str]:
    """The options by name, and the congestion control. Raises OSError where the kernel says no."""
    with duplicate(place.pid, place.descriptor) as copy:
        if os.fstat(copy.fileno()).st_ino != inode:
            raise FileNotFoundError(2, "it was closed meanwhile")
        options = {}
        for name, (level, number) in _OPTIONS.items():
            with contextlib.suppress(OSError):  # an option that this kernel does not have
                options[name] = copy.getsockopt(level, number)
        congestion = copy.getsockopt(socket.IPPROTO_TCP, _TCP_CONGESTION, _CONGESTION_BYTES)
        return options, congestion.rstrip(b"\0").decode(errors="replace")


def duplicate(pid: int, descriptor: int) -> socket.socket:
    """Another process's socket; while we hold it, the owner's close() sends no FIN. Raises OSError."""
    process = os.pidfd_open(pid)
    try:
        copied = _libc.syscall(ctypes.c_long(_SYS_PIDFD_GETFD), process, descriptor, 0)
        if copied < 0:
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error))
    finally:
        os.close(process)
    try:
        return socket.socket(fileno=copied)
    except OSError:  # no socket any more
        os.close(copied)
        raise
