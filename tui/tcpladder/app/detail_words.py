"""What stands below the findings about a segment: the standard, the timers of both ends, the same elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.standards import KIND_SAYINGS, TIMER_SAYINGS, setting_words
from tcpladder.analysis.view import FlowView, Timer
from tcpladder.app.contract import Session
from tcpladder.app.detail_view import DetailLine
from tcpladder.app.named_keys import named
from tcpladder.ladder.model import Role
from tcpladder.ladder.timers import timer_rows
from tcpladder.render.commands import Origin, commands
from tcpladder.render.grid import plain
from tcpladder.render.timers import timer_lines
from tcpladder.wire.frames import LINKTYPE_LISTING

TIMERS_WIDTH = 70
"""Cells in which the timers are written: what the smallest usual terminal leaves."""


def standard(view: FlowView, index: int) -> list[DetailLine]:
    """What RFC or sysctl say about a segment, the timer that sent it and the timer of the silence before it."""
    said = KIND_SAYINGS[Kind(int(view.kind[index]))]
    lines = [DetailLine(f"  says     {said.source}: {said.text}", Role.REMARK)]
    gap = view.gap(index) if view.silent[index] else None
    timers = dict.fromkeys(
        timer for timer in (view.timer(index), None if gap is None else gap.timer) if timer is not None
    )
    for timer in timers:
        lines += _timer(timer)
    return lines


def _timer(timer: Timer) -> list[DetailLine]:
    said = TIMER_SAYINGS[timer]
    lines = [DetailLine(f"           {timer} timer, {said.source}: {said.text}", Role.REMARK)]
    lines += [DetailLine(f"           {setting_words(name)}", Role.REMARK) for name in said.settings]
    return lines


def both_ends(session: Session, number: int, width: int, *, ascii_only: bool) -> list[DetailLine]:
    """The timers of both ends as they are now."""
    rows = timer_rows(session.timers(number))
    now_ns = session.status().now_ns
    lines = timer_lines(rows, min(width, TIMERS_WIDTH), now_ns, ascii_only=ascii_only)
    return [
        DetailLine("", Role.SPACE),
        DetailLine("Timers of both ends", Role.TITLE),
        *(DetailLine(" " + plain(line).rstrip(), Role.LABEL) for line in lines),
    ]


def elsewhere(session: Session, number: int, index: int, keymap: Mapping[str, str]) -> list[DetailLine]:
    """The commands that show the same, each to be copied; none where addresses are masked."""
    view, status = session.view(number), session.status()
    if session.mask is not None or int(view.link_type(index)) == LINKTYPE_LISTING:
        return []
    source = session.sources[min(view.file(index), len(session.sources) - 1)]
    is_file = status.mode == "file" or (status.mode == "replay" and Path(source).is_file())
    origin = Origin(file=source) if is_file else Origin(interface=source)
    found = commands(view, index, session.endpoints(number), origin)
    if not found:
        return []
    where = " in the lab's network (`tcpladder lab enter`)" if status.mode == "lab" else ""
    return [
        DetailLine("", Role.SPACE),
        DetailLine(f"The same elsewhere{where}: {named('{copy:y} copies a command', keymap)}", Role.TITLE),
        *(DetailLine(f"  {command}", Role.LABEL, copied=command) for command in found),
    ]
