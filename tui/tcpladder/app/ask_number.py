"""One number, asked for above a page."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tcpladder.render.cells import clean

MOST = 1 << 31
"""Sysctls are signed 32-bit numbers."""


class AskNumber(ModalScreen[int | None], inherit_bindings=False):
    """Returns the number, None where a person thought better of it."""

    TITLE = "this question"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "close", "leave it as it is")]
    DEFAULT_CSS = """
    AskNumber { align: center middle; }
    AskNumber Vertical { width: 66; max-width: 100%; height: auto; border: round $accent; padding: 0 1;
        background: $surface; }
    AskNumber.-ascii Vertical { border: ascii $accent; }
    AskNumber Static { height: auto; }
    AskNumber Input { height: 1; border: none; padding: 0; }
    AskNumber #keys { color: $text-muted; }
    """

    def __init__(self, question: str, *, ascii_only: bool) -> None:
        super().__init__()
        self._question = clean(question, ascii_only)
        self.set_class(ascii_only, "-ascii")

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(self._question, markup=False)
            yield Input(placeholder="a number", compact=True)
            yield Static("enter set it     esc leave it as it is", markup=False, id="keys")

    def action_close(self) -> None:
        self.dismiss(None)

    @on(Input.Submitted)
    def _typed(self, event: Input.Submitted) -> None:
        text = event.value.strip()
        if text.isascii() and text.isdigit() and int(text[:12]) < MOST:
            self.dismiss(int(text))
        else:
            self.notify(f"a whole number is needed, not {text!r}", severity="warning", markup=False)
