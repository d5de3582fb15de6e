"""A line with a field for a few characters: its name before it, a remark behind it."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input, Static

from tcpladder.app.bar import Bar


class ShortInput(Input):
    """An input that takes only the characters of `takes`; another key means what it means beside it."""

    def __init__(self, value: str, *, takes: str, placeholder: str) -> None:
        super().__init__(value, placeholder=placeholder, compact=True)
        self._takes = frozenset(takes)

    def check_consume_key(self, key: str, character: str | None) -> bool:
        return character in self._takes and super().check_consume_key(key, character)

    async def _on_key(self, event: events.Key) -> None:
        if event.is_printable and event.character not in self._takes:
            event.prevent_default()  # of Input, which swallows every printable key


class Field(Horizontal):
    """The line; nothing of it is seen until it is opened."""

    DEFAULT_CSS = """
    Field { height: 1; width: 1fr; display: none; }
    Field.-open { display: block; }
    Field Static { width: 11; text-style: bold; }
    Field Bar { color: $text-muted; }
    Field Input { height: 1; border: none; padding: 0; width: 9; }
    Field.-long Input { width: 44; }
    """

    def __init__(
        self,
        name: str,
        value: str,
        *,
        takes: str,
        placeholder: str = "",
        long: bool = False,
        ascii_only: bool,
    ) -> None:
        super().__init__(id=name, classes="-long" if long else None)
        self.input = ShortInput(value, takes=takes, placeholder=placeholder)
        self._remark = Bar(id=f"{name}-remark", ascii_only=ascii_only)

    def compose(self) -> ComposeResult:
        yield Static(f" {self.id}", markup=False)
        yield self.input
        yield self._remark

    @property
    def text(self) -> str:
        """What stands in it."""
        return self.input.value.strip()

    def open(self, on: bool = True) -> None:
        """Show the line, or hide it."""
        self.set_class(on, "-open")

    def remark(self, words: str) -> None:
        """Say something behind it."""
        self._remark.say(f" {words}")
