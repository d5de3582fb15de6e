"""The segments of many flows of a log, read in one pass over their columns, a company of flows at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tcpladder.analysis.candidates import CandidateReader
from tcpladder.analysis.columns import COLUMNS, MOST_FLOWS, FlowColumns
from tcpladder.analysis.flow_reading import Part
from tcpladder.analysis.log import SegmentLog

MOST_GATHERED = 1 << 20
"""Segments whose columns are put in the order of flows at a time, so that memory stays bounded; one flow may have
more."""
MOST_SEGMENTS = 1 << 16
"""Of them in one company, so that its columns stay in a core's cache; likewise."""


def read_together(log: SegmentLog, flows: int, *, delayed: bool = True) -> Iterator[Part]:
    """Each flow of a log, in order.

    `delayed` says whether the ACKs that a delayed ACK timer sent are looked for.
    """
    rows, begins = log.rows_by_flow(flows)
    joined = cache(log.joined)
    for gathered, gathered_begins in _divided(rows, begins, MOST_GATHERED):
        # All rows are known to be inside: without a look at each, `take` needs half the time.
        column = {name: joined(name).take(gathered, mode="clip") for name in COLUMNS}
        at = 0
        for company, company_begins in _divided(gathered, gathered_begins, MOST_SEGMENTS):
            own = {name: values[at : at + len(company)] for name, values in column.items()}
            at += len(company)
            yield from _read(log, own, joined, company, company_begins, delayed)


def _divided(
    rows: NDArray[np.int64], begins: NDArray[np.int64], most: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Whole flows with at most so many rows together, or one flow with more: their rows, and where each begins."""
    bounds, first = np.append(begins, len(rows)), 0
    while first < len(begins):
        last = int(np.searchsorted(bounds, bounds[first] + most, "right")) - 1
        end = min(max(last, first + 1), first + MOST_FLOWS, len(begins))
        yield rows[bounds[first] : bounds[end]], begins[first:end] - bounds[first]
        first = end


def _read(
    log: SegmentLog,
    column: Mapping[str, NDArray[Any]],
    joined: Callable[[str], NDArray[Any]],
    rows: NDArray[np.int64],
    begins: NDArray[np.int64],
    delayed: bool,
) -> Iterator[Part]:
    """The flows of a company, whose `column`s are in the order of its `rows`; `joined` are those of the whole log."""
    columns = FlowColumns(
        lambda name, index: log.value(name, int(rows[index])),
        lambda name, indices: joined(name)[rows[indices]],
        lambda index: log.sack.get(int(rows[index])),
        begins,
    )
    columns.extend(lambda name: column[name])
    pause_ns, kind, own_columns = columns.pause_ns(0), columns.kind.copy(), columns.arrays()
    ends = np.append(begins[1:], len(rows)).tolist()
    read = CandidateReader(columns, delayed=delayed).read(0)
    for begin, end, candidates in zip(begins.tolist(), ends, read, strict=True):
        own = slice(begin, end)
        yield Part(
            columns=own_columns,
            begin=begin,
            rows=rows[own],
            kind=kind[own],
            pause_ns=pause_ns[own],
            candidates=candidates,
        )
