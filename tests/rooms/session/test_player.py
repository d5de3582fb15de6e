"""A replay's clock: pace, long silences made short, and the moments that a person types."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest

from tcpladder.errors import UsageError
from tcpladder.session.moment import moment_of
from tcpladder.session.playhead import Silences, idle_of, pace_of, pace_text, slower_or_faster

S = 1_000_000_000
TIMES = np.array([0, 1, 2, 7202, 7203], np.int64) * S
"""A second apart, and a silence of two hours."""


def test_time_passes_at_the_pace() -> None:
    silences = Silences(TIMES, 10.0, 3.0)
    assert silences.advance(0, 0.1, 10.0) == S
    assert Silences(TIMES, 0.1, None).advance(0, 0.5, 0.1) == S // 20


def test_a_long_silence_takes_as_long_as_the_viewer_likes() -> None:
    silences = Silences(TIMES, 1.0, 3.0)
    now_ns, looks = 2 * S, 0
    while now_ns < 7202 * S:
        before_ns, now_ns, looks = now_ns, silences.advance(now_ns, 0.1, 1.0), looks + 1
        assert now_ns > before_ns
    assert looks == 30


def test_it_passes_evenly_and_what_follows_at_the_pace() -> None:
    silences = Silences(TIMES, 1.0, 3.0)
    assert silences.advance(2 * S, 0.75, 1.0) == (2 + 1800) * S
    half = silences.advance((2 + 3600) * S, 1.0, 1.0)
    assert half == (2 + 6000) * S
    assert silences.advance(7202 * S - 1200 * S, 1.0, 1.0) == 7202 * S + S // 2
    assert silences.advance(S, 1.0 + 0.75, 1.0) == 2 * S  # a step is never longer than a second


def test_without_a_limit_a_silence_is_as_long_as_it_was() -> None:
    assert Silences(TIMES, 60.0, None).advance(2 * S, 1.0, 60.0) == 62 * S


def test_a_silence_that_the_pace_makes_short_enough_is_left_alone() -> None:
    assert Silences(TIMES, 3000.0, 3.0).advance(2 * S, 1.0, 3000.0) == 3002 * S


def test_paces() -> None:
    assert slower_or_faster(1.0, 1) == 2.0
    assert slower_or_faster(0.1, -1) == 0.1
    assert slower_or_faster(10_000.0, 1) == math.inf
    assert slower_or_faster(math.inf, 1) == math.inf
    assert slower_or_faster(math.inf, -1) == 10_000.0
    assert slower_or_faster(45.0, 1) == 60.0
    assert [pace_text(pace_of(text)) for text in ("60", "0.1x", "10000×", "max")] == [
        "60×",
        "0.1×",
        "10,000×",
        "max",
    ]
    for wrong in ("0", "20000", "-1", "fast", "nan"):
        with pytest.raises(UsageError, match="how many times faster"):
            pace_of(wrong)


def test_idle() -> None:
    assert [idle_of(text) for text in ("3s", "500ms", "2m", "1", "off")] == [3.0, 0.5, 120.0, 1.0, None]
    for wrong in ("0", "soon", "-3s", "nan"):
        with pytest.raises(UsageError, match="longest silence"):
            idle_of(wrong)


BEGIN = round(datetime(2025, 10, 9, 14, 0, tzinfo=UTC).timestamp()) * S


def moment(text: str, *, now_s: float = 600, hours: float = 2, zone: timezone = UTC) -> float:
    """Seconds from the begin of a capture that begins at 14:00."""
    found = moment_of(
        text,
        begin_ns=BEGIN,
        now_ns=BEGIN + round(now_s * S),
        end_ns=BEGIN + round(hours * 3600 * S),
        timezone=zone,
    )
    return (found - BEGIN) / S


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("14:02:10", 130),
        ("14:02", 120),
        ("14:02:10.250", 130.25),
        ("2025-10-09 15:00:00", 3600),
        ("+90", 690),
        ("-2m", 480),
        ("+1.5h", 6000),
        ("35.5", 35.5),
        ("500ms", 0.5),
        ("50%", 3600),
        ("13:00:00", 0),
        ("23:59:59", 7200),
        ("-1h", 0),
        ("9h", 7200),
    ],
)
def test_moments(text: str, seconds: float) -> None:
    assert moment(text) == seconds


def test_a_clock_is_that_of_the_viewer() -> None:
    assert moment("16:02:10", zone=timezone(timedelta(hours=2))) == 130


def test_a_capture_that_goes_on_past_midnight() -> None:
    assert moment("00:30:00", hours=12) == 10.5 * 3600
    assert moment("2025-10-10 00:30", hours=12) == 10.5 * 3600


@pytest.mark.parametrize("text", ["", "soon", "25:00:00", "14:61", "+50%", "1:2:3:4", "2025-13-01 10:00:00"])
def test_what_is_no_moment_says_what_would_be(text: str) -> None:
    with pytest.raises(UsageError, match=r"type 14:02:10|has no sign"):
        moment(text)
