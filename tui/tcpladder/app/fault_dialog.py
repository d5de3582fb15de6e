"""The fault dialog: what to break, shown as the script that a person would run, before anything happens."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from tcpladder.agent.fault_messages import FaultPlan, FaultState
from tcpladder.app import clipboard
from tcpladder.app.bar import Bar, Rule
from tcpladder.app.contract import Session
from tcpladder.app.fault_choices import Choices, Direction
from tcpladder.app.fault_form import FaultForm, letters
from tcpladder.app.fault_plan_view import PlanView, whole
from tcpladder.app.fault_target import FaultTarget
from tcpladder.app.terminal import Taste
from tcpladder.errors import TcpladderError
from tcpladder.faults import phrases
from tcpladder.render.cells import clean


def _whom(chosen: Choices) -> str:
    """Both ends as far as they are meant, the server at the right."""
    arrow = {Direction.BOTH: "↔", Direction.TO_SERVER: "→", Direction.TO_CLIENT: "←"}[chosen.direction]
    try:
        return phrases.whom(chosen.to_server(), arrow)
    except TcpladderError:
        return "a connection that does not exist yet"


LOOK_S = 0.5
"""Between two looks at the flow: its sockets are read when it is looked at for the first time, and it may end."""
LOW = 22
"""Lines below which the script has more of them, and the sentence below it none."""
COLUMNS, MOST_COLUMNS = 84, 150
LINES, MOST_LINES = 32, 40
"""Of a usual terminal; a larger one gives more, so that no command of the script is broken."""


class FaultDialog(ModalScreen[FaultState], inherit_bindings=False):
    """Returns the fault that was applied, None where there was none.

    What is copied is as it is, whatever mask is on: it would not run otherwise.

    Args:
        session: makes the plan and carries it out.
        target: the flow under the cursor, and what is proposed for it.
        taste: how to draw.
    """

    TITLE = "the fault dialog"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "apply", "break it"),
        Binding("escape", "cancel", "cancel"),
        Binding("S", "at_once('TO_SERVER')", "drop toward the server at once"),
        Binding("C", "at_once('TO_CLIENT')", "drop toward the client at once"),
        Binding("c", "copy", "copy the script and its undo"),
        Binding("question_mark,f1", "why", "why it is done there"),
        Binding("P", "app.privacy", "mask addresses, ports"),
        Binding("down,tab", "app.focus_next", "next question", show=False),
        Binding("up,shift+tab", "app.focus_previous", "previous question", show=False),
        Binding("pageup", "scroll(-5)", "script up", show=False),
        Binding("pagedown", "scroll(5)", "script down", show=False),
        *letters(),
    ]
    KEYS = (
        "enter break it  S C drop toward server, client  c copy  F1 why  esc cancel",
        "enter break it  S C drop now  c copy  F1 why  esc cancel",
    )
    """The first that fits."""
    DEFAULT_CSS = """
    FaultDialog { align: center middle; }
    FaultDialog > Vertical { max-width: 100%; height: 100%;
        border: round $accent; padding: 0 1; background: $surface; }
    FaultDialog.-ascii > Vertical { border: ascii $accent; }
    FaultDialog #title { text-style: bold; }
    FaultDialog #keys { color: $text-muted; }
    """

    def __init__(self, session: Session, target: FaultTarget, taste: Taste) -> None:
        super().__init__()
        self._session, self._target = session, target
        self._ascii = plain = taste.ascii_only
        self._plan: FaultPlan | None = None
        self._planned: Choices | None = None
        self._applying = False
        choices = target.choices()
        self._proposed, self._why_so_long = target.proposed(choices)
        self.set_class(plain, "-ascii")
        self._heading, self._foot = Bar(id="title", ascii_only=plain), Bar(id="keys", ascii_only=plain)
        self._form = FaultForm(replace(choices, length=self._proposed), session.masked, ascii_only=plain)
        self._comes_to = PlanView(session.masked, ascii_only=plain)

    def compose(self) -> ComposeResult:
        with Vertical():
            yield self._heading
            yield self._form
            yield Rule("-" if self._ascii else "─")
            yield self._comes_to
            yield self._foot

    def on_mount(self) -> None:
        self._form.propose(self._proposed, self._why_so_long, instead_of=self._proposed)
        self._form.mask_changed(hides=self._session.mask is not None)
        self._changed()
        self.set_interval(LOOK_S, self._look)

    def on_resize(self) -> None:
        self._comes_to.set_class(self.size.height < LOW, "-low")
        frame = self.query_one(Vertical).styles
        frame.width = max(COLUMNS, min(MOST_COLUMNS, self.size.width * 6 // 10))
        frame.max_height = max(LINES, min(MOST_LINES, self.size.height * 6 // 10))
        fitting = [keys for keys in self.KEYS if len(keys) <= self.size.width - 4]
        self._foot.say((fitting or self.KEYS[-1:])[0])

    def mask_changed(self) -> None:
        """Draw again what shows addresses."""
        self._form.mask_changed(hides=self._session.mask is not None)
        self._say_whom()
        self._comes_to.draw()

    @property
    def choices(self) -> Choices:
        """What stands in the dialog."""
        chosen = replace(self._form.choices, insist=self._comes_to.insists)
        return replace(chosen, probes=self._target.probes())

    def _look(self) -> None:
        self._comes_to.tell(self._target.news())
        if self._planned is not None and self._planned.probes != self._target.probes():
            self._changed()  # the next probe has another number
        self._follow()

    def _follow(self) -> None:
        """What a person has not touched follows what is chosen, and what is believed of the timers now."""
        length, why = self._target.proposed(self._form.choices)
        before, self._proposed = self._proposed, length
        self._form.propose(length, why, instead_of=before)

    @on(FaultForm.Changed)
    def _changed(self) -> None:
        """Say what it comes to."""
        self._plan = None
        self._follow()
        self._say_whom()
        self._planned = chosen = self.choices
        try:
            chosen.fault()
        except TcpladderError as wrong:
            self._comes_to.show(None, str(wrong))
            return
        self._ask_for_plan(chosen)

    def _say_whom(self) -> None:
        self._heading.say(clean(self._session.masked(f"Break {_whom(self._form.choices)}"), self._ascii))

    @work(exclusive=True, group="plan")
    async def _ask_for_plan(self, chosen: Choices) -> None:
        await asyncio.sleep(0.05)  # words that are being typed are planned once
        faults, wanted = self._session.faults, replace(chosen, insist=False).fault()
        try:
            self._plan, wrong = await asyncio.to_thread(faults.plan, wanted), ""
        except TcpladderError as refused:
            wrong = str(refused)
        self._comes_to.show(self._plan, wrong)

    # Keys

    def action_answer(self, number: int) -> None:
        self._form.answer(number)

    def action_scroll(self, lines: int) -> None:
        self._comes_to.scroll_script(lines)

    def action_why(self) -> None:
        self._comes_to.turn()

    def action_copy(self) -> None:
        if self._plan is None or not self._plan.script:
            self.notify("nothing to copy yet", timeout=2)
            return
        real = "" if self._session.mask is None else " and the real addresses"
        clipboard.copy(self.app, whole(self._plan), f"the script, with undo{real}")

    def action_cancel(self) -> None:
        self.dismiss(None)

    def action_at_once(self, direction: str) -> None:
        self._form.drop(Direction[direction])
        self._apply(self.choices)

    @on(Input.Submitted)
    def action_apply(self) -> None:
        self._apply(self.choices)

    @work(group="apply")
    async def _apply(self, chosen: Choices) -> None:
        if self._applying:
            return
        self._applying = True
        faults = self._session.faults
        try:
            fault = chosen.fault()
            self._plan = await asyncio.to_thread(faults.plan, replace(fault, insist=False))
            if self._plan.refused and not (self._plan.needs_insist and fault.insist):
                self._say_refused(self._plan)
                return
            state = await asyncio.to_thread(faults.apply, fault)
        except TcpladderError as refused:
            self._comes_to.show(self._plan, str(refused))
            self.app.bell()
            return
        finally:
            self._applying = False
        self.dismiss(state)

    def _say_refused(self, plan: FaultPlan) -> None:
        """Show why, and where the word goes that would get around it."""
        self._comes_to.show(plan)
        self.app.bell()
        if plan.needs_insist:
            self._comes_to.ask_for_the_word()
