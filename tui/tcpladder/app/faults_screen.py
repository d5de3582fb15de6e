"""The faults panel: each fault with the time it has left, what it ate, and whom it breaks; extend, lift, repeat."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widgets import Static

from tcpladder.agent.fault_messages import FaultState
from tcpladder.app import fault_words, status_words
from tcpladder.app.bar import Bar
from tcpladder.app.contract import Session
from tcpladder.app.named_keys import named
from tcpladder.app.row_view import RowView
from tcpladder.app.terminal import Taste
from tcpladder.errors import TcpladderError
from tcpladder.faults import phrases
from tcpladder.ladder.model import Role
from tcpladder.render.cells import clean, left

EVERY_S = 0.5
MOST_FLOWS = 2000
"""Flows that are looked at for whom a fault breaks."""
_NUMBER, _LEFT, _ATE, _BYTES = 4, 13, 9, 10


class FaultList(RowView):
    """One row a fault, the newest first."""

    def __init__(self, masked: Callable[[str], str], *, ascii_only: bool) -> None:
        super().__init__(id="faults")
        self._masked = masked
        self._ascii = ascii_only
        self.states: tuple[FaultState, ...] = ()

    def take(self, states: tuple[FaultState, ...]) -> None:
        """Draw these."""
        if states != self.states:
            self.states = states
            self.rows_changed()

    @property
    def selected(self) -> FaultState | None:
        """The fault under the cursor."""
        return self.states[self.cursor] if self.cursor < len(self.states) else None

    def row_count(self) -> int:
        return len(self.states)

    def draw_row(self, row: int, width: int, selected: bool) -> Strip:
        state = self.states[row]
        fault = state.fault
        cursor = (">" if self._ascii else "▌") if selected else " "
        numbers = f"{state.number:>{_NUMBER - 1}} {fault_words.time_left(state):<{_LEFT}}"
        counts = f"{state.packets:>{_ATE - 1},} {state.bytes:>{_BYTES - 1},}  "
        whom = self._masked(phrases.whom(fault.match, "↔" if fault.both else "→"))
        what = f"{phrases.broken(fault)}  {whom}"
        room = max(0, width - 1 - len(numbers) - len(counts))
        role = Role.REMARK if state.ended_ns is not None else Role.LABEL
        return self._styles.strip(
            (
                (cursor, Role.CURSOR),
                (numbers, role if state.ended_ns is not None else Role.COUNTDOWN),
                (counts, role),
                (left(clean(what, self._ascii), room, self._ascii), role),
            ),
            width,
            selected,
        )


def heading() -> str:
    """The words above the columns."""
    counts = f"{'segments':>{_ATE}} {'bytes':>{_BYTES - 1}}"
    return f" {'rule':>{_NUMBER - 1}} {'time left':<{_LEFT - 1}}{counts}  what, whom"


class FaultsScreen(ModalScreen[None], inherit_bindings=False):
    """Every fault of this session, those that ended too."""

    TITLE = "faults"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("U", "lift", "lift this fault"),
        Binding("E", "extend", "let it last as long again from now"),
        Binding("R", "repeat", "the same fault once more"),
        Binding("question_mark,f1", "app.help", "help"),
        Binding("P", "app.privacy", "mask addresses, ports"),
        Binding("escape,q,F", "close", "close"),
    ]
    KEYS = (
        "U lift  E as long again from now  R once more  ? help  Esc close",
        "U lift  E as long again  R once more  ? help  Esc close",
    )
    """The first that fits."""
    DEFAULT_CSS = """
    FaultsScreen { align: center middle; }
    FaultsScreen > Vertical { width: 100; max-width: 100%; height: auto; max-height: 100%; border: round $accent;
        padding: 0 1; background: $surface; }
    FaultsScreen.-ascii > Vertical { border: ascii $accent; }
    FaultsScreen FaultList { height: auto; min-height: 3; max-height: 12; }
    FaultsScreen #columns { text-style: bold; color: $text-muted; }
    FaultsScreen Static { height: auto; min-height: 3; max-height: 6; }
    FaultsScreen #keys { color: $text-muted; }
    """

    def __init__(self, session: Session, taste: Taste) -> None:
        super().__init__()
        self._session = session
        self._ascii, self._keymap = taste.ascii_only, taste.keymap
        self._list = FaultList(session.masked, ascii_only=taste.ascii_only)
        self._said = Static(markup=False)
        self.set_class(taste.ascii_only, "-ascii")

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Bar(id="columns", ascii_only=self._ascii)
            yield self._list
            yield self._said
            yield Bar(id="keys", ascii_only=self._ascii)

    def on_mount(self) -> None:
        self.query_one("#columns", Bar).say(heading())
        self._list.focus()
        self._look()
        self.set_interval(EVERY_S, self._look)

    def on_resize(self) -> None:
        fitting = [keys for keys in self.KEYS if len(keys) <= self.size.width - 4]
        self.query_one("#keys", Bar).say((fitting or self.KEYS[-1:])[0])

    def _look(self) -> None:
        states = tuple(reversed(self._session.faults.states()))
        grew = len(states) != len(self._list.states)
        self._list.take(states)
        if grew:
            self._list.styles.height = max(3, min(12, len(states)))
        self._say()

    def on_row_view_moved(self) -> None:
        self._say()

    def _say(self) -> None:
        state = self._list.selected
        if state is None:
            text = self._session.faults.why_not or named(
                "Nothing is broken. {break_flow:D} on a flow breaks it.", self._keymap
            )
        else:
            lines = [self._affected(state), self._where(state), self._session.masked(state.stuck)]
            text = "\n".join(line for line in lines if line)
        text = "\n".join(clean(line, self._ascii) for line in text.splitlines())
        if text != self._said.content:
            self._said.update(text)

    def _affected(self, state: FaultState) -> str:
        """Which flows it breaks, or broke, the first by name."""
        found = []
        for number in range(1, min(self._session.flow_count(), MOST_FLOWS) + 1):
            ends = [(end.address, end.port) for end in self._session.endpoints(number)]
            if any(phrases.touches(state.fault, *one, *other) for one, other in (ends, ends[::-1])):
                found.append(self._session.summary(number))
        breaks = "breaks" if state.ended_ns is None else "broke"
        if not found:
            return f"{breaks} no flow that has been seen"
        others = f" and {status_words.plural(len(found) - 1, 'other flow')}" if len(found) > 1 else ""
        return f"{breaks} flow {found[0].number}: {found[0].client} → {found[0].server}{others}"

    def _where(self, state: FaultState) -> str:
        places = ", ".join(fault_words.PLACES[place] for place in state.places)
        whom = self._session.masked(phrases.whom(state.fault.match, "↔" if state.fault.both else "→"))
        return f"{phrases.broken(state.fault)} {whom}\nfor {phrases.length(state.fault.for_ms)}, {places}"

    def mask_changed(self) -> None:
        """Draw again what shows addresses."""
        self._list.rows_changed()
        self._say()

    def action_close(self) -> None:
        self.dismiss(None)

    def action_lift(self) -> None:
        state = self._standing()
        if state is not None:
            self._do(lambda: self._session.faults.lift(state.number), fault_words.fault_ended)

    def action_extend(self) -> None:
        state = self._standing()
        if state is None:
            return
        if state.fault.for_ms is None:
            self.notify("it lasts until it is lifted", timeout=2)
            return
        self._do(
            lambda: self._session.faults.extend(state.number, state.fault.for_ms),
            lambda now: f"rule {now.number} ends in {phrases.length(now.left_ms)}",
        )

    def _standing(self) -> FaultState | None:
        """The fault under the cursor; says why not where there is none that is in force."""
        state = self._list.selected
        if state is None:
            self.notify(self._session.faults.why_not or "nothing is broken", timeout=2, markup=False)
        elif state.ended_ns is not None:
            self.notify(
                f"rule {state.number} {phrases.ENDED[state.end]} already; R breaks it once more", timeout=3
            )
            state = None
        return state

    def action_repeat(self) -> None:
        state = self._list.selected
        if state is None:
            self._standing()
        else:
            self._do(
                lambda: self._session.faults.apply(state.fault), lambda now: f"rule {now.number} is in force"
            )

    @work
    async def _do(self, act: Callable[[], FaultState], say: Callable[[FaultState], str]) -> None:
        try:
            state = await asyncio.to_thread(act)
        except TcpladderError as refused:
            self.notify(self._session.masked(str(refused)), severity="error", markup=False)
            return
        self.notify(say(state), markup=False)
        self._look()
