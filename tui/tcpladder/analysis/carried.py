"""What the classifier remembers of each flow-direction between batches: one array element a slot."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tcpladder.analysis.copies import SeenLately

SHIFT_UNKNOWN = -2
"""No SYN of this direction was seen, so its window scale cannot be known."""
NOWHERE = -1
"""`first_bare_row` of a direction whose first segment was something else."""


class Carried:
    """The last segment of each flow-direction, and what all of them together reached.

    A slot is flow * 2 + (0 from the client, 1 from the server). Arrays grow by `grow`; elements of directions without
    a segment so far hold the values below.
    """

    def __init__(self) -> None:
        self._size = 0
        self.lately = SeenLately()
        self.known: NDArray[np.bool_] = np.zeros(0, np.bool_)
        """Whether `highest` is known: a segment that is not a RST was seen."""
        self.highest: NDArray[np.uint32] = np.zeros(0, np.uint32)
        """Highest sequence number plus length sent so far."""
        self.highest_ns: NDArray[np.int64] = np.zeros(0, np.int64)
        """When it was first reached."""
        self.seq: NDArray[np.uint32] = np.zeros(0, np.uint32)
        self.ack: NDArray[np.uint32] = np.zeros(0, np.uint32)
        self.highest_ack: NDArray[np.uint32] = np.zeros(0, np.uint32)
        """Highest acknowledgment number sent so far."""
        self.window: NDArray[np.uint16] = np.zeros(0, np.uint16)
        self.flags: NDArray[np.uint16] = np.zeros(0, np.uint16)
        """Of the last segment, with batch_columns.SEEN; 0 before the first."""
        self.row: NDArray[np.int64] = np.zeros(0, np.int64)
        """Row of the capture."""
        self.ttl: NDArray[np.uint8] = np.zeros(0, np.uint8)
        self.time_ns: NDArray[np.int64] = np.zeros(0, np.int64)
        self.kind: NDArray[np.uint8] = np.zeros(0, np.uint8)
        self.kind_before: NDArray[np.uint8] = np.zeros(0, np.uint8)
        """Of the segment before the last one, and its row of the capture."""
        self.row_before: NDArray[np.int64] = np.zeros(0, np.int64)
        self.duplicates: NDArray[np.uint8] = np.zeros(0, np.uint8)
        """Duplicate ACKs in a row up to the last segment, counted to 2."""
        self.shift: NDArray[np.int8] = np.zeros(0, np.int8)
        """Window scale shift of the SYN, NO_SHIFT without the option, SHIFT_UNKNOWN without a SYN."""
        self.first_bare_row: NDArray[np.int64] = np.zeros(0, np.int64)
        """Row of the capture where a direction has one segment so far, an ACK of at most one byte; else NOWHERE."""
        self.syn_ns: NDArray[np.int64] = np.zeros(0, np.int64)
        """When the last SYN was sent, 0 without one."""
        self.initial_rtt_ns: NDArray[np.int64] = np.zeros(0, np.int64)
        """Of the flow, at the client's slot: from its last SYN to its handshake ACK; 0 where not seen."""

    def grow(self, slots: int) -> None:
        """Make room for at least that many slots."""
        if slots <= self._size:
            return
        size = max(1024, 1 << (slots - 1).bit_length())
        for name, column in vars(self).items():
            if isinstance(column, np.ndarray):
                fill = {"shift": SHIFT_UNKNOWN, "first_bare_row": NOWHERE}.get(name, 0)
                bigger = np.full(size, fill, column.dtype)
                bigger[: self._size] = column
                setattr(self, name, bigger)
        self._size = size
