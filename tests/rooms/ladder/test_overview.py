"""The map of a flow: everything that happened has a sign, and every cell leads to where it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
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
    assert mapped(talk, 2, notes[0].time_ns).signs.tolist() == [Sign.LOST, Sign.RESET]


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
    assert replace(flow, segments=np.array([0, 1, 30, 1000])).heights(8).tolist() == [0, 1, 4, 8]


def test_where_nothing_is_known_there_is_no_map() -> None:
    unknown = Said(time_ns=None, side=Side.CLIENT, kind=Kind.ACK, label="ACK")
    assert overview(Talk(), 40) is None
    assert overview(Talk(said=[unknown]), 40) is None
    assert overview(Talk(said=[unknown]), 1) is None
    one = Talk().say(Side.CLIENT, Kind.SYN)
    assert mapped(one).segments[0] == 1


STEPS_MS = st.lists(st.none() | st.integers(-2_000_000, 2_000_000), min_size=1, max_size=60)


@given(STEPS_MS.filter(any), st.integers(2, 50))
def test_each_segment_is_found_where_its_cell_leads(steps_ms: list[int | None], cells: int) -> None:
    """Whose time is known, also where that goes back."""
    talk, now = Talk(), START_NS
    for step in steps_ms:
        now += (step or 0) * MS
        time_ns = None if step is None else now
        talk.said.append(Said(time_ns=time_ns, side=Side.CLIENT, kind=Kind.ACK, label="ACK"))
    flow = mapped(talk, cells)
    known = [segment for segment, step in enumerate(steps_ms) if step is not None]
    assert flow.segments.sum() == len(known)
    assert (np.diff(flow.first) >= 0).all()
    for segment in known:
        cell = flow.cell_of(segment)
        assert flow.first[cell] <= segment
        assert flow.segments[cell] > 0
        assert int(flow.first[cell]) in known


def test_what_was_eaten_has_its_sign_also_behind_unknown_times() -> None:
    talk = Talk()
    for _ in range(3):
        talk.say(Side.CLIENT, Kind.DATA, after_ns=S)
    talk.said.insert(0, Said(time_ns=None, side=Side.CLIENT, kind=Kind.ACK, label="ACK"))
    talk.eaten[2] = "rule 1"
    flow = mapped(talk, 3)
    assert flow.signs.tolist() == [Sign.NOTHING, Sign.LOST, Sign.NOTHING]


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
