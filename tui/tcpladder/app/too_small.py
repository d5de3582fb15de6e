"""What a terminal says that is too small for a ladder."""

from __future__ import annotations

from typing import Any

from textual.app import App, ComposeResult
from textual.geometry import Size
from textual.screen import Screen
from textual.widgets import Static

from tcpladder.app.terminal import MIN_HEIGHT, MIN_WIDTH


class TooSmallScreen(Screen[None], inherit_bindings=False):
    """Hides everything until the terminal is large enough."""

    DEFAULT_CSS = (
        "TooSmallScreen Static { width: 1fr; height: 1fr; content-align: center middle; text-align: center; }"
    )

    def compose(self) -> ComposeResult:
        yield Static(self._sentence(), markup=False)

    def on_resize(self) -> None:
        self.query_one(Static).update(self._sentence())

    def _sentence(self) -> str:
        width, height = self.app.size
        return f"tcpladder needs {MIN_WIDTH}x{MIN_HEIGHT}, this terminal is {width}x{height}"


def cover(app: App[Any], size: Size) -> None:
    """Hide what the app shows where the terminal is too small for it, and show it again where it fits."""
    fits = size.width >= MIN_WIDTH and size.height >= MIN_HEIGHT
    hidden = isinstance(app.screen, TooSmallScreen)
    if fits and hidden:
        app.pop_screen()
    elif not fits and not hidden:
        app.push_screen(TooSmallScreen())
