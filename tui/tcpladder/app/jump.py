"""Jump mode: a letter stands on each pane and control that can have the focus; typing it goes there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets import Static

from tcpladder.app.narration_screen import NarrationScreen

if TYPE_CHECKING:
    from tcpladder.app.app import TcpladderApp

LETTERS = "asdfghjklwertyuiopzxcvbnm"
"""The row under the fingers first; q leaves, as everywhere."""
BINDINGS: list[BindingType] = [
    Binding("semicolon", "jump", "jump: a letter on each pane, which goes there"),
    Binding("ctrl+o", "jump('anywhere')", "jump, also in a dialog", show=False, priority=True),
]
"""Those of the app; the second one reaches through dialogs and past words that are typed."""


class JumpScreen(ModalScreen[None], inherit_bindings=False):
    """Stands above a screen and hides nothing of it but a few cells.

    Args:
        below: the screen whose panes are meant.
    """

    TITLE = "jump mode"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,semicolon", "dismiss", "leave jump mode"),
        Binding("question_mark,f1", "app.help", "this help"),
    ]
    DEFAULT_CSS = """
    JumpScreen Static { position: absolute; width: 3; height: 1; text-style: bold reverse; }
    JumpScreen #keys { dock: bottom; position: relative; width: 1fr; text-style: none; background: $panel;
        color: $foreground; }
    """

    def __init__(self, below: Screen[Any]) -> None:
        super().__init__()
        self._below = below
        self._letters = dict(zip(LETTERS, below.focus_chain, strict=False))

    def compose(self) -> ComposeResult:
        for letter in self._letters:
            yield Static(f" {letter} ", id=f"to-{letter}", markup=False)
        yield Static(" a letter goes to its pane   Esc leaves", id="keys", markup=False)

    def on_mount(self) -> None:
        self._place()

    def on_resize(self) -> None:
        self.call_after_refresh(self._place)

    def on_screen_resume(self) -> None:
        self.call_after_refresh(self._place)  # a narration that is covered gives its room back

    def _place(self) -> None:
        for letter, pane in self._letters.items():
            label, region = self.query_one(f"#to-{letter}"), pane.region
            label.display = bool(region) and pane.is_attached
            label.styles.offset = (max(0, min(region.x, self.size.width - 3)), region.y)

    def on_key(self, event: events.Key) -> None:
        """To the pane with this letter; what has none stays here, and says so."""
        if not event.is_printable or event.key in ("q", "semicolon", "question_mark"):
            return
        event.stop()
        pane = self._letters.get((event.character or "").lower())
        if pane is None:
            self.notify("no pane has this letter: Esc leaves", timeout=2)
            return
        self.dismiss()
        _focus(self._below, pane)


def _focus(screen: Screen[Any], pane: Widget) -> None:
    """Give a pane the keys, also where its screen stands below a narration."""
    if pane.is_attached:
        screen.set_focus(pane)


def jump(app: TcpladderApp, anywhere: str = "") -> None:
    """The action of both keys."""
    del anywhere
    screen: Screen[object] = app.screen
    if isinstance(screen, JumpScreen):
        screen.dismiss()
        return
    if isinstance(screen, NarrationScreen) and screen.below is not None:
        app.push_screen(JumpScreen(screen.below))
    elif screen.focus_chain:
        app.push_screen(JumpScreen(screen))
    else:
        app.notify("there is one thing here, and it has the keys", timeout=2)
