"""The lanes of a row: lifelines, which of them a row runs between, and the arrow from one to another."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from tcpladder.analysis.view import Side
from tcpladder.ladder.model import QUIET, Lane, Role, Track
from tcpladder.render.cells import Span, clean, elide, elide_middle, ellipsis
from tcpladder.render.glyphs import glyphs
from tcpladder.render.layout import Layout

Reach = tuple[int, int]
"""The columns of the two lifelines between which a row is drawn, the left one first; one column twice where both ends
of a flow share the last lifeline."""

LOST_CELLS = 4
"""How far before the far lifeline an arrow stops that did not arrive."""


def reach_of(track: Track, layout: Layout) -> Reach:
    """That of a flow."""
    first, last = sorted((layout.at(track.client), layout.at(track.server)))
    return first, last


def wide_reach(track: Track, layout: Layout, cells: int) -> Reach:
    """That of a flow where so many cells have room in it, else all of the lanes."""
    first, last = reach_of(track, layout)
    return (first, last) if last - first - 1 >= cells else (layout.left, layout.right)


def inner(reach: Reach) -> int:
    """Cells between two lifelines."""
    return max(reach[1] - reach[0] - 1, 0)


def across(spans: list[Span], reach: Reach, layout: Layout, mark: str) -> list[Span]:
    """All lanes of a row: `spans` between two lifelines drawn as `mark`, and the other lifelines beside them."""
    ends: Span = (mark, Role.LIFELINE)
    if len(layout.columns) == 2 and reach[0] != reach[1]:
        return [ends, *spans, ends]
    own = [ends] if reach[0] == reach[1] else [ends, *spans, ends]
    return [
        (lifelines(layout.left, reach[0], layout), Role.LIFELINE),
        *own,
        (lifelines(reach[1] + 1, layout.right + 1, layout), Role.LIFELINE),
    ]


def lifelines(begin: int, end: int, layout: Layout) -> str:
    """The cells from one column up to another where nothing is but lifelines."""
    mark = glyphs(layout.ascii).lifeline
    return "".join(mark if column in layout.columns else " " for column in range(begin, end))


def flow_number(track: Track | None, layout: Layout) -> list[Span]:
    """The column that says which flow a row is of; nothing where there is one alone."""
    if not layout.flow_cells:
        return []
    if track is None:
        return [(" " * (layout.flow_cells + 1), Role.SPACE)]
    return [(f"{track.flow:>{layout.flow_cells}} ", track.role)]


def arrow(
    track: Track, sender: Side, label: str, layout: Layout, role: Role, label_role: Role, *, lost: bool
) -> list[Span]:
    """All lanes of a rung: a line from the sender's lifeline to the other, the words on it or, where they have no room
    there, beside it."""
    reach = reach_of(track, layout)
    way = layout.at(track.lane(sender)) == reach[0]
    label = clean(label, layout.ascii)
    if layout.flow_cells and role in QUIET:
        role = track.role
    room = inner(reach) - 5 - (LOST_CELLS if lost else 0)
    mark = glyphs(layout.ascii).lifeline
    if len(label) <= room or (len(layout.columns) == 2 and reach[0] != reach[1]):
        shown = elide_middle(label, max(room, 0), layout.ascii)
        return across(_shaft(shown, way, reach, layout, role, label_role, lost=lost), reach, layout, mark)
    before, behind = reach[0] - layout.left - 3, layout.right - reach[1] - 3
    if room >= max(before, behind):
        shown = elide_middle(label, room, layout.ascii)
        return across(_shaft(shown, way, reach, layout, role, label_role, lost=lost), reach, layout, mark)
    spans = across(_shaft("", way, reach, layout, role, label_role, lost=lost), reach, layout, mark)
    if len(label) <= behind or (len(label) > before and behind > before):
        text = f" {elide_middle(label, behind, layout.ascii)} "
        rest = lifelines(reach[1] + 1 + len(text), layout.right + 1, layout)
        return [*spans[:-1], (text, label_role), (rest, Role.LIFELINE)]
    text = f" {elide_middle(label, before, layout.ascii)} "
    rest = lifelines(layout.left, reach[0] - len(text), layout)
    return [(rest, Role.LIFELINE), (text, label_role), *spans[1:]]


def _shaft(
    label: str, way: bool, reach: Reach, layout: Layout, role: Role, label_role: Role, *, lost: bool
) -> list[Span]:
    """The cells between two lifelines: line, words, head; `way` is to the right."""
    mark = glyphs(layout.ascii)
    cells = inner(reach)
    lost_cells = min(LOST_CELLS, max(cells - 3, 0)) if lost else 0
    words: list[Span] = [(mark.line * 2, role), (f" {label} ", label_role)] if label else []
    used = sum(len(text) for text, _ in words)
    shaft: Span = (mark.line * max(cells - lost_cells - used - 1, 0), role)
    stop: Span = (mark.lost, Role.LOST) if lost else (mark.head_right if way else mark.head_left, role)
    gap: Span = (" " * lost_cells, Role.SPACE)
    if way:
        return [*words, shaft, stop, gap]
    return [gap, stop, shaft, *words[::-1]]


def titles(lanes: Sequence[Lane], layout: Layout, begin: int) -> list[Span]:
    """The names of hosts above their lifelines, from column `begin` to the end of the remarks."""
    columns = layout.columns
    texts = [clean(lane.title, layout.ascii) for lane in lanes]
    if layout.sharing > 1:
        texts[len(columns) - 1 :] = [f"+{layout.sharing} hosts"]
    apart = min(b - a for a, b in pairwise(columns))
    texts = [_shortened(text, apart - 1, layout.ascii) for text in texts]
    starts, before = [], layout.right + 2 + layout.remark_width
    for column, text in zip(columns[::-1], texts[::-1], strict=True):
        before = min(column - len(text) // 2, before - 1 - len(text))
        starts.append(before)
    spans: list[Span] = []
    at = begin
    for start, text in zip(starts[::-1], texts, strict=True):
        room = layout.right + 1 + layout.remark_width - max(start, at)
        shown = _shortened(text, max(room, 0), layout.ascii)
        spans += [(" " * (start - at), Role.SPACE), (shown, Role.TITLE), (" ", Role.SPACE)]
        at = max(start, at) + len(shown) + 1
    return spans


def _shortened(host: str, room: int, ascii_only: bool) -> str:
    """At most `room` cells of a host: of an address the end, which tells it from its neighbours."""
    if len(host) <= room:
        return host
    if host.replace(".", "").isdigit() or ":" in host:
        mark = ellipsis(ascii_only)[: max(room, 0)]
        return mark + host[len(host) - room + len(mark) :]
    return elide(host, room, ascii_only)
