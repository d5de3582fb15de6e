"""Which captures were opened lately, for the start screen: a short list in the user's state directory.

It has as many as the settings say; TCPLADDER_RECENT=off keeps no list and shows none. What cannot be kept is not
missed, so nothing here raises.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable
from pathlib import Path

OFF = "TCPLADDER_RECENT"


def recent(most: int) -> list[Path]:
    """The captures that are still there, the last one first."""
    if not most or os.environ.get(OFF) == "off":
        return []
    try:
        listed = json.loads(_file().read_text(encoding="utf-8"))
    except (OSError, ValueError, RuntimeError):
        return []
    texts = [text for text in listed if isinstance(text, str)] if isinstance(listed, list) else []
    return [Path(text) for text in texts[:most] if Path(text).is_file()]


def remember(paths: Iterable[str], most: int) -> None:
    """Put captures at the top of the list; `-` is no file."""
    if not most or os.environ.get(OFF) == "off":
        return
    with contextlib.suppress(OSError, RuntimeError):
        fresh = [Path(path).absolute() for path in paths if path != "-"]
        kept = [path for path in recent(most) if path not in fresh]
        file = _file()
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        written = file.with_name(f"{file.name}.{os.getpid()}")
        descriptor = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            json.dump([str(path) for path in [*fresh, *kept][:most]], out)
        written.replace(file)


def state_directory() -> Path:
    """Where what is remembered stands, XDG_STATE_HOME. Raises RuntimeError where nobody knows a home."""
    state = os.environ.get("XDG_STATE_HOME")
    return (Path(state) if state else Path.home() / ".local/state") / "tcpladder"


def _file() -> Path:
    return state_directory() / "recent.json"
