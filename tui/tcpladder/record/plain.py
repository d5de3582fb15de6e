"""A screen as text."""

from __future__ import annotations

from tcpladder.record.terminal import Screen


def text(screen: Screen) -> str:
    """Its rows, without the blanks at their ends and the empty ones at the end."""
    rows = ["".join(cell.text for cell in row).rstrip() for row in screen]
    return "\n".join(rows).rstrip("\n") + "\n"
