"""A replay of real captures: exact in any order, at any pace, while the file loads, over several files."""

from __future__ import annotations

import math
import shutil
import subprocess
from collections.abc import Sequence
from datetime import UTC
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from talk import START_NS, Talk, batch, write_pcap
from tcpladder.errors import PermissionRefused, UsageError
from tcpladder.ladder.ladder import Ladder
from tcpladder.ladder.model import Note
from tcpladder.ladder.privacy import Mask
from tcpladder.render.formats import Format
from tcpladder.session.base import Session
from tcpladder.session.export import Wish, content
from tcpladder.session.files import FileSession
from tcpladder.session.notes import UserNote
from tcpladder.session.replay import ReplaySession
from tcpladder.session.replay_state import ReplayState

S = 1_000_000_000
TRUTH = Path(__file__).parent.parent.parent / "truth"
KEEPALIVE = TRUTH / "a1_ka_client_3_1_3.pcap"


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def replay(
    paths: Sequence[Path], clock: Clock | None = None, *, at: str | None = None, **state: Any
) -> tuple[ReplaySession, Clock]:
    """A replay of files that are read, and its clock."""
    source = FileSession([str(path) for path in paths], read_again=True)
    for _ in source.read():
        pass
    clock = clock or Clock()
    session = ReplaySession(source, ReplayState(**state), at=at, owns_source=False, clock=clock)
    assert session.version
    return session, clock


def pass_by(session: ReplaySession, clock: Clock, seconds: float, step_s: float = 0.1) -> None:
    """Look at a replay while time passes."""
    for _ in range(round(seconds / step_s)):
        clock.now_s += step_s
        assert session.version


def shown(session: Session) -> list[Any]:
    """All that a replay says of its moment."""
    flows: list[Any] = [session.now_ns(), session.flow_count()]
    for number in range(1, session.flow_count() + 1):
        view = session.view(number)
        ladder = Ladder(view, session.notes(number))
        flows += [ladder.row(row) for row in range(len(ladder))]
        flows += [session.summary(number), view.pending(session.now_ns()), view.ending(session.now_ns())]
    return flows


def test_it_begins_with_the_first_segment_and_ends_with_the_last() -> None:
    session, clock = replay([KEEPALIVE])
    assert session.flow_count() == 1
    assert len(session.view(1).time_ns) >= 1
    assert session.now_ns() == int(session.source.view(1).time_ns[0])
    pass_by(session, clock, 60)
    assert session.state.now_ns == session.state.end_ns
    assert not session.state.playing
    assert shown(session) == shown(session.source)


@pytest.mark.parametrize("name", ["a1_ka_client_3_1_3.pcap", "i2_random_loss_3pct_client.pcap"])
def test_going_back_is_exact(name: str) -> None:
    played, clock = replay([TRUTH / name], pace=30.0, idle_s=0.5)
    moments: dict[int, list[Any]] = {}
    while played.state.playing:
        clock.now_s += 0.13
        assert played.version
        moments[played.now_ns()] = shown(played)
    sought, _ = replay([TRUTH / name])
    sought.seek(sought.state.end_ns)
    order = list(moments)
    dice = np.random.default_rng(7)
    for now_ns in [*reversed(order), *dice.permutation(order).tolist()]:
        sought.seek(now_ns)
        assert shown(sought) == moments[now_ns]


def test_countdown_and_forecast_follow_the_clock_of_the_replay() -> None:
    session, clock = replay([KEEPALIVE], idle_s=None)
    session.seek_text("+4", timezone=UTC)
    before = session.view(1).pending(session.now_ns())[0]
    pass_by(session, clock, 0.5)
    after = session.view(1).pending(session.now_ns())[0]
    assert before.due_ns == after.due_ns
    assert session.now_ns() - session.state.begin_ns == pytest.approx(4.5 * S)
    timers = session.timers(1)
    assert timers.pending[0].due_ns == after.due_ns


def test_steps_walk_segment_by_segment_and_back() -> None:
    session, _ = replay([KEEPALIVE])
    session.seek(session.state.begin_ns)
    seen = [shown(session)]
    while session.step(1):
        seen.append(shown(session))
    assert not session.state.playing
    assert len(session.view(1).time_ns) == len(session.source.view(1).time_ns)
    back = [shown(session)]
    while session.step(-1):
        back.append(shown(session))
    assert [moment[2:] for moment in reversed(back)][-len(seen) :] == [moment[2:] for moment in seen]


def test_events_are_what_the_ladder_calls_so() -> None:
    session, _ = replay([KEEPALIVE])
    session.look_at(1)
    session.seek(session.state.end_ns)
    whole = Ladder(session.source.view(1))
    rows, row = [], -1
    while (found := whole.next_event(row)) is not None:
        rows.append(whole.segment_of_row(found))
        row = found
    session.seek(session.state.begin_ns)
    while session.step(-1):
        pass
    found_rows = [0]
    while session.event(1):
        found_rows.append(len(session.view(1).time_ns) - 1)
    assert found_rows == rows
    while session.event(-1):
        found_rows.pop()
        assert len(session.view(1).time_ns) - 1 == found_rows[-1]
    assert len(session.event_times_ns()) == len(rows)


