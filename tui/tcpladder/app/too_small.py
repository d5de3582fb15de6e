"""What a terminal says that is too small for a ladder."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.screen import ModalScreen
from textual.widgets import Static

from tcpladder.app.terminal import MIN_HEIGHT, MIN_WIDTH


class TooSmallScreen(ModalScreen[None], inherit_bindings=False):
    """Hides everything until the terminal is large enough. Modal: no key opens over it what nobody could read."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "app.leave", "quit"),
        Binding("ctrl+q", "app.quit", "quit at once", show=False, priority=True),
        Binding("ctrl+z", "app.suspend_process", "suspend; fg brings it back"),
    ]
    DEFAULT_CSS = (
        "TooSmallScreen Static { width: 1fr; height: 1fr; content-align: center middle; text-align: center; }"
    )

    def compose(self) -> ComposeResult:
        yield Static(self._sentence(), markup=False)

    def on_resize(self) -> None:
        self.query_one(Static).update(self._sentence())

    def on_screen_resume(self) -> None:
        """What lay above is gone, and the terminal may have grown under it."""
        if fits(self.app.size):
            self.dismiss()

    def _sentence(self) -> str:
        width, height = self.app.size
        return f"tcpladder needs {MIN_WIDTH}x{MIN_HEIGHT}, this terminal is {width}x{height}: enlarge it, or q quits"


def fits(size: Size) -> bool:
    """Whether a terminal has room for a ladder."""
    return size.width >= MIN_WIDTH and size.height >= MIN_HEIGHT


def cover(app: App[Any], size: Size) -> None:
    """Hide what the app shows where the terminal is too small for it, and show it again where it fits."""
    hidden = isinstance(app.screen, TooSmallScreen)
    if fits(size) and hidden:
        app.pop_screen()
    elif not fits(size) and not hidden:
        app.push_screen(TooSmallScreen())
