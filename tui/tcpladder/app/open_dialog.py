"""Asks which capture to open, completes paths, and stays until one is open or its user thinks better of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tcpladder.app.open_offers import Offer, completed, offers
from tcpladder.app.terminal import Taste
from tcpladder.errors import TcpladderError
from tcpladder.render.cells import clean, elide, left
from tcpladder.session.base import Session

NAME_CELLS = 30
LINES = 12
"""The most of them."""
AROUND = 11
"""Lines of the dialog around them where its sentences take two each."""
_KEYS = "choose  tab complete  enter open  esc back"


class OpenDialog(ModalScreen[Session | None], inherit_bindings=False):
    """Returns the session over the capture, not started yet; None where nothing was opened.

    Args:
        open_capture: makes the session, in a thread; raises TcpladderError.
    """

    TITLE = "open"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "choose(-1)", "the line above"),
        Binding("down", "choose(1)", "the line below"),
        Binding("tab", "complete", "complete the path", priority=True),
        Binding("escape", "cancel", "open nothing"),
    ]
    DEFAULT_CSS = """
    OpenDialog { align: center middle; }
    OpenDialog Vertical { width: 78; max-width: 100%; height: auto; max-height: 100%; border: round $accent;
        padding: 0 1; background: $surface; }
    OpenDialog.-ascii Vertical { border: ascii $accent; }
    OpenDialog Static { height: auto; }
    OpenDialog Input { height: 1; border: none; padding: 0; background: $boost; margin-bottom: 1; }
    OpenDialog #said { color: $text-warning; }
    OpenDialog #keys { color: $text-muted; margin-top: 1; }
    """

    def __init__(self, open_capture: Callable[[str], Session], taste: Taste) -> None:
        super().__init__()
        self._open_capture, self._ascii, self._recent = open_capture, taste.ascii_only, taste.recent
        self._offers: list[Offer] = []
        self._chosen = 0
        self._list = Static(id="list", markup=False)
        self._said = Static(id="said", markup=False)
        self.set_class(taste.ascii_only, "-ascii")

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static("Open a capture: pcap, pcapng, snoop or a listing, compressed or not", markup=False)
            yield Input(placeholder="a path, or part of a name", compact=True)
            yield self._list
            yield self._said
            yield Static(f"{'up, down' if self._ascii else '↑↓'} {_KEYS}", id="keys", markup=False)

    def on_mount(self) -> None:
        self.query_one(Input).focus()
        self._offer()

    def on_resize(self) -> None:
        self._draw()

    @on(Input.Changed)
    def _offer(self) -> None:
        self._offers, self._chosen = offers(self.query_one(Input).value.strip(), self._recent), 0
        self._said.update("")
        self._draw()

    def _draw(self) -> None:
        most = max(3, min(LINES, self.app.size.height - AROUND))
        first = max(0, min(self._chosen - most // 2, len(self._offers) - most))
        width = max(20, min(78, self.app.size.width) - 4)
        lines = []
        for place, offer in enumerate(self._offers[first : first + most], first):
            cursor = (">" if self._ascii else "▌") if place == self._chosen else " "
            name = left(elide(offer.name, NAME_CELLS, self._ascii), NAME_CELLS, self._ascii)
            text = clean(f"{cursor} {name}  {offer.remark}", self._ascii)
            lines.append(
                Content.styled(left(text, width, self._ascii), "bold" if place == self._chosen else "")
            )
        more = len(self._offers) - first - most
        if more > 0:
            lines.append(Content.styled(f"  {more} more", "dim"))
        self._list.update(Content("\n").join(lines) if lines else "no file begins so")

    def action_choose(self, by: int) -> None:
        if self._offers:
            self._chosen = (self._chosen + by) % len(self._offers)
            self._draw()

    def action_complete(self) -> None:
        prompt = self.query_one(Input)
        chosen = self._offers[self._chosen] if self._offers else None
        typed = completed(prompt.value)
        if typed == prompt.value and chosen is not None:
            typed = chosen.path
        self._type(typed)

    def _type(self, text: str) -> None:
        prompt = self.query_one(Input)
        prompt.value = text
        prompt.cursor_position = len(text)

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        chosen = self._offers[self._chosen] if self._offers else None
        if chosen is not None and chosen.is_directory:
            self._type(chosen.path)
            return
        path = chosen.path if chosen is not None else event.value.strip()
        if path:
            self._said.update("opening")
            self._open(path)

    @work(thread=True, exclusive=True)
    def _open(self, path: str) -> None:
        """In a thread: a pipe that nobody writes to does not answer."""
        try:
            session = self._open_capture(str(Path(path).expanduser()))
        except (TcpladderError, RuntimeError) as refused:
            self.app.call_from_thread(self._said.update, str(refused))
        else:
            self.app.call_from_thread(self._opened, session)

    def _opened(self, session: Session) -> None:
        if self.is_current:
            self.dismiss(session)
        else:
            session.close()

    def action_cancel(self) -> None:
        self.dismiss(None)
