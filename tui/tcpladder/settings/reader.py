"""The text of a settings file under validation: finds lines, and speaks of what is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from tcpladder.errors import SettingsError

_HEADER = re.compile(r"\s*\[\s*([^\[\]]+?)\s*\]")
_KEY = re.compile(r"""\s*["']?([^\s"'=]+)["']?\s*=""")


class Reader:
    """What a file says, with where it says it."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self._text = text

    def wrong(self, keys: tuple[str, ...], words: str) -> SettingsError:
        """An error about a key, named from the outermost table on."""
        line = self._line_of(keys)
        where = f"{self.path}: line {line}" if line else str(self.path)
        return SettingsError(f"{where}: {'.'.join(map(quoted, keys))}: {words}")

    def known(self, table: tuple[str, ...], keys: Iterable[str], there_are: Iterable[str]) -> None:
        """Refuse a key that a table has not, with the nearest one that it has."""
        valid = list(there_are)
        for key in keys:
            if key not in valid:
                raise self.wrong((*table, key), f"there is no such key, {instead(key, valid)}")

    def table(self, keys: tuple[str, ...], value: object) -> Mapping[str, Any]:
        """A value that must be a table."""
        if not isinstance(value, dict):
            raise self.wrong(keys, f"must be a table, such as [{'.'.join(keys)}], not {value!r}")
        return value

    def names(self, keys: tuple[str, ...], value: object, example: str) -> tuple[str, ...]:
        """A value that must be a list of words, each once."""
        if not isinstance(value, list) or not value or not all(isinstance(one, str) for one in value):
            raise self.wrong(keys, f"give a list such as {example}, not {value!r}")
        twice = [one for one in value if value.count(one) > 1]
        if twice:
            raise self.wrong(keys, f"{twice[0]} stands there twice")
        return tuple(value)

    def chosen(self, keys: tuple[str, ...], names: Iterable[str], valid: Iterable[str], what: str) -> None:
        """Refuse a name that a room has not. The rooms have the names, the file only words."""
        there_are = list(valid)
        for name in names:
            if name not in there_are:
                raise self.wrong(keys, f"there is no {what} {name}, {instead(name, there_are)}")

    def origin(self, keys: tuple[str, ...]) -> str:
        """Where a value comes from: `line 3`, or `default`."""
        line = self._line_of(keys, exactly=True)
        return f"line {line}" if line else "default"

    def _line_of(self, keys: tuple[str, ...], *, exactly: bool = False) -> int | None:
        """The line on which a key stands, or else, if not `exactly`, the heading of its table, or None."""
        heading, found = keys[:-1], None
        table: tuple[str, ...] = ()
        for number, line in enumerate(self._text.splitlines(), 1):
            if header := _HEADER.match(line):
                table = tuple(part.strip(" \t\"'") for part in header[1].split("."))
                if found is None and (table == heading or table[: len(keys)] == keys):
                    found = number
            elif table == heading and (key := _KEY.match(line)) and key[1] == keys[-1]:
                return number
        return None if exactly else found


def instead(key: str, valid: Iterable[str]) -> str:
    """The nearest valid key, or all of them where none is near."""
    there_are = list(valid)
    near = get_close_matches(key, there_are, 1)
    return f"did you mean {near[0]}?" if near else f"there are: {', '.join(there_are)}"


def quoted(key: str) -> str:
    """A key as TOML takes it: bare where it may be."""
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else string(key)


def string(text: str) -> str:
    """A string as TOML takes it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in escaped) + '"'


def toml(value: object) -> str:
    """A value as TOML takes it: a word, a number, a list of words, true or false."""
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(toml, value))}]"
    return str(value).lower() if isinstance(value, bool | int) else string(str(value))
