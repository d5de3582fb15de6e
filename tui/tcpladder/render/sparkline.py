"""Counts over time as one character each: a step up is about three times as many, the same steps for every flow."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

_STEPS = (1, 3, 10, 30, 100, 300, 1000, 3000)
"""The least count of each height."""
_BARS = " ▁▂▃▄▅▆▇█"
_ASCII_BARS = " .:-=+*#@"
MEANING = (
    f"activity is segments in each twelfth of the capture, live in\n  each 5 s of its last minute: {_BARS[1]} one or "
    f"more, {_BARS[2]} from {_STEPS[1]}, {_BARS[3]} from {_STEPS[2]} ... {_BARS[8]} from {_STEPS[7]:,} on."
)
MEANING_ASCII = MEANING.translate(str.maketrans(_BARS, _ASCII_BARS))


def sparkline(counts: Sequence[int], ascii_only: bool = False) -> str:
    """One character a count: blank for none, `▁` from 1, `▂` from 3, `▃` from 10 … `█` from 3000 on."""
    bars = _ASCII_BARS if ascii_only else _BARS
    return "".join(bars[bisect_right(_STEPS, count)] for count in counts)
