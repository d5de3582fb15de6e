"""Small JSON files in the user's state directory (XDG Base Directory Specification), replaced as a whole."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path


def state_directory() -> Path:
    """Where what is remembered stands, XDG_STATE_HOME. Raises RuntimeError where nobody knows a home."""
    state = os.environ.get("XDG_STATE_HOME")
    return (Path(state) if state else Path.home() / ".local/state") / "tcpladder"


def state_file(name: str) -> Path:
    """Where such a file is, or belongs; its name may have a folder in it. Raises as state_directory."""
    return state_directory() / name


def read_state(name: str) -> object:
    """What is in it. Raises OSError, ValueError or RuntimeError (nobody knows the home directory)."""
    return json.loads(state_file(name).read_text(encoding="utf-8"))


def write_state(name: str, value: object) -> Path:
    """Write it anew, for its owner alone; returns where. Raises OSError or RuntimeError; then it is what it was."""
    file = state_file(name)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    written = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        descriptor = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            json.dump(value, out)  # ASCII: a file name may be no UTF-8
        written.replace(file)
    except OSError:
        with contextlib.suppress(OSError):
            written.unlink()
        raise
    return file
