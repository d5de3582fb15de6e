"""Which captures were opened lately, for the start screen: a short list in the user's state directory.

It has as many as the settings say; TCPLADDER_RECENT=off keeps no list and shows none. What cannot be kept is not
missed, so nothing here raises.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

from tcpladder.store.state_file import read_state, write_state

OFF = "TCPLADDER_RECENT"
_FILE = "recent.json"


def recent(most: int) -> list[Path]:
    """The captures that are still there, the last one first."""
    if not most or os.environ.get(OFF) == "off":
        return []
    try:
        listed = read_state(_FILE)
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
        write_state(_FILE, [str(path) for path in [*fresh, *kept][:most]])
