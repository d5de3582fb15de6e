"""What the languages for sequence diagrams have in common when they are written: lines, and each step as a few."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tcpladder.ladder.diagram import Diagram
from tcpladder.ladder.sequence import Activation, Message, NoteBeside, NoteOver, steps
from tcpladder.render.cells import one_line


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


def ids(diagram: Diagram) -> tuple[str, ...]:
    """What the lanes are called inside a source; what is shown may be anything."""
    if diagram.several:
        return tuple(f"host{number}" for number in range(1, len(diagram.lanes) + 1))
    return "client", "server"


def comments(diagram: Diagram, dialect: Dialect) -> Iterator[str]:
    """Where it came from."""
    for key, value in diagram.provenance.lines():
        yield f"{dialect.comment} {key}: {one_line(value)}"


def body(diagram: Diagram, dialect: Dialect) -> Iterator[str]:
    """The messages, notes and activations."""
    lanes = ids(diagram)
    for step in steps(diagram):
        match step:
            case Message():
                arrow = dialect.arrow_expected if step.expected else dialect.arrow
                arrow = dialect.arrow_lost if step.lost else arrow
                yield f"{lanes[step.sender]}{arrow}{lanes[step.receiver]}: {dialect.escape(one_line(step.text))}"
            case NoteBeside():
                side = "right" if step.lane else "left"
                yield f"{dialect.note} {side} of {lanes[step.lane]}: {dialect.escape(one_line(step.text))}"
            case NoteOver():
                first, last = (lanes[lane] for lane in step.lanes)
                yield f"{dialect.note} over {first},{last}: {dialect.escape(one_line(step.text))}"
            case Activation():
                yield f"{'activate' if step.begins else 'deactivate'} {lanes[step.lane]}"
