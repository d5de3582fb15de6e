"""The notes on a capture file, in a file of their own in the user's state directory: the capture stays as it is.

They are found again by what is in the capture (its size, its begin and its end), not by its name: a capture that was
moved or copied has its notes. The file is JSON: `{"capture": "name", "notes": [{"frame": 17, …}, …]}`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from tcpladder.errors import UsageError
from tcpladder.store.state_file import state_file, write_state

LOOKED_AT = 64 << 10
"""Bytes at the begin and at the end that tell one capture from another of the same size."""
MOST_BYTES = 16 << 20
_FOLDER = "notes"

Fields = Mapping[str, str | int]
"""One note."""


def read(capture: str) -> list[Fields] | None:
    """The notes on a capture file, None where none were ever kept; fields of other types are left out."""
    try:
        if not state_file(_FOLDER).is_dir():
            return None  # without a look into a capture that may be on a slow disk
        with state_file(_name(Path(capture))).open("rb") as file:
            said = json.loads(file.read(MOST_BYTES))
    except (OSError, ValueError, RuntimeError, RecursionError):
        return None
    listed = said.get("notes") if isinstance(said, dict) else None
    return [
        {name: value for name, value in note.items() if isinstance(value, str | int)}
        for note in (listed if isinstance(listed, list) else ())
        if isinstance(note, dict)
    ]


def write(capture: str, notes: Sequence[Fields]) -> Path:
    """Keep the notes on a capture file instead of those that were kept before; returns where.

    Raises UsageError where they cannot be kept.
    """
    try:
        kept = {"capture": Path(capture).name, "notes": list(notes)}
        return write_state(_name(Path(capture)), kept)
    except (OSError, RuntimeError) as failed:
        reason = (getattr(failed, "strerror", None) or str(failed)).lower()
        raise UsageError(
            f"cannot keep the notes on {capture}: {reason}; save the capture, and they are in what is saved"
        ) from None


def forget(kept: Path) -> None:
    """Remove notes that are kept elsewhere by now: the capture has grown since."""
    with contextlib.suppress(OSError):
        kept.unlink()


def _name(capture: Path) -> str:
    """Of the file with its notes, in the state directory."""
    with capture.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        digest = hashlib.sha256(str(size).encode())
        digest.update(file.read(LOOKED_AT))
        file.seek(max(0, size - LOOKED_AT))
        digest.update(file.read(LOOKED_AT))
    return f"{_FOLDER}/{digest.hexdigest()[:32]}.json"
