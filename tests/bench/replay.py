"""What a replay costs: the CPU of playing a million segments, and going to any place of them. Prints; asserts nothing.

The captures are those of view.py and offline.py: one flow of a million segments, and as many in 2,000 flows.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from figure import Figure, table
from terminal import FRAME_ENDS, Terminal, running
from view import GENERATE, SEGMENTS, TCPLADDER, one_long_flow, wait_until_loaded

PLACES = ("50%", "2%", "99%", "31%", "73%", "0%", "100%")
PLAYED_S = 6.0


def many_flows(folder: Path) -> Path:
    """A capture of a million segments, 10,000 a second."""
    path = folder / f"many-flows-{SEGMENTS}.pcap"
    if not path.exists():
        options = ["--segments", str(SEGMENTS), "--flows", "2000", "--payload", "small", "--seed", "7"]
        subprocess.run([sys.executable, str(GENERATE), str(path), *options], check=True)
    return path


def slowest_seek_ms(terminal: Terminal) -> float:
    """Milliseconds from the key that confirms a place to the end of the first frame that shows it; the worst."""
    worst_s = 0.0
    for place in PLACES:
        terminal.press("@" + place)
        terminal.read(0.5)
        first_s, _ = terminal.answer_s("\r")
        worst_s = max(worst_s, first_s)
    return 1000 * worst_s


def share_of_a_core(terminal: Terminal) -> float:
    """CPU of the child while it plays, as a share of one core."""
    terminal.drawn.clear()
    before_s, started_s = terminal.cpu_s(), time.perf_counter()
    terminal.read(PLAYED_S)
    return (terminal.cpu_s() - before_s) / (time.perf_counter() - started_s)


def figures() -> Iterator[Figure]:
    """Seeks, then some seconds at 10 times the recorded pace, for both captures, in the list and in a ladder."""
    folder = Path(tempfile.gettempdir()) / "tcpladder-bench"
    folder.mkdir(exist_ok=True)
    for path, what, keys in (
        (one_long_flow(folder), "a flow of 1,000,000 rungs", "\r"),
        (many_flows(folder), "1,000,000 segments, the list of 2,000 flows", ""),
        (many_flows(folder), "1,000,000 segments, a ladder", "\r"),
    ):
        with running([*TCPLADDER, "replay", "--pace", "10", str(path)]) as terminal:
            terminal.read_until_first_frame()
            terminal.read(1.0)
            terminal.press("p")
            wait_until_loaded(terminal)
            if keys:
                terminal.answer_s(keys)
            terminal.read(2.0)
            worst_ms = slowest_seek_ms(terminal)
            yield Figure(
                what=f"replay of {what}: the slowest of {len(PLACES)} seeks",
                measured=f"{worst_ms:.0f} ms to the frame",
                aim="100 ms",
                reached=worst_ms < 100,
            )
            terminal.press("@20%\r")
            terminal.read(1.0)
            terminal.press("p")
            share = share_of_a_core(terminal)
            if terminal.drawn.count(FRAME_ENDS) < PLAYED_S:
                raise RuntimeError(f"it does not play: {bytes(terminal.drawn[-500:])!r}")
            yield Figure(
                what=f"replay of {what}: played at 10×",
                measured=f"{100 * share:.0f} % of a core",
                aim="20 % of a core",
                reached=share < 0.2,
            )


if __name__ == "__main__":
    print(table(figures()))
