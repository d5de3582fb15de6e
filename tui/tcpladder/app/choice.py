"""A line of words of which one is chosen, for dialogs: the arrow keys move, the chosen one stands in brackets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.widget import Widget


class Choice(Widget, can_focus=True):
    """One of `words`, behind a label."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "step(-1)", "the one before", show=False),
        Binding("right,l,space", "step(1)", "the next one", show=False),
    ]
    DEFAULT_CSS = """
    Choice { height: auto; width: 1fr; }
    Choice:focus { background: $boost; }
    """

    class Changed(Message):
        """Another one is chosen."""

    def __init__(self, *, id: str, words: Sequence[str]) -> None:  # noqa: A002  Textual's own name
        super().__init__(id=id)
        self.words = tuple(words)
        self.chosen = 0
        """Which of the words."""

    @property
    def word(self) -> str:
        """The chosen one."""
        return self.words[self.chosen]

    def action_step(self, by: int) -> None:
        self.chosen = (self.chosen + by) % len(self.words)
        self.refresh(layout=True)
        self.post_message(self.Changed())

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        return len(self._lines(width))

    def render(self) -> Content:
        return Content("\n").join(self._lines(self.size.width))

    def _lines(self, width: int) -> list[Content]:
        """As many of the words a line as fit, each in one piece."""
        cursor = ">" if self.app.has_class("-ascii") else "▌"
        lines = [Content.styled(cursor if self.has_focus else " ", "bold")]
        for place, word in enumerate(self.words):
            chosen = place == self.chosen
            # As wide as the brackets, so that nothing moves.
            part = Content.styled(f"[{word}]", "bold $text-accent") if chosen else Content(f" {word} ")
            if lines[-1].cell_length > 1 and lines[-1].cell_length + part.cell_length > width:
                lines.append(Content(" "))
            lines[-1] = Content.assemble(lines[-1], " " if lines[-1].cell_length > 1 else "", part)
        return lines
