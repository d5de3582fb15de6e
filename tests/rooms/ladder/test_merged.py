"""Several flows in one order of time: nothing is lost, each keeps its own order, growing gives what reading gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooms.ladder.talk import MS, START_NS, S, Talk, keepalive, probe
from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.view import Endpoint, Origin, Pending, Side
from tcpladder.errors import UsageError
from tcpladder.ladder.ladder import Ladder
from tcpladder.ladder.lanes import lanes_of
from tcpladder.ladder.merged import MOST_FLOWS, MergedFlows, timeline_of
from tcpladder.ladder.model import FoldRow, GapRow, Rung
from tcpladder.ladder.search import search

CLIENT, SERVER = Side.CLIENT, Side.SERVER


def flow(number: int, client: str, server: str, port: int = 80) -> Talk:
    return Talk(number=number, client=Endpoint(client, 40_000 + number), server=Endpoint(server, port))


def say(talk: Talk, steps_ms: list[int]) -> Talk:
    """Segments so far apart; below zero the clock goes back."""
    for step in steps_ms:
        talk.say(SERVER if step % 2 else CLIENT, Kind.DATA if step % 3 else Kind.ACK, after_ns=step * MS)
    return talk


def rungs(ladder: Ladder) -> list[Rung]:
    return [row for row in map(ladder.row, range(len(ladder))) if isinstance(row, Rung)]


_steps = st.lists(st.integers(-3, 40), max_size=30)


@given(flows=st.lists(_steps, min_size=2, max_size=4))
def test_the_rungs_of_a_flow_are_those_of_its_own_ladder(flows: list[list[int]]) -> None:
    talks = [say(flow(number, "10.0.0.1", "10.0.0.2"), steps) for number, steps in enumerate(flows, 1)]
    merged = MergedFlows(talks)
    every = rungs(Ladder(merged))
    assert len(every) == sum(map(len, flows))
    for place, talk in enumerate(talks):
        mine = [one for one in every if one.track.place == place]
        alone = rungs(Ladder(talk))
        told = [(one.time_ns, one.sender, one.kind, one.label, one.numbers) for one in mine]
        assert told == [(one.time_ns, one.sender, one.kind, one.label, one.numbers) for one in alone]
        assert [merged.within(one.segment) for one in mine] == [(talk, at) for at in range(len(alone))]
        assert [merged.index_of(place, at) for at in range(len(alone))] == [one.segment for one in mine]


@given(flows=st.lists(st.lists(st.integers(0, 40), max_size=30), min_size=2, max_size=3))
def test_where_no_clock_goes_back_time_never_does(flows: list[list[int]]) -> None:
    talks = [say(flow(number, "10.0.0.1", "10.0.0.2"), steps) for number, steps in enumerate(flows, 1)]
    assert (np.diff(MergedFlows(talks).time_ns) >= 0).all()


@given(turns=st.lists(st.tuples(st.integers(0, 2), _steps), max_size=8))
def test_growing_bit_by_bit_gives_what_is_read_at_once(turns: list[tuple[int, list[int]]]) -> None:
    """Also where a flow gets segments that belong before what is drawn of another."""
    talks = [flow(number, "10.0.0.1", "10.0.0.2") for number in (1, 2, 3)]
    merged = MergedFlows(talks)
    ladder = Ladder(merged)
    for which, steps in turns:
        say(talks[which], steps)
        merged.refresh()
        ladder.refresh()
    at_once = MergedFlows(talks)
    assert np.array_equal(merged.time_ns, at_once.time_ns)
    assert np.array_equal(np.sort(merged.flow), np.sort(at_once.flow))
    assert len(ladder) == len(Ladder(merged))
    assert [one.segment for one in rungs(ladder)] == list(range(len(merged.time_ns)))


def test_what_comes_late_of_one_flow_takes_its_place_and_says_that_all_is_new() -> None:
    one, other = flow(1, "10.0.0.1", "10.0.0.2"), flow(2, "10.0.0.1", "10.0.0.2")
    say(one, [0, 20])
    merged = MergedFlows([one, other])
    assert merged.restarts == 0
    say(other, [10])
    merged.refresh()
    assert (merged.flow.tolist(), merged.restarts) == ([0, 1, 0], 1)
    say(other, [30])
    merged.refresh()
    assert (merged.flow.tolist(), merged.restarts) == ([0, 1, 0, 1], 1)


def test_a_lane_is_a_host_and_clients_stand_left() -> None:
    flows = [
        flow(1, "10.0.0.1", "10.0.0.9", 3128),
        flow(2, "10.0.0.9", "192.0.2.1"),
        flow(3, "10.0.0.2", "10.0.0.9", 3128),
        flow(4, "10.0.0.1", "10.0.0.9", 3128),
    ]
    lanes, tracks = lanes_of([one.summary for one in flows])
    assert [lane.title for lane in lanes] == ["10.0.0.1", "10.0.0.2", "10.0.0.9", "192.0.2.1"]
    assert [lane.below for lane in lanes] == ["client", "client", ":3128, client", ":80"]
    assert [(one.client, one.server) for one in tracks] == [(0, 2), (2, 3), (1, 2), (0, 2)]
    assert [one.port for one in tracks] == [40001, 40002, 40003, 40004]


def test_a_host_that_talks_to_itself_has_a_lane_for_each_port_that_answers() -> None:
    flows = [
        flow(1, "127.0.0.1", "127.0.0.1", 80),
        flow(2, "127.0.0.1", "127.0.0.1", 443),
        flow(3, "127.0.0.1", "::1"),
    ]
    lanes, tracks = lanes_of([one.summary for one in flows])
    assert [lane.title for lane in lanes] == ["127.0.0.1", "127.0.0.1:80", "127.0.0.1:443", "::1"]
    assert [(one.client, one.server) for one in tracks] == [(0, 1), (0, 2), (0, 3)]


def test_a_name_stands_above_its_lane() -> None:
    one, other = flow(1, "10.0.0.1", "10.0.0.2"), flow(2, "10.0.0.1", "10.0.0.3")
    other.server = Endpoint("10.0.0.3", 80, "db")
    assert [lane.title for lane in Ladder(MergedFlows([one, other])).lanes] == ["10.0.0.1", "10.0.0.2", "db"]


def test_a_silence_is_that_of_its_own_flow_and_leads_to_what_armed_it() -> None:
    one, other = flow(1, "10.0.0.1", "10.0.0.2"), flow(2, "10.0.0.1", "10.0.0.3")
    say(one, [0])
    probe(one, "keepalive probe", "keepalive_time 30 s", 30 * S, 0, Origin.SOCKET)
    say(other, [5, 15_000, 14_000])
    ladder = Ladder(MergedFlows([one, other]))
    rows = [ladder.row(number) for number in range(len(ladder))]
    at, gap = next((at, row) for at, row in enumerate(rows) if isinstance(row, GapRow))
    assert (gap.track.flow, gap.gap.observed_ns) == (1, 30 * S)
    assert ladder.armed_by(gap) == 0
    ended = rows[at + 1]
    assert isinstance(ended, Rung)
    # The silence says how long this flow said nothing; since the row of the other flow it was one second.
    assert (ended.time_ns, ended.previous_ns, ended.after_gap) == (
        START_NS + 30 * S,
        START_NS + 29_005 * MS,
        False,
    )


def test_exchanges_are_folded_within_a_flow_only() -> None:
    one, other = flow(1, "10.0.0.1", "10.0.0.2"), flow(2, "10.0.0.1", "10.0.0.3")
    for talk, first_ms in ((one, 0), (other, 1000)):
        talk.say(CLIENT, Kind.DATA, after_ns=first_ms * MS, label="data 9", length=9)
        for _ in range(20):
            talk.say(CLIENT, Kind.DATA, after_ns=MS, label="data 9", length=9)
    folds = [
        row
        for row in map(Ladder(MergedFlows([one, other]), fold=True).row, range(6))
        if isinstance(row, FoldRow)
    ]
    assert [(row.track.flow, row.begin, row.end, row.payload) for row in folds] == [
        (1, 1, 20, 171),
        (2, 22, 41, 171),
    ]


def test_what_must_come_of_each_flow_stands_at_the_end_soonest_first() -> None:
    talks = [flow(number, "10.0.0.1", "10.0.0.2") for number in (1, 2)]
    for talk, due_s in zip(talks, (9, 4), strict=True):
        say(talk, [0])
        talk.coming = tuple(
            Pending(
                due_ns=START_NS + s * S,
                armed_ns=START_NS,
                side=CLIENT,
                kind=Kind.RST,
                text="RST",
                origin=Origin.USER,
            )
            for s in (due_s, due_s + 1)
        )
    ladder = Ladder(MergedFlows(talks))
    assert [(row.track.flow, row.place) for row in ladder.pending_rows(START_NS)] == [(2, 0), (1, 0)]
    every = [(row.track.flow, row.place) for row in ladder.pending_rows(START_NS, unfold=True)]
    assert every == [(2, 0), (2, 1), (1, 0), (1, 1)]


def test_what_was_lost_and_words_are_found_in_every_flow() -> None:
    one, other = flow(1, "10.0.0.1", "10.0.0.2"), flow(2, "10.0.0.1", "10.0.0.3")
    say(one, [0, 10])
    say(other, [5, 10])
    other.said[1] = keepalive()[0].said[3]
    other.eaten = {0: "rule 7"}
    merged = MergedFlows([one, other])
    assert merged.lost_segments().tolist() == [1]
    ladder = Ladder(merged)
    (hit,) = [row for row in search(ladder, "rule 7", 0, 1) if row is not None]
    row = ladder.row(hit)  # type: ignore[arg-type]
    assert isinstance(row, Rung)
    assert (row.lost, row.track.flow) == ("rule 7", 2)


def test_too_many_flows_are_one_sentence() -> None:
    flows = [flow(number, "10.0.0.1", "10.0.0.2") for number in range(MOST_FLOWS + 1)]
    assert len(timeline_of(flows[1:]).flows) == MOST_FLOWS
    assert timeline_of(flows[:1]) is flows[0]
    with pytest.raises(UsageError, match="one ladder takes 16 flows, and 17 are chosen"):
        timeline_of(flows)


class Unread(Talk):
    """A flow whose segments are looked at one by one by nobody."""

    looked_at = 0

    def label(self, index: int) -> str:
        self.looked_at += 1
        return super().label(index)


def test_only_the_rows_that_are_seen_are_made() -> None:
    talks = [say(Unread(number=number), [7] * 2000) for number in (1, 2)]
    ladder = Ladder(MergedFlows(talks), fold=True)
    ladder.turn_all()
    assert sum(talk.looked_at for talk in talks) == 0
    for number in range(2000, 2024):
        ladder.row(number)
    assert sum(talk.looked_at for talk in talks) <= 24
