"""The operators on columns against loops that anybody can read."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tcpladder.flows.order import NOTHING, FlowOrder

rows = st.lists(
    st.tuples(st.integers(0, 5) | st.sampled_from([70_000, 1 << 33]), st.booleans(), st.integers(-50, 50)),
    min_size=1,
    max_size=60,
)
CARRIED = 1000
"""What was carried for slot s is CARRIED + s."""


def carried(order: FlowOrder) -> np.ndarray:
    return np.arange(CARRIED, CARRIED + int(order.slot.max()) + 2)


@st.composite
def small(draw: st.DrawFn) -> tuple[FlowOrder, list[tuple[int, bool, int]]]:
    said = [(flow % 6, from_server, value) for flow, from_server, value in draw(rows)]
    flow, from_server, _ = zip(*said, strict=True)
    return FlowOrder(np.array(flow, np.int64), np.array(from_server)), said


@given(rows)
def test_rows_are_sorted_by_flow_and_keep_their_order(said: list[tuple[int, bool, int]]) -> None:
    flow, from_server, _ = zip(*said, strict=True)
    order = FlowOrder(np.array(flow, np.int64), np.array(from_server))
    assert order.rows.tolist() == sorted(range(len(said)), key=lambda row: flow[row])
    assert order.slot.tolist() == [2 * flow[row] + from_server[row] for row in order.rows]
    assert order.in_file_order(order.flow).tolist() == list(flow)


@settings(deadline=None)
@given(small())
def test_what_came_before(drawn: tuple[FlowOrder, list[tuple[int, bool, int]]]) -> None:
    order, said = drawn
    values = np.array([said[row][2] for row in order.rows])
    latest: dict[int, int] = {}
    at: dict[int, int] = {}
    before, from_peer, previous, peer, last = [], [], [], [], {}
    for position, row in enumerate(order.rows.tolist()):
        slot = 2 * said[row][0] + said[row][1]
        before.append(latest.get(slot, CARRIED + slot))
        from_peer.append(latest.get(slot ^ 1, CARRIED + (slot ^ 1)))
        previous.append(at.get(slot, NOTHING))
        peer.append(at.get(slot ^ 1, NOTHING))
        latest[slot] = said[row][2]
        at[slot] = last[slot] = position
    assert order.before_in_direction(values, carried(order)).tolist() == before
    assert order.latest_from_peer(values, carried(order)).tolist() == from_peer
    assert order.previous.tolist() == previous
    assert order.peer.tolist() == peer
    assert sorted(order.last.tolist()) == sorted(last.values())


@settings(deadline=None)
@given(small(), st.integers(-(1 << 33), 60))
def test_highest_before(drawn: tuple[FlowOrder, list[tuple[int, bool, int]]], base: int) -> None:
    order, said = drawn
    values = np.array([said[row][2] for row in order.rows])
    start = np.full(len(order), base)
    reached: dict[int, int] = {}
    before, including = [], []
    for position, slot in enumerate(order.slot.tolist()):
        highest = reached.get(slot, base)
        before.append(highest)
        reached[slot] = max(highest, int(values[position]))
        including.append(reached[slot])
    found = order.highest_before(values, start)
    assert [column.tolist() for column in found] == [before, including]


def test_a_batch_may_be_empty() -> None:
    order = FlowOrder(np.empty(0, np.int64), np.empty(0, np.bool_))
    assert len(order) == 0
    assert not len(order.last)
