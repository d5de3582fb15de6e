"""The rows of a drawing: arrows, silences, notes and what must still come, each a group of shapes and words."""

from __future__ import annotations

from collections.abc import Iterator

from tcpladder.analysis.kinds import KINDS
from tcpladder.analysis.view import Side, Verdict
from tcpladder.ladder import fold_words, words
from tcpladder.ladder.diagram import Diagram
from tcpladder.ladder.model import (
    ARROW_ROLES,
    QUIET,
    FoldRow,
    GapRow,
    Note,
    PendingRow,
    Role,
    Row,
    Rung,
    Track,
)
from tcpladder.render.cells import Span, elide, elide_middle
from tcpladder.render.glyphs import BOX
from tcpladder.render.grid import GAP_ROLES, rung_remark
from tcpladder.render.layout import Layout
from tcpladder.render.palette import arrow_class
from tcpladder.render.svg_frame import flow_class, px, text, xml
from tcpladder.render.svg_sheet import CELL, Sheet, row_height
from tcpladder.render.when import time_text, when

_TIP = 9.0
_LOST_AT = 0.12
"""The part of the way that an arrow lacks which did not arrive."""


def row_groups(diagram: Diagram, sheet: Sheet) -> Iterator[str]:
    """One `g` a row, numbered from 0 as `Diagram.rows` gives them."""
    layout = Layout(width=80, timezone=diagram.timezone, origin_ns=diagram.ladder.origin_ns)
    top = sheet.first_row
    for number, row in enumerate(diagram.rows()):
        height = row_height(row)
        flow = f" {flow_class(row.track.place)}" if diagram.several and not isinstance(row, Note) else ""
        yield f'<g class="row {_classes(row)}{flow}" data-row="{number}">'
        yield f"<title>{xml(_tooltip(row, diagram))}</title>"
        yield (
            f'<rect class="hit" fill="none" x="0" y="{px(top)}" width="{sheet.width}" height="{px(height)}"/>'
        )
        if diagram.several and not isinstance(row, Note):
            y = top + height / 2 + 7 if isinstance(row, GapRow | FoldRow) else top + height - 4
            yield text(sheet.flow_end, y, str(row.track.flow), "flow end strong")
        yield from _row(row, top, sheet, layout)
        yield "</g>"
        top += height
    for at in sheet.lanes:
        yield _lifeline(at, top, top + 8)


def _classes(row: Row) -> str:
    match row:
        case Rung():
            return f"rung {arrow_class(ARROW_ROLES[row.kind])}"
        case GapRow():
            return "gap" if GAP_ROLES[row.gap.verdict] is Role.GAP_ON_TIME else "gap loud"
        case Note():
            return "note"
        case FoldRow():
            return "gap" if fold_words.loudest(row) is Verdict.ON_TIME else "gap loud"
        case PendingRow():
            role = Role.ARROW if row.pending.kind is None else ARROW_ROLES[row.pending.kind]
            return f"coming {arrow_class(role)}"


def _tooltip(row: Row, diagram: Diagram) -> str:
    match row:
        case Rung():
            view, index = diagram.ladder.view.within(row.segment)
            return f"{row.label} ({KINDS[row.kind].word}): {view.because(index)}"
        case GapRow():
            return f"{words.silence(row.gap)}; since frame {row.gap.since_frame}"
        case Note():
            return row.text
        case PendingRow():
            return row.pending.text
        case FoldRow():
            return fold_words.forms(row)[0]


def _row(row: Row, top: float, sheet: Sheet, layout: Layout) -> Iterator[str]:
    match row:
        case Rung():
            yield from _rung(row, top, sheet, layout)
        case GapRow():
            yield from _gap(row, top, sheet)
        case Note():
            yield from _note(row, top, sheet, layout)
        case PendingRow():
            yield from _pending(row, top, sheet)
        case FoldRow():
            yield from _fold(row, top, sheet)


def _rung(rung: Rung, top: float, sheet: Sheet, layout: Layout) -> Iterator[str]:
    bottom = top + row_height(rung)
    y = bottom - 8
    yield from _lifelines(sheet, top, bottom)
    spans = when(rung, layout)
    yield text(sheet.time_end, y + 4, _said(spans, Role.TIME), "end")
    yield text(sheet.delta_end, y + 4, _said(spans, Role.DELTA), "end muted")
    yield from _arrow(_ends(rung.track, rung.sender, sheet), y, lost=rung.lost is not None)
    quiet = "" if ARROW_ROLES[rung.kind] in QUIET else " strong"
    middle, cells = _room(rung.track, sheet, len(rung.label))
    yield text(middle, y - 6, elide_middle(rung.label, cells), f"middle label{quiet}")
    yield text(
        sheet.remark, y + 4, rung_remark(rung) or (f":{rung.track.port}" if rung.track.port else ""), "muted"
    )
    numbers = (rung.numbers.relative_seq, rung.numbers.relative_ack, rung.numbers.length)
    for at, number in zip(sheet.numbers_end, numbers, strict=True):
        yield text(at, y + 4, BOX.unknown if number is None else str(number), "end muted")


def _ends(track: Track, sender: Side, sheet: Sheet) -> tuple[float, float]:
    """The lifelines of who sends and of the other end."""
    client, server = sheet.lanes[track.client], sheet.lanes[track.server]
    return (client, server) if sender is Side.CLIENT else (server, client)


def _room(track: Track, sheet: Sheet, cells: int) -> tuple[float, int]:
    """The middle of where words of a flow stand, and how many characters fit: between its own lifelines, or, where
    they would not fit there, between the outer ones."""
    client, server = sheet.lanes[track.client], sheet.lanes[track.server]
    own = int((abs(server - client) - 40) / CELL)
    return ((client + server) / 2, own) if cells <= own else (sheet.middle, sheet.label_cells)


