"""Which labs run on this machine, and who is in them: found through /proc, so nothing has to be left on a disk.

The agent of a lab holds a memory file that says what the lab is called and which of its descriptors is which host.
Who may look into that process may read it and open the namespaces: the same user, and nobody else.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tcpladder.errors import InterfaceError, PermissionRefused, UsageError
from tcpladder.hosts.plan import HOME

_NAME = "tcpladder-lab"
_LINK = f"/memfd:{_NAME} (deleted)"
_MOST_BYTES = 65536


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningLab:
    """A lab of this user that runs now."""

    pid: int
    """Of its agent: the ID that `lab enter` takes."""
    name: str
    hosts: Mapping[str, int]
    """Host -> descriptor of its namespace in that process."""

    def namespace(self, host: str) -> Path:
        """What to open for a host; HOME is the agent's own. Raises UsageError for one that is not there."""
        if host == HOME:
            return Path(f"/proc/{self.pid}/ns/net")
        if host not in self.hosts:
            have = ", ".join(self.hosts) or "none, leave --host out"
            raise UsageError(f"cannot enter {host!r}: no such host in lab {self.pid} (have: {have})")
        return Path(f"/proc/{self.pid}/fd/{self.hosts[host]}")


def announce(name: str, descriptors: Mapping[str, int]) -> int:
    """Make this process known as the agent of a lab, as long as the descriptor returned is open."""
    announcement = os.memfd_create(_NAME, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    hosts = {host: number for host, number in descriptors.items() if host != HOME}
    os.write(announcement, json.dumps({"pid": os.getpid(), "name": name, "hosts": hosts}).encode())
    seals = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
    fcntl.fcntl(announcement, fcntl.F_ADD_SEALS, seals)
    return announcement


def labs() -> list[RunningLab]:
    """The running labs of this user, oldest first as far as their numbers say."""
    return sorted(filter(None, map(_lab, _own_processes())), key=lambda lab: lab.pid)


def find(wanted: str) -> RunningLab:
    """The lab with this number or name; with an empty word, the only one that runs.

    Raises InterfaceError where there is none or several, PermissionRefused where it belongs to somebody else.
    """
    found = labs()
    fitting = [lab for lab in found if wanted in ("", str(lab.pid), lab.name)]
    if len(fitting) == 1:
        return fitting[0]
    have = ", ".join(f"{lab.pid} ({lab.name})" for lab in found)
    if fitting:
        raise InterfaceError(f"several labs run, say which by its number: {have}")
    if wanted.isdigit() and Path(f"/proc/{wanted}").exists():
        owner = Path(f"/proc/{wanted}").stat().st_uid
        if owner != os.geteuid():
            how = "run it with sudo" if owner == 0 else f"it belongs to uid {owner}"
            raise PermissionRefused(f"cannot enter lab {wanted}: not yours; {how}")
    none = "no lab of yours runs now: start one with `tcpladder lab keepalive` in another terminal"
    raise InterfaceError(f"cannot enter lab {wanted}: {f'have {have}' if have else none}" if wanted else none)


def processes_in(networks: Iterable[str]) -> list[int]:
    """The processes in these network namespaces (`net:[4026532321]`), but this one."""
    wanted, found = frozenset(networks), []
    for pid in _processes():
        with contextlib.suppress(OSError):
            if pid != os.getpid() and os.readlink(f"/proc/{pid}/ns/net") in wanted:  # noqa: PTH115
                found.append(pid)
    return found


def tell(pid: int, signal_number: int) -> None:
    """Send a signal to a process that may have ended."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal_number)


def _processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208


def _own_processes() -> list[int]:
    found = []
    for pid in _processes():
        with contextlib.suppress(OSError):
            if os.stat(f"/proc/{pid}").st_uid == os.geteuid():  # noqa: PTH116
                found.append(pid)
    return found


def _lab(pid: int) -> RunningLab | None:
    """What a process says of itself; None where it is no agent of a lab."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            if str(entry.readlink()) != _LINK:
                continue
            with entry.open("rb") as announcement:
                said = json.loads(announcement.read(_MOST_BYTES))
            hosts = {str(host): int(number) for host, number in said["hosts"].items()}
            if said["pid"] == pid:
                return RunningLab(pid=pid, name=str(said["name"]), hosts=hosts)
    return None
