"""Where the words that a person searches for stand on a ladder: kinds by their column, the rest row by row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tcpladder.analysis.kinds import KINDS, Kind
from tcpladder.analysis.names import SETTINGS
from tcpladder.analysis.view import Gap, Verdict
from tcpladder.ladder.ladder import Ladder

LOST = "lost"
"""Finds what something ate."""


@dataclass(frozen=True, slots=True)
class Hidden:
    """A segment that is folded and says the words."""

    segment: int


def vocabulary() -> tuple[str, ...]:
    """What can be searched for by name: kinds, then verdicts and timers; in lower case, the shortest first."""
    labels = sorted({rule.label.lower() for rule in KINDS.values()}, key=len)
    return tuple(dict.fromkeys([*labels, *map(str, Verdict), LOST, *SETTINGS]))


def counted(text: str, column: NDArray[np.uint8]) -> dict[Kind, int]:
    """How many segments there are in a column of each kind that `text` names, most first."""
    counts = np.bincount(column, minlength=256)
    found = {kind: int(counts[kind]) for kind in kinds_of(text)}
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def kinds_of(text: str) -> tuple[Kind, ...]:
    """The kinds whose label or word has `text` in it, which is in lower case."""
    return tuple(
        kind for kind, rule in KINDS.items() if text and (text in rule.label.lower() or text in rule.word)
    )


def search(ladder: Ladder, text: str, from_row: int, step: int) -> Iterator[int | Hidden | None]:
    """Look for `text`, in lower case, forward (1) or backward (-1), beyond `from_row`.

    Yields the row that is found, of a fold that of all of it, or a segment that is hidden; before that None for each
    row that was looked at, so that a search of a million segments can be interrupted.
    """
    kinds = kind_mask(kinds_of(text))
    rows = [*ladder.note_rows(text), *_lost_rows(ladder, text)]
    if kinds.any() and (row := ladder.next_where(kinds, from_row, backward=step < 0)) is not None:
        rows.append(row)
    beyond = [row for row in rows if (row - from_row) * step > 0]
    nearest = (min(beyond) if step > 0 else max(beyond)) if beyond else None
    for segment in _between(ladder, from_row, nearest, step, silences_only=bool(kinds.any())):
        yield _row_of_words(ladder, segment, text, from_row, step, silence_only=bool(kinds.any()))
    yield nearest


def kind_mask(kinds: Iterable[Kind]) -> NDArray[np.bool_]:
    """(256,) whether a value of the column is one of some kinds."""
    mask = np.zeros(256, np.bool_)
    mask[[int(kind) for kind in kinds]] = True
    return mask


def _lost_rows(ladder: Ladder, text: str) -> list[int]:
    lost = [int(segment) for segment in ladder.view.lost_segments() if segment < ladder.segments]
    said = (segment for segment in lost if text in f"{LOST} {_eater(ladder, segment)}".lower())
    return [ladder.row_of_segment(segment) for segment in said]


def _eater(ladder: Ladder, segment: int) -> str | None:
    view, index = ladder.view.within(segment)
    return view.lost(index)


def _between(
    ladder: Ladder, from_row: int, to_row: int | None, step: int, *, silences_only: bool
) -> Iterable[int]:
    """The segments from one row to another, in the order of the search."""
    here = ladder.segment_of_row(from_row) if from_row < len(ladder) else None
    begin = ladder.segments if here is None else here
    end = ladder.segments if step > 0 else -1
    if to_row is not None:
        target = ladder.segment_of_row(to_row)
        end = ladder.segments if target is None else target + step
    if silences_only:
        low, high = (begin, end) if step > 0 else (max(end, 0), begin + 1)
        silent = np.flatnonzero(ladder.view.silent[low : min(high, ladder.segments)]) + low
        return map(int, silent[::step])
    return range(min(begin, ladder.segments - (step < 0)), end, step)


def _row_of_words(
    ladder: Ladder, segment: int, text: str, from_row: int, step: int, *, silence_only: bool
) -> int | Hidden | None:
    view, index = ladder.view.within(segment)
    rung = ladder.row_of_segment(segment)
    if ladder.folds.at(rung) is not None:
        says = not silence_only and rung != from_row and text in view.label(index).lower()
        return Hidden(segment) if says else None
    found = [] if silence_only or text not in view.label(index).lower() else [rung]
    gap = view.gap(index) if view.silent[index] else None
    if gap is not None and text in _gap_words(gap):
        found.append(rung - 1)
    beyond = sorted((row for row in found if (row - from_row) * step > 0), reverse=step < 0)
    return beyond[0] if beyond else None


def _gap_words(gap: Gap) -> str:
    return f"{gap.name} {gap.verdict}".lower()
