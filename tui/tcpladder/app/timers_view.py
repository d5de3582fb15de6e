"""The timers of a flow beside or below the body of a page, counting down once a second."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from tcpladder.app.contract import Session
from tcpladder.app.line_driver import is_congested
from tcpladder.app.named_keys import keymap_of, named
from tcpladder.app.row_view import RowView
from tcpladder.errors import TcpladderError
from tcpladder.render.grid import Line, plain

if TYPE_CHECKING:
    from tcpladder.ladder.timers import TimerRow

BESIDE_FROM = 110
"""Columns from which on the panel stands beside the body."""
EVERY_S = 1.0


class TimersView(RowView):
    """What both ends run with, and what runs now."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("S", "set", "set the sysctl of this row, until the session ends"),
        Binding("B", "put_back", "put back every sysctl that was set here"),
    ]

    def __init__(self, session: Session, *, ascii_only: bool) -> None:
        super().__init__(id="timers")
        self._session = session
        self._ascii = ascii_only
        self._lines: list[Line] = []
        self.number: int | None = None
        """The flow."""

    def look(self) -> None:
        """Draw the rows that changed."""
        lines: list[Line] = []
        if self.number is not None and self.row_width:
            from tcpladder.ladder.timers import timer_rows  # a panel that is closed needs none of it
            from tcpladder.render.timers import timer_lines

            now_ns = self._session.status().now_ns
            rows = (*timer_rows(self._session.timers(self.number)), *self._changed_rows())
            lines = timer_lines(rows, self.row_width, now_ns, ascii_only=self._ascii)
        before, self._lines = self._lines, lines
        if len(before) != len(lines):
            self.rows_changed()
            return
        for row, (old, new) in enumerate(zip(before, lines, strict=True)):
            if old != new:
                self.row_changed(row)

    def _changed_rows(self) -> Iterator[TimerRow]:
        """What S has set, and what it was."""
        from tcpladder.ladder.timers import TimerRow

        for name, one in self._session.faults.sysctls.items():
            puts_back = named("{put_back:B} puts it back", keymap_of(self.app))
            yield TimerRow(name="set", now=f"{name} {one.value}, was {one.before}; {puts_back}", heading=True)

    # Setting sysctls

    def action_set(self) -> None:
        from tcpladder.analysis.names import SETTINGS
        from tcpladder.app.ask_number import AskNumber

        faults = self._session.faults
        name = (self.row_text().split() or [""])[0]
        sysctl = SETTINGS[name].sysctl if name in SETTINGS else ""
        if faults.why_not:
            self.notify(faults.why_not.replace("broken", "changed"), severity="warning", markup=False)
        elif not sysctl:
            self.notify(
                "stand on a row with a sysctl: keepalive_time, keepalive_intvl, syn_retries ...", timeout=4
            )
        else:
            means = SETTINGS[name].meaning
            question = f"{sysctl} of this network namespace ({means}), until the session ends"
            self.app.push_screen(AskNumber(question, ascii_only=self._ascii), partial(self._typed, sysctl))

    def _typed(self, sysctl: str, value: int | None) -> None:
        if value is not None:
            self._set({sysctl: value})

    def action_put_back(self) -> None:
        changed = self._session.faults.sysctls
        if not changed:
            self.notify("no sysctl has been set", timeout=2)
        else:
            self._set(dict.fromkeys(changed))

    @work
    async def _set(self, values: Mapping[str, int | None]) -> None:
        said = []
        for name, value in values.items():
            try:
                now = await asyncio.to_thread(self._session.faults.set_sysctl, name, value)
                said.append(f"{name} is {now.value}" + ("" if value is None else f", was {now.before}"))
            except TcpladderError as refused:
                said.append(str(refused))
        self.notify("\n".join(said), markup=False)
        self.look()

    def on_resize(self) -> None:
        self._lines = []
        self.look()
        self.rows_changed()

    def row_count(self) -> int:
        return len(self._lines)

    def draw_row(self, row: int, width: int, selected: bool) -> Strip:
        return self._styles.strip(self._lines[row], width, selected and self.has_focus)

    def on_focus(self) -> None:
        self.row_changed(self.cursor)

    def on_blur(self) -> None:
        self.row_changed(self.cursor)

    def row_text(self) -> str:
        """The line under the cursor."""
        return plain(self._lines[self.cursor]).strip() if self._lines else ""


class WithTimers(Container):
    """The body of a page, and the panel beside it where the screen is wide, else below it."""

    DEFAULT_CSS = """
    WithTimers { layout: vertical; height: 1fr; width: 1fr; }
    WithTimers > Vertical { height: 1fr; width: 1fr; }
    WithTimers > TimersView { display: none; height: 11; max-height: 60%; border-top: solid $accent; }
    WithTimers.-ascii > TimersView { border-top: ascii $accent; }
    WithTimers.-open > TimersView { display: block; }
    WithTimers.-beside { layout: horizontal; }
    WithTimers.-beside > TimersView {
        width: 58; height: 1fr; max-height: 100%; border-top: none; border-left: solid $accent;
    }
    WithTimers.-beside.-ascii > TimersView { border-left: ascii $accent; }
    """

    def __init__(self, session: Session, *body: Widget, ascii_only: bool) -> None:
        super().__init__(classes="-ascii" if ascii_only else None)
        self._session = session
        self._body = body
        self._tick: Timer | None = None
        self.view = TimersView(session, ascii_only=ascii_only)

    def compose(self) -> ComposeResult:
        with Vertical():
            yield from self._body
        yield self.view

    def on_mount(self) -> None:
        self._tick = self.set_interval(EVERY_S, self._count_down, pause=True)

    def on_resize(self) -> None:
        self.set_class(self.size.width >= BESIDE_FROM, "-beside")

    @property
    def is_open(self) -> bool:
        """Whether the panel can be seen."""
        return self.has_class("-open")

    def open(self, number: int | None) -> None:
        """Show the timers of a flow."""
        self.add_class("-open")
        if self._tick is not None:
            self._tick.resume()
        self.show(number)

    def close(self) -> None:
        """Hide the panel."""
        self.remove_class("-open")
        if self._tick is not None:
            self._tick.pause()

    def show(self, number: int | None) -> None:
        """Be about this flow, if the panel is open."""
        if self.is_open:
            self.view.number = number
            self.view.look()

    def _count_down(self) -> None:
        if (
            self.screen.is_current
            and self._session.status().phase in ("running", "waiting")
            and not is_congested(self.app)
        ):
            self.view.look()
