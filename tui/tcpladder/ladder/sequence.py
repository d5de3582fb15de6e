"""A diagram as the steps of a sequence diagram: messages, notes, and from when to when each end is connected.

What mermaid, plantuml and websequencediagrams have in common; how each writes it is theirs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tcpladder.analysis.kinds import RESETS, Kind
from tcpladder.analysis.view import FlowView, Side
from tcpladder.ladder import fold_words, words
from tcpladder.ladder.diagram import Diagram
from tcpladder.ladder.model import FoldRow, GapRow, Note, PendingRow, Rung


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """An arrow from one lane to another, counted from the left."""

    sender: int
    receiver: int
    text: str
    lost: bool = False
    """Whether it did not arrive."""
    expected: bool = False
    """Whether it must still come."""


@dataclass(frozen=True, slots=True)
class NoteBeside:
    """A note beside the lifeline of one end: the timer that it waits for."""

    lane: int
    text: str


@dataclass(frozen=True, slots=True)
class NoteOver:
    """A note across lifelines, from one lane to another."""

    lanes: tuple[int, int]
    text: str


@dataclass(frozen=True, slots=True)
class Activation:
    """From here on, as the message before says, an end of a flow is connected, or not any more."""

    lane: int
    begins: bool


Step = Message | NoteBeside | NoteOver | Activation


def steps(diagram: Diagram) -> Iterator[Step]:
    """Everything that happens, from above; an activation always stands behind a message."""
    flows = [_Flow(diagram, place) for place in range(len(diagram.summaries))]
    for flow in flows:
        yield from flow.begin()
    for row in diagram.rows():
        if isinstance(row, Note):
            yield NoteOver((0, len(diagram.lanes) - 1), row.text)
        else:
            yield from flows[row.track.place].steps(row)
    if diagram.rungs.stop == diagram.ladder.segments:
        for flow in flows:
            yield from flow.end()


class _Flow:
    """One flow of a diagram, and which of its ends are connected so far."""

    def __init__(self, diagram: Diagram, place: int) -> None:
        self._diagram = diagram
        self._summary = diagram.summaries[place]
        self._track = diagram.ladder.tracks[place]
        self._said = f"[{self._summary.number}] " if diagram.several else ""
        """What tells it from the other flows."""
        timeline, first = diagram.ladder.view, diagram.rungs.start
        self._left_out = int((timeline.flow[:first] == place).sum())
        self._already = self._established_before(timeline.flows[place])
        self._connected: set[Side] = set()

    def begin(self) -> Iterator[Step]:
        """What stands above the first row: of several flows who each is, and what is left out of it."""
        who = f"{self._summary.client} → {self._summary.server}" if self._diagram.several else ""
        before = ""
        if self._left_out:
            before = _left_out(self._left_out, established=self._already)
        elif self._summary.began == "middle":
            before = "established, the capture begins in the middle of the connection"
        if who or before:
            yield self._over("; ".join(part for part in (who, before) if part))

    def steps(self, row: Rung | GapRow | PendingRow | FoldRow) -> Iterator[Step]:
        """Those of one row."""
        match row:
            case Rung():
                lost = f" (lost: {row.lost})" if row.lost else ""
                yield self._message(row.sender, row.label + lost, lost=row.lost is not None)
                yield from self._changes(row)
                self._already = False
                if row.kind is Kind.HANDSHAKE_ACK:
                    yield self._over("established")
            case GapRow():
                yield self._beside(row.sender, words.silence(row.gap))
            case PendingRow():
                text = f"{words.due(row.pending.due_ns - row.now_ns)}: {row.pending.text}"
                if row.pending.kind is None:
                    yield self._beside(row.pending.side, text)
                else:
                    yield self._message(row.pending.side, text, expected=True)
            case FoldRow():
                yield self._over(fold_words.forms(row)[0])

    def end(self) -> Iterator[Step]:
        """What stands below the last row."""
        if self._summary.ended == "closed":
            yield from (self._activation(side, begins=False) for side in Side if side in self._connected)
        if self._summary.why:
            yield self._over(self._summary.why)

    def _message(self, sender: Side, text: str, *, lost: bool = False, expected: bool = False) -> Message:
        receiver = Side.SERVER if sender is Side.CLIENT else Side.CLIENT
        return Message(
            sender=self._track.lane(sender),
            receiver=self._track.lane(receiver),
            text=self._said + text,
            lost=lost,
            expected=expected,
        )

    def _beside(self, side: Side, text: str) -> NoteBeside:
        return NoteBeside(self._track.lane(side), self._said + text)

    def _over(self, text: str) -> NoteOver:
        first, last = sorted((self._track.client, self._track.server))
        return NoteOver((first, last), self._said + text)

    def _activation(self, side: Side, *, begins: bool) -> Activation:
        (self._connected.add if begins else self._connected.discard)(side)
        return Activation(self._track.lane(side), begins=begins)

    def _changes(self, rung: Rung) -> Iterator[Activation]:
        """Which ends this segment connects or cuts off."""
        if rung.kind in RESETS:
            ends = (rung.sender,) if rung.lost else tuple(Side)
            yield from (self._activation(side, begins=False) for side in ends if side in self._connected)
        elif self._already or rung.kind is Kind.HANDSHAKE_ACK:
            yield from (self._activation(side, begins=True) for side in Side if side not in self._connected)

    def _established_before(self, view: FlowView) -> bool:
        """Whether the ends were connected before the first rung that is drawn."""
        if self._summary.began == "middle":
            return True
        earlier = view.kind[: self._left_out]
        resets = np.isin(earlier, [int(kind) for kind in RESETS])
        return bool((earlier == Kind.HANDSHAKE_ACK).any()) and not resets.any()


def _left_out(count: int, *, established: bool) -> str:
    rungs = "rung 1 is" if count == 1 else f"rungs 1-{count} are"
    return ("established, " if established else "") + f"{rungs} left out"
