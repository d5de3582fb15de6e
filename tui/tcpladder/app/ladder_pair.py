"""The keys about the marked rung and the one under the cursor: copying what lies between, comparing the two."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from tcpladder.app import clipboard
from tcpladder.app.ladder_view import LadderView
from tcpladder.app.page import Page
from tcpladder.ladder.pair import Pair
from tcpladder.render import grid
from tcpladder.render.text import ladder_text

MOST_ROWS = 20_000
"""More than that is no matter for a clipboard, and takes longer than a key may."""


class PairKeys(Page):
    """A page with a ladder on which a rung can be marked."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", "copy this row; with a marked rung, all rows from there"),
        Binding("Y", "copy_all", "copy the ladder"),
        Binding("d", "compare", "compare the marked rung with this one, byte by byte"),
    ]
    ladder: LadderView
    numbers: tuple[int, ...]

    def action_copy(self) -> None:
        marked = self.ladder.marked
        if marked is None or self.focused is not self.ladder:
            super().action_copy()
            return
        at = sorted((self.ladder.ladder.row_of_segment(marked), self.ladder.cursor))
        rows = [row for row in map(self.ladder.row, range(at[0], at[1] + 1)) if row is not None]
        if len(rows) == 1:
            super().action_copy()
        elif not self._is_too_much(len(rows)):
            lines = (grid.plain(grid.draw(row, self.ladder.ladder_layout)).rstrip() for row in rows)
            clipboard.copy(
                self.app, "\n".join(lines), f"{len(rows):,} rows, from the marked rung to this one"
            )

    def action_copy_all(self) -> None:
        ladder = self.ladder.ladder
        if self._is_too_much(len(ladder)):
            return
        layout = self.ladder.ladder_layout
        text = ladder_text(
            ladder,
            width=layout.width,
            ascii_only=layout.ascii,
            timezone=layout.timezone,
            now_ns=self.session.status().now_ns,
        )
        clipboard.copy(self.app, "\n".join(text), f"the ladder, {len(ladder):,} rows")

    def _is_too_much(self, rows: int) -> bool:
        if rows > MOST_ROWS:
            self.notify(
                self.named(f"{rows:,} rows are too many to copy: {{export:e}} exports them to a file"),
                markup=False,
            )
        return rows > MOST_ROWS

    def action_compare(self) -> None:
        marked, here = self.ladder.marked, self.ladder.segment
        if marked is None or here is None or marked == here:
            self.notify(
                self.named(
                    "two rungs are compared: {mark:Space} marks one, {compare:d} on the other shows what differs"
                ),
                markup=False,
                timeout=4,
            )
            return
        from tcpladder.app.pair_screen import PairScreen

        (view, first), (other, second) = map(self.ladder.view.within, sorted((marked, here)))
        if view is not other:
            self.notify(
                "rungs of two flows have nothing in common: mark one of the same flow",
                markup=False,
                timeout=4,
            )
            return
        pair = Pair(view, first, second)
        self.app.push_screen(
            PairScreen(self.session, self.numbers[self.ladder.place], pair, ascii_only=self.ascii_only)
        )
