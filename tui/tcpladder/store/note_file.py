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
from tcpladder.store.recent import state_directory

LOOKED_AT = 64 << 10
"""Bytes at the begin and at the end that tell one capture from another of the same size."""
MOST_BYTES = 16 << 20

Fields = Mapping[str, str | int]
"""One note."""


def read(capture: str) -> list[Fields] | None:
    """The notes on a capture file, None where none were ever kept; fields of other types are left out."""
    try:
        directory = _directory()
        if not directory.is_dir():
            return None
        with (directory / _name(Path(capture))).open("rb") as file:
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
        directory = _directory()
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = directory / _name(Path(capture))
        written = file.with_name(f"{file.name}.{os.getpid()}")
        try:
            descriptor = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as out:
                json.dump({"capture": Path(capture).name, "notes": list(notes)}, out, ensure_ascii=False)
            written.replace(file)
        except OSError:
            with contextlib.suppress(OSError):
                written.unlink()
            raise
        return file
    except (OSError, RuntimeError) as failed:
        reason = (getattr(failed, "strerror", None) or str(failed)).lower()
        raise UsageError(
            f"cannot keep the notes on {capture}: {reason}; save the capture, and they are in what is saved"
        ) from None


def forget(kept: Path) -> None:
    """Remove notes that are kept elsewhere by now: the capture has grown since."""
    with contextlib.suppress(OSError):
        kept.unlink()


def _directory() -> Path:
    return state_directory() / "notes"


def _name(capture: Path) -> str:
    with capture.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        digest = hashlib.sha256(str(size).encode())
        digest.update(file.read(LOOKED_AT))
        file.seek(max(0, size - LOOKED_AT))
        digest.update(file.read(LOOKED_AT))
    return f"{digest.hexdigest()[:32]}.json"
