"""The screens as text, driven by keys: what a person sees after each."""

from __future__ import annotations

import re
from unittest.mock import patch

import pytest
from textual.geometry import Region

from rooms.app.scripted import ScriptedSession, app_for, keepalive_session, many_flows, screen_text, settle
from rooms.ladder.talk import S
from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.view import Side
from tcpladder.app import flow_order
from tcpladder.app.confirm import Confirm
from tcpladder.app.detail_screen import DetailScreen
from tcpladder.app.detail_view import DetailView
from tcpladder.app.flow_table import FlowTable
from tcpladder.app.flows_screen import FlowsScreen
from tcpladder.app.interfaces_screen import InterfacesScreen
from tcpladder.app.ladder_screen import LadderScreen
from tcpladder.app.ladder_view import LadderView
from tcpladder.app.row_view import RowView
from tcpladder.app.timers_view import TimersView

SIZE = (80, 24)


async def test_flows_show_what_a_person_came_for() -> None:
    app = app_for(keepalive_session())
    async with app.run_test(size=SIZE) as pilot:
        text = await settle(pilot)
        lines = text.splitlines()
        assert "lo  tcp port 12345" in lines[0]
        assert "● live" in lines[0]
        assert "1 flow " in lines[0]
        assert lines[1].split() == ["client", "server", "state", "segs", "prb", "rtx", "end"]
        assert lines[2].split() == ["▌", "127.0.0.1:22345", "127.0.0.1:12345", "estab", "10", "5", "0", "–"]
        assert "waits for the answer to keepalive probe 3/3" in text
        assert "17 frames  kernel drops 0" in text


async def test_several_files_are_counted_in_the_head() -> None:
    app = app_for(keepalive_session(name="captures/a.pcap, captures/b.pcap", mode="file", phase="ended"))
    async with app.run_test(size=SIZE) as pilot:
        assert (await settle(pilot)).splitlines()[0].startswith(" 2 files")


async def test_enter_opens_the_ladder_and_escape_closes_it() -> None:
    app = app_for(keepalive_session())
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        text = await settle(pilot)
        assert isinstance(app.screen, LadderScreen)
        assert "│── SYN ──" in text
        assert "keepalive_time 30 s ✓ +1 ms" in text
        assert "DROP client → server, rule 1, 60 s" in text
        assert "RST; application: ETIMEDOUT" in text
        assert "in 8.0 s" in text
        await pilot.press("escape")
        await settle(pilot)
        assert isinstance(app.screen, FlowsScreen)


async def test_the_ladder_waits_unseen_until_it_is_asked_for() -> None:
    app = app_for(many_flows(2))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        ladder = app.get_screen("ladder", LadderScreen)
        assert ladder.is_running
        assert ladder.size == SIZE
        assert isinstance(app.screen, FlowsScreen)
        assert isinstance(app.focused, FlowTable)
        await pilot.press("j", "enter")
        assert ":40002" in (await settle(pilot)).splitlines()[0]
        assert app.screen is ladder


async def test_another_flow_begins_at_its_first_rung_and_keeps_how_it_is_drawn() -> None:
    session = many_flows(2)
    session.change(mode="file", phase="running")
    app = app_for(session)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        await pilot.press("slash", *"probe", "enter")
        await settle(pilot)
        await pilot.press("space", "j", "t", "T", "p", "f")
        await settle(pilot)
        view = app.screen.query_one(LadderView)
        assert view.following
        await pilot.press("escape")
        await settle(pilot)
        await pilot.press("j", "enter")
        text = await settle(pilot)
        assert ":40002" in text.splitlines()[0]
        assert (view.view.number, view.cursor, view.top, view.following) == (2, 0, 0, False)
        assert "paused" not in text
        assert "17:16:22.217" not in text
        assert app.screen.query_one(TimersView).number == 2
        await pilot.press("j")
        assert "from the marked frame" not in await settle(pilot)
        await pilot.press("n")
        await settle(pilot)
        assert view.cursor == 1


