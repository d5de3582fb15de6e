"""Every line is exactly as wide as asked, lifelines stand where they stand, and what matters is never cut off."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from rooms.ladder.talk import MS, START_NS, S, Talk, keepalive
from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.view import Endpoint, Gap, Origin, Pending, Side, Timer, Verdict
from tcpladder.ladder.ladder import Ladder
from tcpladder.ladder.model import (
    GapRow,
    Note,
    NumberMode,
    Numbers,
    PendingRow,
    Role,
    Row,
    Rung,
    TimeMode,
)
from tcpladder.render.grid import Line, draw, flow_title, header_lines, plain, with_cursor
from tcpladder.render.layout import Layout

LIFELINES = "│┊|:"
TEXT = st.text(max_size=20) | st.text("data …✗", min_size=15, max_size=120)
TIME = st.integers(-(2**63) + 1, 2**63 - 1)
NUMBER = st.none() | st.integers(0, 2**34)
SIDE = st.sampled_from(Side)
GAPS = st.builds(
    Gap,
    observed_ns=st.integers(0, 2**62),
    since_frame=st.integers(1, 10**9),
    since_ns=TIME,
    timer=st.none() | st.sampled_from(Timer),
    expected_ns=st.none() | st.integers(0, 2**62),
    verdict=st.sampled_from(Verdict),
    origin=st.none() | st.sampled_from(Origin),
    name=TEXT,
)
NUMBERS = st.builds(
    Numbers,
    relative_seq=NUMBER,
    relative_ack=NUMBER,
    raw_seq=NUMBER,
    raw_ack=NUMBER,
    length=NUMBER,
    window=NUMBER,
    flags=st.none() | TEXT,
    frame=st.integers(1, 10**12),
)
RUNGS = st.builds(
    Rung,
    segment=st.just(0),
    time_ns=st.none() | TIME,
    previous_ns=st.none() | TIME,
    after_gap=st.booleans(),
    sender=SIDE,
    kind=st.sampled_from(Kind),
    label=TEXT,
    lost=st.none() | TEXT,
    numbers=NUMBERS,
)
PENDINGS = st.builds(
    Pending,
    due_ns=TIME,
    armed_ns=TIME,
    side=SIDE,
    kind=st.none() | st.sampled_from(Kind),
    text=TEXT,
    origin=st.sampled_from(Origin),
)
ROWS = st.one_of(
    RUNGS,
    st.builds(GapRow, segment=st.just(0), sender=SIDE, gap=GAPS),
    st.builds(Note, TIME, TEXT),
    st.builds(PendingRow, pending=PENDINGS, now_ns=TIME, place=st.integers(0, 3)),
)
LAYOUTS = st.builds(
    Layout,
    width=st.integers(40, 260),
    ascii=st.booleans(),
    time_mode=st.sampled_from(TimeMode),
    number_mode=st.sampled_from(NumberMode),
    timezone=st.sampled_from([UTC, timezone(timedelta(hours=-11))]),
    origin_ns=st.none() | TIME,
)


def keepalive_rows(**taste: int | bool | TimeMode | NumberMode) -> list[str]:
    """The keepalive ladder, drawn."""
    talk, notes = keepalive()
    talk.eaten[7] = "rule 1"
    ladder = Ladder(talk, notes)
    layout = replace(Layout(width=80, origin_ns=ladder.origin_ns), **taste)
    return [plain(draw(ladder.row(number), layout)) for number in range(len(ladder))]


def roles(line: Line) -> set[Role]:
    return {role for _, role in line}


@settings(max_examples=400)
@given(ROWS, LAYOUTS)
def test_a_line_is_exactly_its_width_and_its_lifelines_stand(row: Row, layout: Layout) -> None:
    line = draw(row, layout)
    text = plain(line)
    assert cell_len(text) == len(text) == layout.width
    assert all(span for span, _ in line)
    assert text[layout.left] in LIFELINES
    assert text[layout.right] in LIFELINES
    assert text[: layout.gutter] == " " * layout.gutter
    assert not layout.ascii or text.isascii()
    assert len(plain(with_cursor(line, layout))) == layout.width


@given(st.integers(40, 260), st.booleans(), st.sampled_from(TimeMode))
def test_headers_are_exact_and_keep_both_ports(width: int, ascii_only: bool, mode: TimeMode) -> None:
    client = Endpoint("2001:db8:85a3:1234:5678:8a2e:370:7334", 65000)
    summary = Talk(client=client, server=Endpoint("192.168.100.100", 65001)).summary
    for line in header_lines(summary, Layout(width=width, ascii=ascii_only, time_mode=mode)):
        text = plain(line)
        assert cell_len(text) == width
        assert ":65000" in text
        assert ":65001" in text


@given(st.integers(40, 200))
def test_a_title_keeps_both_ports(room: int) -> None:
    ends = Endpoint("2001:db8:85a3:1234:5678:8a2e:370:7334", 65000), Endpoint("10.0.0.9", 65001)
    for client, server in (ends, ends[::-1]):
        title = flow_title(Talk(client=client, server=server).summary, room)
        assert len(title) <= room
        assert f":{client.port} →" in title
        assert title.endswith(f":{server.port}")


def test_lane_titles_have_the_addresses_where_they_differ() -> None:
    summary = Talk(server=Endpoint("10.0.0.9", 443)).summary
    (line,) = header_lines(summary, Layout(width=80))
    assert "client 127.0.0.1:22345" in plain(line)
    assert "server 10.0.0.9:443" in plain(line)
    (line,) = header_lines(Talk().summary, Layout(width=80))
    assert "127.0.0.1" not in plain(line)


@pytest.mark.parametrize("width", [40, 52, 60, 71, 72, 80, 100, 120, 200])
def test_the_verdict_of_a_silence_is_never_cut_off(width: int) -> None:
    for gap_name in ("keepalive_time 30 s", "a name that is far too long for any ladder " * 4):
        gap = Gap(
            observed_ns=33 * S,
            since_frame=1,
            since_ns=0,
            timer=Timer.KEEPALIVE,
            expected_ns=30 * S,
            verdict=Verdict.LATE,
            origin=Origin.SOCKET,
            name=gap_name,
        )
        text = plain(draw(GapRow(segment=0, sender=Side.CLIENT, gap=gap), Layout(width=width)))
        assert " late +3.0 s " in text
        assert "33.000 s" in text


@pytest.mark.parametrize("width", [60, 80, 200])
def test_the_number_of_a_probe_and_the_rule_that_ate_it_are_read_at_a_glance(width: int) -> None:
    unanswered = next(text for text in keepalive_rows(width=width) if "1/3" in text)
    assert "keepalive probe 1/3" in unanswered
    assert "✗" in unanswered
    assert "▶" not in unanswered
    assert ("rule 1" in unanswered) == (width >= 72)


def test_arrows_point_where_the_segment_went() -> None:
    lines = keepalive_rows()
    assert lines[0].index("SYN") < lines[0].index("▶")
    assert lines[1].index("◀") < lines[1].index("SYN-ACK")


def test_a_lost_answer_stops_short_of_the_client() -> None:
    talk = Talk()
    talk.say(Side.SERVER, Kind.SYN_ACK)
    layout = Layout(width=80)
    talk.eaten[0] = "rule 2"
    text = plain(draw(Ladder(talk).row(0), layout))
    assert text[layout.left : layout.left + 6] == "│    ✗"
    assert "◀" not in text


def test_a_time_that_reads_like_the_one_above_is_not_repeated() -> None:
    first, second, third = (text[:24] for text in keepalive_rows()[:3])
    assert first == "  17:16:22.217          "
    assert second == "               +21 µs   "
    assert third.strip() == "+17 µs"


def test_relative_times_and_delta_mode() -> None:
    assert keepalive_rows(time_mode=TimeMode.RELATIVE)[4].split()[0] == "30.001039"
    delta = keepalive_rows(time_mode=TimeMode.DELTA)
    assert delta[0].startswith("            │── SYN")
    assert delta[3].startswith("  30.001 s  ┊")


def test_another_day_is_said() -> None:
    talk = Talk()
    talk.say(Side.CLIENT, Kind.DATA)
    talk.say(Side.CLIENT, Kind.DATA, after_ns=8 * 3600 * S)
    rung = Ladder(talk).row(1)
    assert plain(draw(rung, Layout(width=80))).startswith("  09-02 01:16:22.217     │")
    assert plain(draw(rung, Layout(width=60))).startswith(" 09-02 01:16  │")
    tokyo = Layout(width=80, timezone=timezone(timedelta(hours=9)))
    assert "09-02" not in plain(draw(rung, tokyo))


def test_an_unknown_time_is_a_dash() -> None:
    rung = Ladder(keepalive()[0]).row(0)
    assert isinstance(rung, Rung)
    text = plain(draw(replace(rung, time_ns=None), Layout(width=80)))
    assert text[: Layout(width=80).left].strip() == "–"


def test_numbers_stand_at_the_right_of_a_wide_ladder_only() -> None:
    assert "4294967000" in keepalive_rows(width=160, number_mode=NumberMode.RAW)[0]
    assert "4294967000" not in keepalive_rows(width=160)[0]
    assert keepalive_rows(width=160)[0].endswith("        1")
    assert "65536" not in keepalive_rows(width=80)[0]


def test_a_quiet_gap_and_a_loud_one_have_other_roles_and_other_words() -> None:
    talk, _ = keepalive()
    quiet = Ladder(talk).row(3)
    assert isinstance(quiet, GapRow)
    loud = replace(quiet, gap=replace(quiet.gap, verdict=Verdict.LATE))
    layout = Layout(width=80)
    assert Role.GAP_ON_TIME in roles(draw(quiet, layout))
    assert Role.GAP_LOUD in roles(draw(loud, layout))
    assert " late " in plain(draw(loud, layout))


def pending_text(left_ns: int, width: int = 80, ascii_only: bool = False) -> tuple[str, set[Role]]:
    talk, _ = keepalive()
    coming = replace(talk.coming[0], armed_ns=START_NS, due_ns=START_NS + 4 * S)
    row = PendingRow(pending=coming, now_ns=coming.due_ns - left_ns, place=0)
    line = draw(row, Layout(width=width, ascii=ascii_only))
    return plain(line), roles(line)


def test_the_countdown_fills_its_bar_until_the_timer_fires() -> None:
    assert "in 4.0 s ▕       ▏" in pending_text(4 * S)[0]
    assert "in 2.0 s ▕███▌   ▏" in pending_text(2 * S)[0]
    assert "in 0.0 s ▕███████▏" in pending_text(0)[0]
    assert "in 2.0 s [###.   ]" in pending_text(2 * S, ascii_only=True)[0]


def test_what_is_due_is_said_to_be_late_only_when_it_is() -> None:
    text, meant = pending_text(-40 * MS)
    assert " now ▕" in text
    assert Role.WARNING not in meant
    text, meant = pending_text(-2 * S)
    assert " late 2.0 s ▕███████▏" in text
    assert Role.WARNING in meant


def test_a_pending_end_is_dashed_and_says_at_what_time() -> None:
    assert "│╌╌ RST; application: ETIMEDOUT ╌╌╌╌╌╌╌▷│ at 17:16:26" in pending_text(S)[0]
    assert "|.. RST; application: ETIMEDOUT .......>| at 17:16:26" in pending_text(S, ascii_only=True)[0]
    assert "in 1.0 s │╌╌ RST" in pending_text(S, width=60)[0]


def test_only_the_first_pending_rung_is_next() -> None:
    pending = Pending(
        due_ns=5 * S,
        armed_ns=0,
        side=Side.CLIENT,
        kind=Kind.KEEPALIVE_PROBE,
        text="keepalive probe 2/3",
        origin=Origin.USER,
    )
    rows = [PendingRow(pending=pending, now_ns=S, place=place) for place in (0, 1)]
    first, second = (plain(draw(row, Layout(width=80))).rstrip() for row in rows)
    assert first.endswith("▷│ next")
    assert second.endswith("▷│ at 00:00:05")


def test_the_cursor_stands_in_the_gutter() -> None:
    talk, _ = keepalive()
    layout = Layout(width=80)
    line = draw(Ladder(talk).row(0), layout)
    assert plain(with_cursor(line, layout)) == "▌" + plain(line)[1:]
    assert plain(with_cursor(line, replace(layout, ascii=True)))[0] == ">"
