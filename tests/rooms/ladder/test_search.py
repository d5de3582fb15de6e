"""What a person types is found where it stands, kinds without a look at every row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from rooms.ladder.talk import MS, START_NS, S, Talk, keepalive
from rooms.ladder.test_folds import answered, transfer
from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.view import Side, Verdict
from tcpladder.ladder.ladder import Ladder
from tcpladder.ladder.model import Note
from tcpladder.ladder.search import Hidden, kinds_of, search, vocabulary


def found(ladder: Ladder, text: str, row: int = -1, step: int = 1) -> int | Hidden | None:
    return next((hit for hit in search(ladder, text, row, step) if hit is not None), None)


def every(ladder: Ladder, text: str, step: int = 1) -> Iterator[int]:
    row = -1 if step > 0 else len(ladder)
    while isinstance(hit := found(ladder, text, row, step), int):
        yield hit
        row = hit


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("rst", {Kind.RST, Kind.RST_GIVES_UP, Kind.RST_NO_CONNECTION, Kind.RST_FORGED, Kind.REFUSED}),
        ("keepalive probe", {Kind.KEEPALIVE_PROBE}),
        ("zero_window_probe_ack", {Kind.ZERO_WINDOW_PROBE_ACK}),
        ("data 79", set()),
        ("", set()),
    ],
)
def test_a_kind_is_found_by_its_label_or_its_word(text: str, kinds: set[Kind]) -> None:
    assert set(kinds_of(text)) == kinds


def test_all_rows_that_say_a_kind_or_a_timer_are_found_both_ways() -> None:
    talk, notes = keepalive()
    ladder = Ladder(talk, notes)
    rungs = [ladder.row_of_segment(segment) for segment in (3, 5, 7, 8, 9)]
    assert list(every(ladder, "keepalive probe")) == rungs
    assert list(every(ladder, "keepalive probe", -1)) == rungs[::-1]
    silences = [row - 1 for row in rungs]
    assert list(every(ladder, "keepalive_intvl")) == silences[3:]


def test_verdicts_notes_and_losses_are_found() -> None:
    talk, notes = keepalive()
    talk.say(Side.CLIENT, Kind.RST, after_ns=9 * S, name="keepalive_intvl 3 s", verdict=Verdict.LATE)
    talk.eaten[8] = "rule 1"
    ladder = Ladder(talk, notes)
    assert found(ladder, "late") == ladder.row_of_segment(10) - 1
    assert found(ladder, "lost") == ladder.row_of_segment(8)
    assert found(ladder, "drop client") == ladder.row_of_segment(7) - 2
    assert found(ladder, "nothing of this") is None


def test_backward_it_is_the_nearest_above_that_is_found() -> None:
    talk, notes = keepalive()
    talk.eaten |= {5: "rule 1", 8: "rule 1"}
    ladder = Ladder(talk, notes)
    assert list(every(ladder, "lost", -1)) == [ladder.row_of_segment(8), ladder.row_of_segment(5)]


def test_words_with_numbers_are_looked_for_row_by_row_also_where_they_are_folded() -> None:
    talk = transfer(40)
    talk.say(Side.CLIENT, Kind.FIN, after_ns=MS)
    talk.said[50] = replace(talk.said[50], label="data 1234")
    assert found(Ladder(talk), "1234") == 50
    assert found(Ladder(talk, fold=True), "1234") == Hidden(50)


def test_a_kind_that_is_folded_is_one_stop() -> None:
    ladder = Ladder(answered(50), fold=True)
    assert list(every(ladder, "keepalive probe")) == [4, 6, 8]


def test_a_million_rows_are_not_looked_at_for_a_kind() -> None:
    talk = Talk()
    for _ in range(500):
        talk.say(Side.CLIENT, Kind.DATA, after_ns=MS)
    talk.say(Side.CLIENT, Kind.RST, after_ns=MS)
    looks = list(search(Ladder(talk, [Note(START_NS, "begin")]), "rst", 0, 1))
    assert looks == [501]


def test_what_is_offered_is_found() -> None:
    assert {"rst", "keepalive probe", "keepalive_intvl", "late", "lost"} <= set(vocabulary())
