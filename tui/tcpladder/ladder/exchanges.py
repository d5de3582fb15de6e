"""Which stretches of a flow repeat one exchange, so that a ladder may draw them as one row. Found by columns.

A stretch is a row of segments each of which goes on with what the one before it did. Its ends stay visible: what is
folded is `begin` up to `end`, behind the first exchange and before the last one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from tcpladder.analysis.kinds import PROBES, RETRANSMISSIONS, Kind
from tcpladder.analysis.view import Timeline
from tcpladder.wire.frames import UNKNOWN_TIME_NS


class Repeated(IntEnum):
    """What a stretch repeats; the value is how a segment goes on with the one before."""

    NOTHING = 0
    TRANSFER = 1
    """Data of one end and the ACKs of the other, without a silence."""
    ANSWERED = 2
    """Probe and answer, about as long apart each time."""
    RETRIES = 3
    """Retransmissions, or probes without an answer, of one end."""


FOLDED_UNASKED = frozenset({Repeated.TRANSFER, Repeated.ANSWERED})
"""What a ladder folds by itself; retries are what a person looks for."""
FEWEST = {Repeated.TRANSFER: 8, Repeated.ANSWERED: 4, Repeated.RETRIES: 3}
"""Segments that are worth a row that stands for them."""
VISIBLE = {Repeated.TRANSFER: 1, Repeated.ANSWERED: 2, Repeated.RETRIES: 1}
"""Segments of an exchange: so many stay visible at each end of a stretch."""
SLACK_NS = 50_000_000
"""Probes are as long apart as before if they are so to an eighth, a timer's worst lateness in Linux, and this."""

_DATA, _ACK, _PROBE, _ANSWER, _RETRY = range(1, 6)
_ROLES = np.zeros(256, np.uint8)
_ROLES[int(Kind.DATA)] = _DATA
_ROLES[[int(kind) for kind in (Kind.ACK, Kind.DELAYED_ACK, Kind.WINDOW_UPDATE)]] = _ACK
_ROLES[[int(kind) for kind in PROBES]] = _PROBE
_ROLES[[int(kind) for kind in (Kind.KEEPALIVE_ACK, Kind.ZERO_WINDOW_PROBE_ACK)]] = _ANSWER
_ROLES[[int(kind) for kind in RETRANSMISSIONS]] = _RETRY
_AT_ONCE = 1 << 17
"""Segments that are looked at together: what is made of more no longer stays in memory that is at hand."""
_LOOK_BACK = 3
"""How far before a segment that decides whether it goes on with what was before."""


@dataclass(frozen=True, slots=True)
class Stretches:
    """What can be folded, in order; no two overlap. All arrays have one element a stretch."""

    begin: NDArray[np.int64]
    """First segment that would be folded."""
    end: NDArray[np.int64]
    """Behind the last one."""
    repeated: NDArray[np.uint8]


NONE = Stretches(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.uint8))


class Exchanges:
    """The stretches of one flow or several, which grow; none goes on from one flow to another."""

    def __init__(self) -> None:
        self._known = 0
        self._closed = NONE
        """Whole stretches, their visible ends included, that no later segment makes longer."""
        self._last = (Repeated.NOTHING, 0)
        """What the last segment goes on with, and the first segment of that stretch."""

    def read(self, view: Timeline, segments: int, apart: NDArray[np.int64]) -> Stretches:
        """All stretches among the first `segments`. Costs as much as what is new since the last call.

        Args:
            apart: (m,) segments that go on with nothing, whatever they are: a note stands above, or something ate them.
                Only those that are new since the last call count.
        """
        while self._known < segments:
            end = min(segments, self._known + _AT_ONCE)
            self._take(_goes_on(view, self._known, end, apart))
            self._known = end
        kind, first = self._last
        whole = Stretches(
            np.append(self._closed.begin, first),
            np.append(self._closed.end, segments),
            np.append(self._closed.repeated, np.uint8(kind)),
        )
        return _folded(whole)

    def _take(self, goes_on: NDArray[np.uint8]) -> None:
        changes = np.flatnonzero(goes_on[1:] != goes_on[:-1]) + 1
        starts = np.concatenate([[0], changes])
        lengths = np.diff(starts, append=len(goes_on))
        is_worth = lengths >= _SHORTEST
        is_worth[0] = is_worth[-1] = True  # they go on with what is known, or may be gone on with
        worth = np.flatnonzero(is_worth)  # numpy takes places three times as fast as it asks each element
        starts, lengths = starts[worth], lengths[worth]
        repeated = goes_on[starts]
        begin, end = np.maximum(self._known + starts - 1, 0), self._known + starts + lengths
        kind, first = self._last
        if repeated[0] == kind:
            begin[0] = first
        else:
            begin = np.concatenate([[first], begin])
            end = np.concatenate([[self._known], end])
            repeated = np.concatenate([[np.uint8(kind)], repeated])
        self._last = Repeated(int(repeated[-1])), int(begin[-1])
        closed = Stretches(begin[:-1], end[:-1], repeated[:-1])
        kept = _is_long(closed)
        self._closed = Stretches(
            np.append(self._closed.begin, closed.begin[kept]),
            np.append(self._closed.end, closed.end[kept]),
            np.append(self._closed.repeated, closed.repeated[kept]),
        )


