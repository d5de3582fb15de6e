"""The tables [profiles.NAME]: stacks of the user's own, for --profile."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from tcpladder.analysis.expected import KEEPALIVE, keepalive_of, text_of, value_of
from tcpladder.analysis.profiles import LINUX, PROFILES, Profile
from tcpladder.errors import UsageError
from tcpladder.settings.reader import Reader, quoted, string

TABLE = "profiles"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
_PLAIN: Mapping[str, tuple[type, str]] = {
    "like": (str, '"linux"'),
    "words": (str, '"our appliance"'),
    "probe_bytes": (int, "1"),
    "resets": (bool, "true"),
    "idles_from_own": (bool, "false"),
}
"""The keys of a profile that are no timer: their type, and an example."""


def read(reader: Reader, table: Mapping[str, Any]) -> dict[str, Profile]:
    """The profiles by name. Raises SettingsError."""
    found: dict[str, Profile] = {}
    waiting = {name: reader.table((TABLE, name), values) for name, values in table.items()}
    for name in waiting:
        if name in PROFILES:
            raise reader.wrong((TABLE, name), "comes with tcpladder, give yours another name")
        if not _NAME.fullmatch(name):
            raise reader.wrong((TABLE, name), "a name has small letters, digits, dots, - and _ only")
    # One may be like another that stands below it, so what can be read is read until nothing is left.
    while waiting:
        ready = [n for n, v in waiting.items() if str(v.get("like", LINUX.name)) not in waiting]
        if not ready:
            raise reader.wrong((TABLE, next(iter(waiting)), "like"), "goes round in a circle")
        for name in ready:
            found[name] = _profile(reader, name, waiting.pop(name), {**PROFILES, **found})
    return {name: found[name] for name in table}


def _profile(reader: Reader, name: str, table: Mapping[str, Any], others: Mapping[str, Profile]) -> Profile:
    at = (TABLE, name)
    reader.known(at, table, [*_PLAIN, KEEPALIVE, *LINUX.values])
    plain: dict[str, Any] = {key: table[key] for key in _PLAIN if key in table}
    for key, value in plain.items():
        kind, example = _PLAIN[key]
        if type(value) is not kind:
            raise reader.wrong((*at, key), f"give a value such as {example}, not {value!r}")
    if not 0 <= plain.get("probe_bytes", 0) <= 1:
        raise reader.wrong((*at, "probe_bytes"), f"a probe carries 0 or 1 bytes, not {plain['probe_bytes']}")
    like = plain.pop("like", LINUX.name)
    if like not in others:
        near = get_close_matches(like, others, 1)
        meant = f"did you mean {near[0]}? " if near else ""
        raise reader.wrong(
            (*at, "like"), f"there is no profile {like}, {meant}there are: {', '.join(others)}"
        )
    values: dict[str, int] = {}
    for key, value in table.items():
        if key not in _PLAIN:
            values |= _timer(reader, (*at, key), value)
    base = others[like]
    return replace(
        base, name=name, **{"words": f"as {like}, with changes", **plain}, values={**base.values, **values}
    )


def _timer(reader: Reader, keys: tuple[str, ...], value: object) -> Mapping[str, int]:
    """A timer's value: a string as `--timers` takes it, or a number."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise reader.wrong(keys, f'give a number, or a string such as "30s", not {value!r}')
    try:
        if keys[-1] == KEEPALIVE:
            return keepalive_of("", str(value))
        return {keys[-1]: value_of("", keys[-1], str(value))}
    except UsageError as wrong:
        raise reader.wrong(keys, str(wrong).removeprefix(": ")) from None


def lines(profiles: Mapping[str, Profile]) -> list[str]:
    """The profiles as TOML."""
    written = [f"# Profiles that come with tcpladder: {', '.join(PROFILES)}"]
    for name, profile in profiles.items():
        written += ["", f"[{TABLE}.{quoted(name)}]", f"words = {string(profile.words)}"]
        for key, value in profile.values.items():
            text = text_of(key, value)
            written.append(f"{key} = {text if text.isdigit() else string(text)}")
        written.append(f"probe_bytes = {profile.probe_bytes}")
        for flag in ("resets", "idles_from_own"):
            written.append(f"{flag} = {str(getattr(profile, flag)).lower()}")
    return written
