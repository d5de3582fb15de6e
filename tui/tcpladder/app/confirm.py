"""A question before something that cannot be taken back: yes, no, or a word to type."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tcpladder.render.cells import clean


class Confirm(ModalScreen[bool], inherit_bindings=False):
    """Returns whether a person said yes; with `word`, whether they typed it."""

    TITLE = "this question"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "yes"),
        Binding("enter", "answer(True)", "yes"),
        Binding("n,escape,q", "answer(False)", "no"),
    ]
    DEFAULT_CSS = """
    Confirm { align: center middle; }
    Confirm Vertical { width: 66; max-width: 100%; height: auto; border: round $warning; padding: 0 1;
        background: $surface; }
    Confirm.-ascii Vertical { border: ascii $warning; }
    Confirm Static { height: auto; }
    Confirm Input { height: 1; border: none; padding: 0; }
    Confirm #keys { color: $text-muted; }
    """

    def __init__(self, question: str, *, ascii_only: bool, word: str = "") -> None:
        super().__init__()
        self._question = clean_lines(question, ascii_only)
        self._word = word
        self.set_class(ascii_only, "-ascii")

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(self._question, markup=False)
            if self._word:
                yield Input(placeholder=f"type {self._word} to do it all the same", compact=True)
                yield Static("enter, once the word stands there     esc no", markup=False, id="keys")
            else:
                yield Static("y enter  yes     n esc  no", markup=False, id="keys")

    def action_answer(self, yes: bool) -> None:
        self.dismiss(yes and not self._word)

    @on(Input.Submitted)
    def _typed(self, event: Input.Submitted) -> None:
        if event.value.strip().lower() == self._word:
            self.dismiss(True)
        else:
            self.app.bell()


def clean_lines(text: str, ascii_only: bool) -> str:
    """Every line of a text with characters of one cell."""
    return "\n".join(clean(line, ascii_only) for line in text.splitlines())
