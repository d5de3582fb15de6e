"""The user's settings: one commented TOML file, read and validated, each table into a dataclass of its own.

$TCPLADDER_CONFIG names the file; else it is tcpladder/config.toml below $XDG_CONFIG_HOME or ~/.config (XDG Base
Directory Specification). Under sudo it is that of the user who called sudo, and the app reads it as that user.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from tcpladder.agent.confine import invoking_user
from tcpladder.analysis.expected import KEEPALIVE, keepalive_of, text_of, value_of
from tcpladder.analysis.profiles import LINUX, PROFILES, Profile
from tcpladder.errors import SettingsError, UsageError

VARIABLE = "TCPLADDER_CONFIG"
MOST_BYTES = 1 << 20
PROFILES_TABLE = "profiles"
SAMPLE = """\
# Settings of tcpladder. Everything is optional; what is left out keeps its default.
# `tcpladder config` says where this file belongs and what is in force.

# A stack of your own, for `--profile appliance` on check, show, open and live.
# What it does not say is as in the profile that `like` names: linux where it is left out.
[profiles.appliance]
like = "linux"
words = "our appliance, firmware 7"
keepalive = "55/6/2"  # TIME/INTERVAL/PROBES, or each by its name:
# keepalive_time = "55s"
# keepalive_intvl = "6s"
# keepalive_probes = 2
syn_retries = 5
# A time takes us, ms, s, min or h behind it; a bare number is in the unit of the kernel's own setting.
rto_min = "200ms"
# How its keepalive looks:
# probe_bytes = 0          # bytes of garbage in a probe: 1 on Windows and old BSD
# resets = true            # whether a RST tells the peer that keepalive gave up
# idles_from_own = false   # whether what it sends itself restarts keepalive_time, too
"""
"""What `tcpladder config --sample` prints; a test reads it, with and without what is commented out."""
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
_HEADER = re.compile(r"\s*\[\s*([^\[\]]+?)\s*\]")
_KEY = re.compile(r"""\s*["']?([^\s"'=]+)["']?\s*=""")
_PLAIN: Mapping[str, tuple[type, str]] = {
    "like": (str, '"linux"'),
    "words": (str, '"our appliance"'),
    "probe_bytes": (int, "1"),
    "resets": (bool, "true"),
    "idles_from_own": (bool, "false"),
}
"""The keys of a profile that are no timer: their type, and an example."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All tables of the file."""

    path: Path
    exists: bool
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    """The user's own, by name; those that come with tcpladder are in analysis/profiles.py."""


def path_of(environment: Mapping[str, str]) -> Path:
    """Where the settings are, or belong."""
    named = environment.get(VARIABLE)
    if named:
        return Path(named)
    user = invoking_user()
    home = Path(user.pw_dir) if user is not None else Path.home()
    base = Path(environment.get("XDG_CONFIG_HOME", ""))
    # A relative path there is to be ignored, as the specification says; root's is not the invoking user's.
    base = base if base.is_absolute() and user is None else home / ".config"
    return base / "tcpladder" / "config.toml"


