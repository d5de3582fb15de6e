"""What the languages for sequence diagrams have in common when they are written: lines, and each step as a few."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tcpladder.analysis.view import Side
from tcpladder.ladder.diagram import Diagram
from tcpladder.ladder.sequence import Activation, Message, NoteBeside, NoteOver, steps
from tcpladder.render.cells import one_line

IDS = {Side.CLIENT: "client", Side.SERVER: "server"}
"""What the ends are called inside a source; what is shown may be anything."""
_OUTER = {Side.CLIENT: "left of client", Side.SERVER: "right of server"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How one language writes what all of them have."""

    comment: str
    arrow: str
    """Of a segment that arrived; the other two: of one that did not, and of one that must still come."""
    arrow_lost: str
    arrow_expected: str
    note: str
    """The keyword: some want it with a capital."""
    escape: Callable[[str], str]
    """Text that stands behind a colon, made harmless."""


def comments(diagram: Diagram, dialect: Dialect) -> Iterator[str]:
    """Where it came from."""
    for key, value in diagram.provenance.lines():
        yield f"{dialect.comment} {key}: {one_line(value)}"


def body(diagram: Diagram, dialect: Dialect) -> Iterator[str]:
    """The messages, notes and activations."""
    for step in steps(diagram):
        match step:
            case Message():
                other = IDS[Side.SERVER if step.sender is Side.CLIENT else Side.CLIENT]
                arrow = dialect.arrow_expected if step.expected else dialect.arrow
                arrow = dialect.arrow_lost if step.lost else arrow
                yield f"{IDS[step.sender]}{arrow}{other}: {dialect.escape(one_line(step.text))}"
            case NoteBeside():
                yield f"{dialect.note} {_OUTER[step.side]}: {dialect.escape(one_line(step.text))}"
            case NoteOver():
                yield f"{dialect.note} over client,server: {dialect.escape(one_line(step.text))}"
            case Activation():
                yield f"{'activate' if step.begins else 'deactivate'} {IDS[step.side]}"
