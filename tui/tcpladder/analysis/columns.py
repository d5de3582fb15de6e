"""The columns of one flow that the timer analysis reads: arrays of what every segment needs, single values else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tcpladder.analysis.growing import Growing
from tcpladder.wire.segments import SackBlocks


class FlowColumns:
    """The segments of one flow so far, in capture order; n of them.

    Args:
        value: (column name, index) -> one value of any column of the log.
        sack: index -> the SACK blocks of that segment, None where it has none.
    """

    def __init__(self, value: Callable[[str, int], int], sack: Callable[[int], SackBlocks | None]) -> None:
        self.value = value
        self.sack = sack
        self._time_ns = Growing[np.int64](np.int64)
        self._from_client = Growing[np.bool_](np.bool_)
        self._kind = Growing[np.uint8](np.uint8)
        self._seq = Growing[np.uint32](np.uint32)
        self._ack = Growing[np.uint32](np.uint32)
        self._length = Growing[np.int32](np.int32)
        self._flags = Growing[np.uint16](np.uint16)

    def __len__(self) -> int:
        return len(self._time_ns)

    def extend(self, read: Callable[[str], NDArray[Any]]) -> None:
        """Take in more segments; `read` gives a column of them by name."""
        for name in ("time_ns", "kind", "seq", "ack", "length", "flags"):
            getattr(self, f"_{name}").extend(read(name))
        self._from_client.extend(~read("from_server"))

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
