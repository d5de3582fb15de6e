"""How much of a live capture stays: by time, by bytes. And when a flow is worth a file of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from tcpladder.errors import UsageError
from tcpladder.settings.file import Settings

SPOOL_BYTES = 64 << 20
"""How much of a capture stays on disk where nobody says more."""
MOST_BYTES = 1 << 30
"""The same where a time is given: an hour of a fast link is more than a disk has."""
_UNITS_NS = {"s": 10**9, "m": 60 * 10**9, "min": 60 * 10**9, "h": 3600 * 10**9}
_UNITS_BYTES = {
    "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30,
}  # fmt: skip
_NUMBER = re.compile(r"(\d{1,9})\s*([a-z]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """What stays of a live capture, so that it can be looked into and saved."""

    bytes: int = SPOOL_BYTES
    length_ns: int | None = None
    """Not longer than this; None for as long as the bytes last."""

    def __str__(self) -> str:
        size = f"{self.bytes >> 20} MiB" if self.bytes >= 1 << 20 else f"{self.bytes >> 10} KiB"
        return size if self.length_ns is None else f"{self.length_ns // 10**9} s, at most {size}"


def keep_of(text: str) -> Keep:
    """`10m`, `90s`, `200MB`, `1GiB`. Raises UsageError."""
    match = _NUMBER.fullmatch(text.strip().lower())
    number, unit = (int(match[1]), match[2]) if match else (0, "")
    if number and unit in _UNITS_NS:
        return Keep(bytes=MOST_BYTES, length_ns=number * _UNITS_NS[unit])
    size = number * _UNITS_BYTES.get(unit, 0)
    if not 1 << 16 <= size <= 1 << 40:
        raise UsageError(f"--keep {text}: give a time such as 10m, or 64 KiB and more, such as 200MB")
    return Keep(bytes=size)


def kept(settings: Settings) -> Keep:
    """What the user's settings say. Raises SettingsError."""
    try:
        return keep_of(settings.retention.live)
    except UsageError as wrong:
        words = str(wrong).partition(": ")[2]
        raise settings.reader.wrong(("retention", "live"), words) from None


class Occasion(Enum):
    """How a flow ended, as far as that makes somebody want to see it."""

    TIMEOUT = "timeout"
    """A timer gave up."""
    RESET = "reset"
    REFUSED = "refused"
    CLOSED = "closed"


def occasions_of(texts: tuple[str, ...]) -> frozenset[Occasion]:
    """`ended:timeout`, `ended:reset`, `ended:refused`, `ended:closed`, `any`. Raises UsageError."""
    found: set[Occasion] = set()
    for text in (part.strip() for whole in texts for part in whole.split(",")):
        if text in ("any", "ended:any"):
            found |= set(Occasion)
            continue
        known = {f"ended:{occasion.value}": occasion for occasion in Occasion}
        if text not in known:
            raise UsageError(f"--save-when {text}: there are {', '.join(known)} and any")
        found.add(known[text])
    return frozenset(found)
