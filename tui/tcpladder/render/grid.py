"""One row of a ladder to one line of cells. Text and screen are made from the same lines, so they agree.

A line is a tuple of (text, Role) spans and is exactly `layout.width` cells. Nothing here chooses a colour.
"""

from __future__ import annotations

from tcpladder.analysis.kinds import RESETS, Kind
from tcpladder.analysis.view import FlowSummary, Side, Verdict
from tcpladder.ladder import fold_words, words
from tcpladder.ladder.model import (
    ARROW_ROLES,
    LANE_NAMES,
    FoldRow,
    GapRow,
    Note,
    NumberMode,
    PendingRow,
    Role,
    Rung,
    ScreenRow,
    SpaceRow,
    TimeMode,
)
from tcpladder.render.cells import Span, clean, elide, elide_middle, endpoint, left, right
from tcpladder.render.glyphs import glyphs
from tcpladder.render.layout import Layout
from tcpladder.render.when import countdown, left_columns, time_text, when

Line = tuple[Span, ...]

QUIET = frozenset({Role.ARROW, Role.ARROW_HANDSHAKE})
"""The arrows whose words ask for no attention."""
GAP_ROLES = {
    Verdict.ON_TIME: Role.GAP_ON_TIME,
    Verdict.EARLY: Role.GAP_LOUD,
    Verdict.LATE: Role.GAP_LOUD,
    Verdict.UNEXPLAINED: Role.GAP_UNEXPLAINED,
}
_TIME_NAMES = {
    TimeMode.ABSOLUTE: "time",
    TimeMode.RELATIVE: "seconds",
    TimeMode.DELTA: "",
    TimeMode.MARK: "from mark",
}
_LOST_CELLS = 4
"""How far before the far lifeline an arrow stops that did not arrive."""


def draw(row: ScreenRow, layout: Layout) -> Line:
    """The line of a row."""
    match row:
        case Rung():
            spans = _draw_rung(row, layout)
        case GapRow():
            spans = _draw_gap(row, layout)
        case Note():
            spans = _draw_note(row, layout)
        case PendingRow():
            spans = _draw_pending(row, layout)
        case FoldRow():
            spans = _draw_fold(row, layout)
        case SpaceRow():
            spans = _draw_space(row, layout)
    return exact(spans, layout.width)


def with_cursor(line: Line, layout: Layout) -> Line:
    """The line with the cursor in its gutter."""
    if not line:  # a pane that has no room, for a moment, while the terminal is resized
        return line
    (gutter, role), *rest = line
    return ((glyphs(layout.ascii).cursor + gutter[1:], role), *rest)


def with_mark(line: Line, layout: Layout) -> Line:
    """The line of a marked rung: a sign in the last cell of its gutter, where a cursor leaves room for it."""
    (gutter, role), *rest = line
    return ((gutter[: layout.gutter - 1] + glyphs(layout.ascii).mark + gutter[layout.gutter :], role), *rest)


def plain(line: Line) -> str:
    """The characters of a line."""
    return "".join(text for text, _ in line)


def exact(spans: list[Span], width: int) -> Line:
    """The spans cut or filled to exactly `width` cells; empty ones left out, neighbours of one role joined."""
    line: list[Span] = []
    room = width
    for text, role in (*spans, (" " * width, Role.SPACE)):
        shown = text[:room]
        room -= len(shown)
        if shown and line and line[-1][1] is role:
            line[-1] = (line[-1][0] + shown, role)
        elif shown:
            line.append((shown, role))
    return tuple(line)


def header_lines(
    summary: FlowSummary, layout: Layout, lane_names: tuple[str, str] = LANE_NAMES
) -> tuple[Line, ...]:
    """The line above the rungs: column names and who each lifeline is."""
    mark = glyphs(layout.ascii)
    spans: list[Span] = [(" " * layout.gutter, Role.CURSOR)]
    time_name = _TIME_NAMES[layout.time_mode]
    if layout.narrow:
        spans.append((left(time_name or mark.delta, layout.time_width) + " ", Role.HEADING))
    else:
        names = left(time_name, layout.time_width + 1) if layout.time_width else ""
        spans.append((names + left(mark.delta, layout.left - layout.gutter - len(names)), Role.HEADING))
    spans += _lane_titles(summary, layout, lane_names)
    used = sum(len(text) for text, _ in spans)
    numbers_at = layout.right + 1 + layout.remark_width + 1
    spans.append((" " * (numbers_at - used), Role.SPACE))
    spans += [(right(name, width), Role.HEADING) for name, width in layout.number_columns]
    return (exact(spans, layout.width),)


