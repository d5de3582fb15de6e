"""The ladder as a widget: rungs, gaps and notes of one flow, and the rung that must come next with its countdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from textual.strip import Strip

from tcpladder.analysis.view import Timeline
from tcpladder.app.row_view import RowView
from tcpladder.app.terminal import Taste
from tcpladder.ladder import rungs, words
from tcpladder.ladder.ladder import Ladder
from tcpladder.ladder.merged import MergedFlows
from tcpladder.ladder.model import Note, PendingRow, Rung, ScreenRow, TimeMode
from tcpladder.render import grid
from tcpladder.render.layout import Layout
from tcpladder.render.text import layout_of

COUNTDOWN_STEPS_S: tuple[tuple[int, float], ...] = (
    (3 * words.SECOND, 0.1),
    (10 * words.SECOND, 0.5),
    (2 * words.MINUTE, 1.0),
)
"""How often the countdown is drawn while less than so many nanoseconds are left."""
SLOW_STEP_S = 5.0


class LadderView(RowView):
    """One flow, or several on one ladder. `refresh_ladder` follows it, `tick` draws only the countdown."""

    def __init__(self, view: Timeline, notes: Sequence[Note], taste: Taste) -> None:
        super().__init__(id="ladder")
        self.view = view
        self.ladder = Ladder(view, notes, fold=True)
        layout = Layout(width=80, ascii=taste.ascii_only, timezone=taste.timezone)
        self.ladder_layout = layout_of(self.ladder, layout)
        self.unfolded = False
        """Whether what follows the pending rung is shown too."""
        self.marked: int | None = None
        """The segment that times are measured from."""
        self.pending: tuple[PendingRow, ...] = ()
        self._losses = view.losses

    def show_flow(self, view: Timeline, notes: Sequence[Note]) -> None:
        """Be about another flow, or others, from the beginning."""
        self.view = view
        self.ladder = Ladder(view, notes, fold=self.ladder.folds.unasked)
        self.pending = ()
        self.marked = None
        self._losses = view.losses
        self.unfolded = self.following = False
        mode = self.ladder_layout.time_mode
        fitting = layout_of(self.ladder, self.ladder_layout)
        self._set_layout(
            origin_ns=fitting.origin_ns,
            lanes=fitting.lanes,
            flow_cells=fitting.flow_cells,
            mark_ns=None,
            time_mode=TimeMode.ABSOLUTE if mode is TimeMode.MARK else mode,
        )
        self.cursor = 0
        self.scroll_to(y=0, animate=False)
        self.rows_changed()

    def row_count(self) -> int:
        return len(self.ladder) + len(self.pending)

    def newest_row(self) -> int:
        return max(0, len(self.ladder) - 1)

    def row(self, number: int) -> ScreenRow | None:
        """The row at `number`, pending ones after the others; None where there is none."""
        known = len(self.ladder)
        if number < known:
            return self.ladder.row(number)
        place = number - known
        return self.pending[place] if place < len(self.pending) else None

    @property
    def selected(self) -> ScreenRow | None:
        """The row under the cursor."""
        return self.row(self.cursor)

    @property
    def place(self) -> int:
        """Which of the flows that are drawn the row under the cursor is of; the first for a note at the end."""
        row = self.selected
        if row is not None and not isinstance(row, Note):
            return row.track.place
        return 0 if self.segment is None else self.ladder.track_of(self.segment).place

    @property
    def segment(self) -> int | None:
        """The segment that the cursor stands on, or whose silence it stands on."""
        return self.ladder.segment_of_row(self.cursor) if self.cursor < len(self.ladder) else None

    # What changed

    def refresh_ladder(self, notes: Sequence[Note], now_ns: int) -> None:
        """Follow what is drawn."""
        if isinstance(self.view, MergedFlows):
            self.view.refresh()
        first = self.ladder.refresh(notes)
        if self._losses != self.view.losses:
            self._losses, first = self.view.losses, 0
        self._set_layout(origin_ns=self.ladder.origin_ns)
        before, known = self.pending, len(self.ladder)
        self.pending = self.ladder.pending_rows(now_ns, unfold=self.unfolded)
        if first < known or len(before) != len(self.pending) or self._count != self.row_count():
            self.rows_changed(first)
            if first < known:
                # An answer settles what its probe says, a measured timer what its gaps say.
                self.look_again(range(first))
        elif before != self.pending:
            self._draw_pending()

    def tick(self, now_ns: int) -> float | None:
        """Draw the countdown again. Returns seconds until it is worth doing once more, None where nothing is due."""
        if not self.pending:
            return None
        count = len(self.pending)
        self.pending = self.ladder.pending_rows(now_ns, unfold=self.unfolded)
        if len(self.pending) != count:
            self.rows_changed(len(self.ladder))
        else:
            self._draw_pending()
        return self.seconds_to_next_tick(now_ns)

    def seconds_to_next_tick(self, now_ns: int) -> float | None:
        """How long the countdown may stand still; None where nothing is due."""
        if not self.pending:
            return None
        left_ns = self.pending[0].pending.due_ns - now_ns
        if left_ns < -10 * words.SECOND:
            return 1.0
        return next((step for below, step in COUNTDOWN_STEPS_S if left_ns < below), SLOW_STEP_S)

    def _draw_pending(self) -> None:
        known = len(self.ladder)
        for place in range(len(self.pending)):
            self.row_changed(known + place)

    # What is folded, how far apart rows stand

    def turn_fold(self) -> bool:
        """Fold or unfold the exchanges under the cursor; False where none repeat."""
        row = self.ladder.turn(self.cursor)
        if row is None:
            return False
        self._rows_moved(row)
        return True

    def turn_all_folds(self) -> None:
        """Fold or unfold everything that is folded unasked."""
        segment = self.segment
        self.ladder.turn_all()
        self._rows_moved(self._row_near(segment))

    def scale(self, unit_ns: int | None) -> None:
        """Draw gaps to scale, a row for so many nanoseconds; None: rows evenly spaced."""
        segment = self.segment
        self.ladder.space(unit_ns)
        self._rows_moved(self._row_near(segment))

    def jump_to_segment(self, segment: int) -> None:
        """Go to the rung of a segment, out of the fold that hides it."""
        before = len(self.ladder)
        row = self.ladder.reveal(segment)
        if len(self.ladder) != before:
            self.rows_changed()
        self.jump(row)

    def _row_near(self, segment: int | None) -> int:
        return self.newest_row() if segment is None else self.ladder.row_of_segment(segment)

    def _rows_moved(self, cursor: int) -> None:
        """Draw all rows again, and put the cursor where it belongs now."""
        self.rows_changed()
        self.go_to(cursor)

    # How it looks

    def mark(self, segment: int | None) -> None:
        """Measure times from a segment, or from none."""
        self.marked = segment
        mark_ns = None if segment is None else rungs.time_ns(self.view, segment)
        mode = self.ladder_layout.time_mode
        if mark_ns is None and mode is TimeMode.MARK:
            mode = TimeMode.ABSOLUTE
        self._strips.clear()
        self.change_layout(mark_ns=mark_ns, time_mode=mode)

    def change_layout(self, **changes: object) -> None:
        """Draw everything with another taste: time mode, number mode."""
        self._set_layout(**changes)
        self.rows_changed()

    def _set_layout(self, **changes: object) -> None:
        layout = replace(self.ladder_layout, **changes)  # type: ignore[arg-type]
        if layout != self.ladder_layout:
            self.ladder_layout = layout
            self._strips.clear()

    def draw_row(self, row: int, width: int, selected: bool) -> Strip:
        if self.ladder_layout.width != width:
            self.ladder_layout = replace(self.ladder_layout, width=width)
        drawn = self.row(row)
        line = grid.exact([], width) if drawn is None else grid.draw(drawn, self.ladder_layout)
        if isinstance(drawn, Rung) and drawn.segment == self.marked:
            line = grid.with_mark(line, self.ladder_layout)
        if selected:
            line = grid.with_cursor(line, self.ladder_layout)
        return self._styles.strip(line, width, selected)

    def row_text(self) -> str:
        """The row under the cursor as text."""
        row = self.selected
        return "" if row is None else grid.plain(grid.draw(row, self.ladder_layout)).rstrip()
