"""A diagram as the steps of a sequence diagram: messages, notes, and from when to when each end is connected.

What mermaid, plantuml and websequencediagrams have in common; how each writes it is theirs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tcpladder.analysis.kinds import RESETS, Kind
from tcpladder.analysis.view import Side
from tcpladder.ladder import fold_words, words
from tcpladder.ladder.diagram import Diagram
from tcpladder.ladder.model import FoldRow, GapRow, Note, PendingRow, Row, Rung


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """An arrow from one end to the other."""

    sender: Side
    text: str
    lost: bool = False
    """Whether it did not arrive."""
    expected: bool = False
    """Whether it must still come."""


@dataclass(frozen=True, slots=True)
class NoteBeside:
    """A note on the outer side of one end's lifeline: the timer that it waits for."""

    side: Side
    text: str


@dataclass(frozen=True, slots=True)
class NoteOver:
    """A note across both lifelines."""

    text: str


@dataclass(frozen=True, slots=True)
class Activation:
    """From here on, as the message before says, an end is connected, or not any more."""

    side: Side
    begins: bool


Step = Message | NoteBeside | NoteOver | Activation


def steps(diagram: Diagram) -> Iterator[Step]:
    """Everything that happens, from above; an activation always stands behind a message."""
    connected: set[Side] = set()
    left_out = diagram.rungs.start
    if left_out:
        yield NoteOver(_left_out(left_out, established=_established_before(diagram)))
    elif diagram.summary.began == "middle":
        yield NoteOver("established, the capture begins in the middle of the connection")
    already = _established_before(diagram)
    for row in diagram.rows():
        yield from _row_steps(row)
        if not isinstance(row, Rung):
            continue
        for change in _changes(row, connected, already=already):
            yield change
            (connected.add if change.begins else connected.discard)(change.side)
        already = False
        if row.kind is Kind.HANDSHAKE_ACK:
            yield NoteOver("established")
    if diagram.rungs.stop == diagram.ladder.segments:
        if diagram.summary.ended == "closed":
            yield from (Activation(side, begins=False) for side in Side if side in connected)
        if diagram.summary.why:
            yield NoteOver(diagram.summary.why)


def _row_steps(row: Row) -> Iterator[Step]:
    match row:
        case Rung():
            lost = f" (lost: {row.lost})" if row.lost else ""
            yield Message(sender=row.sender, text=row.label + lost, lost=row.lost is not None)
        case GapRow():
            yield NoteBeside(row.sender, words.silence(row.gap))
        case Note():
            yield NoteOver(row.text)
        case PendingRow():
            yield from _pending(row)
        case FoldRow():
            yield NoteOver(fold_words.forms(row)[0])


def _pending(row: PendingRow) -> Iterator[Step]:
    text = f"{words.due(row.pending.due_ns - row.now_ns)}: {row.pending.text}"
    if row.pending.kind is None:
        yield NoteBeside(row.pending.side, text)
    else:
        yield Message(sender=row.pending.side, text=text, expected=True)


def _established_before(diagram: Diagram) -> bool:
    """Whether the ends were connected before the first rung that is drawn."""
    if diagram.summary.began == "middle":
        return True
    earlier = diagram.ladder.view.kind[: diagram.rungs.start]
    resets = np.isin(earlier, [int(kind) for kind in RESETS])
    return bool((earlier == Kind.HANDSHAKE_ACK).any()) and not resets.any()


def _changes(rung: Rung, connected: set[Side], *, already: bool) -> Iterator[Activation]:
    """Which ends this segment connects or cuts off."""
    if rung.kind in RESETS:
        ends = (rung.sender,) if rung.lost else tuple(Side)
        yield from (Activation(side, begins=False) for side in ends if side in connected)
    elif already or rung.kind is Kind.HANDSHAKE_ACK:
        yield from (Activation(side, begins=True) for side in Side if side not in connected)


def _left_out(count: int, *, established: bool) -> str:
    rungs = "rung 1 is" if count == 1 else f"rungs 1-{count} are"
    return ("established, " if established else "") + f"{rungs} left out"
