"""The lines of the timers panel: exact widths, words below where they do not fit, ASCII."""

from __future__ import annotations

import pytest

from tcpladder.ladder.timers import TimerRow
from tcpladder.render.grid import plain
from tcpladder.render.timers import timer_lines

S = 1_000_000_000
ROWS = (
    TimerRow(name="client", now="curl 4284", heading=True),
    TimerRow(name="keepalive_time", value="30 s", origin="socket", armed_ns=0, due_ns=30 * S),
    TimerRow(name="keepalive", value="off", origin="inferred", now="this end would never notice"),
)


def drawn(width: int, *, ascii_only: bool = False) -> list[str]:
    return [plain(line) for line in timer_lines(ROWS, width, 15 * S, ascii_only=ascii_only)]


def test_a_wide_panel_has_one_line_a_row() -> None:
    assert [line.rstrip() for line in drawn(80)] == [
        " client curl 4284",
        "  keepalive_time   30 s    socket   in 15 s ▕███▌   ▏",
        "  keepalive        off     inferred this end would never notice",
    ]


def test_in_a_narrow_panel_words_stand_below_and_the_bar_is_left_out() -> None:
    assert [line.rstrip() for line in drawn(46)] == [
        " client curl 4284",
        "  keepalive_time   30 s    socket   in 15 s",
        "  keepalive        off     inferred",
        "    this end would never notice",
    ]


def test_ascii_only() -> None:
    assert all(line.isascii() for line in drawn(80, ascii_only=True))


@pytest.mark.parametrize("width", [20, 40, 57, 80, 120])
def test_every_line_has_exactly_the_width(width: int) -> None:
    assert {len(line) for line in drawn(width)} == {width}


def test_long_words_of_a_heading_go_on_below_it() -> None:
    rows = [TimerRow(name="advice", now="a NAT that forgets after 20 s drops this flow", heading=True)]
    lines = [plain(line).rstrip() for line in timer_lines(rows, 40, 0, ascii_only=False)]
    assert lines == [" advice a NAT that forgets after 20 s", "        drops this flow"]
