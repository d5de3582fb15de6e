"""One rung, in full: findings, what the standard says, dissected headers and bytes, timers, the same elsewhere."""

from __future__ import annotations

from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.content import Content
from textual.events import Resize
from textual.worker import get_current_worker

from tcpladder.app.contract import Session, SessionStatus
from tcpladder.app.detail_view import DetailLine, DetailView, findings, hidden
from tcpladder.app.detail_words import both_ends, elsewhere, standard
from tcpladder.app.dissection import dissected
from tcpladder.app.feed import Feed
from tcpladder.app.hex_view import HexView
from tcpladder.app.page import Page
from tcpladder.app.status_words import alarm
from tcpladder.app.terminal import Taste
from tcpladder.ladder import words
from tcpladder.render.cells import elide
from tcpladder.render.grid import flow_title

BESIDE_FROM = 150
"""Columns from which on the bytes stand beside the fields."""


class DetailScreen(Page):
    """The segment `index` of flow `number`."""

    TITLE = "detail"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left_square_bracket,N", "rung(-1)", "previous rung"),
        Binding("right_square_bracket,n", "rung(1)", "next rung"),
    ]
    KEYS = "↑↓ field  tab bytes  [ ] previous, next rung  y copy  esc back  ? help"

    DEFAULT_CSS = """
    DetailScreen #split { height: 1fr; }
    DetailScreen HexView { border-top: solid $accent; }
    DetailScreen.-ascii HexView { border-top: ascii $accent; }
    DetailScreen.-wide #split { layout: horizontal; }
    DetailScreen.-wide HexView { width: 78; height: 1fr; border-top: none; border-left: solid $accent; }
    DetailScreen.-wide.-ascii HexView { border-left: ascii $accent; }
    DetailScreen.-gone HexView { display: none; }
    """

    def __init__(self, session: Session, feed: Feed, taste: Taste, *, number: int, index: int) -> None:
        super().__init__(session, feed, taste)
        self._number = number
        self.index = index
        """The segment that is shown."""
        self._detail = DetailView(ascii_only=taste.ascii_only)
        self._hex = HexView(ascii_only=taste.ascii_only)
        self._known: list[DetailLine] = []
        self._tree: list[DetailLine] = []
        self._frame = b""
        self._pointed = ""
        """What the cursor points at: bytes of a field, or fields of some bytes."""
        self.set_class(taste.ascii_only, "-ascii")

    def compose_body(self) -> ComposeResult:
        with Container(id="split"):
            yield self._detail
            yield self._hex

    def on_mount(self) -> None:
        self.focus_body()
        self._load()

    def focus_body(self) -> None:
        self._detail.focus()

    def on_resize(self, event: Resize) -> None:
        wide = event.size.width >= BESIDE_FROM
        self.set_class(wide, "-wide")
        if not wide:
            rows = 4 if event.size.height < 30 else 6 if event.size.height < 45 else 12
            self._hex.styles.height = rows + 1
        else:
            self._hex.styles.height = "1fr"

    def show_body(self, status: SessionStatus) -> None:
        """The timers go on while the rest of the segment stays."""
        del status
        self._show(keep_place=True)

    def show_lines(self, status: SessionStatus) -> None:
        view = self.session.view(self._number)
        count = len(view.time_ns)
        title = flow_title(view.summary, max(20, self.size.width - 24), self.ascii_only)
        self.head.say(f" {title}", f"rung {self.index + 1:,} of {count:,} ")
        time_ns = int(view.time_ns[self.index])
        clock = words.clock(time_ns, self.taste.timezone) if time_ns > 0 else ""
        room = max(1, self.size.width - 2)
        pointed = elide(self._pointed, room, self.ascii_only)
        self.say_why(f"{clock}\n{alarm(status) or pointed}".rstrip())
        self.say_status(status, Content(status.name).plain)

    def on_row_view_moved(self) -> None:
        """Field and bytes show each other."""
        if isinstance(self.focused, HexView):
            line = self._hex.span
            fields = self._detail.mark(line)
            self._hex.mark(None)
            self._pointed = f"{_bytes(line)}: {', '.join(fields)}" if fields else _bytes(line)
        else:
            span = self._detail.span
            self._hex.mark(span)
            self._detail.mark((0, 0))
            self._pointed = "" if span is None else f"{_bytes(span)} of {len(self._frame)}"
        self.show_lines(self.session.status())

    def on_descendant_focus(self) -> None:
        if self._frame:
            self.on_row_view_moved()

    def action_rung(self, by: int) -> None:
        last = len(self.session.view(self._number).time_ns) - 1
        index = max(0, min(last, self.index + by))
        if index == self.index:
            self.notify("this is the last rung" if by > 0 else "this is the first rung", timeout=2)
            return
        self.index = index
        self._load()
        self.show_lines(self.session.status())

    def _load(self) -> None:
        view = self.session.view(self._number)
        masked = self.session.mask is not None
        self._known = [*findings(view, self.index), *standard(view, self.index)]
        self._tree, self._frame, self._pointed = hidden(self.taste.keymap) if masked else [], b"", ""
        self._hex.show_frame(b"")
        self.set_class(masked, "-gone")
        self._show(keep_place=False)
        if not masked:
            self._dissect(self.index)

    def _show(self, *, keep_place: bool) -> None:
        timers = both_ends(
            self.session, self._number, max(20, self._detail.row_width - 4), ascii_only=self.ascii_only
        )
        same = elsewhere(self.session, self._number, self.index, self.taste.keymap)
        self._detail.show_lines([*self._known, *self._tree, *timers, *same], keep_place=keep_place)

    def mask_changed(self) -> None:
        self.workers.cancel_node(self)
        self._load()

    @work(thread=True, exclusive=True)
    def _dissect(self, index: int) -> None:
        lines, frame = dissected(self.session, self._number, index)
        if not get_current_worker().is_cancelled:
            self.app.call_from_thread(self._show_dissected, index, lines, frame)

    def _show_dissected(self, index: int, lines: list[DetailLine], frame: bytes) -> None:
        if index == self.index and self.is_attached and self.session.mask is None:
            self._tree, self._frame = lines, frame
            self._hex.show_frame(frame)
            self.set_class(not frame, "-gone")
            self._show(keep_place=True)
            self.on_row_view_moved()

    @property
    def flows_to_export(self) -> list[int]:
        return [self._number]

    def row_text(self) -> str:
        return self._hex.row_text() if isinstance(self.focused, HexView) else self._detail.row_text()


def _bytes(span: tuple[int, int]) -> str:
    """`byte 12`, `bytes 12 to 15`."""
    first, behind = span
    return f"byte {first}" if behind - first == 1 else f"bytes {first} to {behind - 1}"
