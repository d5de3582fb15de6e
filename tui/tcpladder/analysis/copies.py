"""Frames that a capture holds more than once: `-i any` on a router, a mirror port, two points merged into one file.

A copy is the same datagram seen at another place or a moment later: all its numbers are those of a segment of the same
direction just before. A retransmission is another datagram, with another IP identification (RFC 6864), or it comes
later than a frame stays in a host.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tcpladder.flows.order import NOTHING, FlowOrder
from tcpladder.wire.segments import Segments

DEPTH = 4
"""A copy repeats one of so many segments before it in its direction."""
_HIGH, _MIDDLE = np.uint64(32), np.uint64(16)
SAME_DATAGRAM_NS = 250_000_000
"""Two frames with one identification, numbers and all, this close together are one datagram; at a hundred thousand
datagrams a second the identification comes round again after more than twice that."""
SAME_MOMENT_NS = 1_000_000
"""Without an identification (IPv6, or the 0 of a SYN-ACK) only two places within this time make a copy."""


class Fingerprints:
    """What tells one datagram from the next; read only for the segments that are asked for.

    Args:
        segments: those of the batch.
        at: (m,) row of the batch at each position in flow order.
    """

    def __init__(self, segments: Segments, at: NDArray[np.int64]) -> None:
        self._segments = segments
        self._at = at
        self._numbers: NDArray[np.uint64] = segments.seq.astype(np.uint64) << _HIGH | segments.ack

    def numbers(self, positions: NDArray[np.int64]) -> NDArray[np.uint64]:
        """Sequence and acknowledgment number in one: the first of `columns`."""
        return self._numbers.take(self._at.take(positions, mode="wrap"), mode="clip")

    def columns(self, positions: NDArray[np.int64]) -> tuple[NDArray[Any], ...]:
        """Numbers, shape, timestamps and place as uint64, and time as int64; each in the shape of `positions`."""
        segments, at = self._segments, self._at[positions]
        identified = np.maximum(segments.ip_id[at], 0).astype(np.uint64)
        return (
            self._numbers[at],
            segments.length[at].astype(np.uint64) << _HIGH
            | segments.flags[at].astype(np.uint64) << _MIDDLE
            | segments.window[at],
            segments.tsval[at].astype(np.uint64) << _HIGH | segments.tsecr[at],
            identified << _HIGH | segments.interface[at].astype(np.uint64) << _MIDDLE | segments.ttl[at],
            segments.time_ns[at],
        )


class Recent:
    """The last DEPTH segments of every flow-direction, newest first, and the capture rows that they are."""

    def __init__(self) -> None:
        self.columns = [np.zeros((0, DEPTH), dtype) for dtype in ("u8", "u8", "u8", "u8", "i8")]
        self.row = np.full((0, DEPTH), NOTHING, np.int64)

    def grow(self, slots: int) -> None:
        """Make room for at least that many slots."""
        if slots <= len(self.row):
            return
        size = max(1024, 1 << (slots - 1).bit_length()) - len(self.row)
        self.columns = [np.concatenate([c, np.zeros((size, DEPTH), c.dtype)]) for c in self.columns]
        self.row = np.concatenate([self.row, np.full((size, DEPTH), NOTHING, np.int64)])

    def carry(self, order: FlowOrder, prints: Fingerprints, rows: NDArray[np.int64]) -> None:
        """Leave the last segments of each direction to the next batch; `rows` are their capture rows."""
        last = order.last
        slot = order.slot[last]
        chain = [last]
        for _ in range(DEPTH - 1):
            chain.append(np.where(chain[-1] >= 0, order.previous[chain[-1]], NOTHING))
        at = np.stack(chain, axis=1)
        inside = at >= 0
        count = inside.sum(axis=1)
        # What the batch does not fill up is what was there before, moved down.
        older = np.maximum(np.arange(DEPTH)[None, :] - count[:, None], 0)
        for number, column in enumerate(prints.columns(at)):
            kept = self.columns[number][slot[:, None], older]
            self.columns[number][slot] = np.where(inside, column, kept)
        self.row[slot] = np.where(inside, rows[at], self.row[slot[:, None], older])


def find_copies(
    order: FlowOrder,
    prints: Fingerprints,
    recent: Recent,
    candidates: NDArray[np.int64],
    rows: NDArray[np.int64],
) -> dict[int, int]:
    """Position of each copy among the candidates -> capture row of the segment that it repeats."""
    found: dict[int, int] = {}
    if not len(candidates):
        return found
    own = prints.numbers(candidates)
    at, inside = candidates, np.zeros(len(candidates), np.int64)
    alike = []
    for _ in range(DEPTH):
        at = np.where(at >= 0, order.previous.take(at, mode="wrap"), NOTHING)
        # Nearly all differ in their numbers already; the rest is read for those that do not.
        is_alike = ((prints.numbers(at) == own) & (at >= 0)).nonzero()[0]
        alike.append((candidates[is_alike], at[is_alike]))
        inside += at >= 0
    position, earlier = (np.concatenate(positions) for positions in zip(*alike, strict=True))
    if len(position):
        same = _same(prints.columns(position), prints.columns(earlier))
        _note(found, position[same], rows[earlier[same]])
    _find_carried(found, order, prints, recent, candidates, inside)
    return found


def _find_carried(
    found: dict[int, int],
    order: FlowOrder,
    prints: Fingerprints,
    recent: Recent,
    candidates: NDArray[np.int64],
    inside: NDArray[np.int64],
) -> None:
    """Add the copies of segments of earlier batches; `inside` is how many of DEPTH were of this one."""
    near = np.flatnonzero(inside < DEPTH)
    slot = order.slot[candidates[near]]
    alike = recent.columns[0][slot] == prints.numbers(candidates[near])[:, None]
    alike &= np.arange(DEPTH) < (DEPTH - inside[near])[:, None]
    alike &= recent.row[slot] != NOTHING
    which, back = np.nonzero(alike)
    if len(which):
        position, slot = candidates[near[which]], slot[which]
        same = _same(prints.columns(position), tuple(column[slot, back] for column in recent.columns))
        _note(found, position[same], recent.row[slot[same], back[same]])


def _note(found: dict[int, int], positions: NDArray[np.int64], rows: NDArray[np.int64]) -> None:
    """Of several segments that one repeats, the latest one counts, which is found first."""
    for position, row in zip(positions.tolist(), rows.tolist(), strict=True):
        found.setdefault(position, row)


def _same(own: tuple[NDArray[Any], ...], earlier: tuple[NDArray[Any], ...]) -> NDArray[np.bool_]:
    """Whether each candidate is the datagram with these columns."""
    apart_ns = own[4] - earlier[4]
    same: NDArray[np.bool_] = (own[0] == earlier[0]) & (own[1] == earlier[1]) & (own[2] == earlier[2])
    identified = own[3] >> _HIGH != 0
    one_datagram = identified & (own[3] >> _HIGH == earlier[3] >> _HIGH) & (apart_ns < SAME_DATAGRAM_NS)
    both_without = ~identified & (earlier[3] >> _HIGH == 0)
    elsewhere = both_without & (own[3] != earlier[3]) & (apart_ns < SAME_MOMENT_NS)
    copies: NDArray[np.bool_] = same & (apart_ns >= 0) & (one_datagram | elsewhere)
    return copies
