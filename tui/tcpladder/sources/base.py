"""What a source of frames offers to a session."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from tcpladder.wire.frames import FrameBatch


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a source has been read. `total_bytes` is None where nobody can know (a pipe)."""

    read_bytes: int
    total_bytes: int | None


class FrameFile(Protocol):
    """A capture opened for reading."""

    name: str
    """What to call it on the screen: the path as the user typed it, `-` for stdin."""
    warnings: list[str]
    """Sentences about what was wrong and what was kept, in the order in which they were found."""

    def batches(self) -> Iterator[FrameBatch]:
        """Yield the frames in order. Never raises for bad bytes: it warns and ends after the last good frame."""
        ...

    def progress(self) -> Progress:
        """How far reading has come."""
        ...

    def frame_bytes(self, position: int, captured: int) -> bytes:
        """Read one frame again, from where its batch said it begins."""
        ...

    def close(self) -> None:
        """Release the descriptors."""
        ...
