"""The map of a flow: all of it in one line below the ladder, and where in it the cursor is. A click goes there."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from tcpladder.app.ladder_view import LadderView
from tcpladder.app.page import Page
from tcpladder.app.seek_bar import SeekBar
from tcpladder.app.terminal import Taste
from tcpladder.ladder import words
from tcpladder.ladder.model import Note, Role
from tcpladder.ladder.overview import Overview, overview
from tcpladder.render.overview import draw_overview
from tcpladder.session.exportable import notes_of

WIDE, TALL = 160, 40
"""Cells and lines from which on the map is there without being asked for."""
FRESH = 50
"""A live flow is counted again when it has grown by one part in so many, or by a cell."""
STYLES: dict[Role, str] = {
    Role.CURSOR: "bold $accent",
    Role.ARROW: "$text-muted",
    Role.ARROW_PROBE: "$text-accent",
    Role.ARROW_RETRANSMISSION: "bold $text-warning",
    Role.ARROW_RESET: "bold $text-error",
    Role.LOST: "bold $text-error",
    Role.NOTE: "bold $text-primary",
}


class LadderMap(SeekBar):
    """` 18.3 s ▕▁▂r●  p▏`: from the first segment of the flow to the last."""

    DEFAULT_CSS = "LadderMap { height: 1; width: 1fr; display: none; } LadderMap.-open { display: block; }"

    class Went(Message):
        """A person wants to go to a segment."""

        def __init__(self, segment: int) -> None:
            super().__init__()
            self.segment = segment

    def __init__(self, ladder: LadderView, taste: Taste) -> None:
        super().__init__("map", ascii_only=taste.ascii_only)
        self._ladder = ladder
        self._flow: Overview | None = None
        self._counted: object = None
        self._segments = 0
        self._cursor: int | None = None

    def look(self, notes: tuple[Note, ...]) -> None:
        """Follow the flow and the cursor; counts only what is worth it."""
        view, cells = self._ladder.view, max(self.size.width - 14, 0)
        counted = (id(view), view.restarts, view.losses, cells, notes)
        if counted != self._counted or self._has_grown():
            self._flow = overview(view, cells, (note.time_ns for note in notes if not note.continues))
            self._counted, self._segments = counted, len(view.time_ns)
            self.refresh()
        if self._ladder.segment != self._cursor:
            self._cursor = self._ladder.segment
            self.refresh()

    def _has_grown(self) -> bool:
        times = self._ladder.view.time_ns
        if len(times) == self._segments:
            return False
        if self._flow is None or len(times) - self._segments > self._segments // FRESH:
            return True
        return int(times[-1]) > self._flow.end_ns + self._flow.span_ns // max(len(self._flow.segments), 1)

    def render(self) -> Content:
        if self._flow is None:
            return Content("")
        left = f" {words.about(self._flow.span_ns):>10} "
        spans = draw_overview(self._flow, self._cursor, ascii_only=self._ascii)
        return self.bar((left, "$text-muted"), [(text, STYLES[role]) for text, role in spans])

    def go(self, cell: int) -> None:
        if self._flow is not None:
            self.post_message(self.Went(int(self._flow.first[cell])))


class MapKeys(Page):
    """A page with a ladder, and a map of it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "map", "map of the whole flow in one line, a click goes there"),
    ]
    ladder: LadderView
    map: LadderMap
    numbers: tuple[int, ...]
    _map_wanted: bool | None = None
    """Whether a person wants it; None: where there is room."""

    @property
    def has_map(self) -> bool:
        """Whether the map is on the screen."""
        return self.map.has_class("-open")

    def show_map(self) -> None:
        """Draw what changed on the map, after the ladder itself."""
        size = self.app.size
        wanted = self._map_wanted
        self.map.set_class(size.width >= WIDE or size.height >= TALL if wanted is None else wanted, "-open")
        if self.has_map:
            self.call_after_refresh(self._look)

    def _look(self) -> None:
        if self.is_attached:
            self.map.look(notes_of(self.session, self.numbers))

    def action_map(self) -> None:
        self._map_wanted = not self.has_map
        self.show_map()

    def on_ladder_map_went(self, message: LadderMap.Went) -> None:
        ladder = self.ladder.ladder
        self.ladder.jump(ladder.row_of_segment(min(message.segment, ladder.segments - 1)))
