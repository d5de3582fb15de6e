"""One rung, in full: findings, dissected headers, hex."""

from __future__ import annotations

from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.worker import get_current_worker

from tcpladder.app import privacy
from tcpladder.app.contract import Session, SessionStatus
from tcpladder.app.detail_view import DetailView, Line, findings
from tcpladder.app.dissection import dissected
from tcpladder.app.feed import Feed
from tcpladder.app.page import Page
from tcpladder.app.status_words import alarm
from tcpladder.app.terminal import Taste
from tcpladder.ladder import words
from tcpladder.render.grid import flow_title


class DetailScreen(Page):
    """The segment `index` of flow `number`."""

    TITLE = "detail"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left_square_bracket,N", "rung(-1)", "previous rung"),
        Binding("right_square_bracket,n", "rung(1)", "next rung"),
    ]
    KEYS = "↑↓ scroll  [ ] previous, next rung  y copy this line  esc back  ? help"

    def __init__(self, session: Session, feed: Feed, taste: Taste, *, number: int, index: int) -> None:
        super().__init__(session, feed, taste)
        self._number = number
        self.index = index
        """The segment that is shown."""
        self._detail = DetailView(ascii_only=taste.ascii_only)

    def compose_body(self) -> ComposeResult:
        yield self._detail

    def on_mount(self) -> None:
        self.focus_body()
        self._load()

    def focus_body(self) -> None:
        self._detail.focus()

    def show_lines(self, status: SessionStatus) -> None:
        view = self.session.view(self._number)
        count = len(view.time_ns)
        title = flow_title(view.summary, max(20, self.size.width - 24), self.ascii_only)
        self.head.say(f" {title}", f"rung {self.index + 1:,} of {count:,} ")
        time_ns = int(view.time_ns[self.index])
        clock = words.clock(time_ns, self.taste.timezone) if time_ns > 0 else ""
        self.say_why(f"{clock}\n{alarm(status)}".rstrip())
        self.say_status(status, Content(status.name).plain)

    def action_rung(self, by: int) -> None:
        last = len(self.session.view(self._number).time_ns) - 1
        index = max(0, min(last, self.index + by))
        if index != self.index:
            self.index = index
            self._load()
            self.show_lines(self.session.status())
        else:
            self.notify(f"this is the {'last' if by > 0 else 'first'} rung", timeout=2)

    def _load(self) -> None:
        known = findings(self.session.view(self._number), self.index)
        if self.session.mask is not None:
            self._detail.show_lines([*known, *privacy.HIDDEN], keep_place=False)
            return
        self._detail.show_lines(known, keep_place=False)
        self._dissect(self.index, known)

    def mask_changed(self) -> None:
        self.workers.cancel_node(self)
        self._load()

    @work(thread=True, exclusive=True)
    def _dissect(self, index: int, known: list[Line]) -> None:
        lines = [*known, *dissected(self.session, self._number, index)]
        if not get_current_worker().is_cancelled:
            self.app.call_from_thread(self._show_dissected, index, lines)

    def _show_dissected(self, index: int, lines: list[Line]) -> None:
        if index == self.index and self.is_attached and self.session.mask is None:
            self._detail.show_lines(lines, keep_place=True)

    @property
    def flows_to_export(self) -> list[int]:
        return [self._number]

    def row_text(self) -> str:
        return self._detail.row_text()
