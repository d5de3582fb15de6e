"""What an experiment does now and what comes next; at its end, what it came to; what the user's command says."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

from textual import events
from textual.binding import Binding, BindingsMap, BindingType
from textual.containers import VerticalScroll

from tcpladder.app.dialog import FRAME_COLUMNS, Dialog
from tcpladder.app.named_keys import keymap_of, named
from tcpladder.app.page import Page
from tcpladder.render.cells import clean

if TYPE_CHECKING:
    from textual.dom import DOMNode

    from tcpladder.app.app import TcpladderApp

EVERY_S = 0.5
WIDE = 158
"""Columns from which on the ladder has room enough beside it."""


@runtime_checkable
class Narrated(Protocol):
    """A session over a private network of the lab."""

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen."""
        ...

    @property
    def awaits_its_user(self) -> bool:
        """Whether a step waits for `step_on`."""
        ...

    @property
    def sums_up(self) -> bool:
        """Whether the narration is to be read from its first line on: what it came to stands there."""
        ...

    def flow_count(self) -> int: ...

    def step_on(self) -> str:
        """Take the step that waits; why there is none, empty where it was taken."""
        ...

    def masked(self, text: str) -> str:
        """What may be shown of a text while addresses are masked."""
        ...

    def narration(self, width: int) -> list[str]:
        """Lines at most so wide where words allow it; what is new is last."""
        ...


class NarrationScreen(Dialog, inherit_bindings=False):
    """Stands above the ladder, or beside it where there is room, and hides nothing of it; the ladder goes on.

    It has few keys. All others are those of the page below, which do there what they always do.
    """

    TITLE = "the narration"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "step_on", "your step, where the experiment waits; else next match"),
        Binding("left_parenthesis", "scroll(-1)", "scroll the narration up"),
        Binding("right_parenthesis", "scroll(1)", "scroll the narration down"),
        Binding("L", "close", "close the narration", id="narration"),
        Binding("escape,q", "close", "close the narration"),
        Binding("question_mark,f1", "app.help", "this help"),
    ]
    DEFAULT_CSS = """
    NarrationScreen { align: right top; }
    NarrationScreen VerticalScroll { max-height: 40%; }
    NarrationScreen.-alone VerticalScroll, NarrationScreen.-over VerticalScroll { max-height: 60%; }
    NarrationScreen.-beside VerticalScroll { max-height: 100%; }
    """

    def __init__(self, session: Narrated, *, ascii_only: bool) -> None:
        super().__init__(ascii_only=ascii_only)
        self._session = session
        self._said = ""

    @property
    def below(self) -> Page | None:
        """The page that it stands above."""
        stack = self.app.screen_stack
        page = stack[stack.index(self) - 1] if self in stack else None
        return page if isinstance(page, Page) else None

    @property
    def _modal_binding_chain(self) -> list[tuple[DOMNode, BindingsMap]]:
        """Textual ends it at a modal screen; here the page below comes after it."""
        below = self.below
        return [*super()._modal_binding_chain, *(below._binding_chain if below is not None else ())]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        """A key that this gives up is the page's: `n` finds the next match where no step waits."""
        del parameters
        from tcpladder.app.ladder_search import SearchKeys  # a list of flows goes without what finds words

        if action != "step_on":
            return True
        below = self.below
        return self._session.awaits_its_user or not (isinstance(below, SearchKeys) and below.words)

    def on_key(self, event: events.Key) -> None:
        """What is typed goes to the page's line for words while that is open."""
        below = self.below
        if below is not None and below.prompt.has_focus:
            event.stop()
            below.prompt._forward_event(events.Key(event.key, event.character))

    def on_paste(self, event: events.Paste) -> None:
        below = self.below
        if below is not None and below.prompt.has_focus:
            event.stop()
            below.prompt._forward_event(events.Paste(event.text))

    def on_mount(self) -> None:
        if self.below is not None:
            self.title = f"{self.TITLE}, and in the {self.below.TITLE} below it"
        self._look()
        self.set_interval(EVERY_S, self._look)

    def on_resize(self) -> None:
        self._look()
        self.call_after_refresh(self._make_room)

    def _make_room(self) -> None:
        beside = self.app.size.width >= WIDE
        self.set_class(beside, "-beside")
        if self.below is not None and self.is_current:
            above = 0 if beside else self.query_one(VerticalScroll).outer_size.height
            self.below.styles.padding = (above, FRAME_COLUMNS + 1 if beside else 0, 0, 0)

    def on_screen_suspend(self) -> None:
        for page in self.app.screen_stack:
            if isinstance(page, Page):
                page.styles.padding = 0

    def on_screen_resume(self) -> None:
        self.call_after_refresh(self._make_room)

    def action_close(self) -> None:
        """The line for words first, where that is open."""
        if self.below is None or not self.below.close_prompt():
            self.dismiss()

    def action_step_on(self) -> None:
        why_not = self._session.step_on()
        if why_not:
            self.notify(why_not, markup=False, timeout=3)

    def _look(self) -> None:
        below = self.below if self.is_current else None
        if below is not None:
            below.show(below.session.status())
        text = "\n".join(clean(line, self.ascii_only) for line in self._session.narration(self.columns))
        text = self._session.masked(text)
        scroll = self.query_one(VerticalScroll)
        yours = self._session.awaits_its_user
        closes = named("{narration:L} close", keymap_of(self.app))
        turns = "( ) scroll  " if scroll.max_scroll_y else ""
        scroll.border_subtitle = f"{'n your step  ' if yours else ''}{turns}{closes}  ? help"
        if text != self._said:
            self._said = text
            self.set_class(self._session.finished, "-over")
            self.set_class(not self._session.flow_count(), "-alone")
            self.say(text)
            turn = scroll.scroll_home if self._session.sums_up else scroll.scroll_end
            self.call_after_refresh(turn, animate=False)
            self.call_after_refresh(self._make_room)


def begin(app: TcpladderApp) -> None:
    """A lab opens with its narration."""
    if isinstance(app.session, Narrated):
        app.push_screen(NarrationScreen(app.session, ascii_only=app.taste.ascii_only))


def beneath(app: TcpladderApp, show: Callable[[], None]) -> None:
    """Show another page, below the narration where that is open."""
    narrated = isinstance(app.screen, NarrationScreen)
    if narrated:
        app.pop_screen()
    show()
    if narrated:
        app.call_after_refresh(begin, app)