def test_faults_lost_segments_and_notes_are_events_too() -> None:
    session, _ = replay([KEEPALIVE])
    source = session.source
    times = source.view(1).time_ns
    source.captures[0].log.lost[1] = "rule 1"
    assert session.version
    session.look_at(1)
    before = session.event_times_ns().tolist()
    fault_ns, note_ns = int(times[4]) - 7, int(times[4])
    source._notes.append((Note(fault_ns, "DROP"), 1))
    source.put_note(UserNote(flow=1, frame=5, time_ns=note_ns, text="look"))
    assert session.version
    assert session.event_times_ns().tolist() == sorted([*before, fault_ns, note_ns])
    session.seek(0)
    stops = []
    while session.event(1):
        stops.append(session.now_ns())
    assert stops == sorted({*before[1:], fault_ns, note_ns})
    assert int(times[1]) in stops
    back = [session.now_ns()]
    while session.event(-1):
        back.append(session.now_ns())
    assert back[::-1] == [before[0], *stops]
    session.look_at(None)
    assert {fault_ns, note_ns} <= set(session.event_times_ns().tolist())


def test_a_loop_begins_again() -> None:
    session, clock = replay([KEEPALIVE], pace=1000.0, loop=True, idle_s=None)
    lengths = []
    for _ in range(20):
        pass_by(session, clock, 0.01, 0.01)
        lengths.append(session.now_ns())
    assert any(later < earlier for earlier, later in pairwise(lengths))
    assert session.state.playing


def test_as_fast_as_possible_waits_for_nothing() -> None:
    session, clock = replay([KEEPALIVE], pace=math.inf)
    pass_by(session, clock, 0.2)
    assert session.now_ns() == session.state.end_ns


def test_a_pause_and_playing_on_from_the_end() -> None:
    session, clock = replay([KEEPALIVE])
    session.play(False)
    now_ns, version = session.now_ns(), session.version
    pass_by(session, clock, 5)
    assert (session.now_ns(), session.version) == (now_ns, version)
    session.seek(session.state.end_ns)
    session.play(True)
    assert session.now_ns() == session.state.begin_ns


def test_begin_at_a_moment() -> None:
    session, _ = replay([KEEPALIVE], at="50%")
    state = session.state
    assert state.now_ns == state.begin_ns + (state.end_ns - state.begin_ns) // 2
    with pytest.raises(UsageError, match="cannot read the time soon"):
        replay([KEEPALIVE], at="soon")


def test_it_plays_while_the_file_is_still_read(tmp_path: Path) -> None:
    talk = Talk().handshake()
    for _ in range(40):
        talk.silence(1).data(10)
    path = write_pcap(tmp_path / "long.pcap", talk.frames)
    source = FileSession([str(path)])
    clock = Clock()
    session = ReplaySession(source, ReplayState(pace=2.0), clock=clock)
    assert session.status().phase == "loading"
    capture = source.begin_capture()
    source.feed(capture, batch(talk.frames[:10]))
    pass_by(session, clock, 1)
    assert session.state.growing
    assert session.state.playing
    assert 3 <= len(session.view(1).time_ns) <= 10
    pass_by(session, clock, 60)
    assert len(session.view(1).time_ns) == 10
    assert session.state.playing, "the end is not there yet"
    source.feed(capture, batch(talk.frames[10:], 11))
    pass_by(session, clock, 2)
    assert len(session.view(1).time_ns) > 10
    source.close()


def test_several_files_are_one_time(tmp_path: Path) -> None:
    """The second file begins before the first: its flow comes first, and steps go from one to the other."""
    early = Talk(client_port=1111, now_ns=START_NS).handshake().silence(10).data()
    late = Talk(client_port=2222, now_ns=START_NS + 2 * S).handshake().silence(2).data()
    paths = [
        write_pcap(tmp_path / "late.pcap", late.frames),
        write_pcap(tmp_path / "early.pcap", early.frames),
    ]
    session, _ = replay(paths)
    session.seek(session.state.begin_ns + S)
    assert [session.summary(n).client.port for n in range(1, session.flow_count() + 1)] == [1111]
    assert session.step(1)
    assert [session.summary(n).client.port for n in range(1, session.flow_count() + 1)] == [1111, 2222]
    assert session.number_of(1) == 2
    assert session.number_in_source(1) == 2
    session.seek(session.state.end_ns)
    assert [session.summary(n).segments for n in (1, 2)] == [4, 4]
    assert session.frame_bytes(1, 0) == early.frames[0].data
    assert session.frame_bytes(2, 3) == late.frames[3].data
    session.source.close()