async def test_two_keys_in_a_hurry_open_one_ladder() -> None:
    app = app_for(keepalive_session())
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        app.open_flow(1)
        app.open_flow(1)
        await settle(pilot)
        assert [type(screen) for screen in app.screen_stack[1:]] == [FlowsScreen, LadderScreen]
        await pilot.press("escape")
        await settle(pilot)
        assert isinstance(app.screen, FlowsScreen)


async def test_a_ladder_that_is_closed_counts_nothing_down() -> None:
    session = keepalive_session()
    app = app_for(session)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        ladder = app.get_screen("ladder", LadderScreen)
        await pilot.press("escape")
        await settle(pilot, 8)
        with patch.object(ladder.ladder, "seconds_to_next_tick") as asked:
            await settle(pilot, 8)
        asked.assert_not_called()


async def test_q_leaves_one_screen_after_the_other_and_then_the_app() -> None:
    session = keepalive_session()
    app = app_for(session)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        await pilot.press("q")
        await settle(pilot)
        assert isinstance(app.screen, FlowsScreen)
        await pilot.press("q")
        await pilot.pause()
    assert session.calls == ["start", "close"]


async def test_the_cursor_walks_over_rungs_and_gaps() -> None:
    app = app_for(keepalive_session(mode="file", phase="ended"))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        view = app.screen.query_one(LadderView)
        assert view.cursor == 0
        await pilot.press("j", "down", "j")
        text = await settle(pilot)
        assert view.cursor == 3
        assert "30.001 s since frame 3 armed the timer, 30.000 s expected: on time, +1 ms" in text
        assert "read from the live socket" in text
        await pilot.press("k")
        assert "the first ACK without data" in await settle(pilot)
        await pilot.press("G")
        assert view.cursor == 15
        await pilot.press("g")
        assert view.cursor == 0


async def test_enter_on_a_gap_goes_to_the_rung_that_armed_its_timer() -> None:
    app = app_for(keepalive_session(mode="file", phase="ended"))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        view = app.screen.query_one(LadderView)
        view.go_to(14)
        await pilot.press("enter")
        await settle(pilot)
        assert view.cursor == 13
        assert isinstance(app.screen, LadderScreen)


async def test_follow_keeps_the_cursor_on_the_newest_rung_and_turns_pages() -> None:
    session = keepalive_session()
    app = app_for(session)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        assert "follow" in await settle(pilot)
        view = app.screen.query_one(LadderView)
        for number in range(30):
            side = Side.SERVER if number % 2 else Side.CLIENT
            session.flows[0].say(side, Kind.DATA, after_ns=1000, label="data 7", length=7)
        session.change(segments=47)
        text = await settle(pilot)
        assert view.cursor == len(view.ladder) - 1 == 45
        assert "data 7" in text
        assert "RST; application" in text
        top = view.top
        session.flows[0].say(Side.SERVER, Kind.DATA, after_ns=1000, label="data 8", length=8)
        session.change(segments=48)
        assert "data 8" in await settle(pilot)
        assert view.top == top, "a new row does not scroll while the page has room"
        await pilot.press("up")
        assert not view.following
        await pilot.press("f")
        assert view.following


async def test_pause_freezes_the_drawing_and_counts_what_is_new() -> None:
    session = keepalive_session()
    app = app_for(session)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        await pilot.press("p")
        session.flows[0].say(Side.SERVER, Kind.RST, after_ns=S, label="RST of the peer")
        session.change(segments=1221)
        text = await settle(pilot)
        assert "paused, 1,204 new, p to go on" in text
        assert "RST of the peer" not in text
        await pilot.press("p")
        text = await settle(pilot)
        assert "paused" not in text
        await pilot.press("G")
        assert "RST of the peer" in await settle(pilot)


