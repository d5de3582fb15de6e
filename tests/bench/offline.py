"""What listing flows costs, beside tshark and tcptrace, and judging all their timers: CPU, ratios, peak memory.

Prints only.

    python tests/bench/offline.py [--dir DIR] [--rounds 3]

The programs take turns within one run, so that a busy machine is busy for all of them; the best round counts.
Captures are generated in --dir (a folder of the system's temporary directory if not given) and used again.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from figure import Figure, table

GENERATE = Path(__file__).with_name("generate.py")
CAPTURES = ((1_000_000, "large"), (5_000_000, "small"))
FLOWS = 2000
PEAK_MIB = 300
NO = 1
"""The exit code of `check` where some timer did not keep its schedule."""
OURS = "tcpladder flows"
TIMERS = "tcpladder check"
PROGRAMS: dict[str, list[str]] = {
    OURS: [sys.executable, "-m", "tcpladder", "flows"],
    TIMERS: [sys.executable, "-m", "tcpladder", "check", "--timers", "keepalive=10/10/9,rto_min=200ms"],
    "tshark -q -z conv,tcp": ["tshark", "-q", "-z", "conv,tcp", "-r"],
    "tcptrace -n -l": ["tcptrace", "-n", "-l"],
}
TIMERS_AIM = 1.25
"""What attributing and judging the timers of every flow may cost, as a multiple of listing the flows."""
AIMS = {"tshark -q -z conv,tcp": 1 / 8, "tcptrace -n -l": 2.0}
"""What the CPU time of `tcpladder flows` may be, as a multiple of the program's."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run of one program cost."""

    cpu_s: float
    peak_mib: float


def measure(command: list[str], capture: Path) -> Cost | str:
    """Run a program over a capture. A sentence instead of a cost where it fails."""
    with tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen([*command, str(capture)], stdout=subprocess.DEVNULL, stderr=complaints)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode in (0, NO):
            return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
        complaints.seek(0)
        last = complaints.read().decode(errors="replace").strip().splitlines()[-1:]
        return f"exit {process.returncode}: {' '.join(last)}"


def capture_of(folder: Path, segments: int, payload: str) -> Path:
    """Generate the capture unless it is there."""
    path = folder / f"tcpladder-bench-{segments}-{payload}.pcap"
    if not path.exists():
        print(f"writing {path}", file=sys.stderr)
        options = ["--segments", str(segments), "--flows", str(FLOWS), "--payload", payload]
        subprocess.run([sys.executable, str(GENERATE), str(path), *options], check=True)
    return path


def compare(capture: Path, programs: dict[str, list[str]], rounds: int) -> dict[str, Cost]:
    """The best round of each program; programs that fail are named and left out."""
    subprocess.run(["cat", str(capture)], stdout=subprocess.DEVNULL, check=True)
    best: dict[str, Cost] = {}
    running = dict(programs)
    for _ in range(rounds):
        for name, command in list(running.items()):
            cost = measure(command, capture)
            if isinstance(cost, str):
                print(f"{name} failed, {cost}", file=sys.stderr)
                del running[name]
            elif name not in best or cost.cpu_s < best[name].cpu_s:
                best[name] = cost
    return best


def _figures_of(best: dict[str, Cost], segments: int) -> Iterator[Figure]:
    """The cost of each program, and ours as a multiple of it."""
    ours = best.get(OURS)
    for name, cost in best.items():
        figure = Figure(
            what=f"{segments:,} segments, `{name}`",
            measured=f"{cost.cpu_s:.2f} s CPU, {cost.peak_mib:.0f} MiB",
        )
        if name == TIMERS and ours is not None:
            ratio = cost.cpu_s / ours.cpu_s
            measured = f"{figure.measured}: {ratio:.2f} of `{OURS}`"
            figure = replace(
                figure, measured=measured, aim=f"at most {TIMERS_AIM}", reached=ratio <= TIMERS_AIM
            )
        elif name == OURS:
            figure = replace(figure, aim=f"{PEAK_MIB} MiB", reached=cost.peak_mib <= PEAK_MIB)
        elif ours is not None:
            ratio = ours.cpu_s / cost.cpu_s
            measured = f"{figure.measured}: ours is {ratio:.3f} of it"
            reached = ratio <= AIMS[name]
            figure = replace(figure, measured=measured, aim=f"at most {AIMS[name]:.3f}", reached=reached)
        yield figure


def figures(folder: Path | None = None, rounds: int = 3) -> Iterator[Figure]:
    """Both captures, all programs that are installed."""
    folder = folder or Path(tempfile.gettempdir()) / "tcpladder-bench"
    folder.mkdir(parents=True, exist_ok=True)
    present = {name: command for name, command in PROGRAMS.items() if shutil.which(command[0])}
    for name in PROGRAMS.keys() - present.keys():
        yield Figure(what=f"`{name}`", measured="not compared, it is not installed")
    for segments, payload in CAPTURES:
        capture = capture_of(folder, segments, payload)
        yield from _figures_of(compare(capture, present, rounds), segments)


def main() -> None:
    parser = argparse.ArgumentParser(description="compare the cost of listing flows")
    parser.add_argument("--dir", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print(table(figures(options.dir, options.rounds)))


if __name__ == "__main__":
    main()
