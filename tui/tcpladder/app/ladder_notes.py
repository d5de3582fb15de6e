"""The keys that mark rungs with letters and write notes beside them, and go to them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Input

from tcpladder.app.ladder_view import LadderView
from tcpladder.app.page import Page
from tcpladder.errors import UsageError
from tcpladder.ladder.model import Note
from tcpladder.session.notes import UserNote, segment_of


class NoteKeys(Page):
    """A page with a ladder on which a person leaves marks."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "note", "mark this rung with a letter, or write a note"),
        Binding("apostrophe", "to_mark", "go to the mark of a letter"),
    ]
    ladder: LadderView
    numbers: tuple[int, ...]
    _asks_note = _asks_mark = False
    _edited: UserNote | None = None
    """The note that stands where a person writes."""

    def action_note(self) -> None:
        segment, self._edited = self._noted()
        if segment is None:
            self.notify("no rung here to mark", timeout=2)
            return
        view, index = self.ladder.view.within(segment)
        number = self.numbers[self.ladder.ladder.track_of(segment).place]
        self._about = UserNote(
            flow=number, frame=view.frame(index), time_ns=int(view.time_ns[index]), text="-"
        )
        self._asks_note = True
        self.prompt.suggester = None
        frame = self._about.frame
        self.ask(
            f"frame {frame}: a letter marks it, words are a note, nothing takes it away",
            "" if self._edited is None else self._edited.text or self._edited.mark,
        )

    def action_to_mark(self) -> None:
        marks = {note.mark for _, note in self._user_notes() if note.mark}
        if not marks:
            self.notify(
                self.named("no rung of this flow has a letter: {note:m} gives it one"),
                markup=False,
                timeout=3,
            )
            return
        self._asks_mark = True
        self.prompt.suggester = None
        self.ask(f"go to {', '.join(sorted(marks))}", "")

    def close_prompt(self) -> bool:
        self._asks_note = self._asks_mark = False
        return super().close_prompt()

    def on_input_changed(self, event: Input.Changed) -> None:
        letter = event.value.strip()
        if self._asks_mark and letter:
            self.close_prompt()
            self._go_to_mark(letter)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if self._asks_mark:
            self.close_prompt()
        elif self._asks_note:
            try:
                said = self._write(event.value.strip())
            except UsageError as wrong:
                self.notify(str(wrong), severity="warning", markup=False)
                return
            self.close_prompt()
            self.notify(said, markup=False, timeout=4)
            self.show(self.session.status())

    def _write(self, words: str) -> str:
        """Set, change or take away; returns what was done. Raises UsageError."""
        about, edited = self._about, self._edited
        if not words:
            return (
                "taken away" if edited is not None and self.session.remove_note(edited) else "nothing noted"
            )
        is_mark = len(words) == 1 and words.isascii() and words.isalpha()
        note = UserNote(
            flow=about.flow,
            frame=about.frame,
            time_ns=about.time_ns,
            text=("" if edited is None else edited.text) if is_mark else words,
            mark=words if is_mark else "" if edited is None else edited.mark,
        )
        replaced = self.session.put_note(note)
        if edited is not None and edited not in (note, replaced):
            self.session.remove_note(edited)
        if not is_mark:
            return f"noted at frame {note.frame}"
        moved = f", it was at frame {replaced.frame}" if replaced is not None and replaced != note else ""
        goes = self.named("{to_mark:'}")
        return f"mark {note.mark} is at frame {note.frame}{moved}; {goes} {note.mark} goes there"

    def _noted(self) -> tuple[int | None, UserNote | None]:
        """The segment under the cursor, and the note that a person means there."""
        row = self.ladder.selected
        if isinstance(row, Note):
            for place, note in self._user_notes():
                if note.row() == row:
                    return self._segment_of(place, note), note
        segment = self.ladder.segment
        if segment is None:
            return None, None
        view, index = self.ladder.view.within(segment)
        frame, notes = view.frame(index), self.session.user_notes(self.numbers[self.ladder.place])
        return segment, next((note for note in notes if note.frame == frame and not note.mark), None)

    def _user_notes(self) -> Iterator[tuple[int, UserNote]]:
        """Those of every flow that is drawn, each with the place of its flow; the one under the cursor first."""
        places = sorted(range(len(self.numbers)), key=lambda place: place != self.ladder.place)
        return ((place, note) for place in places for note in self.session.user_notes(self.numbers[place]))

    def _segment_of(self, place: int, note: UserNote) -> int | None:
        view = self.ladder.view
        index = segment_of(view.flows[place], note)
        return None if index is None else view.index_of(place, index)

    def _go_to_mark(self, letter: str) -> None:
        marked = ((place, note) for place, note in self._user_notes() if note.mark == letter)
        segment = next((self._segment_of(place, note) for place, note in marked), None)
        if segment is None:
            gives = self.named("{note:m} gives it one")
            self.notify(f"no rung has the letter {letter}: {gives}", markup=False, timeout=3)
        else:
            self.ladder.jump_to_segment(segment)