def test_several_files_are_played_while_they_are_read(tmp_path: Path) -> None:
    """The second file's flow began first: it gets the first number, but not while somebody looks at the other one."""
    late = Talk(client_port=2222, now_ns=START_NS + 2 * S).handshake().silence(20).data()
    early = Talk(client_port=1111, now_ns=START_NS).handshake().silence(10).data().silence(30).data()
    paths = [
        write_pcap(tmp_path / "late.pcap", late.frames),
        write_pcap(tmp_path / "early.pcap", early.frames),
    ]
    source = FileSession([str(path) for path in paths], read_again=True)
    clock = Clock()
    session = ReplaySession(source, ReplayState(idle_s=None), clock=clock, owns_source=False)
    reading = source.read()
    next(reading)
    pass_by(session, clock, 3)
    assert source.phase == "loading"
    assert session.state.now_ns == late.frames[0].time_ns + 3 * S
    assert [session.summary(1).client.port, len(session.view(1).time_ns)] == [2222, 3]
    place = session.place_of(1)
    session.look_at(1)
    next(reading)
    pass_by(session, clock, 1)
    assert session.state.growing
    assert session.summary(1).client.port == 2222
    session.look_at(None)
    pass_by(session, clock, 1)
    assert [session.summary(n).client.port for n in (1, 2)] == [1111, 2222]
    assert session.number_at(place) == 2
    session.look_at(2)
    assert next(reading, None) is None
    pass_by(session, clock, 40)
    assert not session.state.playing
    assert session.state.end_ns == early.frames[-1].time_ns
    assert [session.summary(n).segments for n in (1, 2)] == [5, 4]
    source.close()


def test_a_flow_that_is_looked_at_may_get_another_number_when_all_is_read(tmp_path: Path) -> None:
    late = Talk(client_port=2222, now_ns=START_NS + 2 * S).handshake()
    early = Talk(client_port=1111, now_ns=START_NS).handshake()
    paths = [
        write_pcap(tmp_path / "late.pcap", late.frames),
        write_pcap(tmp_path / "early.pcap", early.frames),
    ]
    source = FileSession([str(path) for path in paths], read_again=True)
    session = ReplaySession(source, owns_source=False, clock=Clock())
    reading = source.read()
    next(reading)
    assert session.version
    view, place = session.view(1), session.place_of(1)
    session.look_at(1)
    assert list(reading)
    assert session.version
    assert session.number_at(place) == 2
    assert session.view(2) is view
    assert view.summary.number == 2
    assert session.event(1)
    source.close()


def test_a_capture_without_times_says_so(tmp_path: Path) -> None:
    listing = tmp_path / "trace.txt"
    listing.write_text("IP 10.0.0.1.1 > 10.0.0.2.2: Flags [S], seq 1, win 1, length 0\n" * 2)
    session, clock = replay([listing])
    pass_by(session, clock, 1)
    assert "no frame of this capture has a time" in session.status().notice
    assert session.step(1)
    assert session.flow_count() == 1


def test_it_wears_the_mask_of_what_it_replays() -> None:
    session, _ = replay([KEEPALIVE], playing=False)
    ends = session.endpoints(1)
    session.mask = mask = Mask(ports=True)
    assert session.source.mask is mask
    for summary in (session.summary(1), session.view(1).summary):
        assert (summary.client, summary.server) == (mask.endpoint(ends[0]), mask.endpoint(ends[1]))
    assert session.endpoints(1) == ends, "what is judged never sees the mask"
    assert ends[0].address not in session.status().name
    session.mask = None
    assert (session.summary(1).client, session.summary(1).server) == ends
    with session.shown_by(mask):
        assert session.summary(1).client == mask.endpoint(ends[0])
    assert session.summary(1).client == ends[0]


@pytest.mark.parametrize("form", [Format.TEXT, Format.JSON])
def test_an_export_ends_at_the_moment(form: Format) -> None:
    session, _ = replay([KEEPALIVE], playing=False)

    def exported(exportable: Session) -> list[str]:
        wish = Wish(form=form, flows=[1], mask=Mask())
        return b"".join(content(exportable, wish, UTC)).decode().splitlines()

    session.seek(session.state.end_ns)
    assert exported(session) == exported(session.source)
    session.seek(session.state.begin_ns)
    begin = exported(session)
    assert len(begin) < len(exported(session.source))
    assert not any(session.endpoints(1)[0].address in line for line in begin)


def test_it_cannot_be_broken_and_says_why() -> None:
    session, _ = replay([KEEPALIVE])
    assert session.faults.why_not == "a replay cannot be broken: live or lab only"
    assert not session.faults.in_force()
    with pytest.raises(PermissionRefused, match="a replay cannot be broken"):
        session.reset_connection(1)


def test_segments_that_turn_out_to_be_lost_are_seen() -> None:
    session, _ = replay([KEEPALIVE], playing=False)
    view, before = session.view(1), session.version
    assert view.lost(0) is None
    session.source.captures[0].log.lost[0] = "rule 1"
    assert session.version > before
    assert session.view(1).lost(0) == "rule 1"
    assert view.losses == 1


def test_bytes_of_a_frame_as_tshark_has_them(needs: Any) -> None:
    needs("tshark")
    session, _ = replay([KEEPALIVE])
    session.seek(session.state.end_ns)
    tshark = shutil.which("tshark")
    assert tshark
    told = subprocess.run(
        [tshark, "-r", str(KEEPALIVE), "-Y", "frame.number==1", "-T", "fields", "-e", "frame.len"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert len(session.frame_bytes(1, 0)) == int(told.stdout)
    session.source.close()
