"""The net.* sysctls of this thread's network namespace (/proc/sys/net resolves by the calling thread)."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tcpladder.agent.changes import SysctlChange
from tcpladder.agent.fault_messages import SetSysctl, SysctlSet
from tcpladder.errors import UsageError

if TYPE_CHECKING:
    from tcpladder.agent.guarded import Changes

SETTABLE = tuple(
    f"net.ipv4.{name}"
    for name in (
        "tcp_keepalive_time",
        "tcp_keepalive_intvl",
        "tcp_keepalive_probes",
        "tcp_syn_retries",
        "tcp_synack_retries",
        "tcp_syn_linear_timeouts",
        "tcp_retries1",
        "tcp_retries2",
        "tcp_fin_timeout",
        "tcp_orphan_retries",
        "tcp_rto_min_us",
        "tcp_rto_max_ms",
    )
)
"""What can be set for an experiment: the timers of TCP, for IPv6 too (ip-sysctl.rst)."""


class SysctlSetter:
    """The sysctls that one agent has set."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._set: dict[str, tuple[int, SysctlChange]] = {}

    def set(self, wanted: SetSysctl) -> SysctlSet:
        """Set one, or put its old value back. Raises UsageError, PermissionRefused."""
        number, change = self._set.pop(wanted.name, (0, SysctlChange(name=wanted.name, value="")))
        if number:
            self._changes.undo(number)
        if wanted.value is not None:
            number, made = self._changes.make(SysctlChange(name=wanted.name, value=str(wanted.value)))
            assert isinstance(made, SysctlChange)
            self._set[wanted.name], change = (number, made), made
        else:
            change = prepare_sysctl(change)
        return SysctlSet(value=_read(wanted.name) or "", before=change.before)

    def lose_changes(self) -> None:
        """The guardian died, and what it had set is put back."""
        self._set.clear()


def read_sysctls(names: list[str]) -> dict[str, str | None]:
    """The text of each; None for a name that this kernel or namespace does not have, or hides."""
    return {name: _read(name) for name in names}


def prepare_sysctl(change: SysctlChange) -> SysctlChange:
    """With the value of now. Raises UsageError for what is not SETTABLE, or not here."""
    if change.name not in SETTABLE:
        raise UsageError(f"cannot set {change.name}: only the timers of TCP are set ({', '.join(SETTABLE)})")
    before = _read(change.name)
    if before is None:
        raise UsageError(f"cannot set {change.name}: this kernel does not have it")
    return replace(change, before=before)


def write_sysctl(name: str, value: str) -> None:
    """One write(2): a buffered file swallows the kernel's refusal. Raises OSError."""
    descriptor = os.open(_path(name), os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, value.encode())
    finally:
        os.close(descriptor)


def undo_sysctl(change: SysctlChange) -> None:
    """Write what was there before, unless it is there, or somebody else has set it to a third value since."""
    if _read(change.name) == change.value:
        write_sysctl(change.name, change.before)


def _read(name: str) -> str | None:
    first, *rest = name.split(".")
    if first != "net" or not rest or not all(rest):
        return None
    try:
        return _path(name).read_text().strip()
    except OSError:
        return None


def _path(name: str) -> Path:
    return Path("/proc/sys", *name.split("."))
