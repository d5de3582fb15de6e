"""A diagram as mermaid, for Markdown on code forges and in wikis. https://mermaid.js.org/syntax/sequenceDiagram.html"""

from __future__ import annotations

from collections.abc import Iterator

from tcpladder.ladder.diagram import Diagram
from tcpladder.render.cells import one_line
from tcpladder.render.sequence_text import Dialect, body, comments, ids

_ENTITIES = str.maketrans({character: f"#{ord(character)};" for character in "#;<>\"'%{}\\`&"})


def escape(text: str) -> str:
    """Entities for what would end a statement, start a comment or become HTML."""
    return text.translate(_ENTITIES)


DIALECT = Dialect(
    comment="%%", arrow="->>", arrow_lost="-x", arrow_expected="-->>", note="Note", escape=escape
)


def mermaid(diagram: Diagram) -> Iterator[str]:
    """The lines of the source."""
    yield "sequenceDiagram"
    for line in (*_head(diagram), *body(diagram, DIALECT)):
        yield "    " + line


def _head(diagram: Diagram) -> Iterator[str]:
    # `%%{` would be read as a directive.
    yield from (line.replace("{", "(").replace("}", ")") for line in comments(diagram, DIALECT))
    for name, lane in zip(ids(diagram), diagram.lanes, strict=True):
        title, end = escape(one_line(lane.title)), escape(one_line(lane.below))
        yield f"participant {name} as {title}<br/>{end}"
