"""Marks and notes: one letter a segment, kept with what is saved and beside what is opened, read back as they were."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from rooms.session.test_replay import KEEPALIVE
from rooms.session.test_saving import fields, read
from talk import Talk, batch
from tcpladder import printing
from tcpladder.errors import UsageError
from tcpladder.ladder.ladder import Ladder
from tcpladder.ladder.model import Note
from tcpladder.ladder.privacy import Mask
from tcpladder.session import notes as notes_module
from tcpladder.session.files import FileSession
from tcpladder.session.notes import UserNote, UserNotes, segment_of
from tcpladder.session.replay import ReplaySession
from tcpladder.session.save_frames import Wanted, save
from tcpladder.store.pcapng import PcapngWriter


@pytest.fixture
def state(state_home: Path) -> Path:
    return state_home / "tcpladder/notes"


def note_at(session: FileSession, index: int, text: str = "", mark: str = "", flow: int = 1) -> UserNote:
    view = session.view(flow)
    return UserNote(
        flow=flow, frame=view.frame(index), time_ns=int(view.time_ns[index]), text=text, mark=mark
    )


def test_a_letter_moves_and_a_note_is_replaced() -> None:
    changes: list[int] = []
    notes = UserNotes(lambda: changes.append(1))
    first = UserNote(flow=1, frame=3, time_ns=30, mark="a")
    assert notes.put(first) is None
    assert notes.put(moved := UserNote(flow=1, frame=9, time_ns=90, mark="a", text="here")) == first
    assert notes.put(remark := UserNote(flow=1, frame=9, time_ns=90, text="why")) is None
    assert notes.put(UserNote(flow=2, frame=4, time_ns=40, mark="a")) is None
    assert notes.of(1) == (remark, moved)
    assert notes.marked(1, "a") == moved
    assert notes.put(other := UserNote(flow=1, frame=9, time_ns=90, text="because")) == remark
    assert notes.remove(other)
    assert not notes.remove(other)
    assert notes.of(1) == (moved,)
    assert len(changes) == 6


@pytest.mark.parametrize(
    ("text", "mark", "why"),
    [("", "", "a text or a letter"), ("x", "1", "is a letter"), ("x" * 201, "", "200 characters"),
     ("one\ntwo", "", "one line")],
)  # fmt: skip
def test_what_is_no_note_is_refused(text: str, mark: str, why: str) -> None:
    notes = UserNotes(lambda: None)
    wrong = UserNote(flow=1, frame=1, time_ns=1, text=text, mark=mark)
    with pytest.raises(UsageError, match=why):
        notes.put(wrong)
    notes.read([wrong])
    assert not len(notes)


def test_there_is_a_most_and_a_note_in_place_of_another_is_none_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notes_module, "MOST_NOTES", 2)
    notes = UserNotes(lambda: None)
    one, two, three = (UserNote(flow=1, frame=frame, time_ns=frame, text="x") for frame in (1, 2, 3))
    notes.read([one, two, three])
    assert notes.all() == (one, two)
    with pytest.raises(UsageError, match="2 notes are kept, and no more: take one away first"):
        notes.put(three)
    assert notes.put(replace(two, text="y")) == two
    assert notes.remove(one)
    assert notes.put(three) is None


def test_a_note_stands_below_its_segment() -> None:
    session = read(KEEPALIVE)
    note = note_at(session, 3, "the first probe", "p")
    session.put_note(note)
    ladder = Ladder(session.view(1), session.notes(1))
    row = ladder.row_of_segment(3)
    assert ladder.row(row + 1) == Note(note.time_ns, "the first probe", mark="p")
    assert segment_of(session.view(1), note) == 3
    session.mask = Mask(ports=False)
    session.put_note(note_at(session, 4, f"{session.endpoints(1)[0].address} is silent"))
    assert session.endpoints(1)[0].address not in session.notes(1)[-1].text


@pytest.mark.real("tshark", root=False)
def test_notes_are_saved_where_other_tools_show_them_and_read_back(tmp_path: Path) -> None:
    session = read(KEEPALIVE)
    time_ns = int(session.view(1).time_ns[4])
    happened = [
        Note(time_ns - 5, "DROP both ways, rule 1, until it is"),
        Note(time_ns - 5, "lifted", continues=True),
        Note(int(session.view(1).time_ns[-1]) + 7, "rule 1 is over: ate 3 segments, 156 bytes"),
    ]
    session._notes += [(note, None) for note in happened]
    notes = [note_at(session, 3, "the first probe", "p"), note_at(session, 3, "→ who sees it?")]
    notes.append(note_at(session, 5, mark="q"))
    for note in notes:
        session.put_note(note)
    path = tmp_path / "saved.pcapng"
    save(session, path, Wanted())
    said = [line for (line,) in fields(path, "frame.comment")]
    assert "tcpladder mark p: the first probe" in said[3]
    assert "tcpladder note: → who sees it?" in said[3]
    assert "rule 1, until it is" in said[4]
    again = read(path)
    assert again.user_notes(1) == session.user_notes(1)
    assert again.notes(1) == session.notes(1)
    assert again.view(1).lost(5) == session.view(1).lost(5)


def test_what_happened_to_one_flow_stands_with_that_flow_only(tmp_path: Path) -> None:
    source, saved = tmp_path / "two.pcapng", tmp_path / "saved.pcapng"
    with PcapngWriter(os.open(source, os.O_CREAT | os.O_RDWR, 0o600), [], name="two") as writer:
        one, two = Talk().handshake().data(), Talk(client_port=40_009).handshake().data()
        both = sorted([*one.frames, *two.frames], key=lambda frame: frame.time_ns)
        writer.write(batch(both))
    session = read(source)
    assert session.flow_count() == 2
    session._notes.append((note := Note(int(session.view(1).time_ns[1]), "DROP of the first"), 1))
    save(session, saved, Wanted())
    again = read(saved)
    assert (again.notes(1), again.notes(2)) == ((note,), ())


def test_a_file_that_is_opened_stays_as_it_is_and_its_notes_are_there_again(
    tmp_path: Path, state: Path
) -> None:
    path = tmp_path / "seen.pcap"
    path.write_bytes(before := KEEPALIVE.read_bytes())
    session = read(path)
    assert not state.exists()
    session.put_note(first := note_at(session, 3, "look", "a"))
    session.put_note(second := note_at(session, 4, "and here"))
    session.remove_note(second)
    assert path.read_bytes() == before
    (kept,) = state.iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    moved = path.rename(tmp_path / "moved.pcap")
    again = read(moved)
    assert again.user_notes(1) == (first,)
    assert not again.status().warnings
    changed = tmp_path / "other.pcap"
    changed.write_bytes(before[:-20])
    assert not read(changed).user_notes(1)


def test_notes_on_one_of_several_files_are_kept_beside_that_one(tmp_path: Path) -> None:
    other = tmp_path / "other.pcap"
    other.write_bytes(KEEPALIVE.read_bytes()[:-20])
    session = read(KEEPALIVE, other)
    session.put_note(note := note_at(session, 3, "of the second", flow=2))
    assert read(KEEPALIVE, other).user_notes(2) == (note,)
    assert read(other).user_notes(1) == (replace(note, flow=1),)


def test_a_capture_that_has_grown_has_its_notes_in_one_place(tmp_path: Path, state: Path) -> None:
    path = tmp_path / "grows.pcap"
    whole = KEEPALIVE.read_bytes()
    path.write_bytes(whole[:-20])
    session = read(path)
    session.put_note(note_at(session, 3, "before"))
    path.write_bytes(whole)
    session.put_note(note_at(session, 4, "behind"))
    assert len(list(state.iterdir())) == 1
    assert len(read(path).user_notes(1)) == 2


def test_notes_beside_a_file_take_the_place_of_those_in_it(tmp_path: Path, state: Path) -> None:
    session = read(KEEPALIVE)
    session.put_note(note_at(session, 3, "first"))
    save(session, path := tmp_path / "saved.pcapng", Wanted())
    state.rename(tmp_path / "elsewhere")
    opened = read(path)
    (inside,) = opened.user_notes(1)
    opened.remove_note(inside)
    assert read(path).user_notes(1) == ()


def test_what_cannot_be_kept_is_said_once_and_stays_on_the_screen(tmp_path: Path, state: Path) -> None:
    state.parent.mkdir(parents=True)
    state.write_text("in the way")
    session = read(KEEPALIVE)
    for index in (3, 4):
        session.put_note(note_at(session, index, "look"))
    (warning,) = session.status().warnings
    assert warning.startswith("cannot keep the notes on ")
    assert len(session.user_notes(1)) == 2


def test_nonsense_beside_a_file_is_no_note(state: Path) -> None:
    session = read(KEEPALIVE)
    session.put_note(note_at(session, 3, "look"))
    (kept,) = state.iterdir()
    for nonsense in (
        b"",
        b"[",
        b"[[]]",
        b'{"notes": [1, {"frame": "x"}, {"frame": 9999, "mark": "", "text": "x"}]}',
    ):
        kept.write_bytes(nonsense)
        assert read(KEEPALIVE).user_notes(1) == ()


def test_a_replay_has_the_notes_of_what_it_replays() -> None:
    source = read(KEEPALIVE)
    replay = ReplaySession(source, owns_source=False)
    version = replay.version
    note = note_at(source, 3, "look", "a")
    replay.seek(note.time_ns)
    assert replay.put_note(note) is None
    assert replay.version > version
    assert source.user_notes(1) == replay.user_notes(1) == (note,)
    assert replay.marked(1, "a") == note
    assert replay.notes(1) == (note.row(),)
    replay.seek(note.time_ns - 1)
    assert not replay.notes(1)
    assert replay.remove_note(note)


def test_show_prints_them(capsys: pytest.CaptureFixture[str]) -> None:
    session = read(KEEPALIVE)
    session.put_note(note_at(session, 3, "look at this one", "a"))
    printing.show([str(KEEPALIVE)], flows=(1,), form="text", ascii_only=False)
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "look at this one" in line]
    assert line.split()[1:3] == ["a", "│"]
