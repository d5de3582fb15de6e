"""Which row shows what: segments, the silences before them and notes, in one column of rows made on demand.

Nothing is stored per row: a running count of the rows between the rungs maps rows to segments and back, so a flow of a
million segments opens at once and costs four bytes a segment. What is folded is counted off in folds.py.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from tcpladder.analysis.view import Timeline
from tcpladder.ladder import rungs, scale
from tcpladder.ladder.exchanges import VISIBLE, Exchanges, Repeated
from tcpladder.ladder.folds import Folds
from tcpladder.ladder.lanes import lanes_of
from tcpladder.ladder.model import EVENT_KINDS, GapRow, Lane, Note, PendingRow, ScreenRow, Track

_EVENTS = np.zeros(256, np.bool_)
_EVENTS[[int(kind) for kind in EVENT_KINDS]] = True


class Ladder:
    """The rows of one flow, or of several. The view and the notes may grow; `refresh` follows them.

    A note stands before the first segment that is later than it, above that segment's gap row.

    Args:
        fold: whether exchanges that repeat are one row until a person unfolds them.
        apart: segments before which nothing is folded together with what is behind them.
    """

    def __init__(
        self, view: Timeline, notes: Sequence[Note] = (), *, fold: bool = False, apart: Sequence[int] = ()
    ) -> None:
        self.view = view
        self._tracks = lanes_of([flow.summary for flow in view.flows])[1]
        self.folds = Folds(unasked=fold)
        self.unit_ns: int | None = None
        """What an empty row stands for where gaps are to scale; None while rows are evenly spaced."""
        self._apart = np.array(apart, np.int64)
        self._exchanges = Exchanges()
        self._segments = 0
        self._restarts = view.restarts
        self._losses = view.losses
        self._between = np.zeros(0, np.int32)
        """(capacity,) how many silences and empty rows stand above each rung and those before; the first `_segments`
        are valid."""
        self._notes: tuple[Note, ...] = ()
        self._anchors: list[int] = []
        """Ascending: the segment before which each note stands; `_segments` for those at the end."""
        self.refresh(notes)

    def __len__(self) -> int:
        """Rows that exist; what must still come is in `pending_rows`."""
        return self._whole_rows() - self.folds.saved

    @property
    def segments(self) -> int:
        """Segments that have a rung, or are folded."""
        return self._segments

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """From the left: the client's lane and the server's; of several flows one a host."""
        return lanes_of([flow.summary for flow in self.view.flows])[0]

    @property
    def tracks(self) -> tuple[Track, ...]:
        """Between which lanes each flow runs."""
        return self._tracks

    def track_of(self, segment: int) -> Track:
        """That of the flow of a segment."""
        return self._tracks[int(self.view.flow[segment])]

    @property
    def origin_ns(self) -> int | None:
        """When the first segment was seen: what relative times count from. None where that is unknown."""
        return rungs.time_ns(self.view, 0) if self._segments else None

    def refresh(self, notes: Sequence[Note] | None = None) -> int:
        """Follow the view, and the notes where given. Returns the first row that is not what it was before.

        Equal to the former `len` where rows were only added at the end. Costs as much as what was added.
        """
        if self._restarts != self.view.restarts:
            self._begin_anew(self._notes if notes is None else tuple(notes))
            return 0
        known, before = self._segments, self._whole_rows()
        first_changed = before - self._trailing_notes()
        self._extend()
        if self._whole_rows() == before:
            first_changed = before
        anchors = self._anchors_before(known)
        if notes is not None and tuple(notes) != self._notes:
            first_changed = min(first_changed, self._place_notes(tuple(notes)))
        if self._losses != self.view.losses or self._anchors_before(known) != anchors:
            self._losses = self.view.losses
            self._exchanges = Exchanges()
        elif known == self._segments and first_changed == before:
            return self.folds.shown(before)
        folded = self._fold()
        shown = self.folds.shown(first_changed)
        return shown if folded is None else min(shown, folded)

    def row(self, number: int) -> ScreenRow:
        """The row at `number`, from 0. Raises IndexError outside."""
        if not 0 <= number < len(self):
            raise IndexError(number)
        fold = self.folds.at(number)
        if fold is None:
            return self._whole_row(self.folds.whole(number))
        folded = self.folds.folded
        return rungs.fold_row(
            self.view,
            int(folded.begin[fold]),
            int(folded.end[fold]),
            Repeated(int(folded.repeated[fold])),
            self.track_of(int(folded.begin[fold])),
        )

    def row_of_segment(self, index: int) -> int:
        """The row of a segment's rung, or of what it is folded into."""
        return self.folds.shown(self._rung_row(index))

    def segment_of_row(self, number: int) -> int | None:
        """The segment that a row shows or stands before, of a fold the first; None for a note at the end and beyond."""
        segment = self._first_from(self.folds.whole(number))
        return segment if segment < self._segments else None

    def armed_by(self, row: GapRow) -> int | None:
        """The segment that armed the timer of a silence; None where it is not known (yet)."""
        armed = self.view.within(row.segment)[0].index_of_frame(row.gap.since_frame)
        if armed is None:
            return None
        segment = self.view.index_of(row.track.place, armed)
        return segment if segment is not None and segment < self._segments else None

    def next_event(self, number: int, *, backward: bool = False) -> int | None:
        """The nearest row after (or before) `number` that is worth a look: a segment of model.EVENT_KINDS, one that
        was lost, a note."""
        found = [*self._notes_beside(number), *self._losses_beside(number)]
        if (event := self.next_where(_EVENTS, number, backward=backward)) is not None:
            found.append(event)
        beyond = [row for row in found if (row < number if backward else row > number)]
        return (max(beyond) if backward else min(beyond)) if beyond else None

    def next_where(self, kinds: NDArray[np.bool_], number: int, *, backward: bool = False) -> int | None:
        """The nearest row after (or before) `number` that shows or folds a segment of `kinds`: (256,), by value."""
        segment = self._first_from(self.folds.whole(number))
        if backward:
            found = _last_where(kinds, self.view.kind[:segment])
            return None if found is None else self.row_of_segment(found)
        fold = self.folds.at(number)
        if fold is not None:
            segment = int(self.folds.folded.end[fold])
        elif segment < self._segments and self.row_of_segment(segment) == number:
            segment += 1
        found = _first_where(kinds, self.view.kind[segment : self._segments])
        return None if found is None else self.row_of_segment(segment + found)

    def note_rows(self, text: str) -> list[int]:
        """The rows of the notes that say `text`, which is in lower case."""
        return [self._row_of_note(at) for at, note in enumerate(self._notes) if text in note.text.lower()]

    def _losses_beside(self, number: int) -> Iterator[int]:
        """The rows of the lost segments around a row."""
        lost = self.view.lost_segments()
        lost = lost[: np.searchsorted(lost, self._segments)]
        at = bisect_left(range(len(lost)), number, key=lambda place: self.row_of_segment(int(lost[place])))
        return (self.row_of_segment(int(segment)) for segment in lost[max(at - 1, 0) : at + 2])

    def _notes_beside(self, number: int) -> Iterator[int]:
        """The first rows of the notes around a row."""
        at = bisect_left(range(len(self._notes)), number, key=self._row_of_note)
        before = next((note for note in range(at - 1, -1, -1) if not self._notes[note].continues), None)
        behind = next(
            (
                note
                for note in range(at, len(self._notes))
                if not self._notes[note].continues and self._row_of_note(note) > number
            ),
            None,
        )
        return (self._row_of_note(note) for note in (before, behind) if note is not None)

    def _row_of_note(self, note: int) -> int:
        segment = self._anchors[note]
        return self.folds.shown(note + (segment + int(self._between[segment - 1]) if segment else 0))

    # What is folded, and how far apart rows stand

    def turn(self, number: int) -> int | None:
        """Fold the exchanges that a row is one of, or unfold them. Returns their first row, None where none repeat."""
        segment = self.segment_of_row(number)
        stretch = None if segment is None else self._stretch_around(segment)
        if stretch is None:
            return None
        begin = int(self.folds.every.begin[stretch])
        self.folds.turn(begin)
        self._fold()
        return self.folds.shown(self._first_row(begin))

    def turn_all(self) -> None:
        """Fold all exchanges that are folded unasked, or unfold all."""
        self.folds.turn_all()
        self._fold()

    def reveal(self, segment: int) -> int:
        """Unfold what hides a segment; returns the row of its rung."""
        stretch = self.folds.stretch_at(segment)
        if stretch is not None and self.folds.is_folded(stretch):
            self.folds.turn(int(self.folds.every.begin[stretch]))
            self._fold()
        return self.row_of_segment(segment)

    def space(self, unit_ns: int | None) -> None:
        """Draw gaps to scale, an empty row for each `unit_ns`; None: rows evenly spaced."""
        self.unit_ns = unit_ns
        self._between = self._between[:0]
        segments, self._segments = self._segments, 0
        self._count(segments)
        self._fold()

    def pending_rows(self, now_ns: int, *, unfold: bool = False) -> tuple[PendingRow, ...]:
        """What must come next if nothing else happens: the next rung of each flow, and with `unfold` what follows."""
        rows = [
            PendingRow(pending=item, now_ns=now_ns, place=place, track=track)
            for flow, track in zip(self.view.flows, self._tracks, strict=True)
            for place, item in enumerate(flow.pending(now_ns))
            if unfold or not place
        ]
        return tuple(sorted(rows, key=lambda row: row.pending.due_ns) if len(self._tracks) > 1 else rows)

    def _rung_row(self, index: int) -> int:
        """The row of a segment's rung if nothing were folded."""
        return index + int(self._between[index]) + bisect_right(self._anchors, index)

    def _first_row(self, index: int) -> int:
        """The first row that belongs to a segment, notes not counted, if nothing were folded."""
        return self._rung_row(index) - self._above(index)

    def _above(self, index: int) -> int:
        """How many rows stand above a rung that belong to it: the silence and empty ones."""
        return int(self._between[index]) - (int(self._between[index - 1]) if index else 0)

    def _first_from(self, whole: int) -> int:
        """The first segment whose rung is at a row or below it, if nothing were folded."""
        return bisect_left(range(self._segments), whole, key=self._rung_row)

    def _whole_rows(self) -> int:
        between = int(self._between[self._segments - 1]) if self._segments else 0
        return self._segments + between + len(self._notes)

    def _whole_row(self, number: int) -> ScreenRow:
        segment = self._first_from(number)
        if segment < self._segments:
            up = self._rung_row(segment) - number
            if up == 0:
                return rungs.rung(self.view, segment, self.track_of(segment))
            if up == 1 and self.view.silent[segment]:
                return rungs.gap_row(self.view, segment, self.track_of(segment))
            if up <= self._above(segment):
                return rungs.space_row(
                    self.view, segment, self._break_ns(segment, up), self.track_of(segment)
                )
        rows_before = self._rung_row(segment - 1) + 1 if segment else 0
        return self._notes[bisect_left(self._anchors, segment) + number - rows_before]

    def _break_ns(self, segment: int, up: int) -> int | None:
        """The length of the gap before a segment where the row that is so far `up` says that it is cut short."""
        assert self.unit_ns is not None
        times = self.view.time_ns[segment - 1 : segment + 1]
        is_break = scale.wanted_rows(times, self.unit_ns)[0] > scale.LONGEST
        middle = scale.BREAK_ROWS // 2 + 1 + bool(self.view.silent[segment])
        return int(times[1] - times[0]) if is_break and up == middle else None

    def _anchors_before(self, segment: int) -> list[int]:
        return self._anchors[: bisect_left(self._anchors, segment)]

    def _trailing_notes(self) -> int:
        return len(self._anchors) - bisect_left(self._anchors, self._segments)

    def _begin_anew(self, notes: tuple[Note, ...]) -> None:
        self._restarts, self._losses = self.view.restarts, self.view.losses
        self._segments, self._notes, self._anchors = 0, (), []
        self._exchanges = Exchanges()
        self._extend()
        self._place_notes(notes)
        self._fold()

    def _extend(self) -> None:
        """Count the rows of the segments that are new, and give the notes at the end their place."""
        known, now = self._segments, len(self.view.time_ns)
        if now == known:
            return
        self._count(now)
        first = bisect_left(self._anchors, known)
        times = self.view.time_ns[known:now]
        moved = [known + _first_later(times, note.time_ns) for note in self._notes[first:]]
        self._anchors = self._anchors[:first] + moved

    def _count(self, now: int) -> None:
        """Count the rows between the rungs of the segments up to `now`."""
        known = self._segments
        if now > len(self._between):
            grown = np.zeros(max(now, 2 * len(self._between)), np.int32)
            grown[:known] = self._between[:known]
            self._between = grown
        above: NDArray[np.bool_] | NDArray[np.int32] = self.view.silent[known:now]
        if self.unit_ns is not None:
            first = max(known - 1, 0)
            spaces = scale.rows_between(
                self.view.time_ns[first:now], self.view.silent[first:now], self.unit_ns
            )
            above = above.astype(np.int32)
            above[len(above) - len(spaces) :] += spaces
        np.cumsum(above, dtype=np.int32, out=self._between[known:now])
        if known:
            self._between[known:now] += self._between[known - 1]
        self._segments = now

    def _fold(self) -> int | None:
        """Find what repeats, and give the folds their rows. Returns the first row that this changes, None for none."""
        eaten = self.view.lost_segments()
        apart = np.concatenate([self._apart, self._anchors, eaten, eaten + 1]).astype(np.int64)
        every = self._exchanges.read(self.view, self._segments, apart)
        return self.folds.place(every, self._first_rows, self._rung_rows)

    def _rung_rows(self, segments: NDArray[np.int64]) -> NDArray[np.int64]:
        above = np.searchsorted(np.array(self._anchors, np.int64), segments, "right")
        return segments + self._between[segments] + above

    def _first_rows(self, segments: NDArray[np.int64]) -> NDArray[np.int64]:
        """As `_first_row`; no fold begins with segment 0, whose exchange is visible."""
        return self._rung_rows(segments) - (self._between[segments] - self._between[segments - 1])

    def _stretch_around(self, segment: int) -> int | None:
        """What a segment is a part of, the visible ends of a stretch included."""
        for off in (0, 1, 2, -1, -2, -3):
            stretch = self.folds.stretch_at(segment + off)
            if stretch is None:
                continue
            visible = VISIBLE[Repeated(int(self.folds.every.repeated[stretch]))]
            if -visible - (visible > 1) <= off <= visible:
                return stretch
        return None

    def _place_notes(self, notes: tuple[Note, ...]) -> int:
        """Take over another set of notes; returns the first row that this changes."""
        ordered = tuple(sorted(notes, key=lambda note: note.time_ns))
        same = 0
        while same < min(len(ordered), len(self._notes)) and ordered[same] == self._notes[same]:
            same += 1
        kept = self._anchors[:same]
        times = self.view.time_ns[: self._segments]
        fresh = [_first_later(times, note.time_ns) for note in ordered[same:]]
        changed = [*self._anchors[same : same + 1], *fresh[:1]]
        self._notes, self._anchors = ordered, kept + fresh
        if not changed:
            return self._whole_rows()
        segment = min(changed)
        return (self._rung_row(segment - 1) + 1 if segment else 0) + same - bisect_left(kept, segment)


def is_event(kinds: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """(n,) whether segments of these kinds are worth a look: model.EVENT_KINDS."""
    return _EVENTS[kinds]


def _first_later(times_ns: NDArray[np.int64], time_ns: int) -> int:
    """Index of the first time after `time_ns`; the length where there is none."""
    later = times_ns > time_ns
    return int(later.argmax()) if later.any() else len(times_ns)


def _first_where(kinds: NDArray[np.bool_], column: NDArray[np.uint8]) -> int | None:
    """Index of the first of some kinds in a column; None where it has none."""
    found = kinds[column]
    return int(found.argmax()) if found.any() else None


def _last_where(kinds: NDArray[np.bool_], column: NDArray[np.uint8]) -> int | None:
    """Index of the last of some kinds in a column; None where it has none."""
    found = _first_where(kinds, column[::-1])
    return None if found is None else len(column) - 1 - found
