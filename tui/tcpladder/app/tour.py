"""Five steps over the real screen, once: what the list says, what a silence is, how to break, keep, and be helped."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from tcpladder.app.named_keys import keymap_of, named
from tcpladder.app.page import Page
from tcpladder.render.cells import clean
from tcpladder.store.once import first_time

if TYPE_CHECKING:
    from tcpladder.app.app import TcpladderApp

OFF = "TCPLADDER_TOUR"
"""With `off`, nobody is shown around; --no-tour sets it."""
SETTLES_S = 0.8
"""Until there is something to see behind it."""
STEPS: tuple[str, ...] = (
    "Every line is a connection. The column `end` says how it ended; below the rule stands why. {filter:/} keeps those"
    " that you look for: ended:no-answer",
    "{open:Enter} draws a connection as a ladder: time goes down. A quiet row between two rungs is a silence, with the"
    " timer that explains it; a dashed rung below the last one has not been sent yet, and must come next.",
    "{open:Enter} on a rung says what it is and because of what; {timers:T} shows the timers of both ends, counting"
    " down.",
    "{break_flow:D} breaks a connection (live and lab): it shows what will be done, and how long, before it does it."
    " {lift:U} lifts it. What is broken stands in the status line, and is taken back when you leave.",
    "{export:e} exports a ladder, {save:w} saves the frames as pcapng, {copy:y} copies a row. {help:?} names the keys"
    " of where you are, {commands::} finds every command. {leave:q} goes back.",
)


class Tour(ModalScreen[None], inherit_bindings=False):
    """One step after the other at the foot of what is open."""

    TITLE = "the tour"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space,right", "step(1)", "next step"),
        Binding("left,backspace", "step(-1)", "previous step"),
        Binding("escape,q", "dismiss", "leave the tour"),
    ]
    DEFAULT_CSS = """
    Tour { align: center bottom; }
    Tour Vertical { width: 1fr; max-width: 124; height: auto; border: round $accent; padding: 0 1; background: $surface;
        margin: 0 1 6 1; }
    Tour.-ascii Vertical { border: ascii $accent; }
    Tour Static { height: auto; }
    Tour #keys { color: $text-muted; }
    """

    def __init__(self, *, ascii_only: bool) -> None:
        super().__init__(classes="-ascii" if ascii_only else None)
        self._ascii = ascii_only
        self._at = 0
        self._words, self._keys = Static(markup=False), Static(id="keys", markup=False)

    def compose(self) -> ComposeResult:
        with Vertical():
            yield self._words
            yield self._keys

    def on_mount(self) -> None:
        self.action_step(0)

    def action_step(self, by: int) -> None:
        """Go on or back; behind the last step it is over."""
        if self._at + by >= len(STEPS):
            self.dismiss()
            return
        self._at = max(0, self._at + by)
        keymap, on = keymap_of(self.app), "ends" if self._at == len(STEPS) - 1 else "next"
        step = named(STEPS[self._at], keymap)
        self._words.update(clean(f"{self._at + 1} of {len(STEPS)}   {step}", self._ascii))
        back = "Left back   Esc leaves; {commands::} and the word tour brings it back"
        self._keys.update(named(f"Enter {on}   {back}", keymap))


def begin(app: TcpladderApp) -> None:
    """Show around who is here for the first time."""
    if app.taste.tour and os.environ.get(OFF) != "off":
        app.set_timer(SETTLES_S, lambda: _first(app))


def _first(app: TcpladderApp) -> None:
    if isinstance(app.screen, Page) and first_time("tour"):
        show(app)


def show(app: TcpladderApp) -> None:
    """Show around."""
    app.push_screen(Tour(ascii_only=app.taste.ascii_only))
