"""Which of the segments that came by one tap should have come by the next, and never did."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from tcpladder.analysis.capture import CaptureAnalysis
from tcpladder.analysis.log import NO_FLOW
from tcpladder.lab.experiment import Point
from tcpladder.session.lab_paths import LabPaths
from tcpladder.sources.points import HELD_NS
from tcpladder.wire.segments import State

SETTLED_NS = HELD_NS + 20_000_000
"""So long after a segment its copies from every tap are in the capture: no way of the lab takes longer."""


class SeenAt:
    """Marks, in a capture of several taps, what stopped between two. Belongs to the thread that reads the capture."""

    def __init__(self, capture: CaptureAnalysis, paths: LabPaths, points: Sequence[Point]) -> None:
        self._capture, self._paths, self._points = capture, paths, points
        self._looked_at = self._copies_known = 0
        self._taps: dict[int, set[int]] = defaultdict(set)
        """Row of a segment that is not yet judged -> the taps at which its copies were seen."""
        self._ways: dict[tuple[int, bool], tuple[int, ...]] = {}

    def mark(self, now_ns: int) -> dict[int, str]:
        """Judge what is old enough; returns what did not arrive: row of the log -> words."""
        log, found = self._capture.log, dict[int, str]()
        self._hear_of_copies()
        rows = np.arange(self._looked_at, len(log))
        columns = [
            log.column(name, rows).tolist()
            for name in ("time_ns", "flow", "from_server", "interface", "state")
        ]
        for row, time_ns, flow, from_server, tap, state in zip(rows.tolist(), *columns, strict=True):
            if time_ns > now_ns - SETTLED_NS:
                break
            self._looked_at = row + 1
            seen = self._taps.pop(row, set()) | {tap}
            if flow != NO_FLOW and state != State.ICMP and row not in log.lost:
                words = self._missing(self._way(flow, from_server), seen)
                if words:
                    found[row] = words
        log.lost.update(found)
        return found

    def _hear_of_copies(self) -> None:
        log = self._capture.log
        copies = list(log.copy_of.items())[self._copies_known :]
        self._copies_known += len(copies)
        for copy, original in copies:
            self._taps[original].add(log.value("interface", copy))

    def _way(self, flow: int, from_server: bool) -> tuple[int, ...]:
        """The taps that what one end of a flow sends comes by."""
        if (flow, from_server) not in self._ways:
            ends = [str(end.address) for end in self._capture.endpoints(flow + 1)]
            source, destination = ends[::-1] if from_server else ends
            self._ways[flow, from_server] = self._paths.taps(source, destination)
        return self._ways[flow, from_server]

    def _missing(self, way: Sequence[int], seen: set[int]) -> str:
        """The first tap that a segment did not reach, in words; empty where it came by all behind the first."""
        reached = max((place for place, tap in enumerate(way) if tap in seen), default=len(way))
        return f"not at {self._points[way[reached + 1]].host}" if reached + 1 < len(way) else ""
