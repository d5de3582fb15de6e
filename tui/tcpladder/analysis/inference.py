"""What the waits of one end show of its timers, and how sure that is. Pure arithmetic on observed lengths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from tcpladder.analysis.schedule import SECOND_NS, on_time, whole_seconds

_DOUBLE = (1.9, 2.1)
"""What counts as twice as long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Length:
    """A timeout that explains what was observed.

    Attributes:
        value_ns: the likeliest, which makes the timers least late.
        least_ns: the shortest that explains the observations, too.
        seen: how many observations it explains.
        odd: how many it does not: the first wait, where the timer was switched on later than the capture shows, or
            a few that were too long, where something is missing from the capture.
    """

    value_ns: int
    least_ns: int
    seen: int
    odd: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Waits that double: the first, and up to where they do; 0 where the capture ends before that."""

    first_ns: int
    most_ns: int


def constant(observed_ns: Sequence[int], jitter_ns: int = 0) -> Length | None:
    """The whole number of seconds that explains all waits, all but the first, or most; None where none does."""
    for skipped in (0, 1):
        waits = observed_ns[skipped:]
        if not waits:
            return None
        seconds = whole_seconds(min(waits), max(waits), jitter_ns)
        if seconds:
            return Length(
                value_ns=seconds[-1] * SECOND_NS,
                least_ns=seconds[0] * SECOND_NS,
                seen=len(waits),
                odd=skipped,
            )
    return _most(observed_ns, jitter_ns)


def _most(observed_ns: Sequence[int], jitter_ns: int) -> Length | None:
    """What explains the shortest wait and more than half of all: a timer can only be late, so long ones are odd."""
    shortest_ns = min(observed_ns)
    seconds = whole_seconds(shortest_ns, shortest_ns, jitter_ns)
    if not seconds:
        return None
    value_ns = seconds[-1] * SECOND_NS
    seen = sum(on_time(wait, value_ns, jitter_ns) for wait in observed_ns)
    if seen < 2 or seen * 2 <= len(observed_ns):
        return None
    odd = len(observed_ns) - seen
    return Length(value_ns=value_ns, least_ns=seconds[0] * SECOND_NS, seen=seen, odd=odd)


def doubling(observed_ns: Sequence[int]) -> Backoff | None:
    """The backoff that a run of waits shows: they double, and only the last ones do not.

    One doubling alone is none where the first wait is a whole number of seconds, as somebody may have set it.
    """
    if len(observed_ns) < 2 or not observed_ns[0]:
        return None
    ratios = [after / max(before, 1) for before, after in pairwise(observed_ns)]
    doubled = next(
        (i for i, ratio in enumerate(ratios) if not _DOUBLE[0] <= ratio <= _DOUBLE[1]), len(ratios)
    )
    rest = observed_ns[doubled + 1 :]
    if doubled < 2 and whole_seconds(observed_ns[0], observed_ns[0]):
        return None
    if not doubled or any(not on_time(wait, min(rest)) or wait < observed_ns[doubled] for wait in rest):
        return None
    # Each wait is late by a little, the longest relatively least.
    first_ns = min(observed_ns[i] >> i for i in range(doubled + 1))
    return Backoff(first_ns=first_ns, most_ns=min(rest, default=0))


def linear_timeouts(waits_ns: Sequence[int]) -> int:
    """How many SYN timeouts beyond the first last 1 s."""
    ones = next((i for i, wait in enumerate(waits_ns) if not on_time(wait, SECOND_NS)), len(waits_ns))
    return max(0, ones - 1)
