"""Which notes have been written already to the capture that goes on, and which must be.

What happened to a flow is written with the next frame that is, of whatever flow, so it says which frame it is about. A
user's notes come at the end: until then they may be taken away again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tcpladder.session.note_comments import happened_line, note_line

if TYPE_CHECKING:
    from tcpladder.session.base import Session

MOST_BYTES = 3500
"""Of one comment, so that a reader that cuts long ones keeps it whole."""


class NotesTold:
    """Remembers, so that each note of a session is written once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known = 0
        self._told: dict[int, int] = {}
        """Flow -> how many of the things that happened to it are written."""
        self._waiting: list[str] = []

    def news(self, most: int) -> list[str]:
        """At most so many comments with what happened since the last call; what does not fit comes the next time."""
        if self._session.note_count != self._known:
            self._known = self._session.note_count
            self._waiting += self._happened()
        news = _in_comments(self._waiting)
        self._waiting = [line for comment in news[most:] for line in comment.splitlines()]
        return news[:most]

    def closing(self) -> list[str]:
        """The comments that must still be written when nothing more comes."""
        session = self._session
        flows = range(1, session.flow_count() + 1)
        noted = (note_line(note, note.frame) for flow in flows for note in session.user_notes(flow))
        return _in_comments([*self._waiting, *self._happened(), *noted])

    def _happened(self) -> Iterator[str]:
        session = self._session
        for capture in session.captures:
            for number in range(1, capture.flows + 1) if capture.keeps_segments else ():
                flow = capture.flows_before + number
                told = session.happened(flow)
                for note in told[self._told.get(flow, 0) :]:
                    yield happened_line(note, session.view(flow).frame(0))
                self._told[flow] = len(told)


def _in_comments(lines: list[str]) -> list[str]:
    """Lines put together, as many as one comment takes."""
    comments: list[str] = []
    for line in lines:
        if comments and len(comments[-1].encode()) + len(line.encode()) < MOST_BYTES:
            comments[-1] += f"\n{line}"
        else:
            comments.append(line)
    return comments
