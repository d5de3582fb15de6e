"""Exchanges that repeat are one row, nothing that matters is hidden in it, and all rows find each other."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooms.ladder.talk import MS, START_NS, S, Said, Talk, probe
from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.view import Origin, Side, Verdict
from tcpladder.ladder import fold_words
from tcpladder.ladder.exchanges import Repeated
from tcpladder.ladder.ladder import Ladder
from tcpladder.ladder.model import FoldRow, GapRow, Note, Rung, ScreenRow

CLIENT, SERVER = Side.CLIENT, Side.SERVER


def answered(times: int, *, late_ms: dict[int, int] | None = None, last_answered: bool = True) -> Talk:
    """A handshake and `times` probes 30 s apart, answered at once."""
    talk = Talk()
    talk.say(CLIENT, Kind.SYN).say(SERVER, Kind.SYN_ACK, after_ns=MS).say(CLIENT, Kind.HANDSHAKE_ACK)
    for number in range(times):
        late = (late_ms or {}).get(number, 1) * MS
        probe(talk, "keepalive probe", "keepalive_time 30 s", 30 * S, late, Origin.SOCKET)
        if last_answered or number < times - 1:
            talk.say(SERVER, Kind.KEEPALIVE_ACK, after_ns=20_000)
    return talk


def transfer(times: int) -> Talk:
    """A handshake, `times` segments of 1,000 bytes 1 ms apart, an ACK behind each."""
    talk = Talk()
    talk.say(CLIENT, Kind.SYN).say(SERVER, Kind.SYN_ACK, after_ns=MS).say(CLIENT, Kind.HANDSHAKE_ACK)
    for _ in range(times):
        talk.say(CLIENT, Kind.DATA, after_ns=MS, length=1000).say(SERVER, Kind.ACK, after_ns=10_000)
    return talk


def rows(ladder: Ladder) -> list[ScreenRow]:
    return [ladder.row(number) for number in range(len(ladder))]


def folds(ladder: Ladder) -> list[FoldRow]:
    return [row for row in rows(ladder) if isinstance(row, FoldRow)]


def only(ladder: Ladder) -> FoldRow:
    (fold,) = folds(ladder)
    return fold


def unfolded(ladder: Ladder, talk: Talk, notes: tuple[Note, ...] = ()) -> list[ScreenRow]:
    """The rows of a ladder with those that its folds stand for put in their place."""
    whole = Ladder(talk, notes)
    found: list[ScreenRow] = []
    for row in rows(ladder):
        if isinstance(row, FoldRow):
            for segment in range(row.begin, row.end):
                first = whole.row_of_segment(segment)
                found += [whole.row(first - 1)] if talk.silent[segment] else []
                found.append(whole.row(first))
        else:
            found.append(row)
    return found


def test_the_first_and_the_last_of_240_answered_probes_stay_visible() -> None:
    talk = answered(240)
    ladder = Ladder(talk, fold=True)
    fold = only(ladder)
    assert (fold.begin, fold.end, fold.times, fold.sender) == (5, 481, 238, CLIENT)
    assert len(ladder) == 3 + 3 + 1 + 3
    assert [type(row) for row in rows(ladder)[3:]] == [GapRow, Rung, Rung, FoldRow, GapRow, Rung, Rung]
    assert fold_words.forms(fold)[1] == "probe and answer × 238 over 1 h 59 min, 30.0 s ✓"
    assert fold_words.forms(fold)[-1] == "probe and answer × 238"
    assert fold_words.folded(fold) == "238 folded"


def test_too_few_to_be_worth_a_row_are_not_folded() -> None:
    assert not folds(Ladder(answered(3), fold=True))
    assert only(Ladder(answered(4), fold=True)).times == 2
    assert not folds(Ladder(answered(240)))


def test_a_probe_that_waits_for_its_answer_is_seen() -> None:
    fold = only(Ladder(answered(9, last_answered=False), fold=True))
    assert (fold.begin, fold.end) == (5, 17)
    assert fold.times == 6


def test_a_probe_after_another_silence_is_seen() -> None:
    ladder = Ladder(answered(12, late_ms={6: 9_000}), fold=True)
    segment = 3 + 2 * 6
    row = ladder.row(ladder.row_of_segment(segment))
    assert isinstance(row, Rung)
    assert row.segment == segment
    assert len(folds(ladder)) == 2


def test_what_is_late_is_loud_in_the_fold_too() -> None:
    talk = answered(12)
    late = talk.said[9]
    assert late.gap is not None
    gap = replace(late.gap, observed_ns=late.gap.observed_ns + 2 * S, verdict=Verdict.LATE)
    talk.said[9] = replace(late, gap=gap)
    talk.said[9:] = [replace(one, time_ns=(one.time_ns or 0) + 2 * S) for one in talk.said[9:]]
    fold = only(Ladder(talk, fold=True))
    assert fold.begin < 9 < fold.end
    assert fold_words.loudest(fold) is Verdict.LATE
    assert fold_words.forms(fold)[2] == "probe and answer × 10, 30.0 s to 32.0 s late +2.0 s"


def test_data_and_its_acks_are_one_row_with_their_bytes() -> None:
    fold = only(Ladder(transfer(50), fold=True))
    assert (fold.repeated, fold.times, fold.answers, fold.payload) == (Repeated.TRANSFER, 49, 49, 49_000)
    assert fold_words.forms(fold)[-1] == "data × 49, 49.0 kB in 49 ms"
    assert fold_words.folded(fold) == "98 folded"


@pytest.mark.parametrize(
    "kind", [Kind.RETRANSMISSION, Kind.DUPLICATE_ACK, Kind.RST, Kind.ZERO_WINDOW, Kind.FIN, Kind.AFTER_HOLE]
)
def test_nothing_that_happens_in_a_transfer_is_hidden(kind: Kind) -> None:
    talk = transfer(30)
    talk.said[40] = replace(talk.said[40], kind=kind)
    ladder = Ladder(talk, fold=True)
    row = ladder.row(ladder.row_of_segment(40))
    assert isinstance(row, Rung)
    assert row.segment == 40


def test_a_silence_within_a_transfer_is_seen() -> None:
    talk = transfer(15)
    at = len(talk.said)
    for turn in range(15):
        pause = {"after_ns": MS} if turn else {"after_ns": S, "name": "application"}
        talk.say(CLIENT, Kind.DATA, length=1000, **pause).say(SERVER, Kind.ACK, after_ns=10_000)  # type: ignore[arg-type]
    ladder = Ladder(talk, fold=True)
    row = ladder.row_of_segment(at)
    assert isinstance(ladder.row(row), Rung)
    assert isinstance(ladder.row(row - 1), GapRow)


def test_what_was_eaten_is_seen_also_when_that_is_known_later() -> None:
    talk = transfer(30)
    ladder = Ladder(talk, fold=True)
    assert isinstance(ladder.row(ladder.row_of_segment(40)), FoldRow)
    talk.eaten[40] = "rule 1"
    ladder.refresh()
    row = ladder.row(ladder.row_of_segment(40))
    assert isinstance(row, Rung)
    assert row.lost == "rule 1"


def test_a_note_in_the_middle_is_seen_and_splits_what_is_folded() -> None:
    talk = answered(40)
    ladder = Ladder(talk, fold=True)
    note = Note(START_NS + 600 * S, "DROP, rule 1")
    changed = ladder.refresh([note])
    assert changed == 6
    assert len(folds(ladder)) == 2
    assert note in rows(ladder)
    assert unfolded(ladder, talk, (note,)) == rows(Ladder(talk, [note]))


def test_retries_are_folded_only_when_a_person_asks() -> None:
    talk = Talk()
    talk.say(CLIENT, Kind.SYN)
    for _ in range(7):
        talk.say(CLIENT, Kind.SYN_RETRANSMISSION, after_ns=S)
    ladder = Ladder(talk, fold=True)
    assert not folds(ladder)
    row = ladder.turn(4)
    assert row == 2
    fold = only(ladder)
    assert (fold.begin, fold.end, fold.repeated) == (2, 7, Repeated.RETRIES)
    assert fold_words.forms(fold)[0] == "SYN retransmission × 5 over 5.0 s"


def test_x_turns_the_exchange_that_a_row_is_one_of() -> None:
    ladder = Ladder(answered(20), fold=True)
    before = rows(ladder)
    assert ladder.turn(0) is None
    assert ladder.turn(6) == 6
    assert not folds(ladder)
    for row in (4, 5, 20, len(ladder) - 1):
        assert ladder.turn(row) == 6
        assert rows(ladder) == before
        ladder.turn(6)
    ladder.turn_all()
    ladder.turn_all()
    assert rows(ladder) == before


def test_a_segment_that_is_hidden_can_be_shown() -> None:
    ladder = Ladder(answered(20), fold=True)
    row = ladder.row(ladder.reveal(12))
    assert isinstance(row, Rung)
    assert row.segment == 12
    assert ladder.reveal(12) == ladder.row_of_segment(12)


def test_events_that_are_folded_are_one_stop() -> None:
    ladder = Ladder(answered(20), fold=True)
    stops, row = [], ladder.next_event(2)
    while row is not None:
        stops.append(row)
        row = ladder.next_event(row)
    assert stops == [4, 6, 8]
    assert ladder.next_event(8, backward=True) == 6
    assert ladder.next_event(6, backward=True) == 4


KINDS = [
    (CLIENT, Kind.DATA), (SERVER, Kind.ACK), (CLIENT, Kind.KEEPALIVE_PROBE), (SERVER, Kind.KEEPALIVE_ACK),
    (CLIENT, Kind.RETRANSMISSION), (SERVER, Kind.DATA),
]  # fmt: skip
BLOCKS = st.lists(
    st.tuples(st.lists(st.sampled_from(KINDS), min_size=1, max_size=3), st.integers(1, 12)), max_size=8
)


def said(blocks: list[tuple[list[tuple[Side, Kind]], int]]) -> list[Said]:
    """Blocks repeated, everything 1 ms apart, probes 2 s."""
    talk = Talk()
    for block, times in blocks:
        for side, kind in block * times:
            name = "keepalive_time" if kind is Kind.KEEPALIVE_PROBE else None
            talk.say(side, kind, after_ns=2 * S if name else MS, name=name)
    return talk.said


@given(BLOCKS, st.lists(st.integers(0, 60_000), max_size=4), st.lists(st.integers(1, 25), max_size=8))
def test_folds_grow_with_their_flow_and_say_what_changed(
    blocks: list[tuple[list[tuple[Side, Kind]], int]], times_ms: list[int], cuts: list[int]
) -> None:
    notes = tuple(Note(START_NS + at * MS, f"at {at}") for at in sorted(times_ms))
    whole = said(blocks)
    talk = Talk()
    ladder = Ladder(talk, notes, fold=True)
    for cut in [*cuts, len(whole)]:
        before = rows(ladder)
        talk.said.extend(whole[len(talk.said) : len(talk.said) + cut])
        changed = ladder.refresh()
        assert rows(ladder)[:changed] == before[:changed]
    assert rows(ladder) == rows(Ladder(talk, notes, fold=True))
    assert unfolded(ladder, talk, notes) == rows(Ladder(talk, notes))


@given(BLOCKS)
def test_segments_find_their_row_or_their_fold(blocks: list[tuple[list[tuple[Side, Kind]], int]]) -> None:
    ladder = Ladder(Talk(said=said(blocks)), fold=True)
    for segment in range(ladder.segments):
        number = ladder.row_of_segment(segment)
        row = ladder.row(number)
        if isinstance(row, FoldRow):
            assert row.begin <= segment < row.end
            assert ladder.segment_of_row(number) == row.begin
        else:
            assert isinstance(row, Rung)
            assert row.segment == segment == ladder.segment_of_row(number)


@given(BLOCKS)
def test_a_probe_stays_with_its_answer(blocks: list[tuple[list[tuple[Side, Kind]], int]]) -> None:
    talk = Talk(said=said(blocks))
    for fold in folds(Ladder(talk, fold=True)):
        kinds = [one.kind for one in talk.said[fold.begin : fold.end]]
        if fold.repeated is Repeated.ANSWERED:
            assert kinds == [Kind.KEEPALIVE_PROBE, Kind.KEEPALIVE_ACK] * (len(kinds) // 2)
        elif fold.repeated is Repeated.TRANSFER:
            assert set(kinds) <= {Kind.DATA, Kind.ACK}