def _arrow(ends: tuple[float, float], y: float, *, lost: bool, coming: bool = False) -> Iterator[str]:
    """From one lifeline to the other; one that was lost stops short at a cross."""
    start, end = ends
    way = 1 if end > start else -1
    if lost:
        end -= way * abs(end - start) * _LOST_AT
        yield f'<path class="arrow" d="M{px(start)} {px(y)}H{px(end - way * 8)}"/>'
        yield f'<path class="lost" d="M{px(end - 5)} {px(y - 5)}l10 10m0 -10l-10 10"/>'
    elif coming:
        yield f'<path class="arrow" d="M{px(start)} {px(y)}H{px(end - way * 3)}"/>'
        tip, back = end - way * 2, -way * _TIP
        yield f'<path class="arrow open" d="M{px(tip + back)} {px(y - 4.5)}L{px(tip)} {px(y)}l{px(back)} 4.5"/>'
    else:
        yield f'<path class="arrow" d="M{px(start)} {px(y)}H{px(end - way * _TIP)}"/>'
        yield f'<path class="tip" d="M{px(end - way)} {px(y)}l{px(-way * _TIP)} -4.5v9z"/>'


def _gap(row: GapRow, top: float, sheet: Sheet) -> Iterator[str]:
    """The silence: dotted lifelines, a bar on that of the end whose timer ran, and what the timer is."""
    gap = row.gap
    bottom, middle = top + row_height(row), top + row_height(row) / 2 + 3
    at, other = _ends(row.track, row.sender, sheet)
    yield from _lifelines(sheet, top, bottom, without=(at, other))
    yield _lifeline(other, top, bottom, silent=True)
    yield f'<path class="wait" d="M{px(at)} {px(top + 8)}V{px(bottom - 6)}"/>'
    yield text(sheet.delta_end, middle + 4, words.duration(gap.observed_ns), "end strong")
    verdict = words.verdict(gap)
    origin = "" if gap.origin is None else str(gap.origin)
    centre, cells = _room(row.track, sheet, len(f"{gap.name} {verdict} {origin}") + 2)
    name = elide_middle(gap.name, max(cells - len(verdict) - len(origin) - 4, 8))
    width = len(f"{name} {verdict} {origin}") * CELL + 28
    yield (
        f'<rect class="band" x="{px(centre - width / 2)}" y="{px(middle - 12)}" width="{px(width)}" '
        f'height="24" rx="12"/>'
    )
    good = " good" if gap.verdict is Verdict.ON_TIME else ""
    yield (
        f'<text class="middle" x="{px(centre)}" y="{px(middle + 4.5)}">{xml(name)} '
        f'<tspan class="verdict{good}">{xml(verdict)}</tspan>'
        f'<tspan class="muted" dx="8">{xml(origin)}</tspan></text>'
    )


def _fold(row: FoldRow, top: float, sheet: Sheet) -> Iterator[str]:
    """Dotted lifelines, how much is folded, and what it repeats."""
    bottom, middle = top + row_height(row), top + row_height(row) / 2 + 2
    ends = _ends(row.track, row.sender, sheet)
    yield from _lifelines(sheet, top, bottom, without=ends)
    for at in sorted(ends):
        yield _lifeline(at, top, bottom, silent=True)
    yield text(sheet.delta_end, middle + 4, f"{BOX.folded} {fold_words.folded(row)}", "end muted")
    forms = fold_words.forms(row)
    centre, cells = _room(row.track, sheet, len(forms[-1]))
    label = next((form for form in forms if len(form) <= cells), forms[-1])
    yield text(centre, middle + 4.5, label, "middle label")


def _note(note: Note, top: float, sheet: Sheet, layout: Layout) -> Iterator[str]:
    bottom, middle = top + row_height(note), top + row_height(note) / 2 + 2
    yield from _lifelines(sheet, top, bottom)
    if not note.continues:
        yield text(sheet.time_end, middle + 4, time_text(note.time_ns, layout), "end")
        yield text(sheet.delta_end, middle + 4, note.mark or BOX.note, "end")
    x, width = sheet.lanes[0] + 10, sheet.lanes[-1] - sheet.lanes[0] - 20
    yield f'<rect class="band" x="{px(x)}" y="{px(middle - 13)}" width="{px(width)}" height="26" rx="4"/>'
    yield text(x + 12, middle + 4.5, elide(note.text, sheet.label_cells))


def _pending(row: PendingRow, top: float, sheet: Sheet) -> Iterator[str]:
    bottom = top + row_height(row)
    y = bottom - 8
    yield from _lifelines(sheet, top, bottom)
    yield text(sheet.delta_end, y + 4, words.due(row.pending.due_ns - row.now_ns), "end muted")
    if row.pending.kind is not None:
        yield from _arrow(_ends(row.track, row.pending.side, sheet), y, lost=False, coming=True)
    centre, cells = _room(row.track, sheet, len(row.pending.text))
    yield text(centre, y - 6, elide(row.pending.text, cells), "middle label")
    yield text(sheet.remark, y + 4, "next" if row.place == 0 else "then", "muted")


def _lifelines(sheet: Sheet, top: float, bottom: float, *, without: tuple[float, ...] = ()) -> Iterator[str]:
    yield from (_lifeline(at, top, bottom) for at in sheet.lanes if at not in without)


def _lifeline(at: float, top: float, bottom: float, *, silent: bool = False) -> str:
    dotted = " silent" if silent else ""
    return f'<path class="lifeline{dotted}" d="M{px(at)} {px(top)}V{px(bottom)}"/>'


def _said(spans: list[Span], role: Role) -> str:
    """What the columns left of the lanes say in a role."""
    return "".join(words for words, its in spans if its is role).strip()
