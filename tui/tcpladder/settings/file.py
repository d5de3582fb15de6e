"""Where the settings are, and what they say, each table a dataclass of its own.

$TCPLADDER_CONFIG names the file; else it is tcpladder/config.toml below $XDG_CONFIG_HOME or ~/.config (XDG Base
Directory Specification). Under sudo it is that of the user who called sudo, and the app reads it as that user.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tcpladder.agent.confine import invoking_user
from tcpladder.analysis.profiles import Profile
from tcpladder.errors import SettingsError
from tcpladder.settings import plain, profiles
from tcpladder.settings.plain import Flows, Retention, Screen
from tcpladder.settings.reader import Reader

VARIABLE = "TCPLADDER_CONFIG"
MOST_BYTES = 1 << 20
KEYS = "keys"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All tables of the file."""

    path: Path
    exists: bool
    reader: Reader
    """Names the line of what a room refuses: names of keys, columns and themes are the app's."""
    screen: Screen = field(default_factory=Screen)
    flows: Flows = field(default_factory=Flows)
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Name of an action -> its keys, as they stand there; the app knows both."""
    retention: Retention = field(default_factory=Retention)
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
        return Settings(path=path, exists=False, reader=Reader(path, ""))
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
    reader = Reader(path, text)
    reader.known((), tables, _TABLES)
    read = {name: _TABLES[name](reader, reader.table((name,), table)) for name, table in tables.items()}
    return replace(Settings(path=path, exists=True, reader=reader), **read)


def in_force(settings: Settings) -> list[str]:
    """The settings as lines of TOML, without the keys; the file, and where each value comes from, as comments."""
    written = [f"# {settings.path}"]
    if not settings.exists:
        written.append(
            "# There is no such file: the defaults hold. `tcpladder config --sample` prints one to begin with."
        )
    written.append("")
    for name in ("screen", "flows", "retention"):
        written += [*plain.lines(name, getattr(settings, name), settings.reader), ""]
    return [*written, *profiles.lines(settings.profiles)]


def _keys(reader: Reader, table: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    return {name: reader.names((KEYS, name), value, '["f3", "/"]') for name, value in table.items()}


_TABLES: Mapping[str, Callable[[Reader, Mapping[str, Any]], Any]] = {
    "screen": plain.reads("screen", Screen),
    "flows": plain.reads("flows", Flows),
    KEYS: _keys,
    "retention": plain.reads("retention", Retention),
    profiles.TABLE: profiles.read,
}
"""What reads each table; a key here is a field of Settings."""
