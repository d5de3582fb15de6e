"""All segments of a capture so far, with their kinds, in columns. Rows are numbered from 0 and never move."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tcpladder.analysis.classified import Classified
from tcpladder.analysis.kinds import Kind
from tcpladder.flows.order import stable_order
from tcpladder.flows.table import Assigned
from tcpladder.wire.segments import SackBlocks, Segments, column_names

NARROW: dict[str, Any] = {"frame": np.uint32}
"""Columns that are kept narrower than the decoder makes them: a capture has fewer than 2^32 frames."""
NO_FLOW = 0xFFFF_FFFF
"""The flow of a copy: it is no segment of its own."""
FEW = 8
"""One row in so many is looked for in its piece; of more, the pieces are joined first."""
DECODED = frozenset(column_names()) - {"swapped", "window_shift"}
CLASSIFIED = frozenset({"kind", "expected", "expected_known", "peer_ack", "peer_ack_known"})
ALL = DECODED | CLASSIFIED | {"flow", "from_server", "file"}
"""The columns of a log."""


@dataclass(frozen=True, slots=True)
class Amendment:
    """A row that got another kind when its answer came."""

    answer: int
    """Row of the answer."""
    row: int
    before: int
    """The kind that it had until then."""


class SegmentLog:
    """Segments in the pieces in which they came: about 75 bytes a segment, nothing is copied when it grows.

    Args:
        columns: which are kept besides `flow` and `kind`; None for all.
    """

    def __init__(self, columns: Collection[str] | None = None) -> None:
        self._columns = ALL if columns is None else ALL & {*columns, "flow", "kind"}
        self._pieces: list[dict[str, NDArray[Any]]] = []
        self._starts: list[int] = []
        self._size = 0
        self._amendments: Counter[int] = Counter()
        self.copy_of: dict[int, int] = {}
        """Row of a copy -> row of the segment that it repeats."""
        self.copies: Counter[int] = Counter()
        """Row of a segment -> how many copies of it there are."""
        self.amended: dict[int, list[Amendment]] = {}
        """Flow -> what became of its rows later, in order of the answers."""
        self.heard: dict[int, int] = {}
        """Row of a probe or reset -> row in which its sender's peer spoke last."""
        self.icmp: dict[int, str] = {}
        """Row -> what an ICMP error says."""
        self.sack: dict[int, SackBlocks] = {}
        """Row -> the SACK blocks of its segment."""
        self.shifts: dict[int, int] = {}
        """Row of a SYN -> shift count of its window scale option, NO_SHIFT without one."""
        self.lost: dict[int, str] = {}
        """Row -> what ate its segment: `rule 1`. Grows, and after its row has been read."""

    def __len__(self) -> int:
        return self._size

    @property
    def pieces(self) -> int:
        """How many pieces there are; a view that has read as many is up to date."""
        return len(self._pieces)

    def append(self, segments: Segments, assigned: Assigned, classified: Classified, file: int) -> None:
        """Add the segments of one batch."""
        if not len(segments):
            return
        piece = {
            name: np.array(getattr(segments, name), NARROW.get(name)) for name in DECODED & self._columns
        }
        piece |= {name: getattr(classified, name) for name in CLASSIFIED & self._columns}
        piece["flow"] = assigned.flow.astype(np.uint32)
        piece["flow"][list(classified.copy_of)] = NO_FLOW
        if "from_server" in self._columns:
            piece["from_server"] = assigned.from_server
        if "file" in self._columns:
            piece["file"] = np.full(len(segments), file, np.uint8)
        for row, original in sorted(classified.copy_of.items()):
            # A copy of a copy belongs to the segment itself.
            original = self.copy_of.get(original, original)
            self.copy_of[self._size + row] = original
            self.copies[original] += 1
        for row, words in segments.icmp.items():
            self.icmp[self._size + row] = words
        for row, blocks in segments.sack.items():
            self.sack[self._size + row] = blocks
        for row in np.flatnonzero(segments.flags & 2).tolist():
            self.shifts[self._size + row] = int(segments.window_shift[row])
        self._starts.append(self._size)
        self._pieces.append(piece)
        self._size += len(segments)
        for row, heard in classified.heard.items():
            self.heard[self._starts[-1] + row] = heard
        for row, amended in sorted(classified.amended.items(), key=lambda item: item[1].answer):
            kinds, place = self._piece_of(row)["kind"], row - self._start_of(row)
            of_flow = self.amended.setdefault(amended.flow, [])
            of_flow.append(Amendment(amended.answer, row, int(kinds[place])))
            kinds[place] = Kind.KEEPALIVE_PROBE
            self._amendments[amended.flow] += row < self._starts[-1]

    def amendments(self, flow: int) -> int:
        """How often a row of a flow that was there already got another kind."""
        return self._amendments[flow]

    def copies_of(self, row: int) -> int:
        """How many copies of a row's frame the capture holds besides."""
        return self.copies[row]

    def start_of_piece(self, number: int) -> int:
        """The first row of a piece; the number of rows behind the last one."""
        return self._starts[number] if number < len(self._starts) else self._size

    def rows_of(self, flow: int, first_piece: int, end_piece: int | None = None) -> NDArray[np.int64]:
        """The rows of a flow in the pieces from `first_piece` on, up to `end_piece`: int64, ascending."""
        pieces = slice(first_piece, end_piece)
        found = [
            np.flatnonzero(piece["flow"] == flow) + start
            for piece, start in zip(self._pieces[pieces], self._starts[pieces], strict=True)
        ]
        return np.concatenate(found) if found else np.empty(0, np.int64)

    def rows_by_flow(self, flows: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """All rows, flow by flow: int64, ascending within each; and where each of the flows begins in them."""
        if not self._pieces:
            return np.empty(0, np.int64), np.zeros(flows, np.int64)
        flow = self.joined("flow")
        rows = stable_order(flow)
        begins = np.searchsorted(flow.take(rows, mode="clip"), np.arange(flows + 1))
        return rows[: begins[-1]], begins[:-1]

    def gather(self, name: str, rows: NDArray[np.int64]) -> NDArray[Any]:
        """One column at some rows in any order: (len(rows),)."""
        if not len(rows):
            return self.column(name, rows)
        lowest, highest = int(rows.min()), int(rows.max())
        if len(rows) < (highest - lowest) // FEW:
            order = np.argsort(rows)
            values = self.column(name, rows[order])
            values[order] = values.copy()
            return values
        first, last = self._number_of(lowest), self._number_of(highest)
        column = np.concatenate([piece[name] for piece in self._pieces[first : last + 1]])
        gathered: NDArray[Any] = column[rows - self._starts[first]]
        return gathered

    def joined(self, name: str) -> NDArray[Any]:
        """One column of all rows: (len(self),), a copy."""
        if not self._pieces:
            return np.empty(0, np.int64)
        return np.concatenate([piece[name] for piece in self._pieces])

    def flows(self) -> Iterator[int]:
        """The flow of every row, in order; NO_FLOW for copies."""
        for piece in self._pieces:
            yield from piece["flow"].tolist()

    def column(self, name: str, rows: NDArray[np.int64]) -> NDArray[Any]:
        """One column at some ascending rows: (len(rows),)."""
        if not len(rows):
            return np.empty(0, self._pieces[0][name].dtype if self._pieces else np.int64)
        first, last = self._number_of(int(rows[0])), self._number_of(int(rows[-1]))
        bounds = np.searchsorted(rows, self._starts[first : last + 2])
        ends = [*bounds[1:].tolist(), len(rows)][: last - first + 1]
        parts = [
            self._pieces[first + i][name][rows[begin:end] - self._starts[first + i]]
            for i, (begin, end) in enumerate(zip(bounds.tolist(), ends, strict=False))
            if end > begin
        ]
        return np.concatenate(parts)

    def place(self, row: int) -> tuple[dict[str, NDArray[Any]], int]:
        """The columns of the piece that holds a row, and the row's index in them."""
        number = self._number_of(row)
        return self._pieces[number], row - self._starts[number]

    def value(self, name: str, row: int) -> int:
        """One value of a column."""
        return int(self._piece_of(row)[name][row - self._start_of(row)])

    def _number_of(self, row: int) -> int:
        return bisect_right(self._starts, row) - 1

    def _piece_of(self, row: int) -> dict[str, NDArray[Any]]:
        return self._pieces[self._number_of(row)]

    def _start_of(self, row: int) -> int:
        return self._starts[self._number_of(row)]
