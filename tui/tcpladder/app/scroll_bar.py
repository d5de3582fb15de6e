"""A scroll bar without half blocks, for terminals that have only ASCII."""

from __future__ import annotations

from typing import ClassVar

from textual.scrollbar import ScrollBar, ScrollBarRender


class PlainScrollBar(ScrollBarRender):
    """Ends of whole cells only: the bar is told by its colour, or its reverse."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "] * 8
    HORIZONTAL_BARS: ClassVar[list[str]] = [" "] * 8

    @classmethod
    def install(cls) -> None:
        """Make all scroll bars of this process plain."""
        ScrollBar.renderer = cls
