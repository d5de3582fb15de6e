"""A diagram as PlantUML. https://plantuml.com/sequence-diagram"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tcpladder.ladder.diagram import Diagram
from tcpladder.render.cells import one_line
from tcpladder.render.sequence_text import Dialect, body, comments, ids

_MARKUP = re.compile(r"([*/_\-=.'])\1+|[~\"<>\\%#|\[\]&^!]")
"""What Creole, the preprocessor or a quoted name would take for its own."""


def escape(text: str) -> str:
    """Unicode escapes for everything that would be markup."""
    return _MARKUP.sub(lambda found: "".join(f"<U+{ord(c):04X}>" for c in found[0]), text)


DIALECT = Dialect(
    comment="'", arrow=" -> ", arrow_lost=" ->x ", arrow_expected=" --> ", note="note", escape=escape
)


def plantuml(diagram: Diagram) -> Iterator[str]:
    """The lines of the source."""
    yield "@startuml"
    yield from comments(diagram, DIALECT)
    for name, lane in zip(ids(diagram), diagram.lanes, strict=True):
        title, end = escape(one_line(lane.title)), escape(one_line(lane.below))
        yield f'participant "{title}\\n{end}" as {name}'
    yield "hide footbox"
    yield from body(diagram, DIALECT)
    yield "@enduml"
