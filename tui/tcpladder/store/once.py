"""What is shown to a user once: an empty file in the state directory remembers it.

Where that cannot be written (a confined app, a full disk) it counts as shown: better never than every time.
"""

from __future__ import annotations

import os

from tcpladder.store.state_file import state_directory


def first_time(name: str) -> bool:
    """Whether this is the first time that somebody asks; remembered from now on."""
    try:
        folder = state_directory()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except (OSError, RuntimeError):
        return False
    return True
