"""The questions of the fault dialog: rows of answers, and the fields that some answers open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from string import ascii_letters, ascii_lowercase, digits
from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input

from tcpladder.app import fault_answers as answers
from tcpladder.app.choice_row import Answer, ChoiceRow
from tcpladder.app.fault_choices import Choices, Direction, Scope
from tcpladder.app.field import Field
from tcpladder.faults.fault import Action
from tcpladder.render.cells import clean

_ALL: tuple[Answer[Any], ...] = (
    *answers.DIRECTIONS,
    Answer(Scope.FLOW, "", "f", "this flow alone"),
    Answer(Scope.PORT, "", "p", "the server's port, whoever talks to it"),
    Answer(Scope.HOST, "", "h", "the server's host, every port"),
    Answer(Scope.TYPED, "", "t", "a host and port that you type"),
    *answers.SEGMENTS,
    *answers.ACTIONS,
)
_KEY_NAMES = {">": "greater_than_sign", "<": "less_than_sign"}


def letters() -> Iterator[Binding]:
    """The key of each answer: action `answer` with its number, for `FaultForm.answer`."""
    for number, one in enumerate(_ALL):
        yield Binding(_KEY_NAMES.get(one.letter, one.letter), f"answer({number})", one.means, show=False)


class FaultForm(Vertical):
    """Who, what, how, how long.

    Args:
        choices: what stands there at first.
        masked: a text as the privacy mask shows it.
    """

    DEFAULT_CSS = "FaultForm { height: auto; }"

    class Changed(Message):
        """Something else is meant."""

    def __init__(self, choices: Choices, masked: Callable[[str], str], *, ascii_only: bool) -> None:
        super().__init__()
        self._choices = choices
        self._masked, self._ascii = masked, ascii_only
        self._counted = Action.DROP
        """The action that the amount is proposed for."""
        plain, host = (
            ascii_only,
            ascii_letters.replace("P", "") + digits + "[]:.%",
        )  # P masks what is typed, too
        self._direction = ChoiceRow("direction", answers.DIRECTIONS, choices.direction, ascii_only=plain)
        self._scope = ChoiceRow("scope", answers.scopes(choices, masked), choices.scope, ascii_only=plain)
        self._what = ChoiceRow("what", answers.SEGMENTS, choices.segments, ascii_only=plain)
        self._how = ChoiceRow("how", answers.ACTIONS, choices.action, ascii_only=plain)
        self._typed = Field(
            "typed", choices.typed, takes=host, placeholder="HOST:PORT", long=True, ascii_only=plain
        )
        self._amount = Field("amount", choices.amount, takes=digits + "% ", ascii_only=plain)
        self._length = Field("for", choices.length, takes=ascii_lowercase + digits + " .∞", ascii_only=plain)
        self._rows: tuple[ChoiceRow[Any], ...] = (self._direction, self._scope, self._what, self._how)

    def compose(self) -> ComposeResult:
        yield self._direction
        yield self._scope
        yield self._typed
        yield self._what
        yield self._how
        yield self._amount
        yield self._length

    def on_mount(self) -> None:
        self._length.open()
        self._typed.open(self._scope.value is Scope.TYPED)
        self._direction.focus()

    @property
    def choices(self) -> Choices:
        """What stands there now."""
        return replace(
            self._choices,
            direction=self._direction.value,
            scope=self._scope.value,
            segments=self._what.value,
            action=self._how.value,
            typed=self._typed.text,
            amount=self._amount.text,
            length=self._length.text,
        )

    def propose(self, length: str, why: str, *, instead_of: str) -> None:
        """Another length, where a person has not touched the one that was proposed before; and the reason."""
        if self._length.text == instead_of != length:
            self._length.input.value = length
        self._length.remark(clean(why, self._ascii))

    def answer(self, number: int) -> None:
        """Choose what a key means; rings where it is not offered."""
        value = _ALL[number].value
        row = next(row for row in self._rows if isinstance(value, type(row.value)))
        row.focus()
        if not row.offers(value):
            self.app.bell()
            return
        row.choose(value)
        fields = {Scope.TYPED: self._typed, Action.LOSE: self._amount, Action.DROP_NEXT: self._amount}
        if value in fields:
            self.call_after_refresh(fields[value].input.focus)

    def drop(self, direction: Direction) -> None:
        """Choose what one key does at once."""
        self._direction.choose(direction)
        self._how.choose(Action.DROP)

    def mask_changed(self, *, hides: bool) -> None:
        """Draw again what shows addresses; where they are hidden, what is typed is dots."""
        self._scope.relabel(answers.scopes(self._choices, self._masked))
        self._typed.input.password = hides

    @on(ChoiceRow.Chosen)
    def _other_answer(self, event: ChoiceRow.Chosen) -> None:
        event.stop()
        action = self._how.value
        amount = action in (Action.LOSE, Action.DROP_NEXT)
        self._typed.open(self._scope.value is Scope.TYPED)
        self._amount.open(amount)
        if amount and action is not self._counted:
            self._counted = action
            percent = action is Action.LOSE
            self._amount.input.value = "30" if percent else "3"
            self._amount.remark("percent, by chance" if percent else "segments, then no more")
        self.post_message(self.Changed())

    @on(Input.Changed)
    def _other_words(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed())
