"""The waits of one flow that was read together with others, for who judges its timers and looks at nothing else."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from tcpladder.analysis.beliefs import TimerValues
from tcpladder.analysis.flow_reading import SILENCE_NS, Part, is_silence
from tcpladder.analysis.judge import Judge
from tcpladder.analysis.log import SegmentLog
from tcpladder.analysis.missing import Missing, missing
from tcpladder.analysis.rows import FlowRows
from tcpladder.analysis.view import Side
from tcpladder.analysis.wait import Wait
from tcpladder.analysis.waits import Waits


class FlowWaits:
    """Knows of a flow what flow_view.Findings knows of its waits; does not grow.

    Args:
        log: the capture's segments.
        number: of the flow, in the session.
        part: its segments.
    """

    __slots__ = ("_columns", "_pause_ns", "_rows", "_waits", "number")

    def __init__(self, log: SegmentLog, number: int, part: Part) -> None:
        self.number = number
        self._rows = FlowRows(log)
        self._rows.extend(part.rows)
        self._columns = part.slices(self._rows.value, self._rows.values, self._rows.sack)
        self._pause_ns = part.pause_ns
        self._waits = Waits(self._columns)
        self._waits.take(part.candidates)

    @property
    def found(self) -> Mapping[int, Wait]:
        """Index of each segment that a timer sent -> the wait before it."""
        return self._waits.found

    def frame(self, index: int) -> int:
        """The number of a segment's frame in its file."""
        return self._rows.value("frame", index)

    def file(self, index: int) -> int:
        """Which file a segment is from."""
        return self._rows.value("file", index)

    def judged(self, values: Mapping[Side, TimerValues]) -> Judge:
        """A judge of this flow by values that must hold."""
        return Judge(values, self._waits, strict=True)

    def missing(self, judge: Judge, named: Mapping[Side, Container[str]], until_ns: int) -> Iterator[Missing]:
        """What had to come in this flow by `until_ns`, the end of the capture, and never did; see missing.py."""
        return missing(self._columns, self.silent, self._waits, judge, named, until_ns)

    def silent(self) -> NDArray[np.bool_]:
        """(n,) whether each segment ends a silence, as FlowReading.silent."""
        silent = self._pause_ns >= SILENCE_NS
        for index, wait in self._waits.found.items():
            if is_silence(wait, self._pause_ns.item(index)):
                silent[index] = True
        return silent
