"""The list of flows as a widget: one row a flow, drawn only while it is on the screen."""

from __future__ import annotations

from textual.strip import Strip

from tcpladder.analysis.view import FlowSummary
from tcpladder.app.contract import Session
from tcpladder.app.flow_order import FlowOrder, Sort
from tcpladder.app.row_view import RowView
from tcpladder.ladder import words
from tcpladder.ladder.model import Role
from tcpladder.render.cells import endpoint
from tcpladder.render.flow_row import NARROW_BELOW

_STATE, _COUNT, _FEW = 11, 5, 4
_MIN_END = 11
_MIN_ADDRESS = 12
_MAX_ADDRESS = 47
"""Cells of the longest endpoint: a full IPv6 address in brackets, a colon, a port."""


def _few(width: int) -> int:
    """Cells of each of the two small counters; none where the end would be cut for them."""
    return 0 if width < NARROW_BELOW else _FEW


def address_width(width: int) -> int:
    """Cells for each of the two endpoints in a table of `width` cells."""
    fixed = 2 + 2 + _STATE + _COUNT + 2 * _few(width) + 2 + _MIN_END
    return max(_MIN_ADDRESS, min(_MAX_ADDRESS, (width - fixed) // 2))


def _columns(width: int, cells: tuple[str, str, str, str, str, str, str]) -> str:
    """Seven cells in their columns, without the two of the cursor, exactly `width - 2` cells."""
    client, server, state, segments, probes, retransmissions, end = cells
    address, few = address_width(width), _few(width)
    counters = f"{probes:>{few}}{retransmissions:>{few}}" if few else ""
    text = (
        f"{client:<{address}} {server:<{address}} {state[: _STATE - 1]:<{_STATE}}"
        f"{segments:>{_COUNT}}{counters}  {end}"
    )
    return text[: width - 2].ljust(width - 2)


def heading(width: int) -> str:
    """The words above the columns."""
    return "  " + _columns(width, ("client", "server", "state", "segs", "prb", "rtx", "end"))


def _end_role(summary: FlowSummary) -> Role:
    return Role.LABEL if summary.ended in (None, "closed") else Role.WARNING


class FlowTable(RowView):
    """The flows of a session in the order of `order`."""

    def __init__(self, session: Session, *, ascii_only: bool, sort: Sort) -> None:
        super().__init__(id="flows")
        self._session = session
        self._ascii = ascii_only
        self._frozen: dict[int, FlowSummary] | None = None
        self.order = FlowOrder(session, sort)
        self.marked: set[int] = set()
        """Numbers of the flows that a person marked."""

    def row_count(self) -> int:
        return len(self.order.numbers)

    @property
    def selected(self) -> int | None:
        """Number of the flow under the cursor."""
        numbers = self.order.numbers
        return numbers[self.cursor] if self.cursor < len(numbers) else None

    def summary(self, number: int) -> FlowSummary:
        """What to draw of a flow: as it is, or as it was when the list was paused."""
        if self._frozen is None:
            return self._session.summary(number)
        if number not in self._frozen:
            self._frozen[number] = self._session.summary(number)
        return self._frozen[number]

    def freeze(self, on: bool) -> None:
        """Keep what is on the screen as it is, or let it go on."""
        self._frozen = {} if on else None
        if on:
            for number in self.order.numbers[self.top : self.top + self.page]:
                self.summary(number)

    def look(self) -> bool:
        """Follow the session. The cursor stays on its flow while the rows move. True if anything was drawn."""
        if self.order.settled:
            return False
        selected = self.selected
        moved = self.order.look() and not self.following
        self.rows_changed()
        if moved:
            self.keep(selected)
        return True

    def keep(self, number: int | None) -> None:
        """Put the cursor on a flow, where the list still has it."""
        numbers = self.order.numbers
        if number is not None and self.selected != number and number in numbers:
            self.go_to(numbers.index(number))

    def draw_row(self, row: int, width: int, selected: bool) -> Strip:
        number = self.order.numbers[row]
        summary = self.summary(number)
        address = address_width(width)
        cursor = (">" if self._ascii else "▌") if selected else " "
        text = _columns(
            width,
            (
                endpoint(summary.client, address, self._ascii),
                endpoint(summary.server, address, self._ascii),
                summary.state,
                words.count(summary.segments),
                words.count(summary.keepalive_probes),
                words.count(summary.retransmissions),
                summary.ended or ("-" if self._ascii else "–"),
            ),
        )
        mark = "*" if number in self.marked else " "
        before_end = 2 * (address + 1) + _STATE + _COUNT + 2 * _few(width)
        spans = (
            (cursor, Role.CURSOR),
            (mark, Role.NOTE),
            (text[:before_end], Role.LABEL),
            (text[before_end:], _end_role(summary)),
        )
        return self._styles.strip(spans, width, selected)

    def toggle_mark(self) -> None:
        """Mark the flow under the cursor, or take its mark away; go on to the next one."""
        if self.selected is not None:
            self.marked ^= {self.selected}
            self.row_changed(self.cursor)
            self.action_move(1)
