"""What sniffing costs: 300,000 frames/s for 10 s through the whole program, on a veth pair in a private namespace.

The generator has one core, the program the other. What was seen and what the kernel dropped is read off the
program's own screen. Prints; asserts nothing. Needs root and a C compiler.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from figure import Figure, table
from terminal import Terminal, running

from tcpladder.agent.capture import open_capture
from tcpladder.agent.messages import OpenCapture, Reply, Request, Sysctls
from tcpladder.session.live import LiveSession

CLONE_NEWNET = 0x40000000
GENERATOR = Path(__file__).with_name("blast.c")
COUNTERS = re.compile(r"([\d,]+) frames\s+kernel drops ([\d,]+)")
GENERATOR_CORE, PROGRAM_CORE = 0, 1
MOST_PERCENT = 20


def missing() -> str | None:
    """What keeps this from being measured here."""
    if os.geteuid() != 0:
        return "needs root, for a network namespace of its own"
    if len(os.sched_getaffinity(0)) < 2:
        return "needs two cores"
    wanted = [name for name in ("cc", "ip", "taskset") if not shutil.which(name)]
    return f"needs {', '.join(wanted)}" if wanted else None


def enter_private_network() -> None:
    """A network namespace with a veth pair, which ends with this process."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    for words in (
        "link add sender type veth peer name receiver",
        "link set lo up",
        "link set sender up",
        "link set receiver up",
    ):
        subprocess.run(["ip", *words.split()], check=True)


def compiled(folder: Path) -> Path:
    """The generator as a program."""
    program = folder / "blast"
    subprocess.run(["cc", "-O2", "-o", str(program), str(GENERATOR)], check=True)
    return program


def counters(terminal: Terminal) -> tuple[int, int]:
    """Frames seen and frames dropped by the kernel, as they stand on the screen."""
    screen = terminal.screen()
    found = COUNTERS.search(screen)
    if found is None:
        raise LookupError("no counters on the screen:\n" + screen)
    return int(found[1].replace(",", "")), int(found[2].replace(",", ""))


def with_app(program: Path, options: argparse.Namespace) -> Figure:
    """One run with the list of flows on the screen, through the installed command: agent, app and all."""
    command = [sys.executable, "-m", "tcpladder", "live", "-i", "receiver"]
    with running(command, core=PROGRAM_CORE) as terminal:
        terminal.read_until_first_frame()
        terminal.read(1.5)
        cpu_s, start_s = terminal.cpu_s(), time.perf_counter()
        generator = _generate(program, options)
        while generator.poll() is None:
            terminal.read(0.2)
        percent = 100 * (terminal.cpu_s() - cpu_s) / (time.perf_counter() - start_s)
        terminal.read(2.0)
        seen, dropped = counters(terminal)
    return _figure("live, the app on the screen", generator, seen, dropped, percent)


class _Agent:
    """Opens the capture in this process: what is measured is the session, and nobody drops privilege."""

    def request(self, message: Request) -> tuple[Reply, list[int]]:
        if isinstance(message, OpenCapture):
            opened, packets = open_capture(message)
            return opened, [packets.detach()]
        return Sysctls(values={}), []

    def close(self) -> None:
        pass


def unseen(program: Path, options: argparse.Namespace) -> Figure:
    """One run of the session alone, with nobody looking."""
    request = OpenCapture(interface="receiver", filter="", snap_length=256, include_ssh=True)
    os.sched_setaffinity(0, {PROGRAM_CORE})
    session = LiveSession(_Agent(), request)  # type: ignore[arg-type]
    session.start()
    time.sleep(1.0)
    cpu_s, start_s = time.process_time(), time.perf_counter()
    generator = _generate(program, options)
    generator.wait()
    percent = 100 * (time.process_time() - cpu_s) / (time.perf_counter() - start_s)
    time.sleep(0.5)
    status = session.status()
    session.close()
    return _figure("live, nobody looking", generator, status.frames, status.kernel_drops, percent)


def _generate(program: Path, options: argparse.Namespace) -> subprocess.Popen[str]:
    words = [str(program), "sender", str(options.rate), str(options.seconds), str(options.flows)]
    pin = ["taskset", "-c", str(GENERATOR_CORE)]
    return subprocess.Popen([*pin, *words], stdout=subprocess.PIPE, text=True)


def _figure(what: str, generator: subprocess.Popen[str], seen: int, dropped: int, percent: float) -> Figure:
    output, _ = generator.communicate()
    sent, elapsed_ns = (int(word) for word in output.split())
    return Figure(
        what=what,
        measured=f"{1e9 * sent / elapsed_ns:,.0f} frames/s, {seen:,} of {sent:,} seen, {dropped:,} dropped, "
        f"{percent:.0f} % of a core",
        aim="no loss, 20 % of a core",
        reached=seen >= sent and not dropped and percent < MOST_PERCENT,
    )


def figures(options: argparse.Namespace | None = None) -> Iterator[Figure]:
    """With the app and without, at the rate asked for."""
    if reason := missing():
        yield Figure(what="live", measured=f"not measured, {reason}")
        return
    with tempfile.TemporaryDirectory() as folder:
        program = compiled(Path(folder))
        enter_private_network()
        yield with_app(program, options or _parser().parse_args([]))
        yield unseen(program, options or _parser().parse_args([]))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="the cost of sniffing, through the whole program")
    parser.add_argument("--rate", type=int, default=300_000, help="frames per second")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--flows", type=int, default=200)
    return parser


if __name__ == "__main__":
    print(table(figures(_parser().parse_args())))
