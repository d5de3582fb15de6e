"""Which row shows what: segments, the silences before them and notes, in one column of rows made on demand.

Nothing is stored per row: a running count of the silences maps rows to segments and back, so a flow of a
million segments opens at once and costs four bytes a segment.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.view import FlowView, Side
from tcpladder.ladder.model import EVENT_KINDS, GapRow, Lane, Note, Numbers, PendingRow, Row, Rung
from tcpladder.wire.frames import UNKNOWN_TIME_NS

_EVENTS = np.zeros(256, np.bool_)
_EVENTS[[int(kind) for kind in EVENT_KINDS]] = True


class Ladder:
    """The rows of one flow. The view and the notes may grow; `refresh` follows them.

    A note stands before the first segment that is later than it, above that segment's gap row.
    """

    def __init__(self, view: FlowView, notes: Sequence[Note] = ()) -> None:
        self.view = view
        self._segments = 0
        self._restarts = view.restarts
        self._silences = np.zeros(0, np.int32)
        """(capacity,) how many silences stand before or at each segment; the first `_segments` are valid."""
        self._notes: tuple[Note, ...] = ()
        self._anchors: list[int] = []
        """Ascending: the segment before which each note stands; `_segments` for those at the end."""
        self.refresh(notes)

    def __len__(self) -> int:
        """Rows that exist; what must still come is in `pending_rows`."""
        return self._segments + self._silence_count() + len(self._notes)

    @property
    def segments(self) -> int:
        """Segments that have a rung."""
        return self._segments

    @property
    def lanes(self) -> tuple[Lane, Lane]:
        """The client's lane and the server's."""
        summary = self.view.summary
        return Lane("client", summary.client), Lane("server", summary.server)

    @property
    def origin_ns(self) -> int | None:
        """When the first segment was seen: what relative times count from. None where that is unknown."""
        return self._time(0) if self._segments else None

    def refresh(self, notes: Sequence[Note] | None = None) -> int:
        """Follow the view, and the notes where given. Returns the first row that is not what it was before.

        Equal to the former `len` where rows were only added at the end. Costs as much as what was added.
        """
        if self._restarts != self.view.restarts:
            self._begin_anew(self._notes if notes is None else tuple(notes))
            return 0
        before = len(self)
        first_changed = before - self._trailing_notes()
        self._extend()
        if len(self) == before:
            first_changed = before
        if notes is not None and tuple(notes) != self._notes:
            first_changed = min(first_changed, self._place_notes(tuple(notes)))
        return first_changed

    def row(self, number: int) -> Row:
        """The row at `number`, from 0. Raises IndexError outside."""
        if not 0 <= number < len(self):
            raise IndexError(number)
        segment = bisect_left(range(self._segments), number, key=self.row_of_segment)
        if segment < self._segments:
            above = self.row_of_segment(segment) - number
            if above == 0:
                return self._rung(segment)
            if above == 1 and self.view.silent[segment]:
                return self._gap_row(segment)
        rows_before = self.row_of_segment(segment - 1) + 1 if segment else 0
        return self._notes[bisect_left(self._anchors, segment) + number - rows_before]

    def row_of_segment(self, index: int) -> int:
        """The row of a segment's rung."""
        return index + int(self._silences[index]) + bisect_right(self._anchors, index)

    def segment_of_row(self, number: int) -> int | None:
        """The segment that a row shows or stands before; None for a note at the end and beyond."""
        segment = bisect_left(range(self._segments), number, key=self.row_of_segment)
        return segment if segment < self._segments else None

    def next_event(self, number: int, *, backward: bool = False) -> int | None:
        """The nearest row after (or before) `number` that is worth a look: a segment of model.EVENT_KINDS, one that
        was lost, a note."""
        found = [*self._events_beside(number, backward=backward), *self._notes_beside(number)]
        beyond = [row for row in found if (row < number if backward else row > number)]
        return (max(beyond) if backward else min(beyond)) if beyond else None

    def _events_beside(self, number: int, *, backward: bool) -> Iterator[int]:
        """The rows of the segments that are worth a look and nearest to a row, on one side."""
        segment = bisect_left(range(self._segments), number, key=self.row_of_segment)
        if not backward and segment < self._segments and self.row_of_segment(segment) == number:
            segment += 1
        side = slice(None, segment) if backward else slice(segment, None)
        last = -1 if backward else 0
        events = np.flatnonzero(_EVENTS[self.view.kind[: self._segments][side]])
        lost = self.view.lost_segments()
        cut = int(np.searchsorted(lost, segment))
        for found in (events + (0 if backward else segment), lost[:cut] if backward else lost[cut:]):
            if len(found) and found[last] < self._segments:
                yield self.row_of_segment(int(found[last]))

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
        return note + (segment + int(self._silences[segment - 1]) if segment else 0)

    def pending_rows(self, now_ns: int, *, unfold: bool = False) -> tuple[PendingRow, ...]:
        """What must come next if nothing else happens: the next rung, and with `unfold` what follows it."""
        coming = self.view.pending(now_ns)
        shown = coming if unfold else coming[:1]
        return tuple(PendingRow(pending=item, now_ns=now_ns, place=place) for place, item in enumerate(shown))

    def _silence_count(self) -> int:
        return int(self._silences[self._segments - 1]) if self._segments else 0

    def _trailing_notes(self) -> int:
        return len(self._anchors) - bisect_left(self._anchors, self._segments)

    def _begin_anew(self, notes: tuple[Note, ...]) -> None:
        self._restarts = self.view.restarts
        self._segments, self._notes, self._anchors = 0, (), []
        self._extend()
        self._place_notes(notes)

    def _extend(self) -> None:
        """Count the silences of the segments that are new, and give the notes at the end their place."""
        known, now = self._segments, len(self.view.time_ns)
        if now == known:
            return
        if now > len(self._silences):
            grown = np.zeros(max(now, 2 * len(self._silences)), np.int32)
            grown[:known] = self._silences[:known]
            self._silences = grown
        np.cumsum(self.view.silent[known:now], out=self._silences[known:now])
        if known:
            self._silences[known:now] += self._silences[known - 1]
        self._segments = now
        first = bisect_left(self._anchors, known)
        times = self.view.time_ns[known:now]
        self._anchors[first:] = [known + _first_later(times, note.time_ns) for note in self._notes[first:]]

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
            return len(self)
        segment = min(changed)
        return (self.row_of_segment(segment - 1) + 1 if segment else 0) + same - bisect_left(kept, segment)

    def _time(self, segment: int) -> int | None:
        time_ns = int(self.view.time_ns[segment])
        return None if time_ns == UNKNOWN_TIME_NS else time_ns

    def _sender(self, segment: int) -> Side:
        return Side.CLIENT if self.view.from_client[segment] else Side.SERVER

    def _gap_row(self, segment: int) -> GapRow:
        gap = self.view.gap(segment)
        if gap is None:
            raise LookupError(f"the view says that segment {segment} ends a silence, and has no gap for it")
        return GapRow(segment=segment, sender=self._sender(segment), gap=gap)

    def _rung(self, segment: int) -> Rung:
        view = self.view
        return Rung(
            segment=segment,
            time_ns=self._time(segment),
            previous_ns=self._time(segment - 1) if segment else None,
            after_gap=bool(view.silent[segment]),
            sender=self._sender(segment),
            kind=Kind(int(view.kind[segment])),
            label=view.label(segment),
            lost=view.lost(segment),
            numbers=Numbers(
                relative_seq=view.relative_seq(segment),
                relative_ack=view.relative_ack(segment),
                raw_seq=view.raw_seq(segment),
                raw_ack=view.raw_ack(segment),
                length=view.length(segment),
                window=view.window(segment),
                flags=view.flags(segment),
                frame=view.frame(segment),
            ),
        )


def is_event(kinds: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """(n,) whether segments of these kinds are worth a look: model.EVENT_KINDS."""
    return _EVENTS[kinds]


def _first_later(times_ns: NDArray[np.int64], time_ns: int) -> int:
    """Index of the first time after `time_ns`; the length where there is none."""
    later = times_ns > time_ns
    return int(later.argmax()) if later.any() else len(times_ns)
