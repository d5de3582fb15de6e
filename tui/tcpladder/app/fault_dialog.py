"""The fault dialog: what to break, shown as the script that a person would run, before anything happens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from string import ascii_letters, ascii_lowercase, digits
from typing import Any, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tcpladder.agent.fault_messages import FaultPlan, FaultState
from tcpladder.app import clipboard
from tcpladder.app import fault_answers as answers
from tcpladder.app.bar import Bar, Rule
from tcpladder.app.choice_row import Answer, ChoiceRow
from tcpladder.app.contract import Faults
from tcpladder.app.fault_choices import Choices, Direction, Scope
from tcpladder.app.field import Field
from tcpladder.app.terminal import Taste
from tcpladder.errors import TcpladderError
from tcpladder.faults import phrases
from tcpladder.faults.fault import INSIST, Action
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


def _letters() -> Iterator[Binding]:
    for number, answer in enumerate(_ALL):
        key = _KEY_NAMES.get(answer.letter, answer.letter)
        yield Binding(key, f"answer({number})", answer.means, show=False)


def _whom(chosen: Choices) -> str:
    """Both ends as far as they are meant, the server at the right."""
    arrow = {Direction.BOTH: "↔", Direction.TO_SERVER: "→", Direction.TO_CLIENT: "←"}[chosen.direction]
    try:
        return phrases.whom(chosen.to_server(), arrow)
    except TcpladderError:
        return "a connection that does not exist yet"


def _whole(plan: FaultPlan) -> str:
    """The script and its undo; nothing where there is no way to do it."""
    return f"{plan.script.strip()}\n\n# undo\n{plan.undo.strip()}" if plan.script else ""


SOCKETS_READ_S = 0.5
"""Within which the sockets of a flow that is looked at for the first time are read."""
LOW = 22
"""Lines below which the script has more of them, and the sentence below it none."""


class FaultDialog(ModalScreen[FaultState], inherit_bindings=False):
    """Returns the fault that was applied, None where there was none.

    Args:
        faults: makes the plan and carries it out.
        choices: what is proposed.
        propose: for how long, and why; asked again when the sockets of the flow have been read.
        taste: how to draw.
        masked: a sentence as the privacy mask shows it. What is copied is as it is: it would not run otherwise.
    """

    TITLE = "the fault dialog"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "apply", "break it"),
        Binding("escape", "cancel", "cancel"),
        Binding("S", "at_once('TO_SERVER')", "drop toward the server at once"),
        Binding("C", "at_once('TO_CLIENT')", "drop toward the client at once"),
        Binding("c", "copy", "copy the script and its undo"),
        Binding("question_mark,f1", "why", "why it is done there"),
        Binding("down,tab", "app.focus_next", "next question", show=False),
        Binding("up,shift+tab", "app.focus_previous", "previous question", show=False),
        Binding("pageup", "scroll(-5)", "script up", show=False),
        Binding("pagedown", "scroll(5)", "script down", show=False),
        *_letters(),
    ]
    KEYS = (
        "enter break it  S C drop toward server, client  c copy  F1 why  esc cancel",
        "enter break it  S C drop now  c copy  F1 why  esc cancel",
    )
    """The first that fits."""
    DEFAULT_CSS = """
    FaultDialog { align: center middle; }
    FaultDialog > Vertical { width: 84; max-width: 100%; height: 100%; max-height: 32;
        border: round $accent; padding: 0 1; background: $surface; }
    FaultDialog.-ascii > Vertical { border: ascii $accent; }
    FaultDialog #title { text-style: bold; }
    FaultDialog #refused { color: $text-error; text-style: bold; height: auto; display: none; }
    FaultDialog #refused.-open { display: block; }
    FaultDialog VerticalScroll { height: 1fr; min-height: 2; scrollbar-size-vertical: 1; }
    FaultDialog #script { height: auto; }
    FaultDialog #place { height: auto; max-height: 2; color: $text-muted; }
    FaultDialog.-low #place { display: none; }
    FaultDialog #keys { color: $text-muted; }
    """

    def __init__(
        self,
        faults: Faults,
        choices: Choices,
        propose: Callable[[], tuple[str, str]],
        taste: Taste,
        masked: Callable[[str], str] = str,
    ) -> None:
        super().__init__()
        self._faults = faults
        self._masked = masked
        self._propose = propose
        length, why_so_long = propose()
        self._choices = choices = replace(choices, length=length)
        self._ascii = taste.ascii_only
        self._plan: FaultPlan | None = None
        self._wrong = ""
        self._shows_why = False
        self._applying = False
        self._counted = Action.DROP
        """The action that the amount is proposed for."""
        self.set_class(taste.ascii_only, "-ascii")
        self._why_so_long = clean(why_so_long, self._ascii)
        plain = taste.ascii_only
        # Held here: the answer to a plan may come when the dialog has just been closed, and its widgets are gone.
        self._heading, self._foot = Bar(id="title", ascii_only=plain), Bar(id="keys", ascii_only=plain)
        self._refused = Static(id="refused", markup=False)
        self._script, self._place = Static(id="script", markup=False), Static(id="place", markup=False)
        self._direction = ChoiceRow("direction", answers.DIRECTIONS, choices.direction, ascii_only=plain)
        self._scope = ChoiceRow("scope", answers.scopes(choices, masked), choices.scope, ascii_only=plain)
        self._what = ChoiceRow("what", answers.SEGMENTS, choices.segments, ascii_only=plain)
        self._how = ChoiceRow("how", answers.ACTIONS, choices.action, ascii_only=plain)
        host = ascii_letters + digits + "[]:.%"
        self._typed = Field(
            "typed", choices.typed, takes=host, placeholder="HOST:PORT", long=True, ascii_only=plain
        )
        self._amount = Field("amount", choices.amount, takes=digits + "% ", ascii_only=plain)
        self._length = Field("for", choices.length, takes=ascii_lowercase + digits + " .∞", ascii_only=plain)
        self._insist = Field("insist", "", takes=ascii_letters, placeholder=INSIST, ascii_only=plain)

    def compose(self) -> ComposeResult:
        with Vertical():
            yield self._heading
            yield self._direction
            yield self._scope
            yield self._typed
            yield self._what
            yield self._how
            yield self._amount
            yield self._length
            yield Rule("-" if self._ascii else "─")
            yield self._refused
            yield self._insist
            with VerticalScroll(can_focus=False):
                yield self._script
            yield self._place
            yield self._foot

    def on_mount(self) -> None:
        self._length.open()
        self._length.remark(self._why_so_long)
        self._insist.remark(f"type {INSIST} to break it all the same")
        self._direction.focus()
        self._changed()
        self.set_timer(SOCKETS_READ_S, self._propose_again)

    def _propose_again(self) -> None:
        """What a person has not touched follows what is believed of the timers now."""
        proposed, (length, why) = self._choices.length, self._propose()
        if self._length.text == proposed != length:
            self._choices = replace(self._choices, length=length)
            self._length.input.value = length
            self._length.remark(clean(why, self._ascii))

    def on_resize(self) -> None:
        self.set_class(self.size.height < LOW, "-low")
        fitting = [keys for keys in self.KEYS if len(keys) <= self.size.width - 4]
        self._foot.say((fitting or self.KEYS[-1:])[0])

    # What is chosen

    @property
    def choices(self) -> Choices:
        """What stands in the dialog."""
        return replace(
            self._choices,
            direction=self._direction.value,
            scope=self._scope.value,
            segments=self._what.value,
            action=self._how.value,
            typed=self._typed.text,
            amount=self._amount.text,
            length=self._length.text,
            insist=self._insist.text.lower() == INSIST,
        )

    @on(ChoiceRow.Chosen)
    def _other_answer(self) -> None:
        chosen = self.choices
        amount = chosen.action in (Action.LOSE, Action.DROP_NEXT)
        self._typed.open(chosen.scope is Scope.TYPED)
        self._amount.open(amount)
        if amount and chosen.action is not self._counted:
            self._counted = chosen.action
            percent = chosen.action is Action.LOSE
            self._amount.input.value = "30" if percent else "3"
            self._amount.remark("percent, by chance" if percent else "segments, then no more")
        self._changed()

    @on(Input.Changed)
    def _changed(self) -> None:
        """Say what it comes to."""
        self._plan, self._wrong = None, ""
        chosen = self.choices
        self._heading.say(clean(self._masked(f"Break {_whom(chosen)}"), self._ascii))
        try:
            chosen.fault()
        except TcpladderError as wrong:
            self._wrong = str(wrong)
            self._show()
            return
        self._ask_for_plan(chosen)

    @work(exclusive=True, group="plan")
    async def _ask_for_plan(self, chosen: Choices) -> None:
        await asyncio.sleep(0.05)  # words that are being typed are planned once
        try:
            self._plan = await asyncio.to_thread(self._faults.plan, replace(chosen, insist=False).fault())
        except TcpladderError as refused:
            self._wrong = str(refused)
        self._show()

    def _show(self) -> None:
        if not self.is_attached:
            return
        plan, refused, script, place = self._plan, self._refused, self._script, self._place
        sentence = self._wrong or (plan.refused if plan is not None else "")
        refused.set_class(bool(sentence), "-open")
        refused.update(self._clean(f"refused: {sentence}" if plan is not None and sentence else sentence))
        self._insist.open(plan is not None and plan.needs_insist and bool(plan.refused))
        if plan is None:
            script.update("")
            place.update("")
            return
        script.update(self._clean(plan.why if self._shows_why else _whole(plan)))
        place.update("" if self._shows_why else self._clean(plan.why.partition(". ")[0].strip()))

    def _clean(self, text: str) -> str:
        return "\n".join(clean(line.expandtabs(4), self._ascii) for line in self._masked(text).splitlines())

    # Keys

    def action_answer(self, number: int) -> None:
        answer = _ALL[number]
        rows: tuple[ChoiceRow[Any], ...] = (self._direction, self._scope, self._what, self._how)
        row = next(row for row in rows if isinstance(answer.value, type(row.value)))
        row.focus()
        if not row.offers(answer.value):
            self.app.bell()
            return
        row.choose(answer.value)
        fields = {Scope.TYPED: self._typed, Action.LOSE: self._amount, Action.DROP_NEXT: self._amount}
        if answer.value in fields:
            self.call_after_refresh(fields[answer.value].input.focus)

    def action_scroll(self, lines: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)

    def action_why(self) -> None:
        self._shows_why = not self._shows_why
        self._show()

    def action_copy(self) -> None:
        if self._plan is None or not self._plan.script:
            self.notify("nothing to copy yet", timeout=2)
            return
        clipboard.copy(self.app, _whole(self._plan), "the script, with its undo")

    def action_cancel(self) -> None:
        self.dismiss(None)

    def action_at_once(self, direction: str) -> None:
        self._direction.choose(Direction[direction])
        self._how.choose(Action.DROP)
        self._apply(self.choices)

    @on(Input.Submitted)
    def action_apply(self) -> None:
        self._apply(self.choices)

    @work(group="apply")
    async def _apply(self, chosen: Choices) -> None:
        if self._applying:
            return
        self._applying = True
        try:
            fault = chosen.fault()
            self._plan = await asyncio.to_thread(self._faults.plan, replace(fault, insist=False))
            if self._plan.refused and not (self._plan.needs_insist and fault.insist):
                self._say_refused()
                return
            state = await asyncio.to_thread(self._faults.apply, fault)
        except TcpladderError as refused:
            self._wrong = str(refused)
            self._show()
            self.app.bell()
            return
        finally:
            self._applying = False
        self.dismiss(state)

    def _say_refused(self) -> None:
        """Show why, and where the word goes that would get around it."""
        self._show()
        self.app.bell()
        if self._plan is not None and self._plan.needs_insist:
            self.call_after_refresh(self._insist.input.focus)
