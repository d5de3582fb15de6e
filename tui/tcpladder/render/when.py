"""Everything left of the lanes: when, how long since, how long until. Draws nothing between the lifelines."""

from __future__ import annotations

from tcpladder.ladder import words
from tcpladder.ladder.model import PendingRow, Role, Rung, TimeMode
from tcpladder.render.cells import Span, clean, left, right, squeeze
from tcpladder.render.glyphs import glyphs
from tcpladder.render.layout import Layout

_BAR_CELLS = 7
_COUNTDOWN_CELLS = 12
"""Cells that a remaining time takes at most beside a bar."""
_LATE_NS = 50 * words.MILLISECOND
"""Later than this, what was due is late: more than the kernel's own lateness and a tick of the screen."""


def when(rung: Rung, layout: Layout) -> list[Span]:
    """The time where it differs from the row above as written, and the time since then."""
    new_day = _new_day(rung, layout)
    if new_day:
        return [(" " * layout.gutter, Role.CURSOR), (new_day, Role.TIME)]
    time = time_text(rung.time_ns, layout)
    delta = ""
    if rung.previous_ns is not None and rung.time_ns is not None and not rung.after_gap:
        delta = clean(words.delta(rung.time_ns - rung.previous_ns), layout.ascii)
        if time == time_text(rung.previous_ns, layout):
            time = ""
    return left_columns(time, delta, layout, Role.DELTA)


def countdown(row: PendingRow, layout: Layout) -> list[Span]:
    """`   in 1.8 s ▕███▍   ▏ ` in the columns left of the lanes; the bar fills until the timer fires."""
    left_ns = row.pending.due_ns - row.now_ns
    room = layout.when_end - layout.gutter - 1
    role = Role.COUNTDOWN
    if left_ns >= 0:
        text = f"in {words.remaining(left_ns)}"
    elif left_ns > -_LATE_NS:
        text = "now"
    else:
        text, role = f"late {words.remaining(-left_ns)}", Role.WARNING
    text = squeeze(text, min(room, _COUNTDOWN_CELLS))
    filling = ""
    if row.place == 0 and room >= _COUNTDOWN_CELLS + _BAR_CELLS + 3:
        filling = " " + bar(row.pending.armed_ns, row.pending.due_ns, row.now_ns, layout.ascii)
    gutter: Span = (" " * layout.gutter, Role.CURSOR)
    return [gutter, (right(text, room - len(filling), layout.ascii), role), (filling + " ", Role.COUNTDOWN)]


def left_columns(time: str, delta: str, layout: Layout, delta_role: Role, flag: str = "") -> list[Span]:
    """Everything left of the lanes but for the number of the flow."""
    gutter: Span = (" " * layout.gutter, Role.CURSOR)
    if layout.narrow:
        room = layout.when_end - layout.gutter - 1
        if flag:
            return [gutter, (left(time, room, layout.ascii), Role.TIME), (flag, Role.NOTE)]
        if delta:
            return [gutter, (right(squeeze(delta, room), room, layout.ascii) + " ", delta_role)]
        return [gutter, (left(time, room, layout.ascii) + " ", Role.TIME)]
    spans = [gutter]
    if layout.time_width:
        spans.append((right(time, layout.time_width, layout.ascii) + " ", Role.TIME))
    room = layout.when_end - layout.gutter - sum(len(text) for text, _ in spans[1:])
    if flag:
        return [*spans, (left(flag, room), Role.NOTE)]
    return [*spans, (left(squeeze(delta, room - 1), room, layout.ascii), delta_role)]


def time_text(time_ns: int | None, layout: Layout) -> str:
    """The text of the time column."""
    if layout.time_mode is TimeMode.DELTA:
        return ""
    if time_ns is None or (layout.time_mode is TimeMode.RELATIVE and layout.origin_ns is None):
        return glyphs(layout.ascii).unknown
    if layout.time_mode is TimeMode.MARK:
        return clean(words.delta(time_ns - layout.mark_ns), layout.ascii) if layout.mark_ns else ""
    if layout.time_mode is TimeMode.RELATIVE and layout.origin_ns is not None:
        return clean(words.relative(time_ns - layout.origin_ns), layout.ascii)
    return words.clock(time_ns, layout.timezone)


def _new_day(rung: Rung, layout: Layout) -> str:
    """All columns left of the lanes: month, day and clock, where the row above is of another day."""
    if layout.time_mode is not TimeMode.ABSOLUTE or rung.time_ns is None or rung.previous_ns is None:
        return ""
    day = words.date(rung.time_ns, layout.timezone)
    if day == words.date(rung.previous_ns, layout.timezone):
        return ""
    room = layout.when_end - layout.gutter
    clock = words.clock(rung.time_ns, layout.timezone)
    if layout.narrow:
        return left(f"{day[5:]} {clock[:5]}", room)
    return left(f"{day[5:]} {clock}", room)


def bar(armed_ns: int, due_ns: int, now_ns: int, ascii_only: bool) -> str:
    """`▕███▍   ▏`: it fills until the timer fires."""
    mark = glyphs(ascii_only)
    steps = len(mark.bar) - 1
    span = max(due_ns - armed_ns, 1)
    passed = min(max(now_ns - armed_ns, 0), span)
    filled = _BAR_CELLS * steps * passed // span
    full, part = divmod(filled, steps)
    cells = mark.bar[-1] * full + (mark.bar[part] if part else "")
    return mark.bar_left + cells.ljust(_BAR_CELLS, mark.bar_empty) + mark.bar_right
