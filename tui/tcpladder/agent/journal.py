"""What has been changed and must be put back, on disk, for the case that guardian and agent die together.

One directory an instance below RUN, root's alone: `lock` is locked (flock(2)) as long as its owner lives, `journal`
says in which namespace of which boot the changes were made, then one line a change. It is replaced as a whole and
synced before the change that it tells of is made.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import socket
import typing
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tcpladder.agent import changes, protocol
from tcpladder.agent.changes import Change
from tcpladder.errors import PermissionRefused

RUN = Path("/run/tcpladder")
_CHANGES = {cls.__name__: cls for cls in typing.get_args(changes.Change)}
_SO_NETNS_COOKIE = 71


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where the changes of a journal were made."""

    boot: str
    """/proc/sys/kernel/random/boot_id: another boot has undone them."""
    namespace: int
    """The inode of the network namespace, to find it by; numbers are used again."""
    cookie: int
    """The kernel's own number of the namespace, never used twice in a boot (SO_NETNS_COOKIE)."""

    @classmethod
    def here(cls) -> Origin:
        """This thread's network namespace, now."""
        with socket.socket(socket.AF_UNIX) as any_socket:
            cookie = any_socket.getsockopt(socket.SOL_SOCKET, _SO_NETNS_COOKIE, 8)
        return cls(
            boot=Path("/proc/sys/kernel/random/boot_id").read_text().strip(),
            namespace=Path("/proc/thread-self/ns/net").stat().st_ino,
            cookie=int.from_bytes(cookie, "little"),
        )


_KNOWN: dict[str, type] = _CHANGES | {"Origin": Origin}


@dataclass(slots=True)
class Journal:
    """The journal of one instance, and its lock."""

    directory: Path
    lock: int
    """A descriptor; the lock is free when it is closed."""
    origin: Origin
    entries: dict[int, Change] = field(default_factory=dict)
    """By number, in the order in which they were made."""

    @classmethod
    def begin(cls, name: str) -> Journal:
        """The directory of a new instance, locked, or that of one whose owner died, with what it left in force.

        Raises PermissionRefused where RUN belongs to somebody else, or the owner lives.
        """
        with alone():
            directory = RUN / name
            directory.mkdir(mode=0o700, exist_ok=True)
            lock = _try_lock(directory)
            if lock is None:
                raise PermissionRefused(
                    f"{directory} is held by a guardian that still puts things back: try again"
                )
            journal = cls(directory, lock, Origin.here())
            left = _read(directory)
            if left is not None and left[0] == journal.origin:
                journal.entries = left[1]
            journal.write()
        return journal

    def write(self) -> None:
        """Replace the file by what holds now, and wait until it is on disk."""
        new = self.directory / "journal.new"
        lines = [protocol.encode(self.origin)]
        lines += [b"%d %s" % (number, protocol.encode(change)) for number, change in self.entries.items()]
        with open(new, "wb", opener=_private) as file:
            file.write(b"\n".join(lines) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.directory / "journal")
        directory = os.open(self.directory, os.O_RDONLY)
        os.fsync(directory)
        os.close(directory)

    def others(self) -> Iterator[Change]:
        """What other instances have changed in the same namespace."""
        for path in RUN.iterdir():
            if path != self.directory and (found := _read(path)) and found[0].cookie == self.origin.cookie:
                yield from found[1].values()

    def end(self) -> None:
        """Take the directory away, and let go of the lock."""
        with alone():
            self.remove()

    def remove(self) -> None:
        """The same for who holds the lock on RUN."""
        shutil.rmtree(self.directory, ignore_errors=True)
        os.close(self.lock)


@contextlib.contextmanager
def ownerless() -> Iterator[list[Journal]]:
    """The journals whose owner is dead, each locked by us now; nobody begins one meanwhile."""
    with alone():
        found = []
        for directory in sorted(RUN.iterdir()):
            if directory.is_dir() and (lock := _try_lock(directory)) is not None:
                origin, entries = _read(directory) or (Origin(boot="", namespace=0, cookie=0), {})
                found.append(Journal(directory, lock, origin, entries))
        yield found


def instances() -> Iterator[Path]:
    """The directories of the instances that live."""
    if not RUN.is_dir():
        return
    with alone():
        found = {directory: _try_lock(directory) for directory in sorted(RUN.iterdir()) if directory.is_dir()}
        for lock in found.values():
            if lock is not None:
                os.close(lock)
    yield from (directory for directory, lock in found.items() if lock is None)


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Hold the lock on RUN, which is made and checked first, and taken away again where nothing is in it."""
    while True:
        try:
            RUN.mkdir(mode=0o700, exist_ok=True)
            said = RUN.lstat()
            if said.st_uid != os.geteuid() or said.st_mode & 0o077:
                raise PermissionRefused(f"{RUN} is not root's alone: remove it, then start again")
            lock = os.open(RUN, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        except OSError as refused:
            words = (refused.strerror or str(refused)).lower()
            raise PermissionRefused(
                f"cannot keep what must be put back in {RUN}: {words}; only root breaks things on this host"
            ) from None
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.fstat(lock).st_nlink:
            break
        # Whoever had it took it away.
        os.close(lock)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            RUN.rmdir()
        os.close(lock)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)


def _lock(directory: Path) -> int:
    lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise
    return lock


def _try_lock(directory: Path) -> int | None:
    try:
        return _lock(directory)
    except OSError:
        return None


def _read(directory: Path) -> tuple[Origin, dict[int, Change]] | None:
    """What a journal says; None for one that was never written, or that cannot be understood."""
    try:
        first, *lines = (directory / "journal").read_bytes().splitlines()
        origin = typing.cast(Origin, protocol.decode(first, _KNOWN))
        pairs = (line.split(b" ", 1) for line in lines)
        return origin, {int(n): typing.cast(Change, protocol.decode(text, _CHANGES)) for n, text in pairs}
    except (OSError, ValueError, protocol.MalformedMessageError):
        return None
