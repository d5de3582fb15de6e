"""What the terminal can show: its characters, its colours."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from tcpladder.settings.plain import AUTO, MASKS


@dataclass(frozen=True, slots=True, kw_only=True)
class Taste:
    """How the screen should be drawn."""

    ascii_only: bool = False
    """Draw with ASCII only."""
    theme: str = AUTO
    """A name of app/themes.py."""
    keymap: Mapping[str, str] = field(default_factory=dict)
    """Name of an action -> its keys, where they are not those of the bindings."""
    tour: bool = False
    """Whether a user who is here for the first time is shown around."""
    mask: str = MASKS[0]
    """What is masked from the start."""
    timezone: tzinfo = field(default_factory=lambda: datetime.now().astimezone().tzinfo or UTC)
    """Of the clock times; the local one unless told otherwise."""
    recent: int = 12
    """How many of the captures that were opened lately are offered."""
    flow_columns: tuple[str, ...] = ()
    """The columns of the list of flows (render.flow_columns.COLUMNS); those that its width has room for without."""


MIN_WIDTH = 60
MIN_HEIGHT = 15


def first_environment() -> dict[str, str]:
    """The environment as the process got it.

    Python coerces the C locale to UTF-8 and rewrites LC_CTYPE in os.environ (PEP 538), which says nothing about the
    terminal; /proc/self/environ keeps what was there before.
    """
    entries = Path("/proc/self/environ").read_bytes().split(b"\0")
    pairs = (entry.decode(errors="replace").partition("=") for entry in entries if entry)
    return {name: value for name, _, value in pairs}


def wants_ascii(environment: Mapping[str, str]) -> bool:
    """Whether box drawing would arrive as rubbish: no UTF-8 locale, or the 256 glyphs of the console font."""
    if environment.get("TERM") == "linux":
        return True
    if environment.get("LC_ALL"):
        return not _is_utf8(environment["LC_ALL"])
    ctype = environment.get("LC_CTYPE", "")
    language = environment.get("LANG", "")
    # A parent Python that was started in the C locale leaves exactly this behind.
    coerced = ctype in ("C.UTF-8", "C.utf8") and not _is_utf8(language)
    return coerced or not _is_utf8(ctype or language)


def _is_utf8(locale: str) -> bool:
    return locale.lower().replace("-", "").endswith("utf8")


def send_utf8() -> None:
    """Let stderr, where Textual writes, carry every character instead of a backslash and a number."""
    stream = sys.__stderr__
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(encoding="utf-8", errors="replace")
