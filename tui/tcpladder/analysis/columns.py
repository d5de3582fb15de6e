"""The columns that the timer analysis reads, of one flow that grows or of many flows, and the operators on them.

All clever index arithmetic of the timers is here and nowhere else. Many flows stand one after the other, each in
capture order; one flow is the same with a single beginning, so that each rule is written once and serves both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tcpladder.analysis.growing import Growing
from tcpladder.wire.frames import UNKNOWN_TIME_NS
from tcpladder.wire.segments import SackBlocks

NOTHING = -1
"""The index of a segment that there is not."""
BAND = 1 << 41
"""Apart from each other in one sorted column lie the numbers of different flows; no number is that large."""
MOST_FLOWS = 1 << 21
"""So many bands fit into 63 bits."""
_FROM_0 = np.zeros(1, np.int64)
_NAMES = ("time_ns", "kind", "seq", "ack", "length", "flags")
COLUMNS = (*_NAMES, "from_server")
"""The columns of the log that FlowColumns holds."""


class FlowColumns:
    """Segments in capture order, n of them; index counts from 0.

    Args:
        value: (column name, index) -> one value of any column of the log.
        values: (column name, (m,) indices) -> (m,) values of it.
        sack: index -> the SACK blocks of that segment, None where it has none.
        begins: (flows,) ascending, index of the first segment of each flow; one flow may grow, many do not.
    """

    def __init__(
        self,
        value: Callable[[str, int], int],
        values: Callable[[str, NDArray[np.int64]], NDArray[Any]],
        sack: Callable[[int], SackBlocks | None],
        begins: NDArray[np.int64] | None = None,
    ) -> None:
        self.value = value
        self.values = values
        self.sack = sack
        self.begins = _FROM_0 if begins is None else begins
        self._time_ns: Growing[np.int64] = Growing(np.int64)
        self._from_client: Growing[np.bool_] = Growing(np.bool_)
        self._kind: Growing[np.uint8] = Growing(np.uint8)
        self._seq: Growing[np.uint32] = Growing(np.uint32)
        self._ack: Growing[np.uint32] = Growing(np.uint32)
        self._length: Growing[np.int32] = Growing(np.int32)
        self._flags: Growing[np.uint16] = Growing(np.uint16)
        self._flow: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self._time_ns)

    def extend(self, read: Callable[[str], NDArray[Any]]) -> None:
        """Take in more segments; `read` gives a column of them by name."""
        for name in _NAMES:
            getattr(self, f"_{name}").extend(read(name))
        self._from_client.extend(~read("from_server"))

    def arrays(self) -> tuple[NDArray[Any], ...]:
        """The columns themselves, in the order of PartColumns."""
        return tuple(getattr(self, name) for name in PartColumns.__slots__)

    @property
    def flows(self) -> int:
        return len(self.begins)

    def flow_of(self, indices: NDArray[np.int64]) -> NDArray[np.int64]:
        """(m,) which of the flows each segment belongs to, from 0."""
        if self.flows == 1:
            return np.zeros(len(indices), np.int64)
        if self._flow is None:
            self._flow = np.repeat(np.arange(self.flows), np.diff(self.begins, append=len(self)))
        return self._flow[indices]

    def bands(self) -> NDArray[np.int64]:
        """(flows,) where the band of each flow begins."""
        return np.arange(self.flows) * BAND

    def pause_ns(self, begin: int) -> NDArray[np.int64]:
        """(n - begin,) how long ago the flow's segment before was, 0 for its first and where nobody knows the times."""
        recent = self.time_ns[max(begin - 1, 0) :]
        pause_ns = np.zeros(len(self) - begin, np.int64)
        known = recent != UNKNOWN_TIME_NS
        np.subtract(recent[1:], recent[:-1], out=pause_ns[0 if begin else 1 :], where=known[1:] & known[:-1])
        if not begin:
            pause_ns[self.begins[self.begins < len(pause_ns)]] = 0
        return pause_ns

    def at_ns(self, index: int) -> int:
        """The time of one segment."""
        at_ns: int = self._time_ns.item(index)
        return at_ns

    @property
    def time_ns(self) -> NDArray[np.int64]:
        """(n,)"""
        return self._time_ns.values

    @property
    def from_client(self) -> NDArray[np.bool_]:
        """(n,)"""
        return self._from_client.values

    @property
    def kind(self) -> NDArray[np.uint8]:
        """(n,) Kind of each segment; the timer analysis makes some of them more precise."""
        return self._kind.values

    @property
    def seq(self) -> NDArray[np.uint32]:
        """(n,)"""
        return self._seq.values

    @property
    def ack(self) -> NDArray[np.uint32]:
        """(n,)"""
        return self._ack.values

    @property
    def length(self) -> NDArray[np.int32]:
        """(n,) payload bytes."""
        return self._length.values

    @property
    def flags(self) -> NDArray[np.uint16]:
        """(n,)"""
        return self._flags.values


