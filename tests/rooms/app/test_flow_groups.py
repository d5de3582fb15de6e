"""Groups, marks and columns of the list, by the keys that a person presses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rooms.app.scripted import ScriptedSession, app_for, many_flows, settle
from rooms.app.test_flow_order import LONG_NS
from tcpladder.analysis.flow_filter import parse
from tcpladder.analysis.flow_measures import FlowMeasures, joined
from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.view import Side
from tcpladder.app.columns_dialog import ColumnsDialog
from tcpladder.app.flow_groups import Grouping
from tcpladder.app.flow_order import FlowOrder, Sort
from tcpladder.app.flows_screen import FlowsScreen


def test_groups_are_counted_and_sorted_inside_and_the_filter_goes_on_working() -> None:
    session = many_flows(7)
    order = FlowOrder(session, Sort.FIRST_SEEN)
    order.group_by(Grouping.SERVER)
    order.look(LONG_NS)
    assert order.numbers == [-1, 1, 2, 4, 5, 7, -2, 3, 6]
    assert [group.name for group in order.groups] == ["10.0.0.9", "2001:db8::9:8:7:6"]
    assert order.groups[0].words == "10.0.0.9   5 flows: 3 open, 2 no answer"
    order.fold(order.groups[0])
    assert order.numbers == [-1, -2, 3, 6]
    assert order.shown == 7
    order.group_by(Grouping.END)
    order.arrange(Sort.FIRST_SEEN, parse("ended:timeout"))
    order.look(LONG_NS)
    assert order.numbers == [-1, 2, 4, 6]
    assert order.groups[0].words == "no answer   3 flows"


def test_the_largest_group_is_on_top() -> None:
    session = many_flows(7)
    for talk in session.flows[1:5]:
        talk.server = replace(talk.server, address="fd00::1")
    order = FlowOrder(session, Sort.FIRST_SEEN)
    order.group_by(Grouping.SERVER)
    order.look(LONG_NS)
    assert [group.name for group in order.groups] == ["fd00::1", "10.0.0.9", "2001:db8::9:8:7:6"]


class Measured(ScriptedSession):
    """Knows its columns, and notes whose summary was asked for."""

    def measures(self) -> FlowMeasures:  # type: ignore[override]
        flows = [talk.summary for talk in self.flows]
        column = {
            name: np.array([getattr(flow, name) for flow in flows], np.int64)
            for name in ("last_ns", "segments", "keepalive_probes", "retransmissions")
        }
        return joined([FlowMeasures(**column, changes=column["segments"], window=0)])

    def summary(self, number: int) -> object:  # type: ignore[override]
        self.calls.append(str(number))
        return self.flows[number - 1].summary


def test_where_columns_are_known_only_flows_that_changed_are_asked_for() -> None:
    session = Measured(flows=many_flows(50).flows)
    order = FlowOrder(session, Sort.SEGMENTS)  # type: ignore[arg-type]
    order.look()
    assert order.numbers[:3] == [1, 2, 3]
    assert session.calls == []
    order.arrange(Sort.SEGMENTS, parse("segments>0"))
    order.look(LONG_NS)
    assert set(session.calls) == {str(number) for number in range(1, 51)}
    session.calls.clear()
    talk = session.flows[6]
    talk.say(Side.CLIENT, Kind.DATA, after_ns=1)
    session.change()
    order._sorted_ns -= 10**10
    order.look(LONG_NS)
    assert session.calls == ["7"]
    assert order.numbers[:2] == [7, 1]


def test_a_filter_whose_answer_lasts_asks_for_each_flow_once() -> None:
    session = Measured(flows=many_flows(50).flows)
    order = FlowOrder(session, Sort.SEGMENTS)  # type: ignore[arg-type]
    order.arrange(Sort.SEGMENTS, parse("addr:10.0.0.7 !port:40001"))
    order.look(LONG_NS)
    assert session.calls == [str(number) for number in range(1, 51)]
    assert order.numbers[:2] == [2, 4]
    session.calls.clear()
    session.flows[6].say(Side.CLIENT, Kind.DATA, after_ns=1)
    session.flows.append(many_flows(52).flows[51])
    session.change()
    order._sorted_ns -= 10**10
    order.look(LONG_NS)
    assert session.calls == ["51"]
    assert order.numbers[:2] == [7, 2]
    assert order.numbers[-1] == 51


@pytest.mark.parametrize("sort", Sort)
@pytest.mark.parametrize(
    "words", ["", "port:40001-40009", "!addr:2001:db8::/32", "ended:no-answer", "sport:443"]
)
def test_a_session_with_columns_is_listed_as_one_without(sort: Sort, words: str) -> None:
    session = many_flows(30)
    for number in (4, 12, 13, 29):
        session.flows[number].say(Side.CLIENT, Kind.DATA, after_ns=number)
    listed = []
    for one in (session, Measured(flows=session.flows)):
        order = FlowOrder(one, sort)  # type: ignore[arg-type]
        order.arrange(sort, parse(words))
        order.look(LONG_NS)
        assert order.settled
        listed.append(list(order.numbers))
    assert listed[0] == listed[1]
    assert listed[0]


async def test_b_groups_x_folds_space_marks_a_group_and_esc_takes_the_marks_away() -> None:
    app = app_for(many_flows(6))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("b")
        text = await settle(pilot)
        assert "▾ 10.0.0.9   4 flows: 2 no answer, 2 open" in text
        assert "by server host" in text
        page = app.screen
        assert isinstance(page, FlowsScreen)
        await pilot.press("home", "space")
        text = await settle(pilot)
        assert "4 flows: 2 no answer, 2 open, 4 marked" in text
        assert "4 marked, Enter: on one ladder  filter" in text
        assert page.flows_to_export == sorted(page.table.marked) == [1, 2, 4, 5]
        assert len(page.row_text().splitlines()) == 4
        await pilot.press("x")
        text = await settle(pilot)
        assert "▸ 10.0.0.9" in text
        assert "10.0.0.7:40001" not in text
        await pilot.press("enter")
        assert "▾ 10.0.0.9" in await settle(pilot)
        await pilot.press("escape")
        text = await settle(pilot)
        assert "marked" not in text
        assert page.flows_to_export == []  # the cursor is on a heading
        assert app.screen is page


async def test_x_without_groups_says_how_to_get_some() -> None:
    app = app_for(many_flows(2))
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settle(pilot)
        await pilot.press("x")
        assert "b groups the list" in await settle(pilot)


async def test_c_chooses_columns_for_as_long_as_the_app_runs() -> None:
    app = app_for(many_flows(3))
    async with app.run_test(size=(100, 24)) as pilot:
        await settle(pilot)
        await pilot.press("c")
        assert "[x] client" in await settle(pilot)
        assert isinstance(app.screen, ColumnsDialog)
        # client goes, the state moves before the server
        await pilot.press("space", "down", "down", "less_than_sign", "enter")
        text = await settle(pilot)
        assert text.splitlines()[1].split()[:3] == ["state", "server", "segs"]
        assert app.taste.flow_columns == ("state", "server", "segments", "probes", "rtx", "end")
        await pilot.press("c", "0")
        text = await settle(pilot)
        assert text.splitlines()[1].split()[:2] == ["client", "server"]


async def test_a_column_without_room_is_said_in_the_dialog() -> None:
    app = app_for(many_flows(3))
    app.taste = replace(app.taste, flow_columns=("client", "server", "process", "state", "first", "last"))
    async with app.run_test(size=(60, 24)) as pilot:
        await settle(pilot)
        await pilot.press("c")
        text = await settle(pilot)
        assert "(no room)" in text


async def test_a_fault_is_about_the_flow_under_the_cursor_and_says_so() -> None:
    app = app_for(many_flows(3))
    async with app.run_test(size=(80, 40), notifications=True) as pilot:
        await settle(pilot)
        await pilot.press("space", "D")
        for _ in range(20):
            text = await settle(pilot, 1)
            if "about the flow under the cursor" in text:
                break
        assert "about the flow under the cursor" in text
