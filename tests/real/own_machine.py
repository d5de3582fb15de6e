"""A network and a run directory of a test's own, for whole programs: `/run/tcpladder` of the host stays as it is."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

UNSHARE = ["unshare", "--net", "--mount", "sh", "-c", 'mount --make-rprivate / && mount -t tmpfs tmpfs /run && '
           'ip link set lo up && echo $$ && exec sleep 1000']  # fmt: skip
TCPLADDER = [sys.executable, "-m", "tcpladder"]
DEADLINE_S = 20.0


class Machine:
    """Programs in it see its network and its /run."""

    def __init__(self, holder: int) -> None:
        self._holder = holder
        self._started: list[subprocess.Popen[str]] = []

    def command(self, *words: str) -> list[str]:
        return ["nsenter", f"--target={self._holder}", "--net", "--mount", f"--wd={Path.cwd()}", *words]

    def run(self, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.command(*words), capture_output=True, text=True, timeout=30, **options)

    def sh(self, script: str) -> str:
        return self.run("sh", "-ec", script, check=True).stdout

    def start(self, *words: str, **options: Any) -> subprocess.Popen[str]:
        self._started.append(subprocess.Popen(self.command(*words), text=True, **options))
        return self._started[-1]

    def end(self) -> None:
        """Kill everybody in it."""
        for process in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        for one in self._started:
            with one:
                one.kill()

    def processes(self) -> dict[int, str]:
        """Everybody in its network but the one who holds it: pid -> command line."""
        here, found = Path(f"/proc/{self._holder}/ns/net").readlink(), {}
        for path in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if int(path.name) != self._holder and (path / "ns/net").readlink() == here:
                    found[int(path.name)] = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        return found

    def instances(self) -> list[str]:
        return self.sh("ls /run/tcpladder 2>/dev/null || true").split()


@contextlib.contextmanager
def own_machine(setup: str = "") -> Iterator[Machine]:
    """A machine with loopback and what `setup` adds; at the end everything in it is killed."""
    with subprocess.Popen(UNSHARE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        machine = Machine(int(holder.stdout.readline()))
        try:
            machine.sh(setup)
            yield machine
        finally:
            machine.end()
            holder.kill()


def wait_until(what: Callable[[], object], why: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not what():
        assert time.monotonic() < deadline, why
        time.sleep(0.01)
