"""Frames that a capture holds more than once: `-i any` on a router, a mirror port, two points merged into one file.

A copy is the same datagram seen at another place or a moment later: all its numbers are those of an earlier segment of
the same direction. A retransmission is another datagram, with another IP identification (RFC 6864), or it comes later
than a frame stays in a path. How many others came between says nothing: a window of them is under way at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tcpladder.flows.table import Assigned
from tcpladder.wire.segments import Segments, State

SAME_DATAGRAM_NS = 250_000_000
"""Two frames with one identification, numbers and all, this close together are one datagram; at a hundred thousand
datagrams a second the identification comes round again after more than twice that."""
SAME_MOMENT_NS = 1_000_000
"""Without an identification (IPv6, or the 0 of a SYN-ACK) and without timestamps (RFC 7323 3), only two places within
this time make a copy."""
MOST_BETWEEN = 1 << 17
"""So many rows of the capture lie between at most, which bounds what is held where times are close or unknown."""
DEPTH = 4
"""So many segments that look the same are looked at, the latest first."""
_MARK_BITS = 18
_ODD = np.uint32(0x9E37_79B1)
_ODD_LONG = np.uint64(0x9E37_79B9_7F4A_7C15)
_LONG_AGO_NS = -(1 << 62)


@dataclass(slots=True)
class _Batch:
    """One batch as it was decoded."""

    segments: Segments
    assigned: Assigned
    first_row: int
    latest_ns: int
    """The latest time of the capture up to its end."""
    marks: NDArray[np.uint32] | None = None
    """(m,) a small number of each segment: one datagram has the same one wherever it is seen."""

    def marked(self) -> NDArray[np.uint32]:
        """The marks, made when they are asked for first."""
        if self.marks is None:
            segments = self.segments
            mixed = segments.ip_id.astype(np.uint32)
            mixed <<= np.uint32(16)
            mixed ^= segments.seq
            mixed *= _ODD
            mixed += segments.ack
            mixed *= _ODD
            mixed >>= np.uint32(32 - _MARK_BITS)
            self.marks = mixed
        return self.marks


@dataclass(slots=True)
class _Prints:
    """What tells one datagram from the next, of k segments in capture order."""

    identity: NDArray[np.uint64]
    """(4, k) numbers, shape, timestamps, flow-direction with identification: all equal in one datagram."""
    place: NDArray[np.uint64]
    """(k,) interface and time to live."""
    time_ns: NDArray[np.int64]
    row: NDArray[np.int64]
    """(k,) row of the capture."""

    def keys(self) -> NDArray[np.uint64]:
        """(k,) one number for the identity."""
        key = np.zeros(len(self.row), np.uint64)
        for column in self.identity:
            key ^= column
            key *= _ODD_LONG
            key ^= key >> np.uint64(29)
        return key


class SeenLately:
    """The last batches of a capture, in which a datagram may have been seen before."""

    def __init__(self) -> None:
        self._batches: list[_Batch] = []
        self._latest_ns = _LONG_AGO_NS

    def add(self, segments: Segments, assigned: Assigned, first_row: int) -> None:
        """Take in a batch, and forget those that are too old for any copy of their segments.

        Args:
            segments: of the batch, not changed from now on.
            assigned: their flows.
            first_row: row of the capture that the first segment is.
        """
        before_ns = self._latest_ns
        self._batches = [
            one
            for one in self._batches
            if before_ns - one.latest_ns < SAME_DATAGRAM_NS
            and first_row - (one.first_row + len(one.segments)) < MOST_BETWEEN
        ]
        self._latest_ns = max(before_ns, int(segments.time_ns.max(initial=_LONG_AGO_NS)))
        self._batches.append(_Batch(segments, assigned, first_row, self._latest_ns))

    def copies(self, rows: NDArray[np.int64]) -> dict[int, int]:
        """Row of the batch that was added last, of those asked for -> row of the capture that it is a copy of.

        Args:
            rows: (k,) of the batch: those that repeat something. Each is compared with all segments before it, copies
                too; the latest one counts.
        """
        if not len(rows):
            return {}
        last = self._batches[-1]
        # Nearly all have a mark that no other has; only of the rest all columns are read.
        prints = _joined([_prints(*part) for part in self._alike(last.marked()[rows])])
        asked = np.isin(prints.row, rows + last.first_row, assume_unique=True)
        key = prints.keys()
        order = np.argsort(key, kind="stable")
        key = key[order]
        at = np.flatnonzero(asked[order])
        found: dict[int, int] = {}
        for back in range(1, DEPTH + 1):
            at = at[at >= back]
            at = at[key[at] == key[at - back]]
            same = _same(prints, order[at], order[at - back])
            own, earlier = order[at[same]], order[at[same] - back]
            if len(own):
                held = self._held(prints, own, earlier)
                copied, repeated = prints.row[own[held]] - last.first_row, prints.row[earlier[held]]
                found.update(zip(copied.tolist(), repeated.tolist(), strict=True))
            at = at[~same]
        return found

    def _alike(self, marks: NDArray[np.uint32]) -> list[tuple[_Batch, NDArray[np.int64]]]:
        """The rows of each batch that have one of these marks, where two or more have it."""
        wanted = np.zeros(1 << _MARK_BITS, np.bool_)
        wanted[marks] = True
        rows = [np.flatnonzero(wanted[one.marked()]) for one in self._batches]
        found = np.sort(
            np.concatenate([one.marked()[near] for one, near in zip(self._batches, rows, strict=True)])
        )
        wanted[marks] = False
        wanted[found[1:][found[1:] == found[:-1]]] = True
        return [
            (one, near[wanted[one.marked()[near]]]) for one, near in zip(self._batches, rows, strict=True)
        ]

    def _held(self, prints: _Prints, own: NDArray[np.int64], earlier: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether the earlier segment cannot have been forgotten when the other comes, however the capture is cut."""
        last = self._batches[-1]
        before_ns = self._batches[-2].latest_ns if len(self._batches) > 1 else _LONG_AGO_NS
        so_far_ns = np.maximum(np.maximum.accumulate(last.segments.time_ns), before_ns)
        late_ns = so_far_ns[prints.row[own] - last.first_row] - prints.time_ns[earlier]
        held: NDArray[np.bool_] = late_ns < SAME_DATAGRAM_NS
        held &= prints.row[own] - prints.row[earlier] <= MOST_BETWEEN
        return held


