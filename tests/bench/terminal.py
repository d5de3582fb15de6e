"""A program in a pseudo-terminal of 80x24: when its first frame came, and what it costs while nothing happens."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pyte

SYNCHRONIZED_OUTPUT_ASKED = b"\x1b[?2026$p"
SYNCHRONIZED_OUTPUT_KNOWN = b"\x1b[?2026;2$y"
FRAME_ENDS = b"\x1b[?2026l"


@dataclass(slots=True)
class Terminal:
    """The terminal's side: reads what the child draws, answers as a modern terminal does."""

    pid: int
    descriptor: int
    started_s: float
    first_frame_s: float | None = None
    size: tuple[int, int] = (80, 24)
    drawn: bytearray = field(default_factory=bytearray)
    _stream: pyte.ByteStream | None = None
    _fed: int = 0

    def read(self, seconds: float) -> None:
        """Let the child draw for a while."""
        end_s = time.perf_counter() + seconds
        while (left_s := end_s - time.perf_counter()) > 0 and self.read_once(left_s):
            pass

    def read_until_first_frame(self, deadline_s: float = 30.0) -> float:
        """Seconds from the start to the end of the first frame."""
        end_s = time.perf_counter() + deadline_s
        while self.first_frame_s is None and time.perf_counter() < end_s and self.read_once(0.1):
            pass
        if self.first_frame_s is None:
            raise TimeoutError(f"no frame in {deadline_s} s; drawn: {bytes(self.drawn[-500:])!r}")
        return self.first_frame_s - self.started_s

    def read_once(self, seconds: float) -> bool:
        """One read; False when the child has gone."""
        if not select.select([self.descriptor], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.descriptor, 65536)
        except OSError:
            return False
        if SYNCHRONIZED_OUTPUT_ASKED in data:
            os.write(self.descriptor, SYNCHRONIZED_OUTPUT_KNOWN)
        self.drawn += data
        if self.first_frame_s is None and FRAME_ENDS in self.drawn:
            self.first_frame_s = time.perf_counter()
        return bool(data)

    def resize(self, columns: int, rows: int) -> None:
        """Be of another size, and forget what was drawn: a program draws all of it again."""
        self.size = columns, rows
        self.forget()
        fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def screen(self) -> str:
        """What stands there, line by line."""
        if self._stream is None:
            self._stream = pyte.ByteStream(pyte.Screen(*self.size))
        self._stream.feed(bytes(self.drawn[self._fed :]))
        self._fed = len(self.drawn)
        return "\n".join(self._stream.listener.display)

    def forget(self) -> None:
        """Begin with an empty screen."""
        self.drawn.clear()
        self._stream, self._fed = None, 0

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self.descriptor, keys.encode())

    def answer_s(self, keys: str, quiet_s: float = 0.3, deadline_s: float = 10.0) -> tuple[float, float]:
        """Seconds from a key to the end of the first frame it brought, and to the last byte before a long silence."""
        self.forget()
        first_s = last_s = None
        pressed_s = time.perf_counter()
        self.press(keys)
        while (now_s := time.perf_counter()) < pressed_s + deadline_s:
            if first_s is not None and last_s is not None and now_s > last_s + quiet_s:
                return first_s - pressed_s, last_s - pressed_s
            before = len(self.drawn)
            self.read_once(0.01)
            if len(self.drawn) > before:
                last_s = time.perf_counter()
            if first_s is None and FRAME_ENDS in self.drawn:
                first_s = last_s
        raise TimeoutError(f"no answer to {keys!r} in {deadline_s} s; drawn: {bytes(self.drawn[-500:])!r}")

    def cpu_s(self) -> float:
        """CPU seconds that the child has used."""
        times = psutil.Process(self.pid).cpu_times()
        return times.user + times.system

    def peak_mib(self) -> float:
        """The most memory that the child has had in use."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024


@contextmanager
def running(
    command: Sequence[str],
    columns: int = 80,
    rows: int = 24,
    core: int | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Terminal]:
    """Start a command in a pseudo-terminal, on one core where one is given; kill it at the end.

    `environment` is all that it gets; else ours, as a modern terminal sets it.
    """
    started_s = time.perf_counter()
    pid, descriptor = pty.fork()
    if pid == 0:
        if core is not None:
            os.sched_setaffinity(0, {core})
        modern = dict(
            os.environ, TERM="xterm-256color", COLORTERM="truecolor", LANG="C.UTF-8", TCPLADDER_TOUR="off"
        )
        os.execvpe(command[0], list(command), modern if environment is None else environment)
    terminal = Terminal(pid, descriptor, started_s)
    terminal.resize(columns, rows)
    try:
        yield terminal
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(descriptor)
