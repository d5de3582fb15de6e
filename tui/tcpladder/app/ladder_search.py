"""Where the words that a person searches for stand on a ladder."""

from __future__ import annotations

from collections.abc import Iterator

from tcpladder.ladder.ladder import Ladder


def search(ladder: Ladder, text: str, from_row: int, step: int) -> Iterator[int | None]:
    """Look at one segment and the silence before it after the other, forward (1) or backward (-1).

    Yields the first row beyond `from_row` that says `text`, and None for each segment that does not, so that a
    search of a million segments can be interrupted. `text` is in lower case.
    """
    here = ladder.segment_of_row(from_row) if from_row < len(ladder) else None
    start = ladder.segments - (step < 0) if here is None else here
    for segment in range(start, ladder.segments if step > 0 else -1, step):
        yield next((row for row in _rows(ladder, segment, text, step) if (row - from_row) * step > 0), None)


def _rows(ladder: Ladder, segment: int, text: str, step: int) -> list[int]:
    """The rows of a segment that say the words, nearest first."""
    view, rung = ladder.view, ladder.row_of_segment(segment)
    gap = view.gap(segment) if view.silent[segment] else None
    found = [rung] if text in view.label(segment).lower() else []
    if gap is not None and text in gap.name.lower():
        found.append(rung - 1)
    return sorted(found, reverse=step < 0)
