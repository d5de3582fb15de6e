"""Columns stay inside the line and the lanes keep their room."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tcpladder.ladder.model import TimeMode
from tcpladder.render.layout import MAX_LANE_SPAN, Layout


@given(st.integers(40, 400), st.sampled_from(TimeMode))
def test_the_lanes_keep_room_and_stay_inside(width: int, mode: TimeMode) -> None:
    layout = Layout(width=width, time_mode=mode)
    assert 0 < layout.left < layout.right < width
    assert 24 <= layout.inner <= MAX_LANE_SPAN


def test_eighty_columns_are_as_drawn() -> None:
    layout = Layout(width=80)
    assert (layout.gutter, layout.left, layout.right, layout.number_columns) == (2, 25, 65, ())


def test_number_columns_come_in_order_as_the_width_grows() -> None:
    shown = [[name for name, _ in Layout(width=width).number_columns] for width in (80, 110, 125, 200)]
    assert shown[0] == []
    assert shown[1] == ["seq"]
    assert shown[2] == ["seq", "ack", "len"]
    assert shown[3] == ["seq", "ack", "len", "win", "frame"]


def test_equal_tastes_are_equal_keys() -> None:
    assert hash(Layout(width=80)) == hash(Layout(width=80))
    assert Layout(width=80) != Layout(width=80, ascii=True)