def flow_title(summary: FlowSummary, room: int, ascii_only: bool = False) -> str:
    """`127.0.0.1:22345 → 127.0.0.1:12345` in at most `room` cells, addresses elided, ports never."""
    arrow = f" {glyphs(ascii_only).to} "
    half = (room - len(arrow)) // 2
    client = endpoint(summary.client, max(half, room - len(arrow) - len(str(summary.server))), ascii_only)
    server = endpoint(summary.server, room - len(arrow) - len(client), ascii_only)
    return f"{client}{arrow}{server}"


def _lane_titles(summary: FlowSummary, layout: Layout, names: tuple[str, str]) -> list[Span]:
    """The two titles, from the client's lifeline to the end of the remark column."""
    room = layout.right + 1 + layout.remark_width - layout.left
    half = (room - 2) // 2
    same = summary.client.address == summary.server.address
    titles: list[str] = []
    for shown, end in zip(names, (summary.client, summary.server), strict=True):
        name = clean(shown, layout.ascii)
        port = f":{end.port}"
        where = port if same else endpoint(end, max(half - len(name) - 1, len(port)), layout.ascii)
        title = f"{name} {where}"
        titles.append(title if len(title) <= half else port)
    client, server = titles
    centred = layout.right - layout.left - len(server) // 2
    start = max(min(centred, room - len(server)), len(client) + 2)
    return [
        (client, Role.TITLE),
        (" " * (start - len(client)), Role.SPACE),
        (server, Role.TITLE),
    ]


def _draw_rung(rung: Rung, layout: Layout) -> list[Span]:
    mark = glyphs(layout.ascii)
    role = ARROW_ROLES[rung.kind]
    label_role = Role.LABEL if role in QUIET else Role.LABEL_LOUD
    line = [
        *when(rung, layout),
        (mark.lifeline, Role.LIFELINE),
        *_arrow(rung, layout, role, label_role),
        (mark.lifeline, Role.LIFELINE),
    ]
    return line + _right_of_lanes(rung_remark(rung), layout) + _numbers(rung, layout)


def rung_remark(rung: Rung) -> str:
    """The word at the right of a rung: what ate it, or what it means."""
    if rung.lost:
        return rung.lost
    if rung.time_ns is not None and rung.previous_ns is not None and rung.time_ns < rung.previous_ns:
        return "time back"
    return "established" if rung.kind is Kind.HANDSHAKE_ACK else ""


def _arrow(rung: Rung, layout: Layout, role: Role, label_role: Role) -> list[Span]:
    """The cells between the lifelines: line, words, head."""
    mark = glyphs(layout.ascii)
    lost_cells = _LOST_CELLS if rung.lost is not None else 0
    label_room = max(layout.inner - lost_cells - 5, 0)
    label = elide_middle(clean(rung.label, layout.ascii), label_room, layout.ascii)
    shaft = mark.line * max(layout.inner - lost_cells - len(label) - 5, 0)
    stop: Span = (mark.lost, Role.LOST) if lost_cells else (mark.head_right, role)
    gap: Span = (" " * max(lost_cells, 0), Role.SPACE)
    if rung.sender is Side.CLIENT:
        return [(mark.line * 2, role), (f" {label} ", label_role), (shaft, role), stop, gap]
    if not lost_cells:
        stop = (mark.head_left, role)
    return [gap, stop, (shaft, role), (f" {label} ", label_role), (mark.line * 2, role)]


def _draw_gap(row: GapRow, layout: Layout) -> list[Span]:
    mark = glyphs(layout.ascii)
    role = GAP_ROLES[row.gap.verdict]
    verdict = clean(words.verdict(row.gap), layout.ascii)
    name_room = max(layout.inner - len(verdict) - 3, 0)
    name = elide_middle(clean(row.gap.name, layout.ascii), name_room, layout.ascii)
    text = f" {name} {verdict} "
    origin = "" if row.gap.origin is None else f"{row.gap.origin} "
    room = layout.inner - len(text)
    if len(origin) + 1 > room:
        origin = ""
    length = clean(words.duration(row.gap.observed_ns), layout.ascii)
    return [
        *left_columns("", length, layout, role),
        (mark.silence, Role.LIFELINE),
        (text[: layout.inner], role),
        (" " * (room - len(origin)), Role.SPACE),
        (origin, Role.ORIGIN),
        (mark.silence, Role.LIFELINE),
    ]


