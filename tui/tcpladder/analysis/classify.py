"""What each segment is. One function for live captures and files: state is carried, so cuts change nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tcpladder.analysis.answers import listen_for_probes
from tcpladder.analysis.batch_columns import NEVER, BatchColumns
from tcpladder.analysis.carried import Carried
from tcpladder.analysis.classified import Classified
from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.rules import decide
from tcpladder.flows.table import Assigned
from tcpladder.wire.segments import Segments, State

WIDEST = 1 << 30
"""Rows of a batch that lie further apart than this in sequence space are classified in smaller pieces."""
FEWEST_ROWS = 4096
_STATE_KIND = {
    State.CUT_SHORT: Kind.CUT_SHORT,
    State.IP_LENGTH: Kind.MALFORMED,
    State.DATA_OFFSET: Kind.MALFORMED,
    State.ICMP: Kind.ICMP_ERROR,
}


def classify(segments: Segments, assigned: Assigned, carried: Carried, first_row: int) -> Classified:
    """Give every segment its kind.

    Args:
        segments: m segments in capture order.
        assigned: their flows.
        carried: what earlier batches left; updated.
        first_row: row of the capture that the first segment is.
    """
    m = len(segments)
    if m:
        carried.grow(int(assigned.flow.max()) * 2 + 2)
        carried.lately.add(segments, assigned, first_row)
    result = Classified(
        kind=np.zeros(m, np.uint8),
        expected=np.zeros(m, np.uint32),
        expected_known=np.zeros(m, np.bool_),
        peer_ack=np.zeros(m, np.uint32),
        peer_ack_known=np.zeros(m, np.bool_),
        copy_of={},
        heard={},
        amended={},
    )
    whole = segments.state == State.WHOLE
    if bool(whole.all()):
        rows = np.arange(m)
    else:
        rows = np.flatnonzero(whole)
        for row in np.flatnonzero(~whole).tolist():
            result.kind[row] = _STATE_KIND[State(int(segments.state[row]))]
    _classify_rows(segments, assigned, carried, first_row, rows, result)
    return result


def _classify_rows(
    segments: Segments,
    assigned: Assigned,
    carried: Carried,
    first_row: int,
    rows: NDArray[np.int64],
    result: Classified,
    *,
    copies_are_out: bool = False,
) -> None:
    if not len(rows):
        return
    batch = BatchColumns(segments, assigned, carried, first_row, rows)
    if len(rows) > FEWEST_ROWS and batch.widest > WIDEST:
        half = len(rows) // 2
        _classify_rows(segments, assigned, carried, first_row, rows[:half], result)
        _classify_rows(segments, assigned, carried, first_row, rows[half:], result)
        return
    batch.compare()
    if not copies_are_out:
        copies = batch.copies()
        if copies:
            # A copy must not count as something that was sent: once more without them.
            result.copy_of |= copies
            result.kind[list(copies)] = Kind.COPY
            rest = np.setdiff1d(rows, list(copies), assume_unique=True)
            _classify_rows(segments, assigned, carried, first_row, rest, result, copies_are_out=True)
            return
    decide(batch)
    listen_for_probes(batch)
    result.heard |= batch.heard()
    batch.carry()
    target = batch.capture_rows
    result.kind[target] = batch.kind
    result.expected[target] = (batch.expected + batch.base).astype(np.uint32)
    result.expected_known[target] = batch.expected > NEVER
    result.peer_ack[target] = batch.peer_ack
    result.peer_ack_known[target] = batch.peer_acks
    result.amended |= batch.amended