async def test_pause_freezes_the_list() -> None:
    session = many_flows(3)
    app = app_for(session)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("p")
        session.flows[0].state = "last-ack"
        session.change(segments=20)
        assert "last-ack" not in await settle(pilot)
        await pilot.press("p")
        assert "last-ack" in await settle(pilot)


async def test_time_and_numbers_change_their_columns() -> None:
    app = app_for(keepalive_session(mode="file", phase="ended"))
    async with app.run_test(size=(200, 50)) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        assert "17:16:22.217" in await settle(pilot)
        await pilot.press("t")
        text = await settle(pilot)
        assert "17:16:22.217" not in text
        assert "30.001039" in text
        await pilot.press("r")
        assert "4294967000" in await settle(pilot)


async def test_brackets_jump_between_events() -> None:
    app = app_for(keepalive_session(mode="file", phase="ended"))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        view = app.screen.query_one(LadderView)
        rows = []
        for _ in range(4):
            await pilot.press("right_square_bracket")
            rows.append(view.cursor)
        assert rows == [1, 2, 4, 7]
        await pilot.press("left_square_bracket")
        assert view.cursor == 4


async def test_search_finds_labels_and_gaps_both_ways() -> None:
    app = app_for(keepalive_session(mode="file", phase="ended"))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        view = app.screen.query_one(LadderView)
        await pilot.press("slash", *"intvl", "enter")
        await settle(pilot, 1)
        assert view.cursor == 12
        assert view.has_focus
        await pilot.press("n")
        await settle(pilot, 1)
        assert view.cursor == 14
        await pilot.press("N")
        await settle(pilot, 1)
        assert view.cursor == 12


async def test_a_marked_rung_is_what_times_are_measured_from() -> None:
    app = app_for(keepalive_session(mode="file", phase="ended"))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        await pilot.press("space", "j")
        assert "+21 µs from the marked frame 1" in await settle(pilot)


async def test_the_second_pane_shows_the_findings_and_closes_again() -> None:
    app = app_for(keepalive_session(mode="file", phase="ended"))
    async with app.run_test(size=(80, 40)) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        await pilot.press("2")
        text = await settle(pilot)
        assert "source   RFC 9293 3.5" in text
        assert isinstance(app.focused, DetailView)
        await pilot.press("1")
        assert isinstance(app.focused, LadderView)
        await pilot.press("tab")
        assert isinstance(app.focused, DetailView)
        await pilot.press("z")
        assert "SYN-ACK" not in await settle(pilot)
        await pilot.press("escape")
        assert "SYN-ACK" in await settle(pilot)
        await pilot.press("2")
        assert "source   RFC 9293 3.5" not in await settle(pilot)


async def test_detail_shows_findings_headers_and_bytes() -> None:
    app = app_for(keepalive_session(mode="file", phase="ended"))
    async with app.run_test(size=(80, 60)) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        await pilot.press("enter")
        await app.workers.wait_for_complete()
        text = await settle(pilot)
        assert isinstance(app.screen, DetailScreen)
        assert "from client 127.0.0.1:22345" in text
        assert "rung 1 of 10" in text
        assert "22345" in text
        assert "57 49 30 39" in text.replace("5749 3039", "57 49 30 39")
        assert "says     RFC 9293 3.5: each end opens with a SYN" in text
        assert "Timers of both ends" in text
        await pilot.press("n")
        assert "rung 2 of 10" in await settle(pilot)
        await pilot.press("left_square_bracket")
        assert "rung 1 of 10" in await settle(pilot)
        await app.workers.wait_for_complete()


async def test_a_field_shows_its_bytes_and_bytes_show_their_fields() -> None:
    app = app_for(keepalive_session(mode="file", phase="ended"))
    async with app.run_test(size=(80, 60)) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        await pilot.press("enter")
        await app.workers.wait_for_complete()
        lines = (await settle(pilot)).splitlines()
        row = next(number for number, line in enumerate(lines) if "dport = " in line)
        await pilot.press(*["down"] * (row - 1))
        text = await settle(pilot)
        assert "bytes 36 to 37 of 54" in text
        assert "57 49[30 39]00 00" in text
        await pilot.press("tab")
        text = await settle(pilot)
        assert "bytes 32 to 47: dst = " in text
        assert re.search(r"\*\s+dport = ", text)
        assert not re.search(r"\*\s+flags = DF", text)


