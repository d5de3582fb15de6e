"""Marks and notes that a user puts on the segments of a session, by flow and frame.

What the app needs of a session (a replay has the same, and passes it on to what it replays):

    session.user_notes(number)          the notes of flow `number`, ascending by frame
    session.put_note(note)              set it; returns the one that it replaces, for undo, or None
    session.remove_note(note)           take it away; returns whether it was there
    session.marked(number, "a")         the note with that mark in the flow, or None
    segment_of(view, note)              the index of its segment in the findings, None where that is not shown
    UserNote(flow=number, frame=view.frame(index), time_ns=int(view.time_ns[index]), text="", mark="a")

A letter marks one segment of a flow: set again, it moves. A segment has one note without a letter. A note without text
and letter is refused (UsageError), so is one of several lines.

The ladder shows them as rows: `session.notes(number)` has them, Note.mark is the letter.

They are kept: `save`, `-w` and the flight recorder write them as comments on their frames (note_comments.py), which any
reader of pcapng shows and tcpladder reads back. A capture file that is opened is never written to: its notes stand
beside it, in the user's state directory, found again by what is in the file (store/note_file.py).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tcpladder.analysis.flow_view import Findings
from tcpladder.errors import UsageError
from tcpladder.ladder.model import Note

MOST_NOTES = 10_000
MOST_CHARACTERS = 200
"""Of one note."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserNote:
    """A mark, a remark, or both, on one segment."""

    flow: int
    """Its number in the session, from 1."""
    frame: int
    """From 1, in its file."""
    time_ns: int
    text: str = ""
    mark: str = ""
    """A letter, or nothing."""

    def row(self) -> Note:
        """As the ladder shows it, below its segment."""
        return Note(self.time_ns, self.text or f"mark {self.mark}", mark=self.mark)


class UserNotes:
    """All of a session. `changed` is called after each change."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._by_flow: dict[int, list[UserNote]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def of(self, flow: int) -> tuple[UserNote, ...]:
        """Those of a flow, ascending by frame."""
        return tuple(self._by_flow.get(flow, ()))

    def all(self) -> tuple[UserNote, ...]:
        """Those of all flows."""
        return tuple(note for notes in self._by_flow.values() for note in notes)

    def marked(self, flow: int, mark: str) -> UserNote | None:
        """The one with this letter."""
        return next((note for note in self._by_flow.get(flow, ()) if note.mark == mark), None)

    def put(self, note: UserNote) -> UserNote | None:
        """Set it; returns what it replaces. Raises UsageError for what is no note."""
        refuse_wrong(note)
        replaced = self._standing_in_the_way(note)
        if replaced is None and self._count >= MOST_NOTES:
            raise UsageError(f"{MOST_NOTES:,} notes are kept, and no more: take one away first")
        if replaced is not None:
            self._take_out(replaced)
        self._insert(note)
        self._changed()
        return replaced

    def remove(self, note: UserNote) -> bool:
        """Take it away; returns whether it was there."""
        if note not in self._by_flow.get(note.flow, ()):
            return False
        self._take_out(note)
        self._changed()
        return True

    def read(self, notes: Iterable[UserNote]) -> None:
        """Take over what was kept; what makes no sense is left out, it may come from strangers."""
        for note in notes:
            try:
                refuse_wrong(note)
            except UsageError:
                continue
            if self._standing_in_the_way(note) is None and self._count < MOST_NOTES:
                self._insert(note)

    def _standing_in_the_way(self, note: UserNote) -> UserNote | None:
        if note.mark:
            return self.marked(note.flow, note.mark)
        notes = self._by_flow.get(note.flow, ())
        return next((other for other in notes if other.frame == note.frame and not other.mark), None)

    def _insert(self, note: UserNote) -> None:
        notes = self._by_flow.setdefault(note.flow, [])
        notes.insert(bisect_left(notes, (note.frame, note.mark), key=lambda n: (n.frame, n.mark)), note)
        self._count += 1

    def _take_out(self, note: UserNote) -> None:
        self._by_flow[note.flow].remove(note)
        self._count -= 1


def refuse_wrong(note: UserNote) -> None:
    """Raises UsageError for what no ladder can show."""
    if note.mark and not (note.mark.isascii() and note.mark.isalpha() and len(note.mark) == 1):
        raise UsageError(f"a mark is a letter from a to z or A to Z, not {note.mark}")
    if not note.mark and not note.text.strip():
        raise UsageError("a note needs a text or a letter")
    if len(note.text) > MOST_CHARACTERS:
        raise UsageError(f"a note has at most {MOST_CHARACTERS} characters, this one {len(note.text)}")
    if not note.text.isprintable():
        raise UsageError("a note is one line of characters that can be printed")


def segment_of(view: Findings, note: UserNote) -> int | None:
    """The index of a note's segment in the findings about its flow; None where they do not have it (yet)."""
    segments = range(len(view.time_ns))
    index = bisect_left(segments, note.frame, key=view.frame)
    return index if index < len(segments) and view.frame(index) == note.frame else None
