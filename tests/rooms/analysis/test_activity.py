"""Counts over time: every segment is in one bucket, whatever the batches, and the window is the one that was said."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from tcpladder.analysis.activity import BUCKETS, LIVE_NS, Activity, activity_of
from tcpladder.wire.frames import UNKNOWN_TIME_NS

S = 10**9
MS = 10**6
TIMES = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 10**12)), min_size=1, max_size=60)


def taken(activity: Activity, segments: list[tuple[int, int]]) -> None:
    flow, time_ns = (np.array(column, np.int64) for column in zip(*segments, strict=True))
    activity.take(flow, time_ns, 3)


@given(TIMES, st.integers(1, 59))
@example([(0, 0), (0, 9 * MS), (1, 11 * MS), (0, 40 * MS)], 3)
def test_a_capture_cut_anywhere_has_every_segment_in_the_same_bucket(
    segments: list[tuple[int, int]], cut: int
) -> None:
    segments = sorted(segments, key=lambda one: one[1])
    whole, parts = Activity(), Activity()
    taken(whole, segments)
    for part in (segments[:cut], segments[cut:]):
        if part:
            taken(parts, part)
    for flow in range(3):
        times = np.array([time_ns for number, time_ns in segments if number == flow], np.int64)
        assert whole.of(flow) == parts.of(flow)
        assert whole.of(flow) == activity_of(times, segments[0][1], segments[-1][1])
        assert sum(whole.of(flow)) == len(times)


def test_a_live_window_is_the_last_minute_and_forgets_what_was_before() -> None:
    activity = Activity(slides=True)
    taken(activity, [(0, 0), (0, 1 * S), (1, 6 * S)])
    assert activity.of(0) == [2] + [0] * 11
    assert activity.of(1) == [0, 1] + [0] * 10
    taken(activity, [(1, 61 * S)])
    assert activity.of(0) == [0] * BUCKETS
    assert activity.of(1) == [1] + [0] * 10 + [1]
    taken(activity, [(2, 3600 * S), (1, 2 * S)])
    assert activity.of(1) == [0] * BUCKETS
    assert sum(activity.of(2)) == 1
    assert BUCKETS * LIVE_NS == 60 * S


def test_segments_without_a_time_are_in_no_bucket() -> None:
    activity = Activity()
    taken(activity, [(0, UNKNOWN_TIME_NS), (0, 5 * S)])
    assert sum(activity.of(0)) == 1
