"""The shortest plain way from one screen to the next: the rows that differ, and nothing that depends on how it came."""

from __future__ import annotations

from tcpladder.record.cell import Row, runs, sequence
from tcpladder.record.terminal import Screen

BEGIN = "\x1b[?25l\x1b[2J"
"""Before the first screen: no cursor, nothing there."""


def repaint(before: Screen, now: Screen) -> str:
    """What a terminal that shows `before` needs to show `now`; empty where they are the same."""
    rows = [
        f"\x1b[{number};1H{_row(row)}"
        for number, row in enumerate(now, 1)
        if number > len(before) or before[number - 1] != row
    ]
    return "".join(rows) + "\x1b[0m" if rows else ""


def _row(row: Row) -> str:
    return "".join(sequence(run.style) + run.text for run in runs(row))
