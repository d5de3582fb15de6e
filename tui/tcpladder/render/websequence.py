"""A diagram for websequencediagrams.com. http://www.websequencediagrams.com/examples.html"""

from __future__ import annotations

from collections.abc import Iterator

from tcpladder.ladder.diagram import Diagram
from tcpladder.render.cells import one_line
from tcpladder.render.sequence_text import Dialect, body, comments, ids


def escape(text: str) -> str:
    """It has no escapes: a backslash could begin a line break, a quote would end a name."""
    return text.replace("\\", "/").replace('"', "'")


DIALECT = Dialect(comment="#", arrow="->", arrow_lost="-->", arrow_expected="-->", note="note", escape=escape)


def websequence(diagram: Diagram) -> Iterator[str]:
    """The lines of the source."""
    yield from comments(diagram, DIALECT)
    for name, lane in zip(ids(diagram), diagram.lanes, strict=True):
        title, end = escape(one_line(lane.title)), escape(one_line(lane.below))
        yield f'participant "{title}\\n{end}" as {name}'
    yield from body(diagram, DIALECT)
