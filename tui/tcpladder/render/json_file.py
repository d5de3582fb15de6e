"""Diagrams as one JSON array, an object a line: a header a flow, then its segments as in JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from tcpladder.ladder.diagram import Diagram
from tcpladder.render.jsonl import Record, ends, flow_record, segment_record

VERSION = 1
"""Of the header; grows when a key of it changes its meaning."""


def json_lines(diagrams: Iterable[Diagram]) -> Iterator[str]:
    """The lines of the file, which together are one JSON value; between the first and the last an object a line."""
    yield "["
    before = ""
    for record in (record for diagram in diagrams for record in _records(diagram)):
        if before:
            yield before + ","
        before = json.dumps(record, ensure_ascii=False)
    if before:
        yield before
    yield "]"


def _records(diagram: Diagram) -> Iterator[Record | dict[str, object]]:
    yield _header(diagram)
    view = diagram.view
    named = ends(view)
    for index in diagram.rungs:
        yield segment_record(view, index, diagram.summary.number, named)


def _header(diagram: Diagram) -> dict[str, object]:
    """Where the flow came from and its line in the list."""
    where = {key.replace(" ", "_"): value for key, value in diagram.provenance.lines() if key != "flow"}
    believed = {
        side.name.lower(): {
            name: {"value": held.value, "origin": str(held.origin)}
            for name, held in diagram.believed[side].items()
        }
        for side in diagram.believed
    }
    remarks = [{"about": about, "sentence": sentence} for about, sentence in diagram.remarks]
    return {
        "record": "export",
        "version": VERSION,
        **where,
        **flow_record(diagram.summary),
        "rungs": [diagram.rungs.start + 1, diagram.rungs.stop] if diagram.rungs else [],
        "believed": believed,
        "remarks": remarks,
    }
