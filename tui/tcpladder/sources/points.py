"""Several live captures of one machine as one, in order of time: what passes two points comes from each."""

from __future__ import annotations

import select
import time
from collections.abc import Sequence
from functools import reduce

import numpy as np

from tcpladder.sources.live import LiveSource
from tcpladder.sources.merge import at_interface, merged, take
from tcpladder.wire.frames import FrameBatch

HELD_NS = 150_000_000
"""So long after a frame every other one from before it has come, too: three times the kernel's block timeout."""


class CapturePoints:
    """Takes over the sources; a frame's interface is the number of its source."""

    def __init__(self, sources: Sequence[LiveSource]) -> None:
        self._sources = sources
        self._held: list[FrameBatch] = []
        self._poll = select.poll()
        for source in sources:
            self._poll.register(source.fileno(), select.POLLIN)

    def fileno(self) -> int:
        """The descriptor of the first."""
        return self._sources[0].fileno()

    def statistics(self) -> tuple[int, int]:
        """(seen, dropped) at all points since they were opened."""
        counted = [source.statistics() for source in self._sources]
        return sum(seen for seen, _ in counted), sum(dropped for _, dropped in counted)

    def read(self, timeout_s: float) -> FrameBatch | None:
        """The frames up to a moment of which nothing more can come; None where there are none after `timeout_s`.

        Raises InterfaceError once where an interface goes down.
        """
        self._poll.poll(round(timeout_s * 1000))
        settled_ns = time.time_ns() - HELD_NS
        for number, source in enumerate(self._sources):
            batch = source.read(0)
            if batch is not None:
                # The source reuses its buffer.
                self._held.append(at_interface(take(batch, np.arange(len(batch))), number))
        due = [take(one, one.time_ns <= settled_ns) for one in self._held]
        self._held = [
            take(one, one.time_ns > settled_ns) for one in self._held if (one.time_ns > settled_ns).any()
        ]
        due = [one for one in due if len(one)]
        return reduce(merged, due) if due else None

    def close(self) -> None:
        """End the captures."""
        for source in self._sources:
            source.close()
