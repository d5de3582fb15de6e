"""Rows and segments find each other, however the flow and its notes grew."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooms.ladder.talk import MS, START_NS, S, Said, Talk, keepalive
from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.view import Gap, Side, Verdict
from tcpladder.ladder.ladder import Ladder
from tcpladder.ladder.model import GapRow, Note, PendingRow, Row, Rung

UNEXPLAINED = Gap(
    observed_ns=S,
    since_frame=1,
    since_ns=START_NS,
    timer=None,
    expected_ns=None,
    verdict=Verdict.UNEXPLAINED,
    origin=None,
    name="unexplained",
)
STEPS = st.tuples(st.integers(-5, 40), st.booleans())
NOTES = st.lists(st.integers(-10, 300), max_size=5)


def said(time_ns: int | None, silent: bool = False) -> Said:
    gap = UNEXPLAINED if silent else None
    return Said(time_ns=time_ns, side=Side.CLIENT, kind=Kind.ACK, label="ACK", gap=gap)


def conversation(steps: list[tuple[int, bool]]) -> list[Said]:
    """Segments `steps` apart; some steps go back in time, as in a capture of several interfaces."""
    segments, now = [], 0
    for step, silent in steps:
        now += step
        segments.append(said(now, silent))
    return segments


def notes_at(times: list[int]) -> tuple[Note, ...]:
    return tuple(Note(time, f"note {number}") for number, time in enumerate(sorted(times)))


def rows(ladder: Ladder) -> list[Row]:
    return [ladder.row(number) for number in range(len(ladder))]


def shape(row: Row) -> tuple[str, int | str]:
    match row:
        case Rung():
            return "rung", row.segment
        case GapRow():
            return "gap", row.segment
        case Note():
            return "note", row.text
        case PendingRow():
            return "pending", row.place


def expected_shapes(talk: Talk, notes: tuple[Note, ...]) -> list[tuple[str, int | str]]:
    """The plain way: a note before the first segment that is later, a gap before its segment."""
    shapes: list[tuple[str, int | str]] = []
    waiting = list(notes)
    for index, segment in enumerate(talk.said):
        assert segment.time_ns is not None
        while waiting and waiting[0].time_ns < segment.time_ns:
            shapes.append(("note", waiting.pop(0).text))
        if segment.gap is not None:
            shapes.append(("gap", index))
        shapes.append(("rung", index))
    return shapes + [("note", note.text) for note in waiting]


@given(st.lists(STEPS, max_size=30), NOTES)
def test_every_row_is_what_a_plain_walk_would_put_there(
    steps: list[tuple[int, bool]], times: list[int]
) -> None:
    talk, notes = Talk(said=conversation(steps)), notes_at(times)
    assert [shape(row) for row in rows(Ladder(talk, notes))] == expected_shapes(talk, notes)


@given(st.lists(STEPS, max_size=30), NOTES, st.lists(st.integers(0, 7), max_size=8), st.integers(0, 5))
def test_growing_in_any_steps_gives_the_same_rows_and_says_what_changed(
    steps: list[tuple[int, bool]], times: list[int], cuts: list[int], known_notes: int
) -> None:
    whole, notes = conversation(steps), notes_at(times)
    talk = Talk(said=[])
    ladder = Ladder(talk, notes[:known_notes])
    for cut in [*cuts, len(whole)]:
        before = [shape(row) for row in rows(ladder)]
        talk.said.extend(whole[len(talk.said) : len(talk.said) + cut])
        changed = ladder.refresh()
        assert [shape(row) for row in rows(ladder)][:changed] == before[:changed]
    before = [shape(row) for row in rows(ladder)]
    changed = ladder.refresh(notes)
    after = [shape(row) for row in rows(ladder)]
    assert after[:changed] == before[:changed]
    assert after == [shape(row) for row in rows(Ladder(Talk(said=whole), notes))]


@given(st.lists(STEPS, max_size=15), NOTES, NOTES)
def test_other_notes_say_which_rows_they_change(
    steps: list[tuple[int, bool]], times: list[int], other_times: list[int]
) -> None:
    talk = Talk(said=conversation(steps))
    ladder = Ladder(talk, [Note(time, f"at {time}") for time in times])
    before = [shape(row) for row in rows(ladder)]
    others = sorted((Note(time, f"at {time}") for time in other_times), key=lambda note: note.time_ns)
    changed = ladder.refresh(others)
    after = [shape(row) for row in rows(ladder)]
    assert after == expected_shapes(talk, tuple(others))
    assert after[:changed] == before[:changed]


def test_only_what_is_new_is_said_to_have_changed() -> None:
    talk = Talk(said=[said(1), said(2)])
    ladder = Ladder(talk)
    assert ladder.refresh() == 2
    talk.said.append(said(3, silent=True))
    assert ladder.refresh() == 2
    assert len(ladder) == 4
    assert ladder.refresh([Note(2, "armed")]) == 2


@given(st.lists(STEPS, min_size=1, max_size=30), NOTES)
def test_segments_and_rows_find_each_other(steps: list[tuple[int, bool]], times: list[int]) -> None:
    ladder = Ladder(Talk(said=conversation(steps)), notes_at(times))
    for index in range(ladder.segments):
        row = ladder.row(ladder.row_of_segment(index))
        assert isinstance(row, Rung)
        assert row.segment == index
        assert ladder.segment_of_row(ladder.row_of_segment(index)) == index
    assert ladder.segment_of_row(len(ladder)) is None


def test_a_fault_stands_between_the_last_answer_and_the_silence_that_it_causes() -> None:
    talk, notes = keepalive()
    kinds = [type(row) for row in rows(Ladder(talk, notes))]
    where = kinds.index(Note)
    assert kinds[where - 1 : where + 3] == [Rung, Note, GapRow, Rung]


def test_a_rung_carries_what_the_view_says() -> None:
    talk, _ = keepalive()
    talk.eaten[3] = "rule 1"
    rung = Ladder(talk).row(4)
    assert isinstance(rung, Rung)
    assert (rung.segment, rung.sender, rung.kind) == (3, Side.CLIENT, Kind.KEEPALIVE_PROBE)
    assert rung.after_gap
    assert rung.lost == "rule 1"
    assert rung.time_ns == START_NS + 38_000 + 30 * S + 1_001_000
    assert rung.previous_ns == START_NS + 38_000
    assert (rung.numbers.relative_seq, rung.numbers.raw_seq, rung.numbers.frame) == (0, 4_294_967_000, 4)


def test_an_unknown_time_is_none_and_never_a_number() -> None:
    first, second = rows(Ladder(Talk(said=[said(None), said(5)]), [Note(5, "late")]))[:2]
    assert isinstance(first, Rung)
    assert isinstance(second, Rung)
    assert first.time_ns is None
    assert second.previous_ns is None


def test_outside_the_rows_is_an_index_error() -> None:
    ladder = Ladder(Talk(said=[said(1)]))
    for number in (-1, 1):
        with pytest.raises(IndexError):
            ladder.row(number)


def test_an_empty_flow_has_no_rows_and_no_origin() -> None:
    ladder = Ladder(Talk())
    assert len(ladder) == 0
    assert ladder.origin_ns is None
    assert ladder.segment_of_row(0) is None
    assert ladder.next_event(0) is None


def test_events_are_found_both_ways_and_acknowledgments_passed_over() -> None:
    talk = Talk()
    talk.say(Side.CLIENT, Kind.SYN)
    for _ in range(4):
        talk.say(Side.CLIENT, Kind.DATA, after_ns=MS).say(Side.SERVER, Kind.ACK, after_ns=MS)
    talk.say(Side.SERVER, Kind.RST, after_ns=S, name="unexplained", verdict=Verdict.UNEXPLAINED)
    ladder = Ladder(talk)
    reset = ladder.row_of_segment(9)
    assert ladder.next_event(0) == reset
    assert ladder.next_event(reset - 1) == reset
    assert ladder.next_event(reset) is None
    assert ladder.next_event(reset, backward=True) == 0
    assert ladder.next_event(0, backward=True) is None


def test_lost_segments_and_notes_are_events_too() -> None:
    talk = Talk()
    for _ in range(6):
        talk.say(Side.CLIENT, Kind.DATA, after_ns=MS)
    talk.eaten[3] = "rule 1"
    times = talk.time_ns.tolist()
    notes = [Note(times[1], "DROP"), Note(times[1], "rule 1", continues=True), Note(times[-1] + 1, "over")]
    ladder = Ladder(talk, notes)
    events = [2, ladder.row_of_segment(3), len(ladder) - 1]
    assert [ladder.row(row) for row in (events[0], events[2])] == [notes[0], notes[2]]
    rows = range(-1, len(ladder))
    assert [ladder.next_event(row) for row in rows] == [
        next((event for event in events if event > row), None) for row in rows
    ]
    assert [ladder.next_event(row, backward=True) for row in rows] == [
        next((event for event in reversed(events) if event < row), None) for row in rows
    ]


def test_what_must_come_is_folded_to_the_next_rung() -> None:
    talk, _ = keepalive()
    (coming,) = talk.coming
    talk.coming = (coming, coming)
    ladder = Ladder(talk)
    now_ns = coming.due_ns - S
    assert [row.place for row in ladder.pending_rows(now_ns)] == [0]
    assert [row.place for row in ladder.pending_rows(now_ns, unfold=True)] == [0, 1]
    assert ladder.pending_rows(now_ns)[0].now_ns == now_ns


def test_the_lanes_are_the_two_ends() -> None:
    client, server = Ladder(Talk()).lanes
    assert (client.title, client.below) == ("client", "127.0.0.1:22345")
    assert (server.title, server.below) == ("server", "127.0.0.1:12345")
