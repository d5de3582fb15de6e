"""How long a user waits: `tcpladder --help`, and the first frame of the app. Prints; asserts nothing."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from figure import Figure, table
from terminal import running

TCPLADDER = [sys.executable, "-m", "tcpladder"]
CAPTURE = Path(__file__).resolve().parent.parent / "truth" / "a1_ka_client_3_1_3.pcap"
RUNS = 7


def help_s() -> float:
    """Seconds of `tcpladder --help`."""
    start_s = time.perf_counter()
    subprocess.run([*TCPLADDER, "--help"], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start_s


def first_frame_s() -> float:
    """Seconds from `tcpladder open` to the end of the first frame on a terminal of 80x24."""
    with running([*TCPLADDER, "open", str(CAPTURE)]) as terminal:
        return terminal.read_until_first_frame()


def idle_percent(seconds: float = 5.0) -> float:
    """CPU of a core that the app uses while a finished capture is on the screen, in percent."""
    with running([*TCPLADDER, "open", str(CAPTURE)]) as terminal:
        terminal.read_until_first_frame()
        terminal.press("\r")
        terminal.read(2.0)
        before_s = terminal.cpu_s()
        terminal.read(seconds)
        return 100 * (terminal.cpu_s() - before_s) / seconds


def figures() -> Iterator[Figure]:
    """The best and the median of several, and beside them what Textual alone needs."""
    textual = sorted(import_s("textual.app") for _ in range(RUNS))
    yield Figure(what="python -c 'import textual.app'", measured=_times(textual))
    for what, measure, aim_s in (("`--help`", help_s, 0.2), ("first frame of the app", first_frame_s, 0.5)):
        times = sorted(measure() for _ in range(RUNS))
        yield Figure(what=what, measured=_times(times), aim=f"{aim_s} s", reached=times[RUNS // 2] < aim_s)
    idle = idle_percent()
    yield Figure(
        what="idle app, a ladder open", measured=f"{idle:.1f} % of a core", aim="no CPU", reached=idle < 0.5
    )


def import_s(module: str) -> float:
    """Seconds of an interpreter that imports a module and ends."""
    start_s = time.perf_counter()
    subprocess.run([sys.executable, "-c", f"import {module}"], check=True)
    return time.perf_counter() - start_s


def _times(times: list[float]) -> str:
    return f"best {times[0]:.3f} s, median {times[RUNS // 2]:.3f} s"


if __name__ == "__main__":
    print(table(figures()))
