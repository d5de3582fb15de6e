"""How the app answers in a flow of a million rungs: opening it, End, PgUp, Home. Prints; asserts nothing.

The capture is generated and kept in a folder of its own below the system's folder for such files, for the next run.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from figure import Figure, table
from terminal import Terminal, running

TCPLADDER = [sys.executable, "-m", "tcpladder"]
GENERATE = Path(__file__).with_name("generate.py")
SEGMENTS = 1_000_000
KEYS = [
    ("opening", "\r"),
    ("End", "\x1b[F"),
    ("PgUp", "\x1b[5~"),
    ("PgUp again", "\x1b[5~"),
    ("Home", "\x1b[H"),
]
QUIET_S = 1.0


def one_long_flow(folder: Path) -> Path:
    """A capture with one flow of a million segments."""
    path = folder / f"one-flow-{SEGMENTS}.pcap"
    if not path.exists():
        options = ["--segments", str(SEGMENTS), "--flows", "1", "--payload", "small", "--seed", "7"]
        subprocess.run([sys.executable, str(GENERATE), str(path), *options], check=True)
    return path


def wait_until_loaded(terminal: Terminal, deadline_s: float = 120.0) -> None:
    """Loading uses the CPU; it is over when a whole second went by without."""
    for _ in range(int(deadline_s)):
        before_s = terminal.cpu_s()
        terminal.read(QUIET_S)
        if terminal.cpu_s() - before_s < 0.05:
            return
    raise TimeoutError(f"still busy after {deadline_s:.0f} s")


def figures() -> Iterator[Figure]:
    """Milliseconds from the key to the end of the first frame that answers, and to the last byte; peak memory."""
    folder = Path(tempfile.gettempdir()) / "tcpladder-bench"
    folder.mkdir(exist_ok=True)
    with running([*TCPLADDER, "open", str(one_long_flow(folder))]) as terminal:
        terminal.read_until_first_frame()
        wait_until_loaded(terminal)
        for name, key in KEYS:
            first_s, last_s = terminal.answer_s(key)
            yield Figure(
                what=f"flow of {SEGMENTS:,} rungs: {name}",
                measured=f"{1000 * first_s:.0f} ms to the frame, {1000 * last_s:.0f} ms to the last byte",
                aim="50 ms",
                reached=first_s < 0.05,
            )
        peak_mib = terminal.peak_mib()
        yield Figure(
            what=f"`open` of {SEGMENTS:,} segments: peak memory",
            measured=f"{peak_mib:.0f} MiB",
            aim="300 MiB",
            reached=peak_mib <= 300,
        )


if __name__ == "__main__":
    print(table(figures()))
