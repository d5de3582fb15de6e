"""How many segments each flow had when: a few columns of counts a flow, made from whole batches."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tcpladder.wire.frames import UNKNOWN_TIME_NS

BUCKETS = 12
FINEST_NS = 1_000_000
"""What a bucket covers of a capture that has just begun."""
LIVE_NS = 5_000_000_000
"""What a bucket covers of a live capture, whose window is the last minute."""


class Activity:
    """Segments by flow and bucket of time.

    Args:
        slides: the window is the last BUCKETS times LIVE_NS before the newest segment. Else it is the whole capture,
            and a bucket covers twice as much whenever the capture outgrows it.
    """

    def __init__(self, *, slides: bool = False) -> None:
        self._slides = slides
        self.bucket_ns = LIVE_NS if slides else FINEST_NS
        self.moves = 0
        """How often the buckets came to stand for other times."""
        self._start_ns: int | None = None
        """Where the first bucket begins; None before the first segment whose time is known."""
        self._counts = np.zeros((0, BUCKETS), np.uint32)

    def take(self, flow: NDArray[np.int64], time_ns: NDArray[np.int64], flows: int) -> None:
        """Count the segments of one batch: (n,) each, the flow from 0. `flows` is how many there are by now."""
        if len(self._counts) < flows:
            bigger = np.zeros((max(1024, 1 << (flows - 1).bit_length()), BUCKETS), np.uint32)
            bigger[: len(self._counts)] = self._counts
            self._counts = bigger
        known = time_ns != UNKNOWN_TIME_NS
        if not known.all():
            flow, time_ns = flow[known], time_ns[known]
        if not len(flow):
            return
        if self._start_ns is None:
            self._start_ns = int(time_ns.min())
        self._make_room(int(time_ns.max()))
        bucket = (time_ns - self._start_ns) // self.bucket_ns
        if self._slides:
            fresh = bucket >= 0
            flow, bucket = flow[fresh], bucket[fresh]
        # A number of another type would be added forty times as slowly.
        np.add.at(self._counts.reshape(-1), flow * BUCKETS + np.maximum(bucket, 0), np.uint32(1))

    def of(self, flow: int) -> list[int]:
        """The counts of one flow, from 0: BUCKETS of them, oldest first."""
        counts: list[int] = self._counts[flow].tolist() if flow < len(self._counts) else [0] * BUCKETS
        return counts

    def _make_room(self, last_ns: int) -> None:
        assert self._start_ns is not None
        beyond = (last_ns - self._start_ns) // self.bucket_ns - (BUCKETS - 1)
        if beyond <= 0:
            return
        self.moves += 1
        if self._slides:
            self._start_ns += beyond * self.bucket_ns
            kept = max(0, BUCKETS - beyond)
            self._counts[:, :kept] = self._counts[:, BUCKETS - kept :].copy()
            self._counts[:, kept:] = 0
            return
        while (last_ns - self._start_ns) // self.bucket_ns >= BUCKETS:
            self.bucket_ns *= 2
            pairs = self._counts.reshape(len(self._counts), BUCKETS // 2, 2).sum(2, dtype=np.uint32)
            self._counts[:, : BUCKETS // 2] = pairs
            self._counts[:, BUCKETS // 2 :] = 0


def activity_of(time_ns: NDArray[np.int64], start_ns: int, last_ns: int) -> list[int]:
    """The counts of one flow, from the times of its segments (n,), in a capture that went from start_ns to last_ns."""
    bucket_ns = FINEST_NS
    while (last_ns - start_ns) // bucket_ns >= BUCKETS:
        bucket_ns *= 2
    known = time_ns[time_ns != UNKNOWN_TIME_NS]
    bucket = np.clip((known - start_ns) // bucket_ns, 0, BUCKETS - 1)
    counts: list[int] = np.bincount(bucket, minlength=BUCKETS).tolist()
    return counts
