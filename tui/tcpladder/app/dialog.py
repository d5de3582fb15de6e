"""What stands above a page for a moment: help, interfaces."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static


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
        self.set_class(ascii_only, "-ascii")

    @property
    def text(self) -> str:
        """What it says when it opens."""
        return ""

    def compose(self) -> ComposeResult:
        with VerticalScroll(can_focus=False):
            yield Static(self.text, markup=False)

    def say(self, text: str) -> None:
        """Say something else."""
        self.query_one(Static).update(text)

    def action_scroll(self, lines: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)
