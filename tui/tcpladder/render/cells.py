"""Text that takes an exact number of terminal cells: fitting, eliding, ASCII twins."""

from __future__ import annotations

from tcpladder.analysis.view import Endpoint
from tcpladder.ladder.model import Role

Span = tuple[str, Role]
"""Text and what it means."""

_ASCII = str.maketrans(
    {
        "✓": "ok",
        "✗": "x",
        "⚑": "!",
        "→": "->",
        "←": "<-",
        "↔": "<->",
        "−": "-",
        "–": "-",
        "—": "-",
        "×": "x",
        "µ": "u",
        "…": "...",
        "·": ".",
        "≤": "<=",
        "≥": ">=",
        "≠": "!=",
        "▸": ">",
        "▾": "v",
        "●": "*",
        **{exponent: f"^{power}" for power, exponent in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")},
    }
)
_ONE_CELL = frozenset(map(chr, _ASCII)) | set("│┊─╌▶◀▷◁▌▕▏▎▍▋▊▉█▁▂▃▄▅▆▇▾Δ±")


def clean(text: str, ascii_only: bool) -> str:
    """The text with every character one cell wide: what is wider, invisible or unprintable becomes `?`."""
    if text.isascii() and text.isprintable():
        return text
    if ascii_only:
        text = text.translate(_ASCII)
        return "".join(c if c.isascii() and c.isprintable() else "?" for c in text)
    return "".join(c if (c.isascii() and c.isprintable()) or c in _ONE_CELL else "?" for c in text)


def one_line(text: str) -> str:
    """The text without what would end its line or cannot be seen, for files that are no terminal."""
    return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)


def ellipsis(ascii_only: bool) -> str:
    """What stands for the part that was left out."""
    return "..." if ascii_only else "…"


def elide(text: str, room: int, ascii_only: bool = False) -> str:
    """At most `room` cells of text, its end left out where it is too long."""
    if len(text) <= room:
        return text
    mark = ellipsis(ascii_only)[:room]
    return text[: room - len(mark)] + mark


def elide_middle(text: str, room: int, ascii_only: bool = False) -> str:
    """At most `room` cells of text, its middle left out where it is too long."""
    if len(text) <= room:
        return text
    mark = ellipsis(ascii_only)
    kept = room - len(mark)
    if kept < 2:
        return elide(text, room, ascii_only)
    tail = kept // 2
    return text[: kept - tail] + mark + text[len(text) - tail :]


def endpoint(end: Endpoint, room: int | None, ascii_only: bool = False) -> str:
    """`addr:port` in at most `room` cells, or all of it: the address loses its middle, the port nothing."""
    text = clean(str(end), ascii_only)
    if room is None or len(text) <= room:
        return text
    port = f":{end.port}"
    brackets = ("[", "]") if ":" in end.address else ("", "")
    address_room = room - len(port) - len(brackets[0] + brackets[1])
    if address_room < 4:
        return port[-room:] if room > 0 else ""
    address = elide_middle(clean(end.address, ascii_only), address_room, ascii_only)
    return f"{brackets[0]}{address}{brackets[1]}{port}"


def left(text: str, room: int, ascii_only: bool = False) -> str:
    """Exactly `room` cells, the text at the left."""
    return elide(text, room, ascii_only).ljust(room)


def right(text: str, room: int, ascii_only: bool = False) -> str:
    """Exactly `room` cells, the text at the right."""
    return elide(text, room, ascii_only).rjust(room)


def squeeze(text: str, room: int) -> str:
    """A duration without its spaces where it would not fit with them: `12h11min`."""
    return text if len(text) <= room else text.replace(" ", "")
