"""The row below a demo: what is said, and the key that was pressed."""

from __future__ import annotations

from tcpladder.record.cell import Cell, Row, Style

_SAID = Style(ink="#ffffff", ground="#274b7a", bold=True)
_KEY = Style(ink="#0f141a", ground="#e0a92e", bold=True)
_NAMES = {
    "enter": "Enter", "escape": "Esc", "space": "Space", "tab": "Tab", "home": "Home", "end": "End", "up": "↑",
    "down": "↓", "left": "←", "right": "→", "pageup": "PgUp", "pagedown": "PgDn", "question_mark": "?",
    "slash": "/", "colon": ":", "left_square_bracket": "[", "right_square_bracket": "]", "less_than_sign": "<",
    "greater_than_sign": ">", "comma": ",", "full_stop": ".", "backspace": "Backspace",
}  # fmt: skip


def caption_row(caption: str, key: str, columns: int) -> Row:
    """Exactly `columns` cells; where there is no room, the key goes, then the caption loses its end."""
    label = f" {_NAMES.get(key, key)} " if key else ""
    if len(caption) + 1 > columns - len(label):
        label = ""
    room = columns - len(label)
    said = f" {caption}"
    said = said.ljust(room) if len(said) <= room else f"{said[: room - 1]}…"
    return (*(Cell(c, _SAID) for c in said), *(Cell(c, _KEY) for c in label))
