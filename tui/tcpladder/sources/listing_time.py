"""The times of a listing: days that are not named, midnights, and times that are spans."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from tcpladder.sources.listed import Stamp, StampKind
from tcpladder.wire.frames import TIME_LIMIT_NS, UNKNOWN_TIME_NS

_DAY_NS = 86_400 * 10**9
_MINUTE_NS = 60 * 10**9
_MIDNIGHT_NS = _DAY_NS // 2
"""A clock that goes back by more than this has passed midnight."""


class ListingClock:
    """Stamps to nanoseconds since 1970 UTC.

    Args:
        utc_offset_ns: of the clock on the wall here. A listing does not say which time zone it is in, and is shown
            with the times that stand in it.

    Where no day is named, the first line is on 1970-01-01 (on the day after where that would be before 1970 UTC).
    """

    def __init__(self, utc_offset_ns: int) -> None:
        self._offset_ns = utc_offset_ns
        self._days = 0
        self._rolled = False
        """Whether the clock has passed midnight; two lines in the wrong order there pass it twice."""
        self._last_of_day: int | None = None
        self._spans: bool | None = None
        """Whether times of day are spans, as -ttt and -ttttt of tcpdump print them; None before the first."""
        self._since_first = False
        self._now_ns: int | None = None

    def look_ahead(self, stamps: Sequence[Stamp]) -> None:
        """Decide from the first lines what their times are: called once, before the first `time_ns`."""
        timed = [s.ns for s in stamps if s.kind in (StampKind.TIME_OF_DAY, StampKind.SPAN)]
        spans = [s.ns for s in stamps if s.kind is StampKind.SPAN]
        self._spans = bool(spans) or timed[:1] == [0]
        if self._spans:
            self._since_first = _grows(spans or timed)

    def time_ns(self, stamp: Stamp) -> int:
        """The time of the next line; UNKNOWN_TIME_NS where it has none, or one beyond TIME_LIMIT_NS."""
        time_ns = self._time_ns(stamp)
        return time_ns if abs(time_ns) < TIME_LIMIT_NS else UNKNOWN_TIME_NS

    def _time_ns(self, stamp: Stamp) -> int:
        match stamp.kind:
            case StampKind.NONE:
                return UNKNOWN_TIME_NS
            case StampKind.EPOCH:
                return stamp.ns
            case StampKind.LOCAL:
                return stamp.ns - self._offset_ns
            case StampKind.TIME_OF_DAY if not self._spans:
                return self._of_day(stamp.ns)
        if self._now_ns is None:
            self._now_ns = self._of_day(0)
            if self._since_first:
                return self._now_ns + stamp.ns
            # The span before the first line belongs to a line that is not there.
            return self._now_ns
        if self._since_first:
            return self._now_ns + stamp.ns
        self._now_ns = min(self._now_ns + stamp.ns, TIME_LIMIT_NS)
        return self._now_ns

    def _of_day(self, ns: int) -> int:
        if self._last_of_day is None:
            self._days = 1 if ns < self._offset_ns else 0
        elif ns < self._last_of_day - _MIDNIGHT_NS:
            self._days, self._rolled = self._days + 1, True
        elif self._last_of_day < _MINUTE_NS and ns > _DAY_NS - _MINUTE_NS and self._rolled:
            self._days, self._rolled = self._days - 1, False
        self._last_of_day = ns
        return self._days * _DAY_NS + ns - self._offset_ns


def _grows(spans: Sequence[int]) -> bool:
    """Whether spans are since the first line: those never shrink. A backoff doubles, and is no sign of it."""
    if len(spans) < 3 or any(b < a for a, b in pairwise(spans)):
        return False
    later = [span for span in spans if span > 0]
    return any(b < a * 1.5 for a, b in pairwise(later))
