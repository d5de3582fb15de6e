"""What a terminal sends for a key, by the key's name in Textual."""

from __future__ import annotations

_SENT = {
    "up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D", "end": "\x1b[F", "home": "\x1b[H",
    "insert": "\x1b[2~", "delete": "\x1b[3~", "pageup": "\x1b[5~", "pagedown": "\x1b[6~", "shift+tab": "\x1b[Z",
    "f1": "\x1bOP", "f2": "\x1bOQ", "f3": "\x1bOR", "f4": "\x1bOS",
    "enter": "\r", "tab": "\t", "escape": "\x1b", "backspace": "\x7f",
}  # fmt: skip


def sent(key: str, character: str | None) -> str:
    """The bytes of xterm for a key: `\\r` for enter; its name where it has none."""
    if key in _SENT:
        return _SENT[key]
    return character or f"<{key}>"
