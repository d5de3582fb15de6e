"""The fields of one segment of a flow: numbers from where both ends count, the window as it is scaled."""

from __future__ import annotations

from bisect import bisect_left
from functools import cache
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tcpladder.analysis.flow_reading import FlowReading, Part
from tcpladder.analysis.view import Side
from tcpladder.flows.seqnum import MODULUS, difference
from tcpladder.wire.frames import Unknown
from tcpladder.wire.segments import Flag, State

MOST_BEFORE_BOTH = 1024
"""Segments of a flow that are looked at to learn from where both ends count."""
_STATES = tuple(State)
_SYN, _ACK = int(Flag.SYN), int(Flag.ACK)  # `&` on an IntFlag makes an object
_NO_NUMBERS = (State.CUT_SHORT, State.IP_LENGTH)


@cache
def _flag_names(flags: int) -> str:
    return ",".join(f.name for f in Flag if flags & f and f.name) or "none"


class FlowFields(FlowReading):
    """What view.FlowView promises of each segment, without what it is; None where a segment does not say it."""

    def start_over(self, part: Part | None = None) -> None:
        self._based = 0
        """How many segments the bases were learned from."""
        self._base: dict[Side, int] = {}
        self._shift: dict[Side, int] = {}
        super().start_over(part)

    @property
    def flows(self) -> tuple[Self]:
        return (self,)

    @property
    def flow(self) -> NDArray[np.uint8]:
        return np.broadcast_to(np.uint8(0), len(self._rows))

    @property
    def rows(self) -> NDArray[np.int64]:
        return self._rows.every

    def within(self, index: int) -> tuple[Self, int]:
        return self, index

    def index_of(self, flow: int, index: int) -> int:
        del flow
        return index

    def frame(self, index: int) -> int:
        return self._rows.value("frame", index)

    def index_of_frame(self, frame: int) -> int | None:
        # Frames of a flow ascend, so half of them can be left out with each look.
        index = bisect_left(range(len(self._rows)), frame, key=self.frame)
        return index if index < len(self._rows) and self.frame(index) == frame else None

    def file(self, index: int) -> int:
        return self._rows.value("file", index)

    def position(self, index: int) -> int:
        return self._rows.value("position", index)

    def captured(self, index: int) -> int:
        return self._rows.value("captured", index)

    def original(self, index: int) -> int:
        return self._rows.value("original", index)

    def link_type(self, index: int) -> int:
        return self._rows.value("link_type", index)

    def relative_seq(self, index: int) -> int | None:
        return self._relative(self.raw_seq(index), self._side(index))

    def relative_ack(self, index: int) -> int | None:
        side = self._side(index)
        return self._relative(self.raw_ack(index), Side.SERVER if side is Side.CLIENT else Side.CLIENT)

    def raw_seq(self, index: int) -> int | None:
        if self._state(index) in _NO_NUMBERS or self._is_unknown(index, Unknown.SEQ):
            return None
        return self._rows.value("seq", index)

    def raw_ack(self, index: int) -> int | None:
        if self._state(index) not in (State.WHOLE, State.DATA_OFFSET) or self._is_unknown(index, Unknown.ACK):
            return None
        return self._rows.value("ack", index) if self._rows.value("flags", index) & _ACK else None

    def length(self, index: int) -> int | None:
        if self._state(index) is not State.WHOLE or self._is_unknown(index, Unknown.LENGTH):
            return None
        return self._rows.value("length", index)

    def window(self, index: int) -> int | None:
        if self._state(index) is not State.WHOLE or self._is_unknown(index, Unknown.WINDOW):
            return None
        return self._rows.value("window", index) << self._window_shift(index)

    def flags(self, index: int) -> str | None:
        if self._state(index) not in (State.WHOLE, State.DATA_OFFSET):
            return None
        return _flag_names(self._rows.value("flags", index))

    def lost(self, index: int) -> str | None:
        return self._log.lost.get(self._rows.row(index))

    def lost_segments(self) -> NDArray[np.int64]:
        return self._rows.among(self._log.lost)

    @property
    def losses(self) -> int:
        return len(self._log.lost)

    def payload(self, begin: int, end: int) -> int:
        return int(self._columns.length[begin:end].sum(dtype=np.int64))

    def _learn_bases(self) -> None:
        """Relative numbers count from the SYN; without one, so that the first segment seen has number 1."""
        while self._based < min(len(self._rows), MOST_BEFORE_BOTH) and not (
            len(self._base) == 2 and self._based >= 4
        ):
            index = self._based
            self._based += 1
            if self._state(index) is not State.WHOLE:
                continue
            side, flags = self._side(index), self._rows.value("flags", index)
            other = Side.SERVER if side is Side.CLIENT else Side.CLIENT
            seq, ack = self._rows.value("seq", index), self._rows.value("ack", index)
            if flags & Flag.SYN:
                self._base[side] = seq
                self._shift[side] = self._log.shifts.get(self._rows.row(index), -1)
            self._base.setdefault(side, (seq - 1) % MODULUS)
            if flags & Flag.ACK:
                self._base.setdefault(other, (ack - 1) % MODULUS)

    def _window_shift(self, index: int) -> int:
        """By how much a window field is scaled (RFC 7323 2.3): never in a SYN, and only if both ends offered it."""
        self._learn_bases()
        if self._rows.value("flags", index) & _SYN or len(self._shift) < 2 or min(self._shift.values()) < 0:
            return 0
        return self._shift[self._side(index)]

    def _relative(self, raw: int | None, side: Side) -> int | None:
        self._learn_bases()
        base = self._base.get(side)
        if raw is None or base is None:
            return None
        # A number just below the initial one is negative; all others count up to 2^32 - 1, as Wireshark shows them.
        distance = difference(raw, base)
        return distance if distance > -(1 << 16) else (raw - base) % MODULUS

    def _state(self, index: int) -> State:
        return _STATES[self._rows.value("state", index)]

    def _ttl_before(self, index: int) -> int | None:
        """Time to live of the same end's segment before, None where it is far back or the first."""
        own = self._columns.from_client
        earlier = (at for at in range(index - 1, max(-1, index - 64), -1) if own[at] == own[index])
        at = next(earlier, None)
        return None if at is None else self._rows.value("ttl", at)

    def _is_unknown(self, index: int, field: Unknown) -> bool:
        """Whether the source does not give a field, and its column holds a guess."""
        unknown = self._rows.value("unknown", index)
        return bool(unknown and unknown & field)
