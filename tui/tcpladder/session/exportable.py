"""What an export asks of a session; loads nothing of what exports."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from tcpladder.analysis.flow_view import Findings
    from tcpladder.ladder.model import Note
    from tcpladder.ladder.privacy import Mask


class Exportable(Protocol):
    """A session, as far as an export needs it."""

    mask: Mask | None

    @property
    def sources(self) -> Sequence[str]:
        """Each file by its name, or the interface."""
        ...

    def shown_by(self, mask: Mask | None) -> AbstractContextManager[None]: ...

    def masked(self, text: str) -> str: ...

    def view(self, number: int) -> Findings: ...

    def notes(self, number: int) -> tuple[Note, ...]: ...

    def now_ns(self) -> int: ...


def notes_of(session: Exportable, numbers: Sequence[int]) -> tuple[Note, ...]:
    """What stands across the lanes of some flows; what happened to several of them stands there once."""
    return tuple(dict.fromkeys(note for number in numbers for note in session.notes(number)))
