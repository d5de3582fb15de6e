"""What a capture says of itself beside its frames: frames that it lost, and comments on frames."""

from __future__ import annotations

from dataclasses import dataclass, field

MAX_COMMENTS = 200_000
MAX_COMMENTS_BYTES = 32 << 20
"""Of all of them."""
MAX_COMMENT_BYTES = 4096
MAX_POINTS = 1000


@dataclass(slots=True)
class Remarks:
    """Filled by the reader of a format while it reads; bounded, whatever the file holds."""

    comments: dict[int, str] = field(default_factory=dict)
    """Number of a frame -> what somebody wrote about it."""
    closing: list[str] = field(default_factory=list)
    """What somebody wrote behind the frames."""
    comment_bytes: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    """Interface, empty where the format has none -> frames that were not captured there, as counted last."""

    names: dict[str, str] = field(default_factory=dict)
    """Address made up for a host that a listing only names -> its name; grows while the listing is read."""
    unread_lines: int = 0
    """Lines of a listing that look like a segment and could not be read."""
    first_unread: int = 0
    """Number of the first of them, from 1."""

    def unread(self, line: int) -> None:
        """Count a line that was meant to be a segment."""
        self.first_unread = self.first_unread or line
        self.unread_lines += 1

    def comment(self, frame: int, text: bytes) -> None:
        """Keep a comment on a frame; several on one frame are joined."""
        words = self._words(text)
        if frame in self.comments:
            self.comments[frame] = f"{self.comments[frame]}\n{words}"[:MAX_COMMENT_BYTES]
        elif words and len(self.comments) < MAX_COMMENTS:
            self.comments[frame] = words

    def close(self, text: bytes) -> None:
        """Keep a comment that stands behind the frames."""
        if len(self.closing) < MAX_POINTS and (words := self._words(text)):
            self.closing.append(words)

    def _words(self, text: bytes) -> str:
        """Empty when there have been too many."""
        if self.comment_bytes >= MAX_COMMENTS_BYTES:
            return ""
        words = text[:MAX_COMMENT_BYTES].decode("utf-8", "replace").rstrip("\0")
        self.comment_bytes += len(words)
        return words

    def drop(self, interface: str, frames: int) -> None:
        """Take in a counter; a later reading of the same counter replaces the earlier one."""
        if interface in self.dropped or len(self.dropped) < MAX_POINTS:
            self.dropped[interface] = frames

    def warnings(self, name: str) -> list[str]:
        """One sentence for each place where frames were lost."""
        sentences = [
            f"{name} lacks {frames} frame{'s' if frames != 1 else ''} that the capture dropped"
            + (f" (interface {_printable(interface)})" if interface else "")
            for interface, frames in self.dropped.items()
            if frames
        ]
        if self.unread_lines:
            lines = "line looks" if self.unread_lines == 1 else "lines look"
            first = f"line {self.first_unread}"
            sentences.append(
                f"{self.unread_lines} {lines} like a segment in {name} and could not be read"
                + (f": {first}" if self.unread_lines == 1 else f", {first} first")
            )
        return sentences


def _printable(name: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in name[:64])
