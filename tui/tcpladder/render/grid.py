"""One row of a ladder to one line of cells. Text and screen are made from the same lines, so they agree.

A line is a tuple of (text, Role) spans and is exactly `layout.width` cells. Nothing here chooses a colour.
"""

from __future__ import annotations

from collections.abc import Sequence

from tcpladder.analysis.kinds import RESETS, Kind
from tcpladder.analysis.view import FlowSummary, Verdict
from tcpladder.ladder import fold_words, words
from tcpladder.ladder.model import (
    ARROW_ROLES,
    LANE_NAMES,
    QUIET,
    FoldRow,
    GapRow,
    Lane,
    Note,
    NumberMode,
    PendingRow,
    Role,
    Rung,
    ScreenRow,
    SpaceRow,
    TimeMode,
    Track,
)
from tcpladder.render.cells import Span, clean, elide, elide_middle, endpoint, left, right
from tcpladder.render.glyphs import glyphs
from tcpladder.render.lanes import across, arrow, flow_number, inner, lifelines, reach_of, titles, wide_reach
from tcpladder.render.layout import Layout
from tcpladder.render.when import countdown, left_columns, time_text, when

Line = tuple[Span, ...]

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
    """The line above the rungs of one flow: column names and who each lifeline is."""
    spans = _time_names(layout)
    return (_with_numbers([*spans, *_lane_titles(summary, layout, lane_names)], layout),)


def host_lines(lanes: Sequence[Lane], layout: Layout) -> tuple[Line, ...]:
    """The line above the rungs of several flows: column names and which host each lifeline is."""
    (gutter, role), (names, _) = _time_names(layout)
    names = names.rstrip() + " "
    begin = len(gutter) + len(names)
    return (_with_numbers([(gutter, role), (names, Role.HEADING), *titles(lanes, layout, begin)], layout),)


def _time_names(layout: Layout) -> list[Span]:
    """The gutter, and the names of the columns left of the lanes."""
    mark = glyphs(layout.ascii)
    gutter: Span = (" " * layout.gutter, Role.CURSOR)
    time_name = _TIME_NAMES[layout.time_mode]
    if layout.narrow:
        return [gutter, (left(time_name or mark.delta, layout.time_width) + " ", Role.HEADING)]
    names = left(time_name, layout.time_width + 1) if layout.time_width else ""
    return [gutter, (names + left(mark.delta, layout.when_end - layout.gutter - len(names)), Role.HEADING)]


def _with_numbers(spans: list[Span], layout: Layout) -> Line:
    """The names of the number columns behind what stands above the lanes."""
    used = sum(len(text) for text, _ in spans)
    numbers_at = layout.right + 1 + layout.remark_width + 1
    spans.append((" " * (numbers_at - used), Role.SPACE))
    spans += [(right(name, width), Role.HEADING) for name, width in layout.number_columns]
    return exact(spans, layout.width)


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
    role = ARROW_ROLES[rung.kind]
    label_role = Role.LABEL if role in QUIET else Role.LABEL_LOUD
    lost = rung.lost is not None
    line = [
        *when(rung, layout),
        *flow_number(rung.track, layout),
        *arrow(rung.track, rung.sender, rung.label, layout, role, label_role, lost=lost),
    ]
    remark = rung_remark(rung) or (f":{rung.track.port}" if layout.flow_cells else "")
    return line + _right_of_lanes(remark, layout) + _numbers(rung, layout)


def rung_remark(rung: Rung) -> str:
    """The word at the right of a rung: what ate it, or what it means."""
    if rung.lost:
        return rung.lost
    if rung.time_ns is not None and rung.previous_ns is not None and rung.time_ns < rung.previous_ns:
        return "time back"
    return "established" if rung.kind is Kind.HANDSHAKE_ACK else ""


def _draw_gap(row: GapRow, layout: Layout) -> list[Span]:
    mark = glyphs(layout.ascii)
    role = GAP_ROLES[row.gap.verdict]
    verdict = clean(words.verdict(row.gap), layout.ascii)
    name = clean(row.gap.name, layout.ascii)
    reach = wide_reach(row.track, layout, len(name) + len(verdict) + 3)
    cells = inner(reach)
    name = elide_middle(name, max(cells - len(verdict) - 3, 0), layout.ascii)
    text = f" {name} {verdict} "
    origin = "" if row.gap.origin is None else f"{row.gap.origin} "
    room = cells - len(text)
    if len(origin) + 1 > room:
        origin = ""
    length = clean(words.duration(row.gap.observed_ns), layout.ascii)
    spans: list[Span] = [
        (text[:cells], role),
        (" " * (room - len(origin)), Role.SPACE),
        (origin, Role.ORIGIN),
    ]
    return [
        *left_columns("", length, layout, role),
        *flow_number(row.track, layout),
        *across(spans, reach, layout, mark.silence),
        *_port(row.track, layout),
    ]


