"""Gaps to scale: as many rows as they are long, and no more than a person will scroll through."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rooms.ladder.talk import MS, S, Talk, keepalive
from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.view import Side
from tcpladder.ladder import scale
from tcpladder.ladder.ladder import Ladder
from tcpladder.ladder.model import GapRow, Note, Rung, SpaceRow
from tcpladder.wire.frames import UNKNOWN_TIME_NS


def lengths(ladder: Ladder) -> list[int]:
    """How many rows lie between one rung and the next."""
    at = [number for number in range(len(ladder)) if isinstance(ladder.row(number), Rung)]
    return [after - before - 1 for before, after in pairwise(at)]


def spoken(*gaps_ns: int) -> Talk:
    talk = Talk()
    talk.say(Side.CLIENT, Kind.SYN)
    for gap_ns in gaps_ns:
        talk.say(Side.CLIENT, Kind.DATA, after_ns=gap_ns)
    return talk


def test_a_gap_takes_as_many_rows_as_its_length() -> None:
    ladder = Ladder(spoken(3 * S, 30 * S, 1 * S, 200 * MS))
    ladder.space(3 * S)
    assert lengths(ladder) == [1, 10, 0, 0]
    ladder.space(None)
    assert lengths(ladder) == [0, 0, 0, 0]


def test_a_longer_one_is_a_break_that_says_how_long_it_was() -> None:
    ladder = Ladder(spoken(3 * S, 7200 * S))
    ladder.space(3 * S)
    assert lengths(ladder) == [1, scale.BREAK_ROWS]
    breaks = [ladder.row(number) for number in (3, 4, 5)]
    assert [row.break_ns for row in breaks if isinstance(row, SpaceRow)] == [None, 7200 * S, None]


def test_the_row_of_a_silence_counts_as_one_of_them() -> None:
    talk, notes = keepalive()
    ladder = Ladder(talk, notes)
    ladder.space(3 * S)
    probe = ladder.row_of_segment(7)
    assert isinstance(ladder.row(probe - 1), GapRow)
    assert lengths(ladder)[-1] == 1
    assert lengths(ladder)[2] == 10


def test_the_first_scale_shows_the_longest_gap_whole() -> None:
    unit_ns = scale.first_unit_ns(spoken(3 * S, 30 * S).time_ns)
    assert unit_ns == 3 * S
    assert scale.first_unit_ns(spoken(40 * S).time_ns) == 10 * S
    assert scale.first_unit_ns(np.zeros(0, np.int64)) == scale.UNITS_NS[0]
    assert scale.next_unit_ns(unit_ns, 1) == S
    assert scale.next_unit_ns(unit_ns, -1) == 10 * S
    assert scale.next_unit_ns(scale.UNITS_NS[0], 1) is None
    assert scale.next_unit_ns(scale.UNITS_NS[-1], -1) is None


def test_an_unknown_time_and_one_that_goes_back_have_no_length() -> None:
    times = np.array([5 * S, UNKNOWN_TIME_NS, 9 * S, 2 * S], np.int64)
    assert scale.rows_between(times, np.zeros(4, np.bool_), S).tolist() == [0, 0, 0]


@given(
    st.lists(st.integers(0, 40), max_size=20),
    st.lists(st.integers(0, 300), max_size=3),
    st.lists(st.integers(1, 6), max_size=6),
    st.booleans(),
)
def test_a_scaled_ladder_grows_as_any_other(
    gaps_s: list[int], notes_s: list[int], cuts: list[int], fold: bool
) -> None:
    whole = spoken(*(gap * S for gap in gaps_s)).said
    first = whole[0].time_ns or 0
    notes = tuple(Note(first + at * S, f"at {at}") for at in sorted(notes_s))
    talk = Talk()
    ladder = Ladder(talk, notes, fold=fold)
    ladder.space(3 * S)
    for cut in [*cuts, len(whole)]:
        before = [ladder.row(number) for number in range(len(ladder))]
        talk.said.extend(whole[len(talk.said) : len(talk.said) + cut])
        changed = ladder.refresh()
        assert [ladder.row(number) for number in range(min(changed, len(ladder)))] == before[:changed]
    again = Ladder(talk, notes, fold=fold)
    again.space(3 * S)
    assert [again.row(number) for number in range(len(again))] == [
        ladder.row(number) for number in range(len(ladder))
    ]
    for segment in range(0 if fold else ladder.segments):
        assert ladder.segment_of_row(ladder.row_of_segment(segment)) == segment
