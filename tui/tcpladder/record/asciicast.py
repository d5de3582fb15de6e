"""The asciicast format, versions 2 and 3: a header and events as JSON lines, to text and back.

https://docs.asciinema.org/manual/asciicast/v2/ and /v3/: events of version 2 have the time since the start, those of
version 3 the time since the event before them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tcpladder.errors import CaptureError

SECOND_US = 1_000_000
_MOST_CELLS = 10_000
"""Of a side: more is no terminal, and a picture of it would take the memory of the machine."""


class Code(StrEnum):
    """What an event is."""

    OUTPUT = "o"
    INPUT = "i"
    MARKER = "m"
    RESIZE = "r"
    EXIT = "x"


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The first line."""

    width: int
    height: int
    version: int = 2
    title: str = ""
    timestamp_s: int | None = None
    """When it began, since 1970; None where nobody should know."""
    terminal: str = "xterm-256color"

    def line(self) -> str:
        """As JSON."""
        fields: dict[str, Any] = {"version": self.version}
        if self.version == 2:
            fields |= {"width": self.width, "height": self.height, "env": {"TERM": self.terminal}}
        else:
            fields["term"] = {"cols": self.width, "rows": self.height, "type": self.terminal}
        if self.timestamp_s is not None:
            fields["timestamp"] = self.timestamp_s
        if self.title:
            fields["title"] = self.title
        return json.dumps(fields, ensure_ascii=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One of the lines after it."""

    time_us: int
    """Since the start, in microseconds; never falling."""
    code: Code
    data: str

    def line(self, since_us: int) -> str:
        """As JSON, its time counted from `since_us`."""
        after_us = self.time_us - since_us
        seconds = f"{after_us // SECOND_US}.{after_us % SECOND_US:06d}"
        return f'[{seconds}, "{self.code}", {json.dumps(self.data, ensure_ascii=False)}]'


def read_header(line: str, name: str) -> Header:
    """The header in the first line of a file. Raises CaptureError where it is none."""
    try:
        fields = json.loads(line)
        version = fields["version"]
        if version not in (2, 3):
            raise CaptureError(f"cannot read {name}: asciicast version {version!r}, and 2 and 3 are known")
        size = fields if version == 2 else fields["term"]
        width, height = (size["width"], size["height"]) if version == 2 else (size["cols"], size["rows"])
        header = Header(
            width=_cells(width), height=_cells(height), version=version, title=str(fields.get("title") or "")
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        raise CaptureError(f"cannot read {name}: it is no asciicast") from None
    return header


def read_event(line: str, version: int, before_us: int) -> Event | None:
    """The event in a line; None for a code that nobody knows. Raises ValueError where it is none."""
    try:
        seconds, code, data = json.loads(line)
        time_us = round(seconds * SECOND_US)
    except (TypeError, RecursionError, OverflowError):
        raise ValueError(line) from None
    if not isinstance(code, str) or not isinstance(data, str):
        raise ValueError(line)
    if code not in set(Code):
        return None
    if version == 3:
        time_us += before_us
    return Event(time_us=max(time_us, before_us), code=Code(code), data=data)


def size_of(data: str) -> tuple[int, int]:
    """Columns and rows of a resize event, `80x24`. Raises ValueError."""
    width, _, height = data.partition("x")
    return _cells(int(width)), _cells(int(height))


def _cells(number: object) -> int:
    if not isinstance(number, int) or not 0 < number <= _MOST_CELLS:
        raise ValueError(number)
    return number
