"""How a process gets a network of its own, as root or not, and why it cannot where it cannot.

Nothing here outlives the process: namespaces vanish with the last process (and socket) in them.
"""

from __future__ import annotations

import errno
import os
import signal
import socket
import struct
from collections.abc import Callable
from pathlib import Path

from tcpladder.agent.confine import Capability, effective
from tcpladder.agent.netlink import NETLINK_NETFILTER, Netlink
from tcpladder.agent.networks import CLONE_NEWNET
from tcpladder.errors import PermissionRefused
from tcpladder.hosts.build import raise_loopback
from tcpladder.hosts.namespaces import CLONE_NEWUSER, unshare

_NFT_MSG_GETTABLE = (10 << 8) | 1
_OTHER_WAYS = "or open a recorded capture, which needs no privilege"

Step = tuple[str, Callable[[], None]]
"""What is done, in words, and the doing of it; raises OSError."""


def enter() -> None:
    """Move this process into a fresh network namespace and bring its loopback up.

    With CAP_SYS_ADMIN the network namespace alone; without, a user namespace around it in which the process has every
    capability and keeps its uid (user_namespaces(7)), so what it executes has none. The process must have one thread.

    Raises PermissionRefused with the step that failed and what to do.
    """
    for name, do in _steps():
        try:
            do()
        except OSError as error:
            raise PermissionRefused(_explain(name, error.errno or 0)) from None


def why_not() -> str | None:
    """Try all that the lab needs in a child of its own: None if it works, else a sentence with the ways out."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        _report_first_failure(writer)
    os.close(writer)
    with open(reader, "rb") as answers:
        answer = answers.read().decode()
    _, status = os.waitpid(child, 0)
    if answer == "ok":
        return None
    name, _, number = answer.partition(":")
    if not number:
        return (
            f"{_refusal('trying it')}: the attempt ended with status {status}: run with sudo, {_OTHER_WAYS}"
        )
    return _explain(name, int(number))


def _report_first_failure(writer: int) -> None:
    """In the child: write `ok` or `step:errno` and end without unwinding into the parent's code."""
    name = "starting"
    try:
        signal.alarm(10)
        for name, do in (*_steps(), ("sniffing in it", _sniff), ("nftables in it", _ask_nftables)):  # noqa: B007
            do()
        os.write(writer, b"ok")
    except OSError as error:
        os.write(writer, f"{name}:{error.errno or 0}".encode())
    finally:
        os._exit(0)


def _steps() -> tuple[Step, ...]:
    """What `enter` does, in order."""
    if Capability.SYS_ADMIN in effective():
        return (
            ("unshare(CLONE_NEWNET)", lambda: unshare(CLONE_NEWNET)),
            ("bringing lo up", raise_loopback),
        )
    uid, gid = os.geteuid(), os.getegid()
    return (
        ("unshare(CLONE_NEWUSER)", lambda: unshare(CLONE_NEWUSER | CLONE_NEWNET)),
        ("setgroups", lambda: _write("/proc/self/setgroups", "deny")),
        ("uid_map", lambda: _write("/proc/self/uid_map", f"{uid} {uid} 1")),
        ("gid_map", lambda: _write("/proc/self/gid_map", f"{gid} {gid} 1")),
        ("bringing lo up", raise_loopback),
    )


def _write(path: str, content: str) -> None:
    """One write(2): the kernel reads these files in one piece, and buffered files swallow its refusal."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, content.encode())
    finally:
        os.close(descriptor)


def _sniff() -> None:
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()


def _ask_nftables() -> None:
    netlink = Netlink(NETLINK_NETFILTER)
    try:
        tuple(netlink.dump(_NFT_MSG_GETTABLE, struct.pack("!BBH", 1, 0, 0)))
    finally:
        netlink.close()


def _explain(step: str, number: int) -> str:
    """The sentence for a step that failed with this error number: what the kernel says, why, and the ways out."""
    said = f"{_refusal(step)}: {os.strerror(number)}"
    if _read("/proc/sys/kernel/unprivileged_userns_clone") == "0":
        return _ways_out(
            f"{said} (kernel.unprivileged_userns_clone = 0)", "kernel.unprivileged_userns_clone=1"
        )
    if number == errno.ENOSPC:
        limits = {
            name: _read(f"/proc/sys/user/{name}") for name in ("max_user_namespaces", "max_net_namespaces")
        }
        reached = next((name for name, limit in limits.items() if limit == "0"), "max_user_namespaces")
        here = ", ".join(f"user.{name} = {limit}" for name, limit in limits.items())
        return _ways_out(f"{said} ({here}: the limit is reached)", f"user.{reached}=10000")
    restricted = _read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1"
    if restricted and number in (errno.EPERM, errno.EACCES):
        name = "kernel.apparmor_restrict_unprivileged_userns"
        return _ways_out(f"{said} ({name} = 1: AppArmor denies every capability in it)", f"{name}=0")
    if number == errno.EINVAL and step.startswith("unshare"):
        return f"{said} (a kernel without user namespaces, CONFIG_USER_NS): run with sudo, {_OTHER_WAYS}"
    if number == errno.EPERM and step.startswith("unshare"):
        why = "seccomp filter of a container, or a chroot" if _seccomp() else "a chroot, or a security module"
        return f"{said} ({why}): run outside of it, or with sudo, {_OTHER_WAYS}"
    return f"{said}: run with sudo, {_OTHER_WAYS}"


def _refusal(step: str) -> str:
    return f"cannot make a private network, {step} failed"


def _ways_out(said: str, setting: str) -> str:
    return f"{said}: run with sudo, or allow it (`sudo sysctl -w {setting}`), {_OTHER_WAYS}"


def _seccomp() -> bool:
    return "\nSeccomp:\t2" in (_read("/proc/self/status") or "")


def _read(path: str) -> str | None:
    """The text of a small file, None where there is none."""
    try:
        return Path(path).read_text().strip()
    except OSError:
        return None
