"""How much may be on its way to a terminal that takes a number of bytes a second, and when the line is free."""

from __future__ import annotations

import pytest

from tcpladder.app import line as module
from tcpladder.app.line import AHEAD_S, LEAST, PATIENCE_S, RESTS, Line

RATE = 11_000.0


class Clock:
    """Time that passes when it is told."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "monotonic", clock)
    return clock


def send(line: Line, clock: Clock, size: int, rate: float = RATE) -> None:
    """A part of a picture that arrives, with its answer."""
    line.give(size, asked=True)
    line.take(size)
    clock.now_s += size / rate
    line.answered()


def test_as_much_is_on_its_way_as_the_line_carries_in_a_moment(clock: Clock) -> None:
    line = Line()
    line.answered()
    for _ in range(5):
        send(line, clock, 10)
        send(line, clock, line.room)
    assert RATE * AHEAD_S <= line.room <= 1.1 * RATE * AHEAD_S
    room = line.room
    line.give(room, asked=True)
    line.take(room)  # by the kernel, which says nothing about the terminal
    assert (line.room, line.is_busy) == (0, True)
    clock.now_s += room / RATE
    line.answered()
    assert (line.room > 0, line.is_busy) == (True, False)


def test_a_fast_line_soon_takes_whole_pictures_and_a_small_part_says_nothing(clock: Clock) -> None:
    line = Line()
    line.answered()
    for _ in range(4):
        send(line, clock, line.room, rate=10_000_000)
    assert line.room > 200_000
    room = line.room
    clock.now_s += 1
    line.give(40, asked=True)
    clock.now_s += 0.2  # a terminal that was busy
    line.answered()
    assert line.room >= room


def test_where_nobody_answers_the_next_part_waits_until_the_kernel_has_taken_the_last(clock: Clock) -> None:
    line = Line()
    for _ in range(3):
        size = line.room
        line.give(size)
        assert (line.room, line.is_busy) == (0, True)
        clock.now_s += size / RATE
        line.take(size)
        assert not line.is_busy
    assert LEAST <= line.room <= 1.1 * RATE * AHEAD_S


def test_an_answer_that_never_comes_does_not_stop_the_picture(clock: Clock) -> None:
    line = Line()
    line.answered()
    line.give(50_000, asked=True)
    line.take(50_000)
    assert line.room == 0
    clock.now_s += PATIENCE_S + 1
    assert not line.is_busy
    assert line.room > 0
    assert not line.answers
    line.answered()  # it comes after all
    assert line.answers


def test_after_a_slow_picture_the_line_is_left_to_the_keys(clock: Clock) -> None:
    line = Line()
    line.answered()
    send(line, clock, 10)
    assert line.rests_until_s <= clock.now_s
    line.is_behind = True
    send(line, clock, 11_000)
    assert line.is_busy  # the rest of the picture waits
    line.give(5_500, asked=True)
    line.is_behind = False
    line.take(5_500)
    clock.now_s += 0.5
    line.answered()
    assert line.rests_until_s == pytest.approx(clock.now_s + RESTS * 0.5, abs=0.1)


def test_what_was_on_its_way_to_a_terminal_that_was_left_is_not_waited_for(clock: Clock) -> None:
    line = Line()
    line.answered()
    line.give(20_000, asked=True)
    line.take(20_000)
    line.forget()
    assert not line.is_busy
    assert line.room > 0
