"""One question with a few answers of which one is chosen: `what  (•) all (y) SYN (d) data`, each with its letter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, Generic, TypeVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.widget import Widget

from tcpladder.render.cells import clean

NAME_CELLS = 11
_V = TypeVar("_V", bound=Enum)


@dataclass(frozen=True, slots=True)
class Answer(Generic[_V]):
    """One answer."""

    value: _V
    label: str
    letter: str
    """The key that chooses it wherever the cursor is; it stands where the sign of the chosen one stands."""
    means: str
    """What the key does, for the help."""


class ChoiceRow(Widget, Generic[_V], can_focus=True):
    """The question `name`; arrows go from answer to answer."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "step(-1)", "previous answer", show=False),
        Binding("right,space", "step(1)", "next answer", show=False),
    ]
    DEFAULT_CSS = "ChoiceRow { height: auto; width: 1fr; } ChoiceRow:focus { background: $boost; }"

    class Chosen(Message):
        """Another answer."""

    def __init__(self, name: str, answers: Sequence[Answer[_V]], value: _V, *, ascii_only: bool) -> None:
        super().__init__(id=name)
        self._answers = tuple(answers)
        self._ascii = ascii_only
        self.value = value

    def choose(self, value: _V) -> None:
        """Take this answer."""
        if value is not self.value:
            self.value = value
            self.refresh()
            self.post_message(self.Chosen())

    def relabel(self, answers: Sequence[Answer[_V]]) -> None:
        """The same answers in other words."""
        self._answers = tuple(answers)
        self.refresh(layout=True)

    def offers(self, value: Enum) -> bool:
        """Whether it is one of the answers."""
        return any(answer.value is value for answer in self._answers)

    def action_step(self, by: int) -> None:
        values = [answer.value for answer in self._answers]
        self.choose(values[(values.index(self.value) + by) % len(values)])

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        return len(self._lines(width))

    def render(self) -> Content:
        return Content("\n").join(self._lines(self.size.width))

    def _lines(self, width: int) -> list[Content]:
        """As many answers a line as fit."""
        cursor = (">" if self._ascii else "▌") if self.has_focus else " "
        lines, used = [Content.styled(f"{cursor}{self.id:<{NAME_CELLS - 1}}", "bold")], NAME_CELLS
        for text, chosen in self._texts():
            if used + len(text) > width and used > NAME_CELLS:
                lines.append(Content(" " * NAME_CELLS))
                used = NAME_CELLS
            style = "bold $text-accent" if chosen else ""
            lines[-1] = Content.assemble(lines[-1], (text, style), " ")
            used += len(text) + 1
        return lines

    def _texts(self) -> list[tuple[str, bool]]:
        sign = "*" if self._ascii else "•"
        return [
            (f"({sign if chosen else answer.letter}) {clean(answer.label, self._ascii)}", chosen)
            for answer in self._answers
            for chosen in (answer.value is self.value,)
        ]

    def on_click(self, event: events.Click) -> None:
        """The answer that was clicked."""
        line = self._lines(self.size.width)[event.y].plain
        for answer, (text, _) in zip(self._answers, self._texts(), strict=True):
            begin = line.find(text)
            if 0 <= begin <= event.x < begin + len(text):
                self.choose(answer.value)

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()
