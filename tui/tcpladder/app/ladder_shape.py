"""The keys that change how a ladder is drawn: what is folded, how far apart rows stand, times, numbers, the mark."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from tcpladder.app.ladder_view import LadderView
from tcpladder.app.page import Page
from tcpladder.ladder import scale, words
from tcpladder.ladder.model import NumberMode, PendingRow, TimeMode


class ShapeKeys(Page):
    """A page with a ladder."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "time", "time: clock, from the start, none, from the mark"),
        Binding("r", "numbers", "sequence numbers: relative, raw"),
        Binding("space", "mark", "mark this rung and measure from it"),
        Binding("x", "fold", "fold, unfold what repeats; pending rung: what follows"),
        Binding("X", "fold_all", "fold, unfold all that repeats"),
        Binding("plus", "scale(1)", "gaps to scale, finer"),
        Binding("minus", "scale(-1)", "gaps to scale, coarser"),
        Binding("0", "scale(0)", "rows evenly spaced"),
    ]
    ladder: LadderView

    @property
    def marked(self) -> int | None:
        """The segment that times are measured from."""
        return self.ladder.marked

    def shape_words(self) -> str:
        """What is not as it is to begin with: `1 row = 3 s`."""
        unit_ns = self.ladder.ladder.unit_ns
        return "" if unit_ns is None else f"  1 row = {words.round_length(unit_ns)}"

    def _shape_changed(self) -> None:
        self.show_lines(self.session.status())

    # Folds

    def action_fold(self) -> None:
        if isinstance(self.ladder.selected, PendingRow):
            self.ladder.unfolded = not self.ladder.unfolded
            self.show_body(self.session.status())
        elif not self.ladder.turn_fold():
            self.notify(
                self.named(
                    "no exchange repeats here: {fold:x} folds probes with their answers, data with its ACKs,"
                    " retransmissions"
                ),
                markup=False,
                timeout=4,
            )
        self._shape_changed()

    def action_fold_all(self) -> None:
        self.ladder.turn_all_folds()
        folds = self.ladder.ladder.folds
        if not len(folds.every.begin):
            self.notify("no exchange repeats in this flow", timeout=3)
        elif folds.unasked:
            self.notify(f"{folds.saved:,} rows folded", timeout=3)
        else:
            self.notify("nothing is folded", timeout=3)
        self._shape_changed()

    # Time

    def action_scale(self, by: int) -> None:
        ladder = self.ladder.ladder
        if not by:
            if ladder.unit_ns is None:
                self.notify(
                    self.named("rows are evenly spaced: {scale_1:+} and {scale_back:-} draw gaps to scale"),
                    timeout=3,
                )
            else:
                self.ladder.scale(None)
        elif ladder.unit_ns is None:
            self.ladder.scale(scale.first_unit_ns(ladder.view.time_ns))
        else:
            unit_ns = scale.next_unit_ns(ladder.unit_ns, by)
            if unit_ns is None:
                self.notify(f"this is the {'finest' if by > 0 else 'coarsest'} scale", timeout=2)
            else:
                self.ladder.scale(unit_ns)
        self._shape_changed()

    def action_time(self) -> None:
        modes = [mode for mode in TimeMode if mode is not TimeMode.MARK or self.marked is not None]
        mode = modes[(modes.index(self.ladder.ladder_layout.time_mode) + 1) % len(modes)]
        self.ladder.change_layout(time_mode=mode)
        self._shape_changed()

    def action_numbers(self) -> None:
        raw = self.ladder.ladder_layout.number_mode is NumberMode.RAW
        self.ladder.change_layout(number_mode=NumberMode.RELATIVE if raw else NumberMode.RAW)
        self._shape_changed()

    # The mark

    def action_mark(self) -> None:
        segment = self.ladder.segment
        self.ladder.mark(None if segment == self.marked else segment)
        self._shape_changed()
        if self.marked is not None:
            view, index = self.ladder.view.within(self.marked)
            shows = self.named("{time:t} shows them in the first column")
            self.notify(f"times are measured from frame {view.frame(index)}; {shows}", timeout=3)
