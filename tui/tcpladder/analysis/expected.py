"""What the user says must hold: `--timers keepalive=55/6/2,syn_retries=5` and `--profile NAME`, read into values.

Raises UsageError, one sentence that names the word that is wrong and what it may be.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from tcpladder.analysis import names
from tcpladder.analysis.beliefs import TimerValues
from tcpladder.analysis.names import SETTINGS
from tcpladder.analysis.profiles import PROFILES, Profile
from tcpladder.analysis.view import Origin, Side
from tcpladder.errors import UsageError

KEEPALIVE = "keepalive"
LINEAR = "linear"
_KEEPALIVE_PARTS = (names.KEEPALIVE_TIME, names.KEEPALIVE_INTVL, names.KEEPALIVE_PROBES)
_ALIASES = {LINEAR: names.SYN_LINEAR_TIMEOUTS, "rto_max_ms": names.RTO_MAX}
_SIDES = {"client": (Side.CLIENT,), "server": (Side.SERVER,), "both": tuple(Side)}
_UNITS = {
    "ns": 1,
    "us": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "min": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_NUMBER = re.compile(r"(\d+(?:\.\d+)?)([a-z]*)")
_LONGEST_NS = 365 * 24 * 3600 * 1_000_000_000
_LARGEST_COUNT = 255
_MAY_BE_ZERO = frozenset({names.USER_TIMEOUT, names.KEEPALIVE_INTVL_MAX})


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the user gave: a stack, and values by side."""

    profile: Profile | None = None
    values: Mapping[Side, Mapping[str, int]] = field(default_factory=lambda: {side: {} for side in Side})

    def __bool__(self) -> bool:
        return self.profile is not None or any(self.values.values())

    def believed(self, side: Side, others: TimerValues | None = None) -> TimerValues:
        """The given values of one side, beside those that are known from elsewhere."""
        base = others or TimerValues()
        if self.profile is not None:
            base = base.like(self.profile)
        return base.with_values(self.values[side], Origin.USER)


def given(timers: Sequence[str], profile: str | None, profiles: Mapping[str, Profile] = PROFILES) -> Given:
    """Read what `--timers`, which may come several times, and `--profile`, one of `profiles`, say."""
    values: dict[Side, dict[str, int]] = {side: {} for side in Side}
    for text in timers:
        for sides, found in _items(text):
            for side in sides:
                values[side].update(found)
    return Given(profile=None if profile is None else profile_named(profile, profiles), values=values)


def profile_named(name: str, profiles: Mapping[str, Profile]) -> Profile:
    """The profile of a name."""
    found = profiles.get(name.lower())
    if found is None:
        near = get_close_matches(name.lower(), profiles, 1)
        meant = f"did you mean {near[0]}? " if near else ""
        raise UsageError(f"--profile {name}: no such profile, {meant}there are: {', '.join(profiles)}")
    return found


def text_of(name: str, value: int) -> str:
    """A value as `value_of` reads it: `30s`, `200ms`, `3`."""
    if SETTINGS[name].unit_ns is None:
        return str(value)
    unit = next(unit for unit in ("s", "ms", "us", "ns") if value % _UNITS[unit] == 0)
    return f"{value // _UNITS[unit]}{unit}"


def timer_names() -> list[str]:
    """The names that `--timers` knows."""
    return [KEEPALIVE, LINEAR, *SETTINGS]


def _items(text: str) -> list[tuple[tuple[Side, ...], dict[str, int]]]:
    """The items between commas; a side before a colon holds for its item and those behind it."""
    items = []
    sides = _SIDES["both"]
    for item in text.split(","):
        before, colon, rest = item.partition(":")
        if colon:
            if before.strip() not in _SIDES:
                raise UsageError(
                    f"--timers {item}: before the colon stands client, server or both, not {before!r}"
                )
            sides = _SIDES[before.strip()]
        items.append((sides, _item(item, rest if colon else item)))
    return items


def _item(item: str, text: str) -> dict[str, int]:
    name, equals, value = (part.strip() for part in text.partition("="))
    if not equals or not value:
        raise UsageError(f"--timers {item.strip() or text!r}: give name=value, such as keepalive=55/6/2")
    if name == KEEPALIVE:
        return keepalive_of(f"--timers {item}", value, switch=True)
    name = _ALIASES.get(name, name)
    if name not in SETTINGS:
        near = get_close_matches(name, timer_names(), 1)
        meant = f", did you mean {near[0]}?" if near else ";"
        raise UsageError(f"--timers {item}: no timer {name}{meant} there are: {', '.join(timer_names())}")
    return {name: value_of(f"--timers {item}", name, value)}


def keepalive_of(where: str, value: str, *, switch: bool = False) -> dict[str, int]:
    """`T/I/N`, or only its first parts; with `switch`, `off` for a side that sends no probes.

    Raises UsageError, which begins with `where`.
    """
    if switch and value in ("on", "off"):
        return {names.SO_KEEPALIVE: int(value == "on")}
    parts = value.split("/")
    if len(parts) > len(_KEEPALIVE_PARTS):
        raise UsageError(f"{where}: keepalive is TIME/INTERVAL/PROBES, not {len(parts)} numbers")
    return {
        name: value_of(where, name, part) for name, part in zip(_KEEPALIVE_PARTS, parts, strict=False) if part
    }


def value_of(where: str, name: str, text: str) -> int:
    """Nanoseconds or a count; a time without a unit is in that of the kernel's own setting.

    Raises UsageError, which begins with `where`.
    """
    unit_ns = SETTINGS[name].unit_ns
    match = _NUMBER.fullmatch(text)
    if unit_ns is None:
        if match is None or match[2] or "." in match[1] or int(match[1]) > _LARGEST_COUNT:
            raise UsageError(f"{where}: {name} is a count from 0 to {_LARGEST_COUNT}, not {text!r}")
        return int(match[1])
    if match is None or (match[2] and match[2] not in _UNITS):
        usual = next(unit for unit, ns in _UNITS.items() if ns == unit_ns)
        raise UsageError(
            f"{where}: {name} is a time such as 30s or 200ms, {usual} without a unit, not {text!r}"
        )
    whole, _, fraction = match[1].partition(".")
    factor = _UNITS.get(match[2], unit_ns)
    length_ns = int(whole[:18]) * factor + int(f"{fraction[:9]:0<9}") * factor // 1_000_000_000
    if not length_ns and name not in _MAY_BE_ZERO:
        raise UsageError(f"{where}: {name} must be longer than 0")
    if length_ns > _LONGEST_NS:
        raise UsageError(f"{where}: {name} {text} is longer than a year")
    return length_ns
