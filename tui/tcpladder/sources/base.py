"""What a source of frames offers to a session."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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

    @property
    def comments(self) -> Mapping[int, str]:
        """Number of a frame -> what somebody wrote about it into the capture."""
        ...

    @property
    def closing_comments(self) -> Sequence[str]:
        """What somebody wrote about frames that came before, mostly at the end."""
        ...

    @property
    def names(self) -> Mapping[str, str]:
        """Address made up for a host that a text listing only names -> its name. Grows while it is read."""
        ...

    @property
    def caught_up(self) -> bool:
        """Whether a file that is followed has been read to where its writer is."""
        ...

    def batches(self) -> Iterator[FrameBatch]:
        """Yield the frames in order. Never raises for bad bytes: it warns and ends after the last good frame.

        A file that is followed yields an empty batch whenever nothing came while it waited.
        """
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