def load(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the file; without one, the defaults hold. Raises SettingsError, which names file, line and key."""
    path = path_of(environment)
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        if environment.get(VARIABLE):
            raise SettingsError(f"{path}: there is no such file, and {VARIABLE} names it") from None
        return Settings(path=path, exists=False)
    except OSError as refused:
        raise SettingsError(
            f"{path}: cannot read the settings: {os.strerror(refused.errno or 0).lower()}"
        ) from None
    if len(data) > MOST_BYTES:
        raise SettingsError(f"{path}: larger than {MOST_BYTES} bytes, which no settings are")
    return parse(data, path)


def parse(data: bytes, path: Path) -> Settings:
    """Validate what a file says. Raises SettingsError."""
    try:
        text = data.decode()
        tables = tomllib.loads(text)
    except UnicodeDecodeError as wrong:
        line = data[: wrong.start].count(b"\n") + 1
        raise SettingsError(f"{path}: line {line}: not UTF-8, which TOML is") from None
    except (tomllib.TOMLDecodeError, RecursionError) as wrong:
        raise SettingsError(f"{path}: not TOML: {str(wrong)[:1].lower()}{str(wrong)[1:]}") from None
    reader = _Reader(path, text)
    reader.known((), tables, _TABLES)
    read = {name: _TABLES[name](reader, reader.table((name,), table)) for name, table in tables.items()}
    return replace(Settings(path=path, exists=True), **read)


def in_force(settings: Settings) -> str:
    """The settings as TOML, with the file in a comment."""
    lines = [f"# {settings.path}"]
    if not settings.exists:
        lines.append(
            "# There is no such file: the defaults hold. `tcpladder config --sample` prints one to begin with."
        )
    lines.append(f"# Profiles that come with tcpladder: {', '.join(PROFILES)}")
    for name, profile in settings.profiles.items():
        lines += ["", f"[{PROFILES_TABLE}.{_quoted(name)}]", f"words = {_string(profile.words)}"]
        for key, value in profile.values.items():
            text = text_of(key, value)
            lines.append(f"{key} = {text if text.isdigit() else _string(text)}")
        lines.append(f"probe_bytes = {profile.probe_bytes}")
        for flag in ("resets", "idles_from_own"):
            lines.append(f"{flag} = {str(getattr(profile, flag)).lower()}")
    return "\n".join(lines) + "\n"


class _Reader:
    """The file under validation: finds lines, and speaks of what is wrong."""

    def __init__(self, path: Path, text: str) -> None:
        self._path, self._text = path, text

    def wrong(self, keys: tuple[str, ...], words: str) -> SettingsError:
        """An error about a key, named from the outermost table on."""
        line = self._line_of(keys)
        where = f"{self._path}: line {line}" if line else str(self._path)
        return SettingsError(f"{where}: {'.'.join(map(_quoted, keys))}: {words}")

    def known(self, table: tuple[str, ...], keys: Iterable[str], there_are: Iterable[str]) -> None:
        """Refuse a key that a table has not, with the nearest one that it has."""
        valid = list(there_are)
        for key in keys:
            if key not in valid:
                raise self.wrong((*table, key), f"there is no such key, {_instead(key, valid)}")

    def table(self, keys: tuple[str, ...], value: object) -> Mapping[str, Any]:
        """A value that must be a table."""
        if not isinstance(value, dict):
            raise self.wrong(keys, f"must be a table, such as [{'.'.join(keys)}], not {value!r}")
        return value

    def _line_of(self, keys: tuple[str, ...]) -> int | None:
        """The line on which a key stands, or else the heading of its table, or None."""
        heading, found = keys[:-1], None
        table: tuple[str, ...] = ()
        for number, line in enumerate(self._text.splitlines(), 1):
            if header := _HEADER.match(line):
                table = tuple(part.strip(" \t\"'") for part in header[1].split("."))
                if found is None and (table == heading or table[: len(keys)] == keys):
                    found = number
            elif table == heading and (key := _KEY.match(line)) and key[1] == keys[-1]:
                return number
        return found


def _profiles(reader: _Reader, table: Mapping[str, Any]) -> dict[str, Profile]:
    found: dict[str, Profile] = {}
    waiting = {name: reader.table((PROFILES_TABLE, name), values) for name, values in table.items()}
    for name in waiting:
        if name in PROFILES:
            raise reader.wrong((PROFILES_TABLE, name), "comes with tcpladder, give yours another name")
        if not _NAME.fullmatch(name):
            raise reader.wrong((PROFILES_TABLE, name), "a name has small letters, digits, dots, - and _ only")
    # One may be like another that stands below it, so what can be read is read until nothing is left.
    while waiting:
        ready = [n for n, v in waiting.items() if str(v.get("like", LINUX.name)) not in waiting]
        if not ready:
            raise reader.wrong((PROFILES_TABLE, next(iter(waiting)), "like"), "goes round in a circle")
        for name in ready:
            found[name] = _profile(reader, name, waiting.pop(name), {**PROFILES, **found})
    return {name: found[name] for name in table}


def _profile(reader: _Reader, name: str, table: Mapping[str, Any], others: Mapping[str, Profile]) -> Profile:
    at = (PROFILES_TABLE, name)
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


def _timer(reader: _Reader, keys: tuple[str, ...], value: object) -> Mapping[str, int]:
    """A timer's value: a string as `--timers` takes it, or a number."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise reader.wrong(keys, f'give a number, or a string such as "30s", not {value!r}')
    try:
        if keys[-1] == KEEPALIVE:
            return keepalive_of("", str(value))
        return {keys[-1]: value_of("", keys[-1], str(value))}
    except UsageError as wrong:
        raise reader.wrong(keys, str(wrong).removeprefix(": ")) from None


_TABLES: Mapping[str, Callable[[_Reader, Mapping[str, Any]], Any]] = {PROFILES_TABLE: _profiles}
"""What reads each table; a key here is a field of Settings."""


def _instead(key: str, valid: Iterable[str]) -> str:
    """The nearest valid key, or all of them where none is near."""
    there_are = list(valid)
    near = get_close_matches(key, there_are, 1)
    return f"did you mean {near[0]}?" if near else f"there are: {', '.join(there_are)}"


def _quoted(key: str) -> str:
    """A key as TOML takes it: bare where it may be."""
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _string(key)


def _string(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in escaped) + '"'
