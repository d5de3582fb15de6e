"""Durations, deviations and clock times in the words of the field. Integers of nanoseconds in, text out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

from tcpladder.analysis.view import Gap, Verdict

MICROSECOND = 1_000
MILLISECOND = 1_000_000
SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SIGNS = {Verdict.ON_TIME: "✓", Verdict.EARLY: "early", Verdict.LATE: "late", Verdict.UNEXPLAINED: "?"}


def duration(ns: int) -> str:
    """A measured length: `850 ns`, `21 µs`, `1.2 ms`, `208 ms`, `30.001 s`, `1800.3 s`, `2 h 11 min`.

    Digits are cut, not rounded up, so that a length never looks longer than it was. Seconds stay seconds up
    to an hour, because that is how timers are configured.
    """
    if ns < 0:
        return "−" + duration(-ns)
    if ns < MICROSECOND:
        return f"{ns} ns"
    if ns < MILLISECOND:
        return f"{ns // MICROSECOND} µs"
    if ns < 10 * MILLISECOND:
        return f"{ns // MILLISECOND}.{ns % MILLISECOND // 100_000} ms"
    if ns < SECOND:
        return f"{ns // MILLISECOND} ms"
    if ns < 1000 * SECOND:
        return f"{ns // SECOND}.{ns % SECOND // MILLISECOND:03d} s"
    if ns < HOUR:
        return f"{ns // SECOND}.{ns % SECOND // (100 * MILLISECOND)} s"
    if ns < DAY:
        return f"{ns // HOUR} h {ns % HOUR // MINUTE:02d} min"
    return f"{ns // DAY} d {ns % DAY // HOUR:02d} h"


def delta(ns: int) -> str:
    """The time since the row above: `+21 µs`, `+30.001 s`, `−3 µs` where a capture is not in order."""
    return duration(ns) if ns < 0 else "+" + duration(ns)


def deviation(ns: int) -> str:
    """How far a silence was from what its timer says: `+8 ms`, `−1.2 s`, `+12 s`, `+3 min`."""
    size = abs(ns)
    sign = "−" if ns < 0 else "+"
    if size < MILLISECOND:
        return f"{sign}{size // MICROSECOND} µs"
    if size < SECOND:
        return f"{sign}{size // MILLISECOND} ms"
    if size < 10 * SECOND:
        return f"{sign}{size // SECOND}.{size % SECOND // (100 * MILLISECOND)} s"
    if size < 2 * MINUTE:
        return f"{sign}{size // SECOND} s"
    if size < 2 * HOUR:
        return f"{sign}{size // MINUTE} min"
    return f"{sign}{size // HOUR} h"


def remaining(ns: int) -> str:
    """The time until something is due: `1.8 s`, `12 s`, `2 min 05 s`, `1 h 59 min`. Digits are cut."""
    ns = max(ns, 0)
    if ns < 10 * SECOND:
        return f"{ns // SECOND}.{ns % SECOND // (100 * MILLISECOND)} s"
    if ns < 2 * MINUTE:
        return f"{ns // SECOND} s"
    if ns < HOUR:
        return f"{ns // MINUTE} min {ns % MINUTE // SECOND:02d} s"
    if ns < DAY:
        return f"{ns // HOUR} h {ns % HOUR // MINUTE:02d} min"
    return f"{ns // DAY} d {ns % DAY // HOUR:02d} h"


def relative(ns: int) -> str:
    """Seconds since the first segment: `30.001038`; fewer decimals from 100,000 s on, so that it stays short."""
    size = abs(ns)
    sign = "−" if ns < 0 else ""
    if size < 100_000 * SECOND:
        return f"{sign}{size // SECOND}.{size % SECOND // MICROSECOND:06d}"
    if size < 10_000_000 * SECOND:
        return f"{sign}{size // SECOND}.{size % SECOND // MILLISECOND:03d}"
    return f"{sign}{size // SECOND}.{size % SECOND // (100 * MILLISECOND)}"


def clock(time_ns: int, timezone: tzinfo) -> str:
    """Time of day to the millisecond, cut: `17:16:22.217`."""
    return f"{_moment(time_ns, timezone):%H:%M:%S}.{time_ns % SECOND // MILLISECOND:03d}"


def date_time(time_ns: int, timezone: tzinfo) -> str:
    """Day, time of day and timezone: `2026-09-01 17:16:22 UTC`."""
    return f"{_moment(time_ns, timezone):%Y-%m-%d %H:%M:%S %Z}"


def exact_time(time_ns: int, timezone: tzinfo) -> str:
    """Day, time of day to the nanosecond and timezone: `2026-09-01 17:16:22.217222000 UTC`."""
    return f"{_moment(time_ns, timezone):%Y-%m-%d %H:%M:%S}.{time_ns % SECOND:09d} {_zone(time_ns, timezone)}"


def date(time_ns: int, timezone: tzinfo) -> str:
    """The day: `2026-09-01`."""
    return f"{_moment(time_ns, timezone):%Y-%m-%d}"


def count(number: int) -> str:
    """A number in at most five cells: `9999`, `48k`, `1.2M`, `340M`."""
    if number < 10_000:
        return str(number)
    if number < 1_000_000:
        return f"{number // 1000}k"
    if number < 10_000_000:
        return f"{number // 1_000_000}.{number % 1_000_000 // 100_000}M"
    if number < 10_000_000_000:
        return f"{number // 1_000_000}M"
    return f"{number // 1_000_000_000}G"


def about(ns: int) -> str:
    """A length in few characters, cut: `208 ms`, `30.0 s`, `15 min`, `2 h`, `2 h 11 min`, `3 d 4 h`."""
    if ns < 10 * MILLISECOND:
        return duration(ns)
    if ns < SECOND:
        return f"{ns // MILLISECOND} ms"
    if ns < 2 * MINUTE:
        return f"{ns // SECOND}.{ns % SECOND // (100 * MILLISECOND)} s"
    for unit, name, part, part_name in ((DAY, "d", HOUR, "h"), (HOUR, "h", MINUTE, "min")):
        if ns >= unit:
            rest = ns % unit // part
            return f"{ns // unit} {name}" + (f" {rest} {part_name}" if rest else "")
    return f"{ns // MINUTE} min"


def round_length(ns: int) -> str:
    """A length that is a whole number of a unit: `300 µs`, `3 s`, `15 min`."""
    units = ((HOUR, "h"), (MINUTE, "min"), (SECOND, "s"), (MILLISECOND, "ms"), (MICROSECOND, "µs"))
    unit, name = next(pair for pair in units if ns >= pair[0])
    return f"{ns // unit} {name}"


def size(count: int) -> str:
    """Bytes in few characters: `980 B`, `48.2 kB`, `3.0 MB`, `1.2 GB`."""
    if count < 1000:
        return f"{count} B"
    if count < 1_000_000:
        return f"{count / 1000:.1f} kB"
    return f"{count / 1_000_000:.1f} MB" if count < 1_000_000_000 else f"{count / 1_000_000_000:.1f} GB"


def verdict(silence: Gap) -> str:
    """Whether a silence was as long as its timer says: `✓ +1 ms`, `late +3.1 s`, `early −200 ms`, `?`."""
    sign = _SIGNS[silence.verdict]
    if silence.expected_ns is None or silence.verdict is Verdict.UNEXPLAINED:
        return sign
    return f"{sign} {deviation(silence.observed_ns - silence.expected_ns)}"


def silence(gap: Gap) -> str:
    """A silence and its timer in one line: `3.008 s, keepalive_time 3 s ✓ +8 ms (inferred)`."""
    origin = "" if gap.origin is None else f" ({gap.origin})"
    return f"{duration(gap.observed_ns)}, {gap.name} {verdict(gap)}{origin}"


def due(left_ns: int) -> str:
    """When something comes that is due in `left_ns`: `in 1.8 s`, `late 3.0 s`."""
    return f"in {remaining(left_ns)}" if left_ns >= 0 else f"late {remaining(-left_ns)}"


def _zone(time_ns: int, timezone: tzinfo) -> str:
    """The timezone's name with its distance from UTC: `UTC`, `CEST +0200`."""
    moment = _moment(time_ns, timezone)
    return f"{moment:%Z}" if not moment.utcoffset() else f"{moment:%Z %z}"


def _moment(time_ns: int, timezone: tzinfo) -> datetime:
    return (_EPOCH + timedelta(seconds=time_ns // SECOND)).astimezone(timezone)
