"""Giving up privilege: capabilities, no_new_privs, the invoking user, Landlock. Nothing here can gain any.

Sources: capabilities(7), prctl(2), landlock(7) and the kernel's include/uapi/linux/{capability,landlock,prctl}.h.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import struct
from collections.abc import Iterable
from enum import IntEnum
from pathlib import Path


class Capability(IntEnum):
    """The capabilities that this room names."""

    DAC_READ_SEARCH = 2
    KILL = 5
    SETPCAP = 8
    NET_BIND_SERVICE = 10
    NET_ADMIN = 12
    NET_RAW = 13
    SYS_PTRACE = 19
    SYS_ADMIN = 21


_PR_SET_DUMPABLE, _PR_CAPBSET_READ, _PR_CAPBSET_DROP = 4, 23, 24
_PR_SET_SECUREBITS, _PR_SET_NO_NEW_PRIVS = 28, 38
_NOROOT_LOCKED = 0b11
_KEEP_CAPS_LOCKED = 1 << 5
_NO_AMBIENT_LOCKED = 0b11 << 6
_CAPABILITY_VERSION_3 = 0x20080522

_LANDLOCK_CREATE, _LANDLOCK_ADD_RULE, _LANDLOCK_RESTRICT = 444, 445, 446
_LANDLOCK_VERSION = 1
_FS_WRITE_FILE, _FS_TRUNCATE = 1 << 1, 1 << 14
_FS_REMOVE_AND_MAKE = 0b1_1111_1111 << 4
_FS_REFER = 1 << 13
_SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS = 0b11

_libc = ctypes.CDLL(None, use_errno=True)
_ZERO = ctypes.c_ulong(0)


def effective() -> frozenset[int]:
    """The capabilities in force for this thread, whatever its uid."""
    with open("/proc/thread-self/status") as status:
        mask = next(int(line.split()[1], 16) for line in status if line.startswith("CapEff:"))
    return frozenset(bit for bit in range(64) if mask >> bit & 1)


def invoking_user() -> pwd.struct_passwd | None:
    """Who typed sudo, when root runs because of sudo; None in a root login and for everyone else."""
    try:
        uid = int(os.environ.get("SUDO_UID", "0"))
        return pwd.getpwuid(uid) if os.getuid() == 0 and uid > 0 else None
    except (ValueError, KeyError):
        return None


def no_new_privileges() -> None:
    """Make sure that no exec adds a privilege: setuid bits and file capabilities mean nothing from here on."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def root_means_nothing() -> None:
    """Take from uid 0 what makes it special at exec (SECBIT_NOROOT, locked); a no-op without CAP_SETPCAP."""
    if Capability.SETPCAP in effective():
        _prctl(_PR_SET_SECUREBITS, _NOROOT_LOCKED | _KEEP_CAPS_LOCKED | _NO_AMBIENT_LOCKED)


def bound_capabilities(kept: Iterable[int]) -> None:
    """Empty the bounding set but for `kept`; a no-op without CAP_SETPCAP."""
    if Capability.SETPCAP in effective():
        for bit in frozenset(range(64)) - frozenset(kept):
            if _libc.prctl(_PR_CAPBSET_READ, ctypes.c_ulong(bit), _ZERO, _ZERO, _ZERO) == 1:
                _prctl(_PR_CAPBSET_DROP, bit)


def keep_capabilities(kept: Iterable[int]) -> None:
    """Reduce this thread to those of `kept` that it has; ambient and inheritable end empty."""
    mask = sum(1 << bit for bit in effective() & frozenset(kept))
    low, high = mask & 0xFFFFFFFF, mask >> 32
    header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
    _check(_libc.capset(header, struct.pack("=6I", low, low, 0, high, high, 0)), "capset")


def become(user: pwd.struct_passwd) -> None:
    """Change groups, gid and uid to `user`'s for good, and the environment with them."""
    os.setgroups([user.pw_gid])
    os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
    os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)
    for name in [name for name in os.environ if name.startswith("XDG_")]:
        path = Path(os.environ[name])
        if path.is_absolute() and not (os.access(path, os.W_OK) and path.owner() == user.pw_name):
            del os.environ[name]
    os.environ.update(HOME=user.pw_dir, USER=user.pw_name, LOGNAME=user.pw_name)


def not_traceable() -> None:
    """Forbid other processes of the same uid to read or trace this one (PR_SET_DUMPABLE 0)."""
    _prctl(_PR_SET_DUMPABLE, 0)


def landlock_version() -> int:
    """The version of Landlock's interface; 0 or less without Landlock."""
    return int(_libc.syscall(_LANDLOCK_CREATE, None, _ZERO, _LANDLOCK_VERSION))


def landlock_writes(writable: Iterable[Path]) -> bool:
    """Let this process and what it execs change files only at or below `writable`; False without Landlock.

    Needs no_new_privs. From Landlock ABI 6 on, signals and abstract sockets stay inside too.
    """
    version = landlock_version()
    if version < 1:
        return False
    rights = _FS_WRITE_FILE | _FS_REMOVE_AND_MAKE
    rights |= (_FS_REFER if version >= 2 else 0) | (_FS_TRUNCATE if version >= 3 else 0)
    scope = _SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS if version >= 6 else 0
    attributes = struct.pack("=QQQ", rights, 0, scope)[: 24 if scope else 8]
    ruleset = _landlock(_LANDLOCK_CREATE, attributes, len(attributes), 0)
    for path in writable:
        with contextlib.suppress(FileNotFoundError):
            allowed = rights if path.is_dir() else rights & (_FS_WRITE_FILE | _FS_TRUNCATE)
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
            _landlock(_LANDLOCK_ADD_RULE, ruleset, 1, struct.pack("=Qi", allowed, place), 0)
            os.close(place)
    _landlock(_LANDLOCK_RESTRICT, ruleset, 0)
    os.close(ruleset)
    return True


def _landlock(number: int, *arguments: int | bytes) -> int:
    wide = [ctypes.c_ulong(value) if isinstance(value, int) else value for value in arguments]
    return _check(_libc.syscall(ctypes.c_long(number), *wide), "landlock")


def _prctl(option: int, value: int) -> None:
    _check(_libc.prctl(option, ctypes.c_ulong(value), _ZERO, _ZERO, _ZERO), f"prctl {option}")


def _check(result: int, what: str) -> int:
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")
    return result
