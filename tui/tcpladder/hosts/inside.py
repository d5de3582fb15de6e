"""How a program of the user's own comes into a running lab, and how it is ended when the lab ends."""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import struct
import termios
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from tcpladder.agent.confine import Capability
from tcpladder.agent.networks import CLONE_NEWNET, enter_namespace
from tcpladder.errors import InterfaceError, PermissionRefused
from tcpladder.hosts import running
from tcpladder.hosts.namespaces import CLONE_NEWUSER
from tcpladder.hosts.plan import HOME
from tcpladder.hosts.running import RunningLab

NOT_FOUND, NOT_RUNNABLE, SIGNALLED = 127, 126, 128
"""What a shell's exit code says of a command; the last with the signal's number added."""
_USEFUL = (Capability.NET_ADMIN, Capability.NET_RAW, Capability.NET_BIND_SERVICE)
_PR_SET_PDEATHSIG, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 1, 47, 2
_CAPABILITY_VERSION_3 = 0x20080522
_GRACE_MS = 2000
_KEYBOARD = 0
_libc = ctypes.CDLL(None, use_errno=True)

Prepare = Callable[[], None]
"""Called in the child, in the lab and without other privilege than the command will have."""


def run_inside(
    lab: RunningLab,
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    host: str = HOME,
    prepare: Prepare = lambda: None,
    leash: int | None = None,
) -> int:
    """Run a command on a host of a lab until it ends, or the lab does; its exit code, as a shell would tell it.

    What an ordinary user runs there may capture, configure and listen below port 1024: tcpdump, ip and nft work, in
    the private network only. The command is ended too when the other end of `leash` is closed. The process must have
    one thread. Raises InterfaceError where the lab is gone, PermissionRefused.
    """
    agent, namespaces, networks = _open(lab, host)
    parent, child = os.getpid(), os.fork()
    if child == 0:
        _become(command, environment, namespaces, prepare, parent)
    for descriptor, _ in namespaces:
        os.close(descriptor)
    for ignored in (signal.SIGINT, signal.SIGQUIT, signal.SIGTTOU):
        signal.signal(ignored, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: running.tell(child, signal.SIGHUP))
    with _terminal_restored():
        ended = _first_to_end(child, agent, leash)
        if not ended.child:
            # Where the agent lives, it ends what is left in its lab itself.
            _end(child, networks if ended.agent else frozenset())
        _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else SIGNALLED - code


def _open(lab: RunningLab, host: str) -> tuple[int, list[tuple[int, int]], frozenset[str]]:
    """A pidfd of the agent; what to enter, in order, with the kind of each; the networks of the lab."""
    try:
        agent = os.pidfd_open(lab.pid)
        user = Path(f"/proc/{lab.pid}/ns/user")
        namespaces = []
        if not user.samefile("/proc/self/ns/user"):
            namespaces.append((os.open(user, os.O_RDONLY | os.O_CLOEXEC), CLONE_NEWUSER))
        network = os.open(lab.namespace(host), os.O_RDONLY | os.O_CLOEXEC)
        networks = frozenset(os.readlink(lab.namespace(one)) for one in (HOME, *lab.hosts))  # noqa: PTH115
        return agent, [*namespaces, (network, CLONE_NEWNET)], networks
    except PermissionError as refused:
        raise PermissionRefused(f"cannot enter lab {lab.pid}: {_words(refused)}; run it with sudo") from None
    except OSError as gone:
        raise InterfaceError(f"cannot enter lab {lab.pid}: {_words(gone)}") from None


def _become(
    command: Sequence[str],
    environment: Mapping[str, str],
    namespaces: list[tuple[int, int]],
    prepare: Prepare,
    parent: int,
) -> NoReturn:
    """In the child: enter, and become the command; never returns into the parent's code."""
    code = NOT_RUNNABLE
    try:
        for descriptor, kind in namespaces:
            enter_namespace(descriptor, kind)
        if len(namespaces) > 1:
            _keep_through_exec(_USEFUL)
        prepare()
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGHUP)
        if os.getppid() == parent:
            os.execvpe(command[0], list(command), dict(environment))  # noqa: S606 - no shell is the point
    except FileNotFoundError:
        code = NOT_FOUND
        _complain(f"there is no {command[0]} here")
    except OSError as refused:
        _complain(f"cannot run {command[0]} in the lab: {_words(refused)}")
    finally:
        os._exit(code)


def _keep_through_exec(wanted: Sequence[Capability]) -> None:
    """Make capabilities of this thread ambient: what it executes has them, and no other (capabilities(7))."""
    mask = sum(1 << bit for bit in wanted)
    header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
    if _libc.capset(header, struct.pack("=6I", mask, mask, mask, 0, 0, 0)) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    for bit in wanted:
        words = [ctypes.c_ulong(number) for number in (_PR_CAP_AMBIENT_RAISE, bit, 0, 0)]
        _libc.prctl(_PR_CAP_AMBIENT, *words)


@dataclass(frozen=True, slots=True)
class _Ended:
    """Which of those that were waited for."""

    child: bool
    agent: bool


def _first_to_end(child: int, agent: int, leash: int | None) -> _Ended:
    """Wait for the child, the agent or whoever holds the leash."""
    own = os.pidfd_open(child)
    try:
        waiting = select.poll()
        for descriptor in (own, agent, leash):
            if descriptor is not None:
                waiting.register(descriptor, select.POLLIN)
        ready = dict(waiting.poll())
        return _Ended(child=own in ready, agent=agent in ready)
    finally:
        os.close(own)
        os.close(agent)


def _end(child: int, networks: frozenset[str]) -> None:
    """End the command as the end of its terminal would, then without asking, and what is left in these networks."""
    own = os.pidfd_open(child)
    running.tell(child, signal.SIGHUP)
    running.tell(child, signal.SIGCONT)
    waiting = select.poll()
    waiting.register(own, select.POLLIN)
    waiting.poll(_GRACE_MS)
    os.close(own)
    for pid in (child, *running.processes_in(networks)):
        running.tell(pid, signal.SIGKILL)


@contextlib.contextmanager
def _terminal_restored() -> Any:
    """Have the keyboard back as it was: a shell that is killed does not give it back."""
    try:
        before = termios.tcgetattr(_KEYBOARD)
    except (termios.error, OSError):
        yield
        return
    try:
        yield
    finally:
        with contextlib.suppress(termios.error, OSError):
            os.tcsetpgrp(_KEYBOARD, os.getpgrp())
            termios.tcsetattr(_KEYBOARD, termios.TCSADRAIN, before)


def _complain(sentence: str) -> None:
    os.write(2, f"tcpladder: {sentence}\n".encode())


def _words(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
