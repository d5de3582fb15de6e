"""What an experiment does now and what comes next; at its end, what it came to; what the user's command says."""

from __future__ import annotations

from typing import ClassVar, Protocol, runtime_checkable

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll

from tcpladder.app.dialog import Dialog
from tcpladder.app.page import Page
from tcpladder.render.cells import clean

EVERY_S = 0.5
# A ladder that turns its page keeps a third of it: what is new comes below the frame.
COLUMNS = 74
"""What the frame leaves of its 78."""


@runtime_checkable
class Narrated(Protocol):
    """A session over a private network of the lab."""

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen."""
        ...

    def masked(self, text: str) -> str:
        """What may be shown of a text while addresses are masked."""
        ...

    def narration(self, width: int) -> list[str]:
        """Lines at most so wide where words allow it; what is new is last."""
        ...


class NarrationScreen(Dialog):
    """Stands above the newest rungs of the ladder, which goes on below it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("L", "dismiss", "close")]
    DEFAULT_CSS = """
    NarrationScreen { align: right top; }
    NarrationScreen VerticalScroll { max-height: 35%; }
    NarrationScreen.-over VerticalScroll { max-height: 60%; }
    """

    def __init__(self, session: Narrated, *, ascii_only: bool) -> None:
        super().__init__(ascii_only=ascii_only)
        self._session = session
        self._said = ""

    def on_mount(self) -> None:
        self.styles.background = "transparent"  # the app's own rule for screens comes before DEFAULT_CSS
        self._look()
        self.set_interval(EVERY_S, self._look)

    def _look(self) -> None:
        below = self.app.screen_stack[-2] if self.is_current else None
        if isinstance(below, Page):
            below.show(below.session.status())
        text = "\n".join(clean(line, self.ascii_only) for line in self._session.narration(COLUMNS))
        text = self._session.masked(text)
        if text != self._said:
            self._said = text
            self.set_class(self._session.finished, "-over")
            self.say(text)
            scroll = self.query_one(VerticalScroll)
            self.call_after_refresh(scroll.scroll_end, animate=False)