async def test_y_copies_a_command_of_the_detail_whole() -> None:
    session = keepalive_session(mode="live")
    app = app_for(session)
    async with app.run_test(size=(60, 60)) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        await pilot.press("enter")
        await app.workers.wait_for_complete()
        await settle(pilot)
        await pilot.press("G", "y")
        await settle(pilot)
        assert app.clipboard == (
            "tcpdump -nn -S -i lo 'host 127.0.0.1 and port 22345 and host 127.0.0.1 and port 12345'"
        )
        await pilot.press("P")
        assert "tcpdump" not in await settle(pilot)


async def test_filter_narrows_the_list_while_it_is_typed() -> None:
    app = app_for(many_flows(40))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("slash", *"no answer 4003")
        text = await settle(pilot)
        assert "5 of 40 flows" in text
        await pilot.press("enter")
        assert "filter: no answer 4003" in await settle(pilot)
        assert isinstance(app.focused, RowView)


async def test_a_filter_that_makes_no_sense_is_pointed_at_and_changes_nothing() -> None:
    app = app_for(many_flows(12))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("slash", *"ended:re")
        text = await settle(pilot)
        assert " 12 flows" in text
        assert "ended:refused  ended:reset" in text
        assert "cannot filter by ended:re: have no-answer, rst" in text
        lines = text.splitlines()
        prompt = max(number for number, line in enumerate(lines) if line.startswith(" ended:re"))
        assert lines[prompt - 1].rstrip() == " " + "▁" * len("ended:re")
        await pilot.press("enter")
        assert "▁▁▁" in await settle(pilot)
        await pilot.press("right", "enter")
        assert "filter: ended:refused" in await settle(pilot)


async def test_the_beginning_of_a_field_hides_nothing_until_it_is_entered() -> None:
    app = app_for(many_flows(12))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("slash", *"port:443 st")
        text = await settle(pilot)
        assert " 12 flows" in text
        assert "state:" in text
        await pilot.press("enter")
        assert "6 of 12 flows" in await settle(pilot)


async def test_rows_that_a_filter_takes_away_are_drawn_over_and_escape_brings_them_back() -> None:
    app = app_for(many_flows(12))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        table = app.screen.query_one(FlowTable)
        drawn: list[Region] = []
        refresh = table.refresh
        with patch.object(table, "refresh", lambda *regions: (drawn.extend(regions), refresh(*regions))[1]):
            await pilot.press("slash", "z")
            await settle(pilot)
        assert any(region.y == 0 and region.height >= 12 for region in drawn)
        await pilot.press("z", "enter")
        assert "no flow passes the filter zz" in await settle(pilot)
        await pilot.press("escape")
        assert "filter: -" in await settle(pilot)
        assert table.row_count() == 12


async def test_the_ladder_of_one_of_several_files_is_called_by_none_of_them() -> None:
    app = app_for(keepalive_session(mode="file", phase="ended", name="x/a.pcap, y/b.pcap"))
    async with app.run_test(size=(100, 24)) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        assert (await settle(pilot)).startswith(" 2 files › ")


async def test_a_tall_screen_has_the_detail_of_the_row_that_is_followed() -> None:
    app = app_for(keepalive_session())
    async with app.run_test(size=(160, 50)) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        text = await settle(pilot)
        view = app.screen.query_one(LadderView)
        assert view.following
        assert view.segment
        assert f"frame {view.view.frame(view.segment)} " in text.split("numbers")[1].splitlines()[0]


