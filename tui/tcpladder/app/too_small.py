"""What a terminal says that is too small for a ladder."""

from __future__ import annotations

from textual.app import ComposeResult
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
