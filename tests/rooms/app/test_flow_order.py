"""Order and filter of the list, without a screen."""

from __future__ import annotations

import pytest

from rooms.app.scripted import ScriptedSession, many_flows
from rooms.ladder.talk import S
from tcpladder.analysis.flow_filter import parse
from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.view import Side
from tcpladder.app import flow_order
from tcpladder.app.flow_order import FlowOrder, Sort

LONG_NS = 10**10


def test_first_seen_without_a_filter_looks_at_no_flow() -> None:
    class Untouchable(ScriptedSession):
        def summary(self, number: int) -> object:  # type: ignore[override]
            raise AssertionError(number)

    session = Untouchable(flows=many_flows(3).flows)
    order = FlowOrder(session, Sort.FIRST_SEEN)  # type: ignore[arg-type]
    assert order.look()
    assert list(order.numbers) == [1, 2, 3]
    assert order.settled
    session.flows.append(session.flows[0])
    session.change()
    assert not order.settled
    assert order.look()
    assert list(order.numbers) == [1, 2, 3, 4]


def test_the_largest_is_on_top_and_equals_keep_their_order() -> None:
    session = many_flows(4)
    session.flows[2].say(Side.CLIENT, Kind.DATA, after_ns=S)
    order = FlowOrder(session, Sort.SEGMENTS)
    order.look(LONG_NS)
    assert order.numbers == [3, 1, 2, 4]
    assert order.settled


@pytest.mark.parametrize("slice_ns", range(10_000, 100_000, 10_000))
def test_a_slice_of_time_is_enough_to_come_to_an_end(slice_ns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    now_ns = flow_order.SORT_NS

    def clock() -> int:
        nonlocal now_ns
        now_ns += 5_000  # what a flow takes
        return now_ns

    monkeypatch.setattr(flow_order, "perf_counter_ns", clock)
    order = FlowOrder(many_flows(50), Sort.ACTIVITY)
    looks = 0
    while not order.settled:
        order.look(1)
        order.look(slice_ns)
        now_ns += flow_order.SORT_NS // 10
        looks += 1
        assert looks <= 2 * 50 + 20, "each flow is looked at twice, with one sort between"
    assert sorted(order.numbers) == list(range(1, 51))


def test_a_list_that_grows_is_not_sorted_faster_than_it_can_be_read(monkeypatch: object) -> None:
    session = many_flows(3)
    order = FlowOrder(session, Sort.SEGMENTS)
    order.look(LONG_NS)
    session.flows[2].say(Side.CLIENT, Kind.DATA, after_ns=S)
    session.change()
    assert not order.look(LONG_NS)
    assert order.numbers == [1, 2, 3]
    assert not order.settled
    order._sorted_ns -= flow_order.SORT_NS
    assert order.look(LONG_NS)
    assert order.numbers == [3, 1, 2]


def test_a_filter_keeps_numbers() -> None:
    order = FlowOrder(many_flows(7), Sort.FIRST_SEEN)
    order.arrange(Sort.FIRST_SEEN, parse("2001:db8"))
    order.look(LONG_NS)
    assert order.numbers == [3, 6]
    order.arrange(Sort.FIRST_SEEN, parse(""))
    order.look()
    assert list(order.numbers) == [1, 2, 3, 4, 5, 6, 7]


def test_sort_walks_in_a_circle() -> None:
    assert Sort.FIRST_SEEN.step(-1).step(1) is Sort.FIRST_SEEN
    seen = {Sort.FIRST_SEEN.step(n) for n in range(len(Sort))}
    assert seen == set(Sort)