class PartColumns(FlowColumns):
    """One flow among many that were read together: slices of their columns; does not grow.

    Args:
        value, values, sack: as of FlowColumns, by the flow's own indices.
        many: what FlowColumns.arrays gave of all of them, where the flow stands from index `begin` up to `end`.
    """

    __slots__ = ("ack", "flags", "from_client", "kind", "length", "seq", "time_ns")
    time_ns: NDArray[np.int64]
    from_client: NDArray[np.bool_]
    kind: NDArray[np.uint8]
    seq: NDArray[np.uint32]
    ack: NDArray[np.uint32]
    length: NDArray[np.int32]
    flags: NDArray[np.uint16]

    def __init__(
        self,
        value: Callable[[str, int], int],
        values: Callable[[str, NDArray[np.int64]], NDArray[Any]],
        sack: Callable[[int], SackBlocks | None],
        many: tuple[NDArray[Any], ...],
        begin: int,
        end: int,
    ) -> None:
        self.value, self.values, self.sack = value, values, sack
        self.begins = _FROM_0
        # A property for each would take longer than all else that is done for most flows.
        own = slice(begin, end)
        self.ack, self.flags, self.from_client, self.kind, self.length, self.seq, self.time_ns = [
            column[own] for column in many
        ]

    def __len__(self) -> int:
        return len(self.time_ns)

    def at_ns(self, index: int) -> int:
        """The time of one segment."""
        return self.time_ns.item(index)


def running_max(
    banded: NDArray[np.int64], begins: NDArray[np.int64], carried: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The running maximum within each flow, including each element: (m,).

    Args:
        banded: (m,) each in the band of its flow, so one running maximum serves all of them.
        begins: (k,) where the flows begin, see `first_of_each`.
        carried: (k,) the maximum of each of these flows before, in its band.
    """
    including = banded.copy()
    including[begins] = np.maximum(including[begins], carried)
    np.maximum.accumulate(including, out=including)
    return including


def before_each(
    including: NDArray[np.int64], begins: NDArray[np.int64], carried: NDArray[np.int64]
) -> NDArray[np.int64]:
    """What a running value was before each element: (m,); arguments as the result and arguments of `running_max`."""
    before = np.empty_like(including)
    before[1:] = including[:-1]
    before[begins] = carried
    return before


def latest_before(
    at: NDArray[np.int64], where: NDArray[np.int64], begins: NDArray[np.int64], carried: int
) -> NDArray[np.int64]:
    """(k,) the last index of `where` before each index of `at`, within its flow and counted from its beginning.

    Args:
        at: (k,) indices.
        where: (m,) ascending indices.
        begins: (k,) index of the first segment of the flow of each.
        carried: what it is where `where` has none.
    """
    found = np.append(where, NOTHING)[np.searchsorted(where, at) - 1]
    return np.where(found >= begins, found - begins, carried)


def first_of_each(flow: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each flow begins in a column of flows that ascend."""
    first = np.ones(len(flow), np.bool_)
    np.not_equal(flow[1:], flow[:-1], out=first[1:])
    return np.flatnonzero(first)
