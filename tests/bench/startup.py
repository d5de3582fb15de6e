"""How long a user waits: `tcpladder --help`, and the first frame of the app. Prints; asserts nothing."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

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


def main() -> None:
    """Print the best and the median of several."""
    for name, measure in (("tcpladder --help", help_s), ("first frame of the app", first_frame_s)):
        times = sorted(measure() for _ in range(RUNS))
        print(f"{name:28} best {times[0]:.3f} s   median {times[RUNS // 2]:.3f} s   of {RUNS}")
    print(f"{'idle app, a ladder open':28} {idle_percent():.1f} % of a core")


if __name__ == "__main__":
    main()
