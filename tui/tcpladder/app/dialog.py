"""What stands above a page for a moment: help, interfaces."""

from __future__ import annotations

from textwrap import wrap
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

FRAME_COLUMNS, COLUMNS = 78, 73
"""Its own, and what frame and scroll bar leave of them."""


class Dialog(ModalScreen[None], inherit_bindings=False):
    """Text in a frame that scrolls and closes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll(-1)", "up", show=False),
        Binding("down,j", "scroll(1)", "down", show=False),
        Binding("pageup,ctrl+b", "scroll(-10)", "page up", show=False),
        Binding("pagedown,ctrl+f", "scroll(10)", "page down", show=False),
        Binding("escape,q", "dismiss", "close"),
    ]
    DEFAULT_CSS = """
    Dialog { align: center middle; }
    Dialog VerticalScroll { width: 78; max-width: 100%; height: auto; max-height: 100%;
        border: round $accent; padding: 0 1; background: $surface; scrollbar-size-vertical: 1; }
    Dialog.-ascii VerticalScroll { border: ascii $accent; }
    Dialog Static { height: auto; }
    """

    def __init__(self, *, ascii_only: bool) -> None:
        super().__init__()
        self.ascii_only = ascii_only
        self._told: str | None = None
        """What it has been made to say; None as long as it says `text`."""
        self.set_class(ascii_only, "-ascii")

    @property
    def text(self) -> str:
        """What it says when it opens."""
        return ""

    @property
    def columns(self) -> int:
        """Those of a line now: fewer than COLUMNS on a narrow terminal."""
        return max(20, COLUMNS - max(0, FRAME_COLUMNS - self.app.size.width))

    def compose(self) -> ComposeResult:
        with VerticalScroll(can_focus=False):
            yield Static(self._fitted(self.text), markup=False)

    def on_resize(self) -> None:
        self.query_one(Static).update(self._fitted(self.text if self._told is None else self._told))

    def say(self, text: str) -> None:
        """Say something else."""
        self._told = text
        self.query_one(Static).update(self._fitted(text))

    def _fitted(self, text: str) -> str:
        """The text; a line that is too long goes on below its own first word, not at the frame."""
        lines: list[str] = []
        for line in text.splitlines():
            indent = " " * (len(line) - len(line.lstrip()))
            short = len(line) <= self.columns
            lines += [line] if short else wrap(line, self.columns, subsequent_indent=indent)
        return "\n".join(lines)

    def action_scroll(self, lines: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)
