"""The sentence below the ladder says what armed the timer, where its value comes from, and what will come."""

from __future__ import annotations

from datetime import UTC

from rooms.ladder.talk import keepalive
from tcpladder.analysis.view import Gap, Origin, Verdict
from tcpladder.ladder.ladder import Ladder
from tcpladder.ladder.model import NumberMode, Rung
from tcpladder.ladder.why import ORIGINS, numbers, why, why_gap


def test_a_rung_says_because_and_which_timer_sent_it() -> None:
    talk, notes = keepalive()
    ladder = Ladder(talk, notes, lost={7: "rule 1"})
    sentence = why(ladder.row(ladder.row_of_segment(7)), talk, UTC)
    assert sentence.startswith("at most one byte, sequence number one below the next expected")
    assert sentence.endswith("; sent by the keepalive timer; did not arrive: rule 1")
    assert why(ladder.row(0), talk, UTC).endswith("initial sequence number")


def test_a_gap_names_the_frame_that_armed_it_and_the_origin() -> None:
    talk, notes = keepalive()
    sentence = why(Ladder(talk, notes).row(3), talk, UTC)
    assert sentence == (
        "30.001 s since frame 3; keepalive_time 30 s (read from the live socket): on time, +1 ms"
    )


def test_an_unexplained_gap_says_so_and_guesses_nothing() -> None:
    gap = Gap(
        observed_ns=5_000_000_000,
        since_frame=9,
        since_ns=0,
        timer=None,
        expected_ns=None,
        verdict=Verdict.UNEXPLAINED,
        origin=None,
        name="unexplained",
    )
    assert why_gap(gap) == "5.000 s since frame 9; no timer that is known explains it"


def test_a_note_and_what_is_pending_have_a_clock() -> None:
    talk, notes = keepalive()
    ladder = Ladder(talk, notes)
    assert why(notes[0], talk, UTC) == "17:17:40.040 DROP client → server, rule 1, 60 s"
    (pending,) = ladder.pending_rows(talk.coming[0].armed_ns)
    assert why(pending, talk, UTC) == (
        "RST; application: ETIMEDOUT: due at 17:18:01.239, armed for 3.000 s; "
        "a sysctl of its network namespace"
    )


def test_numbers_follow_the_mode_and_leave_out_what_is_unknown() -> None:
    talk, _ = keepalive()
    syn = Ladder(talk).row(0)
    assert isinstance(syn, Rung)
    assert numbers(syn.numbers, NumberMode.RELATIVE) == "frame 1  SYN  seq 0  len 0  win 65536"
    assert numbers(syn.numbers, NumberMode.RAW) == "frame 1  SYN  seq 4294967000  len 0  win 65536"


def test_every_origin_has_words() -> None:
    assert set(ORIGINS) == set(Origin)