def _draw_note(note: Note, layout: Layout) -> list[Span]:
    mark = glyphs(layout.ascii)
    text = f" {elide(clean(note.text, layout.ascii), max(layout.inner - 2, 0), layout.ascii)} "
    time, flag = ("", "") if note.continues else (time_text(note.time_ns, layout), note.mark or mark.note)
    return [
        *left_columns(time, "", layout, Role.DELTA, flag=flag),
        (mark.lifeline, Role.LIFELINE),
        (left(text, layout.inner), Role.NOTE),
        (mark.lifeline, Role.LIFELINE),
    ]


def _draw_pending(row: PendingRow, layout: Layout) -> list[Span]:
    mark = glyphs(layout.ascii)
    label = elide(clean(row.pending.text, layout.ascii), max(layout.inner - 6, 0), layout.ascii)
    shaft = mark.dash * max(layout.inner - len(label) - 5, 0)
    if row.pending.kind is None:
        arrow = mark.dash * 2 + f" {label} " + shaft + mark.dash
    elif row.pending.side is Side.CLIENT:
        arrow = mark.dash * 2 + f" {label} " + shaft + mark.open_right
    else:
        arrow = mark.open_left + shaft + f" {label} " + mark.dash * 2
    return [
        *countdown(row, layout),
        (mark.lifeline, Role.LIFELINE),
        (arrow[: layout.inner].ljust(layout.inner), Role.PENDING),
        (mark.lifeline, Role.LIFELINE),
        *_right_of_lanes(_when(row, layout), layout),
    ]


def _draw_fold(row: FoldRow, layout: Layout) -> list[Span]:
    mark = glyphs(layout.ascii)
    forms = [clean(form, layout.ascii) for form in fold_words.forms(row)]
    text = next((form for form in forms if len(form) <= layout.inner - 2), forms[-1])
    quiet = fold_words.loudest(row) is Verdict.ON_TIME
    text = f" {elide(text, max(layout.inner - 2, 0), layout.ascii)} "
    room = layout.left - layout.gutter - 1
    count = f"{mark.folded} {fold_words.folded(row)}"
    if len(count) > room:
        count = count.removesuffix(" folded")
    return [
        (" " * layout.gutter, Role.CURSOR),
        (right(count, room, layout.ascii) + " ", Role.FOLD),
        (mark.silence, Role.LIFELINE),
        (left(text, layout.inner), Role.FOLD if quiet else Role.GAP_LOUD),
        (mark.silence, Role.LIFELINE),
    ]


def _draw_space(row: SpaceRow, layout: Layout) -> list[Span]:
    mark = glyphs(layout.ascii)
    lifeline = mark.silence if row.silent else mark.lifeline
    text = ""
    if row.break_ns is not None:
        lifeline = mark.torn
        text = f"{mark.torn} {words.about(row.break_ns)}, cut short {mark.torn}"
        text = elide(text, layout.inner, layout.ascii).center(layout.inner)
    return [
        *left_columns("", "", layout, Role.DELTA),
        (lifeline, Role.LIFELINE),
        (text.ljust(layout.inner), Role.SPACE_BREAK),
        (lifeline, Role.LIFELINE),
    ]


def _when(row: PendingRow, layout: Layout) -> str:
    """`next`, and the clock time of what stands further ahead and of every end."""
    ends = row.pending.kind is None or row.pending.kind in RESETS
    if row.place == 0 and not ends:
        return "next"
    return f"at {words.clock(row.pending.due_ns, layout.timezone)[:8]}"


def _right_of_lanes(remark: str, layout: Layout) -> list[Span]:
    if not layout.remark_width:
        return []
    return [(" " + left(clean(remark, layout.ascii), layout.remark_width, layout.ascii), Role.REMARK)]


def _numbers(rung: Rung, layout: Layout) -> list[Span]:
    """The number columns of a wide ladder."""
    numbers = rung.numbers
    raw = layout.number_mode is NumberMode.RAW
    values = {
        "seq": numbers.raw_seq if raw else numbers.relative_seq,
        "ack": numbers.raw_ack if raw else numbers.relative_ack,
        "len": numbers.length,
        "win": numbers.window,
        "frame": numbers.frame,
    }
    unknown = glyphs(layout.ascii).unknown
    text = "".join(
        " " + right(unknown if values[name] is None else str(values[name]), width - 1, layout.ascii)
        for name, width in layout.number_columns
    )
    return [(text, Role.NUMBER)]
