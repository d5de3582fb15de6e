"""How a replay moves through recorded time: pace, long silences made short. Pure; the clock is an argument."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tcpladder.errors import UsageError

SECOND_NS = 1_000_000_000
PACES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 100.0, 300.0, 1000.0, 3000.0, 10_000.0, math.inf)
"""Times faster than recorded; the last one waits for nothing."""
IDLES_S: tuple[float | None, ...] = (1.0, 3.0, 10.0, None)
"""The longest silence that a viewer sits through; None for as long as it was."""
LONGEST_STEP_S = 1.0
"""A clock that stood still for longer, as under ^Z, moves the replay no further than this."""
SEGMENTS_A_SECOND = 50_000
"""At the pace that waits for nothing."""


class Silences:
    """The silences that are longer than a viewer shall wait.

    Args:
        time_ns: (n,) when segments come; never falling.
        pace: how much faster than recorded they are played.
        idle_s: the longest wait of a viewer, None for any.
    """

    def __init__(self, time_ns: NDArray[np.int64], pace: float, idle_s: float | None) -> None:
        self._idle_s = idle_s or 0.0
        self._begin = self._end = np.empty(0, np.int64)
        if idle_s is not None and len(time_ns) > 1 and not math.isinf(pace):
            long = np.flatnonzero(np.diff(time_ns) > pace * idle_s * SECOND_NS)
            self._begin, self._end = time_ns[long], time_ns[long + 1]

    def advance(self, time_ns: int, wall_s: float, pace: float) -> int:
        """Where a replay stands that stood at `time_ns`, `wall_s` later. A silence passes evenly in `idle_s`."""
        wall_s = min(wall_s, LONGEST_STEP_S)
        place = int(np.searchsorted(self._end, time_ns, "right"))
        while wall_s > 0:
            begin_ns = int(self._begin[place]) if place < len(self._begin) else None
            if begin_ns is None or time_ns + pace * wall_s * SECOND_NS <= begin_ns:
                return time_ns + round(pace * wall_s * SECOND_NS)
            if time_ns < begin_ns:
                wall_s -= (begin_ns - time_ns) / (pace * SECOND_NS)
                time_ns = begin_ns
            end_ns = int(self._end[place])
            per_s = (end_ns - begin_ns) / self._idle_s
            if time_ns + per_s * wall_s < end_ns:
                return time_ns + round(per_s * wall_s)
            wall_s -= (end_ns - time_ns) / per_s
            time_ns, place = end_ns, place + 1
        return time_ns


def slower_or_faster(pace: float, by: int) -> float:
    """The next pace of PACES in a direction; the last one stays."""
    if by > 0:
        return next((known for known in PACES if known > pace), PACES[-1])
    return next((known for known in reversed(PACES) if known < pace), PACES[0])


def pace_of(text: str) -> float:
    """`60`, `60x`, `0.5`, `max`. Raises UsageError."""
    if text.strip().lower() == "max":
        return math.inf
    try:
        pace = float(text.strip().lower().removesuffix("x").removesuffix("×"))
    except ValueError:
        pace = 0.0
    if not 0.1 <= pace <= 10_000:
        raise UsageError(f"--pace {text}: give how many times faster, 0.1 to 10000, or max")
    return pace


def pace_text(pace: float) -> str:
    """`60×`, `0.1×`, `max`."""
    return "max" if math.isinf(pace) else f"{pace:,.10g}×"


def idle_of(text: str) -> float | None:
    """`3s`, `0.5`, `2m`, `off`: the longest silence to sit through, in seconds, None for any. Raises UsageError."""
    if text.strip().lower() == "off":
        return None
    number, factor = text.strip().lower(), 1.0
    for unit, seconds in (("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0)):
        if number.endswith(unit):
            number, factor = number.removesuffix(unit), seconds
            break
    try:
        idle_s = float(number) * factor
    except ValueError:
        idle_s = 0.0
    if not 0.05 <= idle_s <= 86_400:
        raise UsageError(
            f"--idle {text}: give the longest silence to sit through, such as 3s or 500ms, or off"
        )
    return idle_s
