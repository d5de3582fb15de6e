"""Durations and times read as the field writes them."""

from __future__ import annotations

from datetime import UTC, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooms.ladder.talk import MS, START_NS, S
from tcpladder.analysis.view import Gap, Origin, Timer, Verdict
from tcpladder.ladder import words

TOKYO = timezone(timedelta(hours=9))
INT64 = st.integers(-(2**63), 2**63 - 1)


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "0 ns"),
        (850, "850 ns"),
        (21_999, "21 µs"),
        (1_250_000, "1.2 ms"),
        (208 * MS, "208 ms"),
        (999_999_999, "999 ms"),
        (S, "1.000 s"),
        (30_001_038_000, "30.001 s"),
        (999 * S, "999.000 s"),
        (1_800_350 * MS, "1800.3 s"),
        (7_860 * S, "2 h 11 min"),
        (7_200 * S, "2 h 00 min"),
        (3 * 86_400 * S + 4 * 3_600 * S, "3 d 04 h"),
        (-21_000, "−21 µs"),
    ],
)
def test_durations(ns: int, text: str) -> None:
    assert words.duration(ns) == text


@pytest.mark.parametrize(("ns", "text"), [(21_000, "+21 µs"), (0, "+0 ns"), (-3_000, "−3 µs")])
def test_deltas_have_a_sign(ns: int, text: str) -> None:
    assert words.delta(ns) == text


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (8 * MS, "+8 ms"),
        (0, "+0 µs"),
        (-1_250 * MS, "−1.2 s"),
        (12 * S, "+12 s"),
        (200 * S, "+3 min"),
        (9_000 * S, "+2 h"),
    ],
)
def test_deviations_are_short(ns: int, text: str) -> None:
    assert words.deviation(ns) == text


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (1_899 * MS, "1.8 s"),
        (12_900 * MS, "12 s"),
        (125 * S, "2 min 05 s"),
        (7_140 * S, "1 h 59 min"),
        (90_000 * S, "1 d 01 h"),
        (-5, "0.0 s"),
    ],
)
def test_what_remains_is_never_said_to_be_more_than_it_is(ns: int, text: str) -> None:
    assert words.remaining(ns) == text


def test_clock_and_date_follow_the_timezone() -> None:
    assert words.clock(START_NS, UTC) == "17:16:22.217"
    assert words.clock(START_NS, TOKYO) == "02:16:22.217"
    assert words.date(START_NS, UTC) == "2013-09-01"
    assert words.date(START_NS, TOKYO) == "2013-09-02"
    assert words.date_time(START_NS, UTC) == "2013-09-01 17:16:22 UTC"


def test_relative_times_keep_their_microseconds_while_there_is_room() -> None:
    assert words.relative(30_001_038_999) == "30.001038"
    assert words.relative(-21_000) == "−0.000021"
    assert words.relative(1_776_325_287_807_000) == "1776325.287"
    assert words.relative(-2 * 10**16) == "−20000000.0"


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (17, "17"),
        (9_999, "9999"),
        (48_123, "48k"),
        (1_250_000, "1.2M"),
        (340_000_000, "340M"),
        (12 * 10**9, "12G"),
    ],
)
def test_counts_take_four_cells(number: int, text: str) -> None:
    assert words.count(number) == text


@pytest.mark.parametrize(
    ("observed_ns", "expected_ns", "verdict", "text"),
    [
        (30_001 * MS, 30 * S, Verdict.ON_TIME, "✓ +1 ms"),
        (33_100 * MS, 30 * S, Verdict.LATE, "late +3.1 s"),
        (29_800 * MS, 30 * S, Verdict.EARLY, "early −200 ms"),
        (5 * S, None, Verdict.UNEXPLAINED, "?"),
        (5 * S, 4 * S, Verdict.UNEXPLAINED, "?"),
    ],
)
def test_verdicts_say_how_far(observed_ns: int, expected_ns: int | None, verdict: Verdict, text: str) -> None:
    gap = Gap(
        observed_ns=observed_ns,
        since_frame=1,
        since_ns=START_NS,
        timer=Timer.KEEPALIVE,
        expected_ns=expected_ns,
        verdict=verdict,
        origin=Origin.NETNS,
        name="keepalive_time 30 s",
    )
    assert words.verdict(gap) == text


@given(INT64)
def test_no_number_of_nanoseconds_is_too_strange(ns: int) -> None:
    for say in (words.duration, words.delta, words.deviation, words.remaining, words.relative):
        assert say(ns)
    assert len(words.clock(ns, UTC)) == 12
    assert len(words.date(ns, UTC)) == 10