async def test_the_cursor_stays_on_its_flow_when_the_order_changes() -> None:
    session = many_flows(40)
    for _ in range(5):
        session.flows[20].say(Side.CLIENT, Kind.DATA, after_ns=S)
    app = app_for(session)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        table = app.screen.query_one(FlowTable)
        await pilot.press("j", "j")
        before = table.selected
        await pilot.press("s")
        text = await settle(pilot)
        assert "sort: segments" in text
        assert table.selected == before
        await pilot.press("g")
        assert table.selected == 21
        await pilot.press("less_than_sign")
        assert "sort: activity" in await settle(pilot)


async def test_the_cursor_stays_on_its_flow_when_live_traffic_moves_the_rows() -> None:
    session = many_flows(5)
    app = app_for(session)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        table = app.screen.query_one(FlowTable)
        await pilot.press("j", "j")
        assert (table.cursor, table.selected) == (2, 3)
        session.flows[4].say(Side.CLIENT, Kind.DATA, after_ns=S)
        table.order._sorted_ns -= flow_order.SORT_NS
        session.change()
        await settle(pilot)
        assert list(table.order.numbers) == [5, 1, 2, 3, 4]
        assert (table.cursor, table.selected) == (3, 3)


async def test_space_marks_a_flow_and_goes_on() -> None:
    app = app_for(many_flows(3))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("space")
        text = await settle(pilot)
        assert "*10.0.0.7:40001" in text
        assert "1 marked" in text


async def test_y_copies_the_row() -> None:
    app = app_for(keepalive_session(mode="file", phase="ended"))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        await pilot.press("y")
        assert "SYN" in app.clipboard
        assert "17:16:22.217" in app.clipboard


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ({"now_ns": 1_378_055_782 * S, "filter": ""}, "No TCP on lo since 17:16:22."),
        ({"not_tcp": 7}, "7 other frames came by"),
        ({"mode": "file", "name": "a.pcap", "phase": "loading", "progress": 0.43}, "loading 43 %"),
        ({"mode": "file", "name": "a.pcap", "phase": "ended"}, "No TCP in a.pcap: 17 frames"),
        ({"warnings": ("veth0 went away; waiting for it",)}, "veth0 went away; waiting for it"),
        ({"phase": "waiting"}, "   waiting   0 flows"),
        ({"kernel_drops": 1204}, "the kernel dropped 1,204 frames"),
        ({"notice": "2 SSH connections are left out"}, "2 SSH connections are left out"),
    ],
)
async def test_every_state_says_what_it_is(status: dict[str, object], words: str) -> None:
    session = ScriptedSession()
    session.change(**status)
    app = app_for(session)
    async with app.run_test(size=SIZE) as pilot:
        assert words in await settle(pilot)


async def test_drops_are_loud_on_the_ladder_too() -> None:
    session = keepalive_session()
    app = app_for(session)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        session.change(kernel_drops=12)
        text = await settle(pilot)
        assert " kernel drops 12 " in text
        assert "segments are missing" in text


@pytest.mark.parametrize("size", [(80, 24), (200, 50), (60, 20)])
async def test_each_size_shows_a_whole_ladder(size: tuple[int, int]) -> None:
    app = app_for(keepalive_session())
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        await pilot.resize_terminal(*size)
        lines = (await settle(pilot)).splitlines()
        assert len(lines) == size[1]
        assert all(len(line) == size[0] for line in lines)
        assert any("keepalive probe 3/3" in line and line.count("│") == 2 for line in lines)
        assert any("kernel drops 0" in line for line in lines)


async def test_a_narrow_list_shows_how_flows_ended_and_where_help_is() -> None:
    app = app_for(many_flows(12))
    async with app.run_test(size=(60, 20)) as pilot:
        text = await settle(pilot)
        assert " prb " not in text
        assert "no answer" in text
        assert "  ? help  q quit" in text.splitlines()[-1]
        await pilot.resize_terminal(80, 24)
        text = await settle(pilot)
        assert " prb " in text
        assert "  s sort  ? help  q quit" in text.splitlines()[-1]


