"""Files on disk that never have a name, so that nothing is left when we are killed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path


def anonymous_file() -> int:
    """Open a file without a name for reading and writing, return its descriptor.

    It lies in the user's cache directory where there is one, else in /var/tmp or the directory for temporary
    files; /tmp comes last because it is often memory. Raises OSError where none of them can be written.
    """
    refused: OSError | None = None
    for directory in _directories():
        try:
            return os.open(directory, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC | os.O_EXCL, 0o600)
        except OSError as error:
            refused = error
        if directory.is_dir():
            try:
                return _unlinked(directory)
            except OSError as error:
                refused = error
    raise refused or OSError("no directory for temporary files")


def write_all(descriptor: int, data: memoryview) -> None:
    """Write all of it at the descriptor's position, in one call where the kernel takes it. Raises OSError."""
    while len(data):
        data = data[os.write(descriptor, data) :]


def _directories() -> Iterator[Path]:
    cache = os.environ.get("XDG_CACHE_HOME") or (
        Path(os.environ["HOME"]) / ".cache" if "HOME" in os.environ else None
    )
    if cache:
        yield Path(cache) / "tcpladder"
        yield Path(cache)
    yield Path("/var/tmp")  # noqa: S108  (the file has no name there)
    yield Path(tempfile.gettempdir())


def _unlinked(directory: Path) -> int:
    """For file systems without O_TMPFILE: the name lives for an instant."""
    descriptor, path = tempfile.mkstemp(prefix="tcpladder-", dir=directory)
    Path(path).unlink()
    return descriptor
