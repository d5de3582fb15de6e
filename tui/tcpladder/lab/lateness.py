"""How late a timer may be, for everything that is held against one: gaps on the wire, and calls that waited. Pure."""

from __future__ import annotations

EARLY_NS = 2_000_000
LATE_SHARE, LATE_NS = 0.125, 8_000_000
"""A kernel timer fires at most an eighth late (kernel/time/timer.c), and a tick of two."""
MACHINE_NS = 500_000_000
"""A machine with much to do may be so late besides."""
COUNTED_LATE_NS = 8_000_000
"""It also counts ticks late: a timer that is set just then is so much early by the clock."""


def window_ns(after_s: float) -> tuple[int, int]:
    """The shortest and the longest that a timer of the kernel's may take."""
    nominal_ns = round(after_s * 1e9)
    return nominal_ns - EARLY_NS, round(nominal_ns * (1 + LATE_SHARE)) + LATE_NS


def on_time(took_ns: int, after_s: float) -> bool:
    """Whether a timer that was set to `after_s` took as long as it may, on a machine with much to do."""
    shortest_ns, longest_ns = window_ns(after_s)
    return shortest_ns - COUNTED_LATE_NS <= took_ns <= longest_ns + MACHINE_NS
