"""The map of a flow: everything that happened has a sign, and every cell leads to where it is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rooms.ladder.talk import MS, START_NS, S, Said, Talk, keepalive
from rooms.ladder.test_folds import transfer
from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.view import Side
from tcpladder.ladder.overview import Overview, Sign, overview
from tcpladder.render.overview import draw_overview


def mapped(talk: Talk, cells: int = 40, *notes_ns: int) -> Overview:
    flow = overview(talk, cells, notes_ns)
    assert flow is not None
    return flow


def test_what_happened_has_a_sign_and_the_loudest_wins() -> None:
    talk, notes = keepalive()
    talk.say(Side.CLIENT, Kind.RST, after_ns=3 * S)
    talk.eaten[8] = "rule 1"
    flow = mapped(talk, 60, notes[0].time_ns)
    assert flow.signs[flow.cell_of(3)] == Sign.PROBE
    assert flow.signs[flow.cell_of(8)] == Sign.LOST
    assert flow.signs[-1] == Sign.RESET
    assert (flow.signs == Sign.NOTE).sum() == 1
    assert flow.segments.sum() == len(talk.said)


def test_a_burst_and_a_silence_both_have_room() -> None:
    talk = transfer(500)
    talk.say(Side.CLIENT, Kind.DATA, after_ns=3600 * S)
    flow = mapped(talk, 100)
    assert 45 <= (flow.segments == 0).sum() <= 55
    assert (flow.segments > 5).sum() >= 40


def test_one_segment_among_thousands_can_be_seen() -> None:
    talk = transfer(2000)
    talk.say(Side.CLIENT, Kind.DATA, after_ns=3600 * S)
    flow = mapped(talk, 20)
    assert flow.segments[-1] == 1
    assert flow.heights(8)[-1] in (1, 2)
    assert flow.heights(8).max() == 8
    assert set(flow.heights(8)[flow.segments == 0].tolist()) == {0}


def test_where_nothing_is_known_there_is_no_map() -> None:
    unknown = Said(time_ns=None, side=Side.CLIENT, kind=Kind.ACK, label="ACK")
    assert overview(Talk(), 40) is None
    assert overview(Talk(said=[unknown]), 40) is None
    assert overview(Talk(said=[unknown]), 1) is None
    one = Talk().say(Side.CLIENT, Kind.SYN)
    assert mapped(one).segments[0] == 1


@given(st.lists(st.integers(-3, 2_000_000), min_size=1, max_size=60), st.integers(2, 50))
def test_each_segment_is_found_where_its_cell_leads(steps_ms: list[int], cells: int) -> None:
    talk, now = Talk(), START_NS
    for step in steps_ms:
        now += step * MS
        talk.said.append(Said(time_ns=now, side=Side.CLIENT, kind=Kind.ACK, label="ACK"))
    flow = mapped(talk, cells)
    for segment in range(len(talk.said)):
        cell = flow.cell_of(segment)
        assert flow.first[cell] <= segment
        assert flow.segments[cell] > 0


def test_the_line_is_as_long_as_its_cells_and_says_it_without_colour() -> None:
    talk, notes = keepalive()
    flow = mapped(talk, 30, notes[0].time_ns)
    text = "".join(text for text, _ in draw_overview(flow, 0, ascii_only=False))
    assert len(text) == 30
    assert text[0] == "●"
    assert set("p⚑") < set(text)
    plain = "".join(text for text, _ in draw_overview(flow, 0, ascii_only=True))
    assert plain.isascii()
    assert len(plain) == 30