def _prints(batch: _Batch, rows: NDArray[np.int64]) -> _Prints:
    """The prints of those rows of a batch whose headers can be believed."""
    segments, assigned = batch.segments, batch.assigned
    rows = rows[segments.state[rows] == State.WHOLE]
    slot = assigned.flow[rows] * 2 + assigned.from_server[rows]
    return _Prints(
        identity=np.stack(
            [
                _pair(segments.seq[rows], segments.ack[rows]),
                _pair(
                    segments.length[rows],
                    segments.flags[rows].astype(np.uint32) << 16 | segments.window[rows],
                ),
                _pair(segments.tsval[rows], segments.tsecr[rows]),
                _pair(slot, np.maximum(segments.ip_id[rows], 0)),
            ]
        ),
        place=_pair(segments.interface[rows], segments.ttl[rows]),
        time_ns=segments.time_ns[rows],
        row=rows + batch.first_row,
    )


def _pair(high: NDArray[Any], low: NDArray[Any]) -> NDArray[np.uint64]:
    """Two numbers of up to 32 bits in one."""
    pair: NDArray[np.uint64] = high.astype(np.uint64) << np.uint64(32) | low.astype(np.uint64)
    return pair


def _joined(parts: list[_Prints]) -> _Prints:
    if len(parts) == 1:
        return parts[0]
    return _Prints(
        identity=np.concatenate([one.identity for one in parts], axis=1),
        place=np.concatenate([one.place for one in parts]),
        time_ns=np.concatenate([one.time_ns for one in parts]),
        row=np.concatenate([one.row for one in parts]),
    )


def _same(prints: _Prints, own: NDArray[np.int64], earlier: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each segment is the datagram of an earlier one."""
    apart_ns = prints.time_ns[own] - prints.time_ns[earlier]
    identified = prints.identity[3, own] & np.uint64(0xFFFF_FFFF) != 0
    one_datagram = identified & (apart_ns < SAME_DATAGRAM_NS)
    # Equal timestamps are nearly an identification: a retransmission has that of its own millisecond.
    within_ns = np.where(prints.identity[2, own] != 0, SAME_DATAGRAM_NS, SAME_MOMENT_NS)
    elsewhere = ~identified & (prints.place[own] != prints.place[earlier]) & (apart_ns < within_ns)
    same: NDArray[np.bool_] = (prints.identity[:, own] == prints.identity[:, earlier]).all(axis=0)
    same &= (apart_ns >= 0) & (one_datagram | elsewhere)
    return same
