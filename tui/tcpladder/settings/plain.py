"""The tables that have a value a key: how the app looks, the columns of the list, how much is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from tcpladder.settings.reader import Reader, instead, toml

AUTO = "auto"
CHARACTERS = (AUTO, "ascii", "unicode")
MASKS = ("nothing", "addresses", "ports")
MOST_RECENT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """The table [screen]."""

    theme: str = AUTO
    """A theme of the app; `auto`: by what the terminal can show."""
    characters: str = AUTO
    """`ascii`, `unicode`, or by the locale."""
    mouse: bool = True
    """Whether clicks go to the app; else the terminal selects with them."""
    privacy: str = MASKS[0]
    """What is masked from the start; `P` changes it."""
    tour: bool = True
    """Whether the first start shows around."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flows:
    """The table [flows]."""

    columns: tuple[str, ...] = ()
    """Of the list of flows, from left to right; empty for those that its width has room for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """The table [retention]."""

    live: str = "64MiB"
    """What `--keep` takes."""
    recent: int = 12
    """Captures in the list of those opened lately; 0 keeps no list."""


_CHOICES: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("screen", "characters"): CHARACTERS,
    ("screen", "privacy"): MASKS,
}
_EXAMPLES: Mapping[type, str] = {str: '"auto"', bool: "true", int: "12", tuple: '["client", "server"]'}


def reads(name: str, kind: type[Any]) -> Callable[[Reader, Mapping[str, Any]], Any]:
    """What reads the table `name` into its dataclass."""

    def read(reader: Reader, table: Mapping[str, Any]) -> Any:
        defaults = asdict(kind())
        reader.known((name,), table, defaults)
        return kind(**{key: _value(reader, (name, key), table[key], defaults[key]) for key in table})

    return read


def _value(reader: Reader, at: tuple[str, str], value: object, default: object) -> object:
    example = _EXAMPLES[type(default)]
    if isinstance(default, tuple):
        return reader.names(at, value, example)
    choices = _CHOICES.get(at, ())
    if type(value) is not type(default):
        raise reader.wrong(
            at, f"give a value such as {toml(choices[0]) if choices else example}, not {value!r}"
        )
    if choices and value not in choices:
        raise reader.wrong(at, f"cannot be {value}, {instead(str(value), choices)}")
    if isinstance(value, int) and not 0 <= value <= MOST_RECENT:
        raise reader.wrong(at, f"is a number from 0 to {MOST_RECENT}, not {value}")
    return value


def lines(name: str, table: Any, reader: Reader) -> list[str]:
    """The table as TOML, each value with where it comes from."""
    written = [f"[{name}]"]
    for field in fields(table):
        value = getattr(table, field.name)
        if value != ():
            written.append(f"{field.name} = {toml(value)}  # {reader.origin((name, field.name))}")
    return written
