"""The line you sit on: which connections a local sshd holds, and which of them carry a terminal.

Capturing the latter would show the app its own repaint, for ever; no fault may cut any. They are found through the
kernel's socket table and the open files of sshd, not through SSH_CONNECTION, which sudo drops and tmux keeps too long.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tcpladder.agent.messages import SocketState
from tcpladder.agent.sockets import ESTABLISHED, read_sockets

_MOST = 64
"""More terminals than this are not excluded: a BPF program has at most 4096 instructions."""
_TERMINAL_MASTERS = frozenset({"/dev/ptmx", "/dev/pts/ptmx"})


def terminal_connections() -> list[SocketState]:
    """The established connections held by an sshd process that also holds the master of a terminal."""
    return _held_by(lambda files: not _TERMINAL_MASTERS.isdisjoint(files))[:_MOST]


def established_connections() -> list[SocketState]:
    """Every established connection that an sshd process holds."""
    return _held_by(lambda _: True)


def _held_by(chosen: Callable[[set[str]], bool]) -> list[SocketState]:
    """The established connections of the sshd processes whose open files are `chosen`."""
    inodes = set[int]()
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and _is_sshd(process):
            files = _open_files(process)
            if chosen(files):
                inodes |= {int(name[8:-1]) for name in files if name.startswith("socket:[")}
    return [found for found in read_sockets(states=ESTABLISHED) if found.inode in inodes] if inodes else []


def exclusion(connections: list[SocketState]) -> str:
    """A filter that is true for every frame but those of `connections`; empty for none."""
    parts = [
        f"(tcp and host {one.local} and port {one.local_port} and host {one.remote} and port {one.remote_port})"
        for one in connections
    ]
    return f"not ({' or '.join(parts)})" if parts else ""


def _is_sshd(process: Path) -> bool:
    """sshd, and sshd-session since OpenSSH 9.8."""
    try:
        return (process / "comm").read_text().startswith("sshd")
    except OSError:
        return False


def _open_files(process: Path) -> set[str]:
    """What its descriptors point to; empty for a process that ended or may not be looked at."""
    found = set()
    try:
        for descriptor in (process / "fd").iterdir():
            found.add(str(descriptor.readlink()))
    except OSError:
        return found
    return found
