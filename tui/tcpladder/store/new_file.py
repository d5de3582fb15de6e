"""A file that is made new: nothing is written over, it belongs to who asked, and a disk that fails is told at once."""

from __future__ import annotations

import os
from pathlib import Path

from tcpladder.errors import WRITE_ELSEWHERE, CaptureError


def create(path: Path, *, owner: tuple[int, int] | None = None, directory: int | None = None) -> int:
    """A descriptor of a new file at `path`, for `owner` (uid, gid) where root writes for somebody.

    With `directory`, a descriptor, the path is relative to it. Raises CaptureError where there is such a file already,
    or none can be made.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644, dir_fd=directory)
    except FileExistsError:
        raise CaptureError(
            f"cannot write {path}: it exists, and nothing is written over; name another file"
        ) from None
    except FileNotFoundError:
        raise CaptureError(
            f"cannot write {path}: there is no directory {path.parent}; make it, or name another"
        ) from None
    except OSError as error:
        raise CaptureError(f"cannot write {path}: {why_not(error)}") from error
    if owner is not None:
        os.fchown(descriptor, *owner)
    return descriptor


def why_not(refused: OSError) -> str:
    """Why a file cannot be written, and what to do where that is a matter of permission."""
    reason = (refused.strerror or str(refused)).lower()
    if not isinstance(refused, PermissionError):
        return reason
    # Root is refused by Landlock, under which agent/start.py puts an app that nobody's sudo started.
    by_landlock = os.geteuid() == 0
    return f"{reason}; {'as root without sudo it writes only below /tmp' if by_landlock else WRITE_ELSEWHERE}"


def is_gone(descriptor: int) -> bool:
    """Whether the file that a descriptor writes has no name any more: nobody will find what is written."""
    return os.fstat(descriptor).st_nlink == 0
