"""Diagrams as one HTML page: the drawings of render/svg.py, and the details of each row for who points at it.

Nothing is loaded from elsewhere: the page has no address in it, and its policy forbids to fetch any.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import fields
from importlib import resources

from tcpladder.ladder.diagram import Diagram
from tcpladder.render.palette import FONT, PALETTES, SHAPES, Palette, Theme, css, flow_css
from tcpladder.render.row_details import details
from tcpladder.render.svg import drawing
from tcpladder.render.svg_frame import xml
from tcpladder.render.svg_sheet import sheet_of

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
_SELECT = {Theme.LIGHT: "#dbe9ff", Theme.DARK: "#1d3557"}
_KEYS = (
    ("↑ ↓ j k", "row by row"),
    ("PgUp PgDn g G", "further"),
    ("[ ]", "previous, next event"),
    ("Enter", "from a silence to what armed its timer"),
    ("t", "light, dark"),
    ("Esc ?", "this help"),
)


def html_page(diagrams: Sequence[Diagram], theme: Theme | None) -> Iterator[str]:
    """The lines of the file; without a theme the page takes that of the reader's system."""
    first = diagrams[0].provenance
    where = "; ".join(f"{key}: {value}" for key, value in first.lines())
    yield "<!DOCTYPE html>"
    yield f'<html lang="en" data-theme="{theme or "auto"}">'
    yield "<head>"
    yield '<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    yield '<meta name="viewport" content="width=device-width">'
    yield f'<meta name="generator" content="{xml(first.made_by)}">'
    yield f'<meta name="description" content="{xml(where)}">'
    yield f"<title>{xml(first.source)}: TCP ladder</title>"
    yield "<style>"
    yield from _styles(several=any(diagram.several for diagram in diagrams))
    yield "</style>"
    yield "</head>"
    yield "<body>"
    yield from _header(first.source, first.made_by)
    yield '<main tabindex="0" aria-label="ladder">'
    for diagram in diagrams:
        yield from _section(diagram)
    yield "</main>"
    yield from _panel(diagrams)
    yield from _data(diagrams)
    yield f"<script>\n{_page_file('page.js')}</script>"
    yield "</body>"
    yield "</html>"


def _styles(*, several: bool) -> Iterator[str]:
    yield from (f"svg {rule}" for rule in SHAPES)
    for theme, palette in PALETTES.items():
        # A page that has not decided yet, for want of scripts, is light.
        scope = f":root[data-theme={theme}]" if theme is Theme.DARK else ":root:not([data-theme=dark])"
        yield f"{scope}{{{_variables(palette, theme)}}}"
        yield from css(palette, f"{scope} svg")
        if several:
            yield from flow_css(palette, f"{scope} svg")
    yield "@media print{"
    yield f":root[data-theme]{{{_variables(PALETTES[Theme.LIGHT], Theme.LIGHT)}}}"
    yield from css(PALETTES[Theme.LIGHT], ":root[data-theme] svg")
    yield "}"
    yield _page_file("page.css")


def _variables(palette: Palette, theme: Theme) -> str:
    colours = ";".join(f"--{field.name}:{getattr(palette, field.name)}" for field in fields(palette))
    return f"{colours};--select:{_SELECT[theme]};--scheme:{theme};--font:{FONT}"


def _header(source: str, made_by: str) -> Iterator[str]:
    yield "<header>"
    yield f'<span class="source">{xml(source)}</span>'
    yield f'<span class="made">{xml(made_by)}</span>'
    yield '<button id="theme" type="button" title="key t">light / dark</button>'
    yield "</header>"


def _section(diagram: Diagram) -> Iterator[str]:
    sheet = sheet_of(diagram)
    yield f'<section id="flow-{diagram.summary.number}">'
    yield f'<svg width="{sheet.width}" height="{sheet.height}" viewBox="0 0 {sheet.width} {sheet.height}">'
    yield from drawing(diagram, sheet)
    yield "</svg>"
    yield "</section>"


def _panel(diagrams: Sequence[Diagram]) -> Iterator[str]:
    """What stands beside the ladder while no row is chosen: the keys, and where each flow came from."""
    yield '<aside id="panel" aria-live="polite">'
    yield "<h2>Click a row, or hover</h2>"
    yield "<dl>"
    for key, meaning in _KEYS:
        yield f"<dt><kbd>{xml(key)}</kbd></dt><dd>{xml(meaning)}</dd>"
    yield "</dl>"
    for diagram in diagrams:
        shown = " open" if len(diagrams) == 1 else ""
        yield f"<details{shown}><summary>where {_called(diagram)} came from</summary><dl>"
        for key, value in diagram.provenance.lines():
            yield f"<dt>{xml(key)}</dt><dd>{xml(value)}</dd>"
        yield "</dl></details>"
    yield "</aside>"


def _called(diagram: Diagram) -> str:
    return "these flows" if diagram.several else f"flow {diagram.summary.number}"


def _data(diagrams: Sequence[Diagram]) -> Iterator[str]:
    """What the script shows of each row; `<` is written so that no name can end the element."""
    told = [[detail.record() for detail in details(diagram)] for diagram in diagrams]
    text = json.dumps(told, ensure_ascii=False).replace("<", "\\u003c")
    yield f'<script id="details" type="application/json">{text}</script>'


def _page_file(name: str) -> str:
    return resources.files("tcpladder.render").joinpath(name).read_text(encoding="utf-8")
