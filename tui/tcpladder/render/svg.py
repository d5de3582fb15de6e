"""A diagram as SVG: lines, arrow heads and selectable text at exact places, no font of its own, no script.

The words are those of the grid, so a picture says what a terminal says.
"""

from __future__ import annotations

from collections.abc import Iterator

from tcpladder.ladder.diagram import Diagram
from tcpladder.render.palette import PALETTES, SHAPES, Theme, css, flow_css
from tcpladder.render.svg_frame import frame, xml
from tcpladder.render.svg_rows import row_groups
from tcpladder.render.svg_sheet import Sheet, sheet_of


def svg(diagram: Diagram, theme: Theme) -> Iterator[str]:
    """The lines of the file."""
    sheet = sheet_of(diagram)
    where = "; ".join(f"{key}: {value}" for key, value in diagram.provenance.lines())
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{sheet.width}" height="{sheet.height}" '
        f'viewBox="0 0 {sheet.width} {sheet.height}">'
    )
    yield f"<title>{xml(_title(diagram))}</title>"
    yield f"<desc>{xml(where)}</desc>"
    rules = (*css(PALETTES[theme]), *(flow_css(PALETTES[theme]) if diagram.several else ()))
    yield "<style>" + "\n".join((*SHAPES, *(rule.strip() for rule in rules))) + "</style>"
    yield from drawing(diagram, sheet)
    yield "</svg>"


def drawing(diagram: Diagram, sheet: Sheet) -> Iterator[str]:
    """Everything inside the svg element that has a place: what the page of render/html.py shows, too."""
    yield f'<rect class="ground" width="{sheet.width}" height="{sheet.height}"/>'
    yield from frame(diagram, sheet)
    yield from row_groups(diagram, sheet)


def _title(diagram: Diagram) -> str:
    flows = (f"{summary.client} → {summary.server}, {summary.state}" for summary in diagram.summaries)
    return f"TCP {'; '.join(flows)}"
