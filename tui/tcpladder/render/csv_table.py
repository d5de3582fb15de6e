"""A diagram as CSV: one row a rung, the columns that docs/EXPORT.md documents and that stay as they are (RFC 4180)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import UTC

from tcpladder.analysis.kinds import KINDS
from tcpladder.analysis.view import Side
from tcpladder.ladder import words
from tcpladder.ladder.diagram import Diagram
from tcpladder.ladder.model import Rung
from tcpladder.render.cells import one_line
from tcpladder.render.jsonl import ends

COLUMNS = (
    "flow", "rung", "file", "frame", "time_ns", "time", "delta_ns", "src", "dst", "kind", "label", "seq", "ack",
    "length", "window", "flags", "timer", "gap_observed_ns", "gap_expected_ns", "gap_since_frame", "gap_timer",
    "gap_verdict", "gap_origin", "gap_name", "lost", "because",
)  # fmt: skip
_NO_GAP = (None,) * 7


def csv_lines(diagrams: Sequence[Diagram]) -> Iterator[str]:
    """Where it came from in lines that begin with `#`, a header, one line a rung. What is not known is empty."""
    for diagram in diagrams:
        yield from _comments(diagram)
    yield _line(COLUMNS)
    for diagram in diagrams:
        yield from map(_line, _rows(diagram))


def _comments(diagram: Diagram) -> Iterator[str]:
    for key, value in diagram.provenance.lines():
        yield f"# {key}: {one_line(value)}"


def _rows(diagram: Diagram) -> Iterator[tuple[object, ...]]:
    view = diagram.view
    client, server = ends(view)
    for index in diagram.rungs:
        rung = diagram.ladder.row(diagram.ladder.row_of_segment(index))
        assert isinstance(rung, Rung)
        numbers = rung.numbers
        gap = view.gap(index) if rung.after_gap else None
        from_client = rung.sender is Side.CLIENT
        yield (
            diagram.summary.number,
            index + 1,
            view.file(index),
            numbers.frame,
            rung.time_ns,
            None if rung.time_ns is None else _iso(rung.time_ns),
            _delta(rung),
            client if from_client else server,
            server if from_client else client,
            KINDS[rung.kind].word,
            rung.label,
            numbers.relative_seq,
            numbers.relative_ack,
            numbers.length,
            numbers.window,
            numbers.flags,
            view.timer(index),
            *(
                _NO_GAP
                if gap is None
                else (
                    gap.observed_ns, gap.expected_ns, gap.since_frame, gap.timer, gap.verdict, gap.origin, gap.name,
                )
            ),
            rung.lost,
            view.because(index),
        )  # fmt: skip


def _delta(rung: Rung) -> int | None:
    return None if rung.time_ns is None or rung.previous_ns is None else rung.time_ns - rung.previous_ns


def _iso(time_ns: int) -> str:
    """RFC 3339 to the nanosecond, UTC."""
    return words.exact_time(time_ns, UTC).removesuffix(" UTC").replace(" ", "T") + "Z"


def _line(values: tuple[object, ...]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(values)
    return out.getvalue()
