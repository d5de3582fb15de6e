"""A command of the user's that runs in the lab beside the app: made ready with privilege, begun by the app.

The app cannot enter a lab that root's agent made. So the first process, which still may, leaves a process that waits
for a word; then the command runs as the user who typed it, and is ended with the app.
"""

from __future__ import annotations

import contextlib
import os
import select
from collections.abc import Callable, Mapping, Sequence

from tcpladder.agent import confine
from tcpladder.errors import TcpladderError
from tcpladder.hosts.inside import NOT_RUNNABLE, run_inside
from tcpladder.hosts.plan import HOME
from tcpladder.hosts.running import RunningLab, find

_BEGIN, _OUTPUT, _PROCESS = "command-begin", "command-output", "command-process"
_READ_BYTES = 65536


def beside(command: Sequence[str], host: str = HOME) -> Callable[[int], Mapping[str, int]]:
    """For exec_app: what makes the command ready in the lab of an agent."""
    return lambda agent: _make_ready(find(str(agent)), command, host)


def _make_ready(lab: RunningLab, command: Sequence[str], host: str) -> Mapping[str, int]:
    lab.namespace(host)
    waits, begin = os.pipe2(os.O_CLOEXEC)
    output, said = os.pipe2(os.O_CLOEXEC)
    child = os.fork()
    if child == 0:
        code = NOT_RUNNABLE
        try:
            _close_all_but(0, 1, 2, waits, said)
            code = _await_word(lab, command, host, waits, said)
        finally:
            os._exit(code)
    os.close(waits)
    os.close(said)
    return {_BEGIN: begin, _OUTPUT: output, _PROCESS: os.pidfd_open(child)}


def _close_all_but(*kept: int) -> None:
    """Above all the channel to the agent, which must see its end when the app ends."""
    for number in map(int, os.listdir("/proc/self/fd")):  # noqa: PTH208
        if number not in kept:
            with contextlib.suppress(OSError):
                os.close(number)


def _await_word(lab: RunningLab, command: Sequence[str], host: str, waits: int, said: int) -> int:
    """In the process that waits: run the command when told, and not at all when the app ends before."""
    os.setsid()
    os.dup2(said, 1)
    os.dup2(said, 2)
    os.close(said)
    if os.isatty(0):
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
    if not os.read(waits, 1):
        return 0
    environment = dict(os.environ) | {"TCPLADDER_LAB": str(lab.pid)}
    user = confine.invoking_user()

    def prepare() -> None:
        if user is not None:
            confine.become(user)
            environment.update({name: os.environ[name] for name in ("HOME", "USER", "LOGNAME")})

    try:
        return run_inside(lab, command, environment, host=host, prepare=prepare, leash=waits)
    except TcpladderError as failed:
        os.write(2, f"tcpladder: {failed}\n".encode())
        return NOT_RUNNABLE


class Command:
    """The app's side: begin it, read what it says, know how it ended. Owns the descriptors of the handover."""

    def __init__(self, descriptors: Mapping[str, int]) -> None:
        self.code: int | None = None
        """The exit code, once it has ended and all it said was read."""
        self._begin = descriptors[_BEGIN]
        self._output: int | None = descriptors[_OUTPUT]
        self._process = descriptors[_PROCESS]
        self.begun = False
        os.set_blocking(self._output, False)

    def begin(self) -> None:
        """Let it run."""
        if not self.begun:
            self.begun = True
            with contextlib.suppress(BrokenPipeError):
                os.write(self._begin, b"!")

    def read(self) -> bytes:
        """What it has said since the last call, stdout and stderr in the order of writing."""
        # What it started in the background may hold the pipe for ever: the command's own end is what counts.
        ended = self.code is None and self.begun and bool(select.select([self._process], [], [], 0)[0])
        said = b""
        while self._output is not None:
            try:
                data = os.read(self._output, _READ_BYTES)
            except BlockingIOError:
                break
            if not data:
                os.close(self._output)
                self._output = None
            said += data
        if ended:
            how = os.waitid(os.P_PIDFD, self._process, os.WEXITED)
            self.code = how.si_status if how is not None and how.si_code == os.CLD_EXITED else NOT_RUNNABLE
        return said

    def close(self) -> None:
        """End it, if it still runs, by letting go of its leash."""
        os.close(self._begin)
        os.close(self._process)
        if self._output is not None:
            os.close(self._output)


def handed_over(descriptors: Mapping[str, int]) -> Command | None:
    """The command that was made ready, None where none was."""
    return Command(descriptors) if _BEGIN in descriptors else None
