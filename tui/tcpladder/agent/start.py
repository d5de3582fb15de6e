"""The first process: start the agent, give up every privilege, become the app by exec.

It imports the standard library and this room only: a library with threads of its own (numpy) would keep the
capabilities of its threads.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NoReturn

from tcpladder.agent import confine, protocol
from tcpladder.agent.confine import Capability
from tcpladder.agent.descriptors import keep_only
from tcpladder.agent.messages import AgentReady, Refused
from tcpladder.agent.networks import HostNetwork, NetnsNetwork, Network
from tcpladder.errors import (
    WRITE_ELSEWHERE,
    ExitCode,
    InterfaceError,
    PermissionRefused,
    TcpladderError,
    UsageError,
)

__all__ = ["Handover", "HostNetwork", "NetnsNetwork", "exec_app", "handover", "open_output", "start_agent"]

_VARIABLE = "TCPLADDER_HANDOVER"
_ALLOCATOR = {"MALLOC_TRIM_THRESHOLD_": 64 << 20, "MALLOC_MMAP_THRESHOLD_": 32 << 20}
"""mallopt(3), read when a process starts: memory that a batch of frames was decoded in is kept for the next one.
Giving it back to the kernel and touching it anew takes a tenth of the CPU of a live capture."""
_APP = (sys.executable, "-P", "-m", "tcpladder")
"""-P: what lies in the current directory must not be imported by a process that root started."""
_AGENT_KEEPS = (Capability.NET_RAW, Capability.NET_ADMIN, Capability.SYS_PTRACE, Capability.DAC_READ_SEARCH)
"""Capture sockets; rules and sysctls; whose socket is it (the last two, for sshd's)."""
_SHARED_PLACES = (Path("/tmp"), Path("/dev"))  # noqa: S108 - what an app as uid 0 may still write
_ERRORS = {
    ExitCode.USAGE: UsageError,
    ExitCode.BAD_INPUT: InterfaceError,
    ExitCode.NOT_PERMITTED: PermissionRefused,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """What the first process leaves to the app."""

    agent: int
    """The descriptor that AgentClient takes."""
    agent_pid: int
    outputs: dict[str, int]
    """By the names that exec_app was given: descriptors opened for writing by the invoking user."""
    beside: dict[str, int]
    """Descriptors of what was started beside the agent, by name."""
    notices: list[str]
    """Sentences for the user: how the app is confined, and what was put back that an earlier one had left behind;
    empty where all is as it should be."""


def exec_app(
    network: Network,
    outputs: Mapping[str, Path],
    argv: Sequence[str],
    *,
    command: Sequence[str] = _APP,
    beside: Callable[[int], Mapping[str, int]] | None = None,
    folder: Path | None = None,
    purpose: str = "sniffing",
    needs: frozenset[Capability] = frozenset(),
    new: frozenset[str] = frozenset(),
) -> NoReturn:
    """Start the agent in `network`, open `outputs`, drop every privilege and exec `command` with `argv`.

    Of `outputs`, those named in `new` must not be there yet.
    `beside` is called with the agent's pid while there is privilege still; it returns descriptors by name.

    `folder` is made where it lacks, as the invoking user, for outputs to lie in.

    The app finds what it was left through `handover()`. Raises TcpladderError, before anything was started where
    privilege is missing; after any raise the process should end, and the agent ends with it. `purpose` says in that
    case what it would have been good for, and what it `needs` beside what the network needs.
    """
    _require(network.needs | needs, purpose, argv)
    put_back = _sweep()
    channel, pid = start_agent(network)
    with channel:
        more = {} if beside is None else beside(pid)
        _become_app(channel, pid, outputs, new, more, [*command, *argv], put_back, folder)


def _sweep() -> list[str]:
    """Put back what an agent and a guardian left that were killed together; what was, in sentences."""
    if os.geteuid():
        return []
    from tcpladder.agent.sweep import sweep

    return sweep()


def _become_app(
    channel: socket.socket,
    pid: int,
    outputs: Mapping[str, Path],
    new: frozenset[str],
    beside: Mapping[str, int],
    command: list[str],
    notices: list[str],
    folder: Path | None,
) -> NoReturn:
    """Everything between the start of the agent and the exec of the app."""
    confine.no_new_privileges()
    confine.root_means_nothing()
    confine.bound_capabilities(())
    user = confine.invoking_user()
    if user is not None:
        confine.become(user)
    if folder is not None:
        _make_folder(folder)
    opened = {name: open_output(path, new=name in new) for name, path in outputs.items()}
    notices = notices + ([] if os.getuid() else _confine_root(list(outputs.values())))
    confine.keep_capabilities(())
    left = Handover(
        agent=channel.fileno(), agent_pid=pid, outputs=opened, beside=dict(beside), notices=notices
    )
    for descriptor in [left.agent, *opened.values(), *beside.values()]:
        os.set_inheritable(descriptor, True)
    os.environ[_VARIABLE] = json.dumps(asdict(left))
    for name, size in _ALLOCATOR.items():
        os.environ.setdefault(name, str(size))
    try:
        os.execv(command[0], command)  # noqa: S606 - no shell is the point
    except OSError as refused:
        who = user.pw_name if user else "this user"
        reason = f"{who} cannot run {command[0]}: {_words(refused)}"
        raise PermissionRefused(f"{reason}; install tcpladder where {who} can read it") from None


def handover() -> Handover | None:
    """What exec_app left to this process, once; None in a process that was started by hand."""
    text = os.environ.pop(_VARIABLE, None)
    if text is None:
        return None
    try:
        left = Handover(**json.loads(text))
        for descriptor in [left.agent, *left.outputs.values(), *left.beside.values()]:
            os.set_inheritable(descriptor, False)
    except (ValueError, TypeError, AttributeError, OSError):
        raise UsageError(f"{_VARIABLE} is set but is no handover: unset it") from None
    return left


def start_agent(network: Network) -> tuple[socket.socket, int]:
    """Fork the agent into `network`; the channel to it and its pid. Raises what kept it from entering.

    It is no child of this process: it ends when the other end of the channel is closed, however that comes about.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    child = os.fork()
    if child == 0:
        _agent(theirs, network)
    theirs.close()
    os.waitpid(child, 0)
    first = ours.recv(protocol.MAX_MESSAGE_BYTES)
    answer = protocol.decode_reply(first) if first else None
    if isinstance(answer, AgentReady):
        return ours, answer.pid
    ours.close()
    match answer:
        case Refused(reason=reason, exit_code=code):
            raise _ERRORS.get(ExitCode(code), TcpladderError)(reason)
        case _:
            raise TcpladderError("the agent ended before it was ready")


def _agent(channel: socket.socket, network: Network) -> NoReturn:
    """The agent's whole life, in a session of its own: no key of the terminal and no end of its parent hits it."""
    try:
        os.setsid()
        if os.fork():
            os._exit(0)
        (kept_channel,) = keep_only(channel.detach())
        channel = socket.socket(fileno=kept_channel)
        for ignored in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
            signal.signal(ignored, signal.SIG_IGN)
        # SIGTERM kills at once: what must be put back is put back for an agent that ends in any way.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        try:
            private = network.enter()
        except TcpladderError as refused:
            channel.send(protocol.encode(Refused(reason=str(refused), exit_code=refused.exit_code)))
            os._exit(0)
        if private is None:
            confine.not_traceable()
        kept = {*_AGENT_KEEPS, *network.keeps}
        confine.bound_capabilities(kept)
        confine.keep_capabilities(kept)
        confine.no_new_privileges()
        channel.send(protocol.encode(AgentReady(pid=os.getpid())))
        from tcpladder.agent.serve import serve

        serve(channel, private)
    finally:
        os._exit(0)


def _require(needs: frozenset[Capability], purpose: str, argv: Sequence[str]) -> None:
    missing = sorted(capability.name for capability in needs - confine.effective())
    if missing:
        command = shlex.join(["sudo", sys.argv[0], *argv])
        needed = " and ".join(f"CAP_{name}" for name in missing)
        without = "`tcpladder lab keepalive`, which needs no privilege"
        raise PermissionRefused(f"{purpose} needs {needed}: run `{command}`, or {without}")


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as refused:
        raise UsageError(f"cannot make the folder {path}: {_words(refused)}") from None


def open_output(path: Path, *, new: bool) -> int:
    """A descriptor to write `path`; a directory is opened as such, for files to be made in it.

    With `new` it is a file that was not there before. Raises UsageError.
    """
    try:
        if new:
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        if path.is_dir():
            return os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    except FileExistsError:
        raise UsageError(
            f"cannot write {path}: it exists, and nothing is written over; name another file"
        ) from None
    except PermissionError as refused:
        raise UsageError(f"cannot write {path}: {_words(refused)}; {WRITE_ELSEWHERE}") from None
    except OSError as refused:
        raise UsageError(f"cannot write {path}: {_words(refused)}") from None


def _confine_root(outputs: list[Path]) -> list[str]:
    """Landlock for an app that stays uid 0: it writes outputs, its own cache and state, /tmp and terminals."""
    own = []
    for variable, default in (("XDG_CACHE_HOME", ".cache"), ("XDG_STATE_HOME", ".local/state")):
        directory = Path(os.environ.get(variable) or Path.home() / default) / "tcpladder"
        with contextlib.suppress(OSError):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        own.append(directory)
    if confine.landlock_writes([*outputs, *own, *_SHARED_PLACES]):
        return []
    return [
        "this kernel has no Landlock: the app has no capability, but as uid 0 it could write root's files"
    ]


def _words(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
