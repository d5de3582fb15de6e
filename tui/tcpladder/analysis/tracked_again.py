"""A flow's segments out of the log, as the tracker takes them in: so that a flow can be followed once more, alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tcpladder.analysis.classified import Amended, Classified
from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.log import DECODED, SegmentLog
from tcpladder.analysis.tracking import Tracker
from tcpladder.flows.table import Assigned
from tcpladder.wire.segments import NO_SHIFT, Addresses, Segments


def follow_again(
    tracker: Tracker, log: SegmentLog, flow: int, all_rows: NDArray[np.int64], begin: int
) -> None:
    """Let a tracker of one flow take in its rows of the log from `all_rows[begin]` on.

    `all_rows` are (n,) the rows of the flow, copies included, ascending. The tracker numbers the rows of its flow only.
    """
    rows = all_rows[begin:]
    amendments = log.amended.get(flow, ())
    place = {int(row): index for index, row in enumerate(rows.tolist())} if amendments else {}
    kind = log.column("kind", rows)
    for amendment in amendments:
        if amendment.row in place:
            kind[place[amendment.row]] = amendment.before
    heard = {
        index: int(np.searchsorted(all_rows, log.heard[int(rows[index])]))
        for index in np.flatnonzero(np.isin(kind, _ASKING) | (log.column("flags", rows) & 4 != 0)).tolist()
        if int(rows[index]) in log.heard
    }
    icmp = {i: log.icmp[int(rows[i])] for i in np.flatnonzero(kind == Kind.ICMP_ERROR).tolist()}
    classified = Classified(
        kind=kind,
        expected=_NUMBERS,
        expected_known=_FLAGS,
        peer_ack=_NUMBERS,
        peer_ack_known=_FLAGS,
        copy_of=dict.fromkeys(np.flatnonzero(kind == Kind.COPY).tolist(), 0),
        heard=heard,
        amended={
            i: Amended(0, a.answer, log.value("length", a.row))
            for i, a in enumerate(amendments)
            if a.answer in place
        },
    )
    assigned = Assigned(np.zeros(len(rows), np.int64), log.column("from_server", rows))
    tracker.follow(_segments(log, rows), assigned, classified, icmp)


def _segments(log: SegmentLog, rows: NDArray[np.int64]) -> Segments:
    """The rows as they were decoded, without what the log does not keep."""
    columns: dict[str, Any] = {name: log.column(name, rows) for name in DECODED}
    return Segments(
        **columns,
        swapped=np.zeros(len(rows), np.bool_),
        window_shift=np.full(len(rows), NO_SHIFT, np.int8),
        addresses=_NOWHERE,
    )


_ASKING = [int(Kind.KEEPALIVE_PROBE)]
_NUMBERS, _FLAGS = np.zeros(0, np.uint32), np.zeros(0, np.bool_)
_NOWHERE = Addresses(
    is_v6=_FLAGS, first=np.zeros(0, np.uint64), second=None, third=None, fourth=None, ports=_NUMBERS
)
