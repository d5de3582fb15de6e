"""What a replay leaves to the session that it replays: masks and names, notes, the bytes of frames.

Only flows may be numbered otherwise, and what happened after the moment that is shown is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from tcpladder.analysis.view import Endpoint
from tcpladder.ladder.model import Note
from tcpladder.ladder.privacy import Mask
from tcpladder.session.base import Session
from tcpladder.session.notes import UserNote


class Replayed(Session):
    """A session in front of another one, `source`, whose lock it shares."""

    def __init__(self, source: Session) -> None:
        super().__init__(source.name, filter_text=source.filter_text, given=source.given)
        self.source = source
        self.sources = source.sources
        self._lock = source.lock

    def number_in_source(self, number: int) -> int:
        """The number that the source gives to a flow. Raises LookupError."""
        raise NotImplementedError

    @property
    def mask(self) -> Mask | None:
        """The source's: a mask that is put on stays on when the replay is left."""
        return self.source.mask

    @mask.setter
    def mask(self, mask: Mask | None) -> None:
        self.source.mask = mask

    def mask_here(self) -> Mask | None:
        return self.source.mask_here()

    @contextmanager
    def shown_by(self, mask: Mask | None) -> Iterator[None]:
        with self.source.shown_by(mask):
            yield

    def name_addresses(self, aliases: Mapping[str, str]) -> None:
        self.source.name_addresses(aliases)

    def endpoints(self, number: int) -> tuple[Endpoint, Endpoint]:
        return self.source.endpoints(self.number_in_source(number))

    def notes(self, number: int) -> tuple[Note, ...]:
        notes = self.source.notes(self.number_in_source(number))
        return tuple(note for note in notes if note.time_ns <= self.now_ns())

    def happened(self, number: int) -> tuple[Note, ...]:
        notes = self.source.happened(self.number_in_source(number))
        return tuple(note for note in notes if note.time_ns <= self.now_ns())

    def user_notes(self, number: int) -> tuple[UserNote, ...]:
        return tuple(
            replace(note, flow=number) for note in self.source.user_notes(self.number_in_source(number))
        )

    def put_note(self, note: UserNote) -> UserNote | None:
        replaced = self.source.put_note(replace(note, flow=self.number_in_source(note.flow)))
        return None if replaced is None else replace(replaced, flow=note.flow)

    def remove_note(self, note: UserNote) -> bool:
        return self.source.remove_note(replace(note, flow=self.number_in_source(note.flow)))

    def marked(self, number: int, mark: str) -> UserNote | None:
        found = self.source.marked(self.number_in_source(number), mark)
        return None if found is None else replace(found, flow=number)

    def stored_bytes(self, file: int, position: int, captured: int) -> bytes:
        return self.source.stored_bytes(file, position, captured)
