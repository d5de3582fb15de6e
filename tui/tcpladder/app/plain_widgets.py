"""Textual's own widgets for terminals that have only ASCII: scroll bars, the command palette."""

from __future__ import annotations

from typing import ClassVar

from textual.scrollbar import ScrollBar, ScrollBarRender


class PlainScrollBar(ScrollBarRender):
    """Ends of whole cells only: the bar is told by its colour, or its reverse."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "] * 8
    HORIZONTAL_BARS: ClassVar[list[str]] = [" "] * 8


def make_plain() -> None:
    """Make the scroll bars and the palettes of this process plain."""
    from textual.command import CommandInput, SearchIcon  # nobody else needs them before the first palette

    ScrollBar.renderer = PlainScrollBar
    for widget, name, plain in (
        (SearchIcon, "render", _icon),
        (CommandInput, "validate_placeholder", _words),
    ):
        setattr(widget, name, plain)


def _icon(_icon: object) -> str:
    return ">"


def _words(_input: object, placeholder: str) -> str:
    """Called by Textual with each new placeholder."""
    return placeholder.replace("…", "...")
