"""The findings about many flows of a log, read in one pass over their columns, a company of flows at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from tcpladder.analysis.candidates import CandidateReader
from tcpladder.analysis.columns import MOST_FLOWS, FlowColumns
from tcpladder.analysis.flow_view import Findings, Part
from tcpladder.analysis.log import SegmentLog

MOST_SEGMENTS = 1 << 19
"""In one company, so that memory stays bounded and caches are used; one flow may have more."""


def read_together(
    log: SegmentLog, flows: int, findings: Callable[[int, Part], Findings]
) -> Iterator[Findings]:
    """The findings about each flow of a log, in order; `findings` makes them of a flow's number, from 0."""
    rows, begins = log.rows_by_flow(flows)
    bounds = np.append(begins, len(rows))
    first = 0
    while first < flows:
        most = int(np.searchsorted(bounds, bounds[first] + MOST_SEGMENTS, "right")) - 1
        end = min(max(most, first + 1), first + MOST_FLOWS, flows)
        company = rows[bounds[first] : bounds[end]]
        for number, part in enumerate(_read(log, company, begins[first:end] - bounds[first]), first):
            yield findings(number, part)
        first = end


def _read(log: SegmentLog, rows: NDArray[np.int64], begins: NDArray[np.int64]) -> Iterator[Part]:
    columns = FlowColumns(
        lambda name, index: log.value(name, int(rows[index])),
        lambda name, indices: log.gather(name, rows[indices]),
        lambda index: log.sack.get(int(rows[index])),
        begins,
    )
    columns.extend(lambda name: log.gather(name, rows))
    pause_ns, kind = columns.pause_ns(0), columns.kind.copy()
    ends = np.append(begins[1:], len(rows)).tolist()
    read = CandidateReader(columns).read(0)
    for begin, end, candidates in zip(begins.tolist(), ends, read, strict=True):
        own = slice(begin, end)
        yield Part(
            columns=columns,
            begin=begin,
            rows=rows[own],
            kind=kind[own],
            pause_ns=pause_ns[own],
            candidates=candidates,
        )
