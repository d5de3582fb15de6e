"""Reads an asciicast: the header, the events, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from tcpladder.errors import CaptureError
from tcpladder.record.asciicast import Event, Header, read_event, read_header


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """A recording."""

    header: Header
    events: tuple[Event, ...]
    warnings: tuple[str, ...] = ()


def read_cast(path: Path) -> Cast:
    """The recording in a file. Raises CaptureError where it cannot be read or is none.

    A last line that was cut, as by a recorder that was killed while it wrote, is left out.
    """
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return cast_of(file, path.name)
    except OSError as refused:
        raise CaptureError(f"cannot open {path}: {(refused.strerror or str(refused)).lower()}") from None


def cast_of(file: TextIO, name: str) -> Cast:
    """The recording in an open file. Raises likewise."""
    header = read_header(file.readline(), name)
    warnings: list[str] = []
    events = tuple(_events(file, header, name, warnings))
    return Cast(header=header, events=events, warnings=tuple(warnings))


def _events(file: TextIO, header: Header, name: str, warnings: list[str]) -> Iterator[Event]:
    before_us = 0
    for number, line in enumerate(file, 2):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            event = read_event(line, header.version, before_us)
        except ValueError:
            if line.endswith("\n"):
                raise CaptureError(f"cannot read {name}: line {number} is no event") from None
            warnings.append(f"{name} was cut in line {number}: the recording ends there")
            return
        if event is not None:
            before_us = event.time_us
            yield event
