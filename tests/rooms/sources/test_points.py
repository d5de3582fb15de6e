"""Several captures as one: in order of time, nothing before its time, each frame with the number of its point."""

from __future__ import annotations

import os
import time
from dataclasses import replace

import numpy as np
import pytest

from tcpladder.sources import points
from tcpladder.sources.points import HELD_NS, CapturePoints
from tcpladder.wire.frames import LINKTYPE_ETHERNET, PADDING, FrameBatch

NOW_NS = 10**18
FRAME_BYTES = 4


def frames(*times_ns: int, mark: int) -> FrameBatch:
    """Frames of four bytes that say who captured them."""
    count = len(times_ns)
    start = np.arange(count) * FRAME_BYTES
    lengths = np.full(count, FRAME_BYTES)
    data = np.concatenate([np.full(count * FRAME_BYTES, mark, np.uint8), np.zeros(PADDING, np.uint8)])
    return FrameBatch(
        data=data,
        start=start,
        captured=lengths,
        original=lengths,
        time_ns=np.array(times_ns, np.int64),
        position=start,
        link_type=np.full(count, LINKTYPE_ETHERNET, np.uint16),
        interface=np.zeros(count, np.uint16),
        first_frame=1,
    )


class Played:
    """A source that hands over what it is given; its descriptor is always ready."""

    def __init__(self, *batches: FrameBatch | None) -> None:
        self._batches = list(batches)
        self._descriptor = os.open("/dev/null", os.O_RDONLY)

    def fileno(self) -> int:
        return self._descriptor

    def read(self, _timeout_s: float) -> FrameBatch | None:
        return self._batches.pop(0) if self._batches else None

    def statistics(self) -> tuple[int, int]:
        return 5, 1

    def close(self) -> None:
        os.close(self._descriptor)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    now = [NOW_NS]
    monkeypatch.setattr(points.time, "time_ns", lambda: now[0])
    return now


def read(source: CapturePoints) -> list[tuple[int, int, int]]:
    """(time from NOW_NS on, interface, first byte) of each frame."""
    batch = source.read(0)
    if batch is None:
        return []
    assert batch.position.tolist() == batch.start.tolist()
    return [
        (int(time_ns) - NOW_NS, int(interface), int(batch.data[at]))
        for time_ns, interface, at in zip(batch.time_ns, batch.interface, batch.start, strict=True)
    ]


def test_frames_come_in_order_of_time_and_not_before_every_point_has_told(clock: list[int]) -> None:
    tagged = replace(frames(NOW_NS + 2, mark=8), vlan_tci=np.array([7], np.int32))
    near = Played(frames(NOW_NS, NOW_NS + 3, mark=7), None)
    source = CapturePoints([near, Played(None, frames(NOW_NS + 1, mark=8), tagged)])
    assert read(source) == []
    clock[0] = NOW_NS + HELD_NS + 2
    assert read(source) == [(0, 0, 7), (1, 1, 8)]
    assert read(source) == [(2, 1, 8)]
    clock[0] += 1
    assert read(source) == [(3, 0, 7)]
    assert read(source) == []
    assert source.statistics() == (10, 2)
    source.close()


def test_it_waits_no_longer_than_it_may() -> None:
    reader, writer = os.pipe()
    quiet = Played()
    os.dup2(reader, quiet.fileno())
    source = CapturePoints([quiet])
    began_s = time.monotonic()
    assert source.read(0.05) is None
    assert 0.04 <= time.monotonic() - began_s < 1
    source.close()
    os.close(reader)
    os.close(writer)
