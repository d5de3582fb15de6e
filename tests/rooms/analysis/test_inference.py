"""What lengths show: constants, backoff, linear timeouts; and where they show nothing."""

from __future__ import annotations

import pytest

from tcpladder.analysis.inference import constant, doubling, linear_timeouts
from tcpladder.analysis.schedule import SECOND_NS


def ns(*seconds: float) -> list[int]:
    return [round(s * SECOND_NS) for s in seconds]


@pytest.mark.parametrize(
    ("seen", "value", "least", "odd"),
    [
        ((3.01, 3.2, 3.0), 3, 3, 0),
        ((55.02,), 55, 49, 0),
        ((55.02, 60.5), 55, 54, 0),
        ((5.3, 3.0, 3.01), 3, 3, 1),
        ((3.0, 5.3, 3.0), 3, 3, 1),
    ],
)
def test_a_whole_number_of_seconds_explains_all(
    seen: tuple[float, ...], value: int, least: int, odd: int
) -> None:
    found = constant(ns(*seen))
    assert found is not None
    assert (found.value_ns, found.least_ns, found.odd) == (value * SECOND_NS, least * SECOND_NS, odd)
    assert found.seen == len(seen) - odd


@pytest.mark.parametrize("seen", [(), (1.47,), (3.0, 5.3, 8.0), (0.2, 0.4)])
def test_lengths_that_no_whole_number_explains(seen: tuple[float, ...]) -> None:
    assert constant(ns(*seen)) is None


def test_the_backoff_of_a_published_trace() -> None:
    found = doubling(ns(1.46990, 2.93003, 5.85005, 11.69996, 23.40000, 46.80002, 56.25079))
    assert found is not None
    assert found.first_ns / SECOND_NS == pytest.approx(1.4625, abs=1e-3)
    assert found.most_ns / SECOND_NS == pytest.approx(56.25079)


@pytest.mark.parametrize(
    "waits",
    [(), (1.47,), (3, 3, 3), (1.0, 2.0), (1.47, 2.93, 1.47), (1.47, 2.93, 4.4, 5.9), (2, 1, 2, 4)],
)
def test_what_does_not_double_is_no_backoff(waits: tuple[float, ...]) -> None:
    assert doubling(ns(*waits)) is None


def test_one_doubling_is_enough_where_nobody_can_have_set_the_first() -> None:
    assert doubling(ns(1.47, 2.93)) is not None


@pytest.mark.parametrize(
    ("waits", "linear"), [((1, 1, 1, 1, 1, 2, 4), 4), ((1, 2, 4), 0), ((1.01, 1.03, 2.1), 1), ((), 0)]
)
def test_linear_timeouts_are_those_beyond_the_first(waits: tuple[float, ...], linear: int) -> None:
    assert linear_timeouts(ns(*waits)) == linear
