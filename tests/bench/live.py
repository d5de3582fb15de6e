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
from pathlib import Path

import pyte
from terminal import Terminal, running

CLONE_NEWNET = 0x40000000
GENERATOR = Path(__file__).with_name("blast.c")
COUNTERS = re.compile(r"([\d,]+) frames\s+kernel drops ([\d,]+)")
GENERATOR_CORE, PROGRAM_CORE = 0, 1


def missing() -> str | None:
    """What keeps this from being measured here."""
    if os.geteuid() != 0:
        return "needs root, for a network namespace of its own"
    if len(os.sched_getaffinity(0)) < 2:
        return "needs two cores"
    return None if shutil.which("cc") else "needs a C compiler"


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


def counters(terminal: Terminal, columns: int, rows: int) -> tuple[int, int]:
    """Frames seen and frames dropped by the kernel, as they stand on the screen."""
    screen = pyte.Screen(columns, rows)
    pyte.ByteStream(screen).feed(bytes(terminal.drawn))
    found = COUNTERS.search("\n".join(screen.display))
    if found is None:
        raise LookupError("no counters on the screen:\n" + "\n".join(screen.display))
    return int(found[1].replace(",", "")), int(found[2].replace(",", ""))


def measure(program: Path, rate: int, seconds: int, flows: int) -> None:
    """One run at one rate, printed on one line."""
    command = [sys.executable, "-m", "tcpladder", "live", "-i", "receiver"]
    with running(command, core=PROGRAM_CORE) as terminal:
        terminal.read_until_first_frame()
        terminal.read(1.5)
        os.sched_setaffinity(0, {GENERATOR_CORE})
        cpu_s, start_s = terminal.cpu_s(), time.perf_counter()
        words = [str(program), "sender", str(rate), str(seconds), str(flows)]
        generator = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        while generator.poll() is None:
            terminal.read(0.2)
        percent = 100 * (terminal.cpu_s() - cpu_s) / (time.perf_counter() - start_s)
        terminal.read(2.0)
        seen, dropped = counters(terminal, 80, 24)
        output, _ = generator.communicate()
    sent, elapsed_ns = (int(word) for word in output.split())
    print(
        f"{1e9 * sent / elapsed_ns:9,.0f} frames/s   sent {sent:,}   seen {seen:,}   kernel drops {dropped:,}   "
        f"{percent:.1f} % of a core"
    )


def main() -> None:
    """Measure at the rate asked for."""
    parser = argparse.ArgumentParser(description="the cost of sniffing, through the whole program")
    parser.add_argument("--rate", type=int, default=300_000, help="frames per second")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--flows", type=int, default=200)
    options = parser.parse_args()
    if reason := missing():
        print(f"live: not measured, {reason}")
        return
    with tempfile.TemporaryDirectory() as folder:
        program = compiled(Path(folder))
        enter_private_network()
        measure(program, options.rate, options.seconds, options.flows)


if __name__ == "__main__":
    main()