_FEWEST = np.array([1 << 40, *(FEWEST[kind] for kind in list(Repeated)[1:])], np.int64)
_VISIBLE = np.array([0, *(VISIBLE[kind] for kind in list(Repeated)[1:])], np.int64)

_SHORTEST = min(FEWEST[kind] + 2 * VISIBLE[kind] for kind in FEWEST) - 1
"""Segments of the shortest stretch that can be folded, but for the first."""


def _is_long(whole: Stretches) -> NDArray[np.bool_]:
    return whole.end - whole.begin >= _FEWEST[whole.repeated] + 2 * _VISIBLE[whole.repeated]


def _folded(whole: Stretches) -> Stretches:
    """The part of each that is folded: whole exchanges, so that a probe stays with its answer."""
    begin, end = whole.begin + _VISIBLE[whole.repeated], whole.end - _VISIBLE[whole.repeated]
    end -= (end - begin) * (whole.repeated == Repeated.ANSWERED) % 2
    kept = end - begin >= _FEWEST[whole.repeated]
    return Stretches(begin[kept], end[kept], whole.repeated[kept])


def _goes_on(view: Timeline, begin: int, end: int, apart: NDArray[np.int64]) -> NDArray[np.uint8]:
    """(end - begin,) what each segment goes on with that the one before it did: Repeated."""
    first = max(begin - _LOOK_BACK, 0)
    kind, client = view.kind[first:end], view.from_client[first:end]
    role = _ROLES.take(kind)  # in half the time of an index
    before = np.concatenate([[np.uint8(0)], role[:-1]])
    free = np.ones(len(kind), np.bool_)
    free[apart[(apart >= first) & (apart < end)] - first] = False
    answers = (role == _ACK) | (role == _ANSWER)
    way = client ^ answers
    free[1:] &= way[1:] == way[:-1]
    flow = view.flow[first:end]
    free[1:] &= flow[1:] == flow[:-1]
    quiet = free & ~view.silent[first:end]

    moves = (role == _DATA) | (role == _ACK)
    transfers = moves & quiet
    transfers[1:] &= moves[:-1]
    transfers[:1] = False
    # Most segments of a long flow: a product costs less than setting them by their places.
    goes_on: NDArray[np.uint8] = transfers * np.uint8(Repeated.TRANSFER)
    goes_on[quiet & (role == _ANSWER) & (before == _PROBE)] = Repeated.ANSWERED
    probes = np.flatnonzero(free & (role == _PROBE))
    again = probes[(before[probes] == _ANSWER) & (goes_on[probes - 1] == Repeated.ANSWERED)]
    goes_on[_as_long_as_before(again, view.time_ns[first:end], kind)] = Repeated.ANSWERED
    in_vain = probes[before[probes] == _PROBE]
    goes_on[in_vain[kind[in_vain] == kind[in_vain - 1]]] = Repeated.RETRIES
    goes_on[free & (role == _RETRY) & (before == _RETRY)] = Repeated.RETRIES
    return goes_on[begin - first :]


def _as_long_as_before(
    probes: NDArray[np.int64], time_ns: NDArray[np.int64], kind: NDArray[np.uint8]
) -> NDArray[np.int64]:
    """Those probes, each behind an answer, that come after as long a silence as the probe it answers."""
    probes = probes[probes >= _LOOK_BACK]
    probes = probes[kind[probes - 2] == kind[probes]]
    times = np.stack([time_ns[probes - back] for back in range(_LOOK_BACK + 1)])
    known = (times != UNKNOWN_TIME_NS).all(axis=0)
    pause, before = times[0] - times[1], times[2] - times[3]
    alike: NDArray[np.bool_] = known & (np.abs(pause - before) <= np.abs(before) // 8 + SLACK_NS)
    return probes[alike]