def _draw_note(note: Note, layout: Layout) -> list[Span]:
    mark = glyphs(layout.ascii)
    text = f" {elide(clean(note.text, layout.ascii), max(layout.inner - 2, 0), layout.ascii)} "
    time, flag = ("", "") if note.continues else (time_text(note.time_ns, layout), note.mark or mark.note)
    return [
        *left_columns(time, "", layout, Role.DELTA, flag=flag),
        *flow_number(None, layout),
        *across([(left(text, layout.inner), Role.NOTE)], (layout.left, layout.right), layout, mark.lifeline),
    ]


def _draw_pending(row: PendingRow, layout: Layout) -> list[Span]:
    mark = glyphs(layout.ascii)
    label = clean(row.pending.text, layout.ascii)
    reach = wide_reach(row.track, layout, len(label) + 6)
    cells = inner(reach)
    label = elide(label, max(cells - 6, 0), layout.ascii)
    shaft = mark.dash * max(cells - len(label) - 5, 0)
    if row.pending.kind is None:
        line = mark.dash * 2 + f" {label} " + shaft + mark.dash
    elif layout.at(row.track.lane(row.pending.side)) == reach_of(row.track, layout)[0]:
        line = mark.dash * 2 + f" {label} " + shaft + mark.open_right
    else:
        line = mark.open_left + shaft + f" {label} " + mark.dash * 2
    return [
        *countdown(row, layout),
        *flow_number(row.track, layout),
        *across([(line[:cells].ljust(cells), Role.PENDING)], reach, layout, mark.lifeline),
        *_right_of_lanes(_when(row, layout), layout),
    ]


def _draw_fold(row: FoldRow, layout: Layout) -> list[Span]:
    mark = glyphs(layout.ascii)
    forms = [clean(form, layout.ascii) for form in fold_words.forms(row)]
    reach = wide_reach(row.track, layout, len(forms[-1]) + 2)
    cells = inner(reach)
    text = next((form for form in forms if len(form) <= cells - 2), forms[-1])
    quiet = fold_words.loudest(row) is Verdict.ON_TIME
    text = f" {elide(text, max(cells - 2, 0), layout.ascii)} "
    room = layout.when_end - layout.gutter - 1
    count = f"{mark.folded} {fold_words.folded(row)}"
    if len(count) > room:
        count = count.removesuffix(" folded")
    return [
        (" " * layout.gutter, Role.CURSOR),
        (right(count, room, layout.ascii) + " ", Role.FOLD),
        *flow_number(row.track, layout),
        *across([(left(text, cells), Role.FOLD if quiet else Role.GAP_LOUD)], reach, layout, mark.silence),
        *_port(row.track, layout),
    ]


def _draw_space(row: SpaceRow, layout: Layout) -> list[Span]:
    mark = glyphs(layout.ascii)
    lifeline = mark.silence if row.silent else mark.lifeline
    text = ""
    if row.break_ns is not None:
        lifeline = mark.torn
        text = f"{mark.torn} {words.about(row.break_ns)}, cut short {mark.torn}"
        text = elide(text, layout.inner, layout.ascii).center(layout.inner)
    columns = [*left_columns("", "", layout, Role.DELTA), *flow_number(None, layout)]
    if len(layout.columns) == 2 or text:
        spans: list[Span] = [(text.ljust(layout.inner), Role.SPACE_BREAK)]
        return [*columns, *across(spans, (layout.left, layout.right), layout, lifeline)]
    reach = reach_of(row.track, layout)
    between = (lifelines(reach[0] + 1, reach[1], layout), Role.LIFELINE)
    return [*columns, *across([between], reach, layout, lifeline)]


def _port(track: Track, layout: Layout) -> list[Span]:
    """The port of a flow right of the lanes, where several are drawn."""
    return _right_of_lanes(f":{track.port}", layout) if layout.flow_cells else []


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
