"""Which formats a ladder can leave in, what each is called, and which file here draws it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePath

from tcpladder.analysis.view import Side
from tcpladder.errors import UsageError
from tcpladder.ladder.diagram import Diagram
from tcpladder.render.palette import Theme


class Format(StrEnum):
    """The words of `export --as`."""

    TEXT = "text"
    SVG = "svg"
    PNG = "png"
    HTML = "html"
    MERMAID = "mermaid"
    PLANTUML = "plantuml"
    WEBSEQUENCE = "websequence"
    JSON = "json"
    CSV = "csv"
    PACKETDRILL = "packetdrill"


SUFFIXES = {
    Format.TEXT: (".txt", ".text"),
    Format.SVG: (".svg",),
    Format.PNG: (".png",),
    Format.HTML: (".html", ".htm"),
    Format.MERMAID: (".mmd", ".mermaid"),
    Format.PLANTUML: (".puml", ".plantuml", ".pu"),
    Format.WEBSEQUENCE: (".wsd",),
    Format.JSON: (".json",),
    Format.CSV: (".csv",),
    Format.PACKETDRILL: (".pkt",),
}
"""The names of files of each format end so; the first is the one that we give."""
SEVERAL_FLOWS = frozenset({Format.TEXT, Format.HTML, Format.JSON, Format.CSV})
"""The formats that hold more than one ladder; the others are one drawing or one script."""
TOGETHER = frozenset(Format) - {Format.JSON, Format.CSV, Format.PACKETDRILL}
"""The formats that draw several flows on one ladder."""
EVERY_SEGMENT = frozenset({Format.JSON, Format.CSV, Format.PACKETDRILL})
"""The formats that a program reads: nothing is folded in them."""
MOST_ROWS = {Format.SVG: 10_000, Format.PNG: 850, Format.HTML: 20_000, Format.PLANTUML: 2_000}
"""What a browser, cairo (32,767 pixels) and PlantUML still draw."""
MERMAID_CHARACTERS = 50_000
"""What mermaid draws unless its page says otherwise: `maxTextSize`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taste:
    """What the user chooses, beside the format."""

    theme: Theme | None = None
    """None: light, and for a page that of the reader's system."""
    width: int = 80
    """Cells of a line of text."""
    ascii_only: bool = False
    """Text without characters beyond ASCII."""
    local: Side | None = None
    """The end that a packetdrill script plays; None: the one with the busier timers."""


def format_of(path: PurePath) -> Format:
    """The format that a file's name asks for. Raises UsageError."""
    for form, suffixes in SUFFIXES.items():
        if path.suffix.lower() in suffixes:
            return form
    known = ", ".join(suffixes[0] for suffixes in SUFFIXES.values())
    raise UsageError(f"{path}: its end names no format ({known}): say which with --as")


def check_size(form: Format, diagrams: Sequence[Diagram]) -> None:
    """Raise UsageError for what is too long to be drawn so."""
    most = MOST_ROWS.get(form)
    rows = sum(len(diagram.row_numbers) for diagram in diagrams)
    if most is None or rows <= most:
        return
    flows = [summary.number for diagram in diagrams for summary in diagram.summaries]
    which = f"flow {flows[0]} has" if len(flows) == 1 else f"{len(flows)} flows have"
    raise UsageError(
        f"{which} {rows} rows, and {form} takes {most}: choose some with --flow and --rungs, such as --rungs 1-400, "
        "draw it with --fold, or export text, json or csv"
    )


def lines(form: Format, diagrams: Sequence[Diagram], taste: Taste) -> Iterator[str]:
    """The lines of the file, without their newlines; for png those of the drawing that becomes it.

    Imports the format's own file when it is asked for. Raises UsageError where the format cannot hold that much.
    """
    check_size(form, diagrams)
    match form:
        case Format.TEXT:
            from tcpladder.render.text import diagram_text

            for number, diagram in enumerate(diagrams):
                if number:
                    yield ""
                yield from diagram_text(diagram, width=taste.width, ascii_only=taste.ascii_only)
        case Format.HTML:
            from tcpladder.render.html_page import html_page

            yield from html_page(diagrams, taste.theme)
        case Format.JSON:
            from tcpladder.render.json_file import json_lines

            yield from json_lines(diagrams)
        case Format.CSV:
            from tcpladder.render.csv_table import csv_lines

            yield from csv_lines(diagrams)
        case _:
            yield from _one(form, diagrams[0], taste)


def _one(form: Format, diagram: Diagram, taste: Taste) -> Iterator[str]:
    """The formats that hold one flow."""
    match form:
        case Format.MERMAID:
            from tcpladder.render.mermaid import mermaid

            yield from _no_longer_than(MERMAID_CHARACTERS, mermaid(diagram))
        case Format.PLANTUML:
            from tcpladder.render.plantuml import plantuml

            yield from plantuml(diagram)
        case Format.WEBSEQUENCE:
            from tcpladder.render.websequence import websequence

            yield from websequence(diagram)
        case Format.PACKETDRILL:
            from tcpladder.render.packetdrill import packetdrill

            yield from packetdrill(diagram, taste.local)
        case _:
            from tcpladder.render.svg import svg

            yield from svg(diagram, taste.theme or Theme.LIGHT)


def _no_longer_than(most: int, source: Iterator[str]) -> Iterator[str]:
    length, drawn = 0, []
    for line in source:
        drawn.append(line)
        length += len(line) + 1
        if length > most:
            raise UsageError(
                f"mermaid draws no more than {most} characters, and this flow has more: choose some of its rungs "
                "with --rungs, such as --rungs 1-200"
            )
    yield from drawn
