"""A moment of a capture as a person types it: `14:02:10`, `+90`, `-2m`, `35.5`, `50%`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo

from tcpladder.errors import UsageError

SECOND_NS = 1_000_000_000
_CLOCK = re.compile(r"(?:(\d{4}-\d{2}-\d{2})[ T])?(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?")
_LENGTH = re.compile(r"([+-]?)(\d{1,12})(?:\.(\d{1,9}))?\s*(ms|s|m|min|h|d|%)?")
_UNITS = {
    "ms": 1_000_000,
    "s": SECOND_NS,
    "m": 60 * SECOND_NS,
    "min": 60 * SECOND_NS,
    "h": 3600 * SECOND_NS,
    "d": 86_400 * SECOND_NS,
}
FORMS = "14:02:10, +90 or -2m from here, 35.5 s from the begin, 50%"


def moment_of(text: str, *, begin_ns: int, now_ns: int, end_ns: int, timezone: tzinfo) -> int:
    """The moment that a text means, kept between `begin_ns` and `end_ns`.

    A clock time without a date is the first one in the capture, else that of the day of its begin. With a sign a length
    counts from `now_ns`, without one from `begin_ns`. Raises UsageError where the text means nothing.
    """
    text = text.strip()
    clock = _CLOCK.fullmatch(text)
    if clock is not None:
        found_ns = _clock_ns(clock, text, begin_ns, end_ns, timezone)
    else:
        found_ns = _length_ns(text, begin_ns, now_ns, end_ns)
    return max(begin_ns, min(end_ns, found_ns))


def _clock_ns(match: re.Match[str], text: str, begin_ns: int, end_ns: int, timezone: tzinfo) -> int:
    day, hour, minute, second, fraction = match.groups()
    first = datetime.fromtimestamp(begin_ns // SECOND_NS, UTC).astimezone(timezone)
    try:
        date = first if day is None else datetime.fromisoformat(day).replace(tzinfo=timezone)
        moment = date.replace(hour=int(hour), minute=int(minute), second=int(second or 0), microsecond=0)
    except ValueError as wrong:
        raise UsageError(f"there is no time {text}: type {FORMS}") from wrong
    nanoseconds = int(f"{fraction or '':0<9}")
    found_ns = round(moment.timestamp()) * SECOND_NS + nanoseconds
    if day is None and found_ns + SECOND_NS <= begin_ns:
        # The capture went on past midnight.
        later_ns = round((moment + timedelta(days=1)).timestamp()) * SECOND_NS + nanoseconds
        return later_ns if later_ns <= end_ns else found_ns
    return found_ns


def _length_ns(text: str, begin_ns: int, now_ns: int, end_ns: int) -> int:
    match = _LENGTH.fullmatch(text)
    if match is None:
        raise UsageError(f"cannot read the time {text}: type {FORMS}")
    sign, whole, fraction, unit = match.groups()
    billionths = int(whole) * SECOND_NS + int(f"{fraction or '':0<9}")
    if unit == "%":
        if sign:
            raise UsageError(f"cannot read the time {text}: a share of the capture has no sign")
        return begin_ns + (end_ns - begin_ns) * billionths // (100 * SECOND_NS)
    length_ns = billionths * _UNITS[unit or "s"] // SECOND_NS
    if not sign:
        return begin_ns + length_ns
    return now_ns + length_ns if sign == "+" else now_ns - length_ns
