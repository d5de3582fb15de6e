"""A demo: the capture that is shown, the keys that are pressed, what is said meanwhile. From a TOML file.

    title = "A keepalive that is not answered any more"
    capture = "keepalive"              # one that comes with tcpladder, or a file, relative to this one
    columns = 100                      # of the recording; the last row has the captions
    rows = 30

    [[step]]
    caption = "The list of flows"      # stays until the next one; "" takes it away
    keys = "enter end"                 # pressed one after the other; names as Textual has them
    type = "late"                      # characters, one after the other
    wait = 2.5                         # seconds, after that
    until = "end"                      # but no longer than the replay plays

With a table `[replay]` the capture is not opened but replayed: `pace = 2`, `idle = 1.5` (longest silence, in seconds).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from tcpladder import samples
from tcpladder.errors import UsageError
from tcpladder.record.asciicast import SECOND_US

LONGEST_S = 600.0
_WIDTHS, _HEIGHTS = (60, 300), (16, 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What happens next."""

    caption: str | None
    """None leaves the one that stands there."""
    keys: tuple[str, ...]
    wait_us: int
    until_end: bool = False
    """Whether the wait is over when the replay is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How a capture is replayed."""

    pace: float
    idle_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """A demo."""

    title: str
    capture: str
    folder: Path | None
    """Where a capture that is a file is looked for; None for the shipped ones alone."""
    columns: int
    rows: int
    replay: Pace | None
    steps: tuple[Step, ...]


def names() -> tuple[str, ...]:
    """The demos that come with tcpladder."""
    return tuple(sorted({*_scripts(), *_stories()}))


def _scripts() -> set[str]:
    files = resources.files(__package__).joinpath("demos").iterdir()
    return {file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml")}


def _stories() -> set[str]:
    captures = resources.files("tcpladder").joinpath("captures")
    return {folder.name for folder in captures.iterdir() if folder.joinpath("story.toml").is_file()}


def _of_story(name: str) -> Demo:
    """A capture that has no script of its own: what its story says, while it is replayed."""
    sentence = str(samples.story(name)["sentence"])
    before, colon, after = sentence.partition(": ")
    ladder = Step(caption=f"{before}{colon}".strip(), keys=("enter",), wait_us=30 * SECOND_US, until_end=True)
    end = Step(caption=after or sentence, keys=("end",), wait_us=5 * SECOND_US)
    return Demo(
        title=sentence,
        capture=name,
        folder=None,
        columns=100,
        rows=30,
        replay=Pace(pace=1.0, idle_s=1.0),
        steps=(ladder, end),
    )


def load(wanted: str) -> Demo:
    """A demo that comes with tcpladder, by name, or one in a file. Raises UsageError."""
    if wanted in _stories() - _scripts():
        return _of_story(wanted)
    if wanted in _scripts():
        shipped = resources.files(__package__).joinpath("demos", f"{wanted}.toml")
        return parse(shipped.read_text(encoding="utf-8"), wanted)
    path = Path(wanted)
    try:
        return parse(path.read_text(encoding="utf-8"), wanted, path.parent)
    except FileNotFoundError:
        have = ", ".join(names())
        raise UsageError(f"cannot play {wanted}: no such file, and no such demo (have: {have})") from None
    except (OSError, UnicodeDecodeError) as refused:
        why = refused.strerror if isinstance(refused, OSError) and refused.strerror else "it is no text"
        raise UsageError(f"cannot play {wanted}: {why.lower()}") from None


def parse(text: str, name: str, folder: Path | None = None) -> Demo:
    """The demo in a TOML text. Raises UsageError that names `name`, the step and the word."""
    try:
        table = _Table(tomllib.loads(text), name)
    except tomllib.TOMLDecodeError as wrong:
        raise UsageError(f"cannot play {name}: {str(wrong)[:1].lower()}{str(wrong)[1:]}") from None
    steps = [_Table(entry, f"{name}, step {number}") for number, entry in enumerate(table.tables("step"), 1)]
    replay = table.tables("replay")
    demo = Demo(
        title=table.text("title", ""),
        capture=table.text("capture", ""),
        folder=folder,
        columns=int(table.number("columns", 100, *_WIDTHS)),
        rows=int(table.number("rows", 30, *_HEIGHTS)),
        replay=_pace(_Table(replay[0], f"{name}, replay")) if replay else None,
        steps=tuple(map(_step, steps)),
    )
    table.end()
    if not demo.capture:
        raise UsageError(f'cannot play {name}: say which capture, as in capture = "keepalive"')
    if not demo.steps:
        raise UsageError(f"cannot play {name}: it has no [[step]]")
    return demo


def _step(table: _Table) -> Step:
    caption = table.text("caption", None)
    keys = tuple(table.text("keys", "").split())
    typed = tuple(table.text("type", ""))
    wait_us = round(table.number("wait", 0.0, 0.0, LONGEST_S) * SECOND_US)
    until = table.text("until", "")
    if until not in ("", "end"):
        raise UsageError(f'cannot play {table.where}: until is {until!r}, and must be "end"')
    table.end()
    return Step(caption=caption, keys=keys + typed, wait_us=wait_us, until_end=until == "end")


def _pace(table: _Table) -> Pace:
    pace = table.number("pace", 1.0, 0.1, 10_000.0)
    idle_s = table.number("idle", 3.0, 0.0, LONGEST_S)
    table.end()
    return Pace(pace=pace, idle_s=idle_s)


class _Table:
    """The words of a table, each asked for once; those that nobody asked for are wrong."""

    def __init__(self, table: Mapping[str, Any], where: str) -> None:
        self._table = dict(table)
        self._known: list[str] = []
        self.where = where

    def text(self, name: str, otherwise: Any) -> Any:
        value = self._take(name, otherwise)
        if not isinstance(value, str | None):
            raise UsageError(f"cannot play {self.where}: {name} is {value!r}, and must be text")
        return value

    def number(self, name: str, otherwise: float, least: float, most: float) -> float:
        value = self._take(name, otherwise)
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise UsageError(
                f"cannot play {self.where}: {name} is {value!r}, and must be a number from {least:g} to {most:g}"
            )
        return value

    def tables(self, name: str) -> list[Mapping[str, Any]]:
        value = self._take(name, [])
        found = [value] if isinstance(value, dict) else value
        if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
            raise UsageError(f"cannot play {self.where}: {name} must be a table")
        return found

    def _take(self, name: str, otherwise: Any) -> Any:
        self._known.append(name)
        return self._table.pop(name, otherwise)

    def end(self) -> None:
        """Raises UsageError for a word that is not known."""
        for name in self._table:
            raise UsageError(
                f"cannot play {self.where}: there is no word {name} (have: {', '.join(self._known)})"
            )