async def test_a_terminal_that_is_too_small_says_what_it_needs_and_comes_back() -> None:
    app = app_for(keepalive_session())
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        await pilot.resize_terminal(50, 12)
        assert "tcpladder needs 60x15, this terminal is 50x12" in await settle(pilot)
        await pilot.resize_terminal(80, 24)
        assert "keepalive probe 3/3" in await settle(pilot)


async def test_keys_in_a_terminal_that_is_too_small_leave_nothing_behind() -> None:
    app = app_for(keepalive_session())
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("enter", "colon")
        await settle(pilot)
        await pilot.resize_terminal(50, 12)
        await settle(pilot)
        for key in ("colon", "question_mark", "o", "P", "R"):
            await pilot.press(key)
            assert "tcpladder needs 60x15, this terminal is 50x12" in await settle(pilot)
        await pilot.resize_terminal(80, 24)
        await pilot.press("escape")
        assert "keepalive probe 3/3" in await settle(pilot)
        await pilot.resize_terminal(50, 12)
        app.push_screen(Confirm("sure?", ascii_only=False))
        await settle(pilot)
        await pilot.resize_terminal(80, 24)
        await pilot.press("escape")
        assert "keepalive probe 3/3" in await settle(pilot), "the terminal grew while something lay above"


async def test_the_countdown_moves_by_itself_and_nothing_else_is_needed() -> None:
    session = keepalive_session()
    app = app_for(session)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        assert "in 8.0 s" in await settle(pilot)
        session.now = type(session.now)(now_ns=session.now.now_ns + 6 * S)
        text = await settle(pilot, 8)
        assert "in 2.0 s" in text


async def test_a_list_without_a_flow_takes_every_key_that_moves() -> None:
    app = app_for(ScriptedSession())
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        for key in ("f", "G", "down", "up", "pagedown", "pageup", "g", "space", "f", "f"):
            await pilot.press(key)
            assert "No TCP on lo" in await settle(pilot)


async def test_start_flow_opens_as_soon_as_it_is_there() -> None:
    session = ScriptedSession()
    app = app_for(session, start_flow=1)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        assert isinstance(app.screen, FlowsScreen)
        session.flows.append(keepalive_session().flows[0])
        session.change()
        assert "keepalive probe" in await settle(pilot, 5)


async def test_interfaces_lists_those_of_this_machine() -> None:
    app = app_for(keepalive_session())
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("i")
        text = await settle(pilot)
        assert isinstance(app.screen, InterfacesScreen)
        assert "lo " in text
        assert "packets/s" in text
        await pilot.press("escape")
        await settle(pilot)
        assert isinstance(app.screen, FlowsScreen)


async def test_ascii_means_ascii() -> None:
    session = keepalive_session()
    session.flows[0].why = "client → server: 3 × “no answer”"
    session.change(name="Aufzeichnung für René…", filter="port 1 – 2")
    app = app_for(session, ascii_only=True)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        seen = [await settle(pilot)]
        for key in ("enter", "2", "question_mark", "escape", "p", "n"):
            await pilot.press(key)
            seen.append(await settle(pilot))
        assert "|-- keepalive probe 3/3 ---" in seen[1]
        for text in seen:
            assert text.isascii(), sorted({c for c in text if not c.isascii()})


async def test_a_session_that_ended_needs_no_timer() -> None:
    app = app_for(keepalive_session(mode="file", phase="ended"))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot, 6)
        assert app.feed.asleep
        await pilot.press("enter")
        text = await settle(pilot)
        assert "complete" in text
        assert app.feed.asleep


async def test_palette_opens() -> None:
    app = app_for(keepalive_session())
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("colon")
        await settle(pilot)
        assert "CommandPalette" in type(app.screen).__name__
        names = [command.title for command in app.get_system_commands(app.screen_stack[-2])]
        assert "Filter the list" in names
        assert len(names) == len(set(names))
        await pilot.press("escape")
        await settle(pilot)
        assert "127.0.0.1:22345" in screen_text(app)
