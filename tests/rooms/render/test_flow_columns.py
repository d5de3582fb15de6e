"""Which columns a width has room for, what a person chose, and what a row of counts looks like."""

from __future__ import annotations

from datetime import UTC

import pytest

from rooms.ladder.talk import Talk
from tcpladder.render.flow_columns import COLUMNS, Pen, flow_columns
from tcpladder.render.flow_row import draw_flow, flow_header
from tcpladder.render.grid import plain
from tcpladder.render.sparkline import sparkline


def names(width: int, **how: object) -> list[str]:
    return [name for name, _ in flow_columns(width, **how).cells]  # type: ignore[arg-type]


def test_a_wider_list_shows_more_and_never_less() -> None:
    before: set[str] = set()
    for width in range(40, 300):
        now = set(names(width, owned=True))
        assert before <= now
        before = now
    assert before == set(COLUMNS) - {"flow", "last"}
    assert "process" not in names(300)


def test_long_addresses_come_before_more_columns() -> None:
    assert "activity" in names(110, longest=21)
    assert "activity" not in names(110, longest=47)
    for width in range(72, 300):
        cells = dict(flow_columns(width, longest=21).cells)
        if "activity" in cells:
            assert cells["client"] == cells["server"] == 21
            assert cells["end"] >= 22


@pytest.mark.parametrize("chosen", [("end", "server"), ("activity",), tuple(COLUMNS), ("why", "flow")])
@pytest.mark.parametrize("width", [58, 80, 200])
def test_what_was_chosen_stands_in_its_order_or_is_named_as_left_out(
    chosen: tuple[str, ...], width: int
) -> None:
    columns = flow_columns(width, chosen)
    shown = [name for name, _ in columns.cells]
    assert shown == [name for name in chosen if name not in columns.left_out]
    assert set(shown) | set(columns.left_out) == set(chosen)
    line = plain(draw_flow(Talk().summary, columns, Pen(activity=[1] * 12)))
    assert len(line) == len(plain(flow_header(columns))) == width
    for name, cells in columns.cells:
        assert cells >= COLUMNS[name].width


def test_titles_fit_their_columns() -> None:
    for column in COLUMNS.values():
        assert len(column.title) <= column.width


@pytest.mark.parametrize("name", COLUMNS)
def test_every_column_says_something_about_a_flow(name: str) -> None:
    pen = Pen(ascii_only=True, timezone=UTC, activity=[3] * 12)
    text = COLUMNS[name].cell(Talk(why="because").summary, COLUMNS[name].width, pen)
    assert text.strip()
    assert text.isascii()


def test_a_step_is_three_times_as_many() -> None:
    assert sparkline([0, 1, 2, 3, 10, 30, 100, 300, 1000, 2999, 3000, 10**9]) == " ▁▁▂▃▄▅▆▇▇██"
    assert sparkline([0, 1, 3, 10, 5000], ascii_only=True) == " .:-@"
