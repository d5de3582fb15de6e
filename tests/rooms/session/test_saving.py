"""Saving: tshark and our own reader read back the frames and what is known of them; nothing is written over or lost."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rooms.session.test_replay import KEEPALIVE, TRUTH
from talk import START_NS, Talk, batch, write_pcap
from tcpladder.analysis.captured import PREFIX as TIMERS
from tcpladder.errors import CaptureError, UsageError
from tcpladder.ladder.model import Note
from tcpladder.session.files import FileSession
from tcpladder.session.save_frames import Wanted, save
from tcpladder.store.pcapng import CapturedInterface, PcapngWriter

S = 1_000_000_000


def read(*paths: Path) -> FileSession:
    session = FileSession([str(path) for path in paths], read_again=True)
    for _ in session.read():
        pass
    return session


def fields(path: Path, *names: str) -> list[list[str]]:
    """What tshark says of each frame."""
    told = subprocess.run(
        ["tshark", "-r", str(path), "-T", "fields", *(part for name in names for part in ("-e", name))],
        capture_output=True,
        text=True,
        check=True,
    )
    return [line.split("\t") for line in told.stdout.splitlines()]


@pytest.mark.parametrize("name", ["saved.pcapng", "saved.pcap"])
@pytest.mark.parametrize("source", [KEEPALIVE, TRUTH / "a5_ka_any_sll2_veth_router_client.pcapng"])
def test_frames_come_out_as_they_were(tmp_path: Path, name: str, source: Path) -> None:
    session = read(source)
    saved = save(session, tmp_path / name, Wanted())
    again = read(tmp_path / name)
    assert saved.frames == session.status().segments == again.status().segments
    for number in range(1, session.flow_count() + 1):
        view, other = session.view(number), again.view(number)
        assert view.time_ns.tolist() == other.time_ns.tolist()
        assert view.kind.tolist() == other.kind.tolist()
        for index in range(len(view.time_ns)):
            assert session.frame_bytes(number, index) == again.frame_bytes(number, index)
            assert view.original(index) == other.original(index)
    session.close()
    again.close()


@pytest.mark.real("tshark", root=False)
def test_tshark_reads_kinds_timers_and_verdicts(tmp_path: Path) -> None:
    session = read(KEEPALIVE)
    save(session, tmp_path / "saved.pcapng", Wanted())
    told = fields(tmp_path / "saved.pcapng", "frame.number", "frame.comment")
    comments = [comment for _, comment in told]
    assert comments[0].startswith("tcpladder: SYN; because the first SYN")
    probes = [comment for comment in comments if comment.startswith("tcpladder: keepalive probe ")]
    assert any("keepalive_intvl" in comment and "on time, +" in comment for comment in probes)
    assert "" in comments, "what is ordinary gets no comment"
    session.close()


@pytest.mark.real("tshark", root=False)
def test_flows_and_times(tmp_path: Path) -> None:
    first = Talk(client_port=1111, now_ns=START_NS).handshake().silence(10).data().silence(10).data()
    second = Talk(client_port=2222, now_ns=START_NS + S).handshake()
    frames = sorted([*first.frames, *second.frames], key=lambda frame: frame.time_ns)
    session = read(write_pcap(tmp_path / "both.pcap", frames))
    save(session, tmp_path / "second.pcapng", Wanted(flows=(2,)))
    ports = {
        (source, target)
        for source, target in fields(tmp_path / "second.pcapng", "tcp.srcport", "tcp.dstport")
    }
    assert ports == {("2222", "80"), ("80", "2222")}
    save(session, tmp_path / "middle.pcap", Wanted(from_ns=START_NS + 2 * S, to_ns=START_NS + 15 * S))
    assert len(fields(tmp_path / "middle.pcap", "frame.number")) == 1
    with pytest.raises(UsageError, match="nothing to save"):
        save(session, tmp_path / "none.pcapng", Wanted(flows=(2,), from_ns=START_NS + 5 * S))
    assert not (tmp_path / "none.pcapng").exists()
    session.close()


def test_marks_and_timer_values_go_along(tmp_path: Path) -> None:
    talk = Talk().handshake().silence(10).data()
    source = tmp_path / "told.pcapng"
    told = TIMERS + '[{"from": "sysctl", "addresses": ["10.0.0.1"], "keepalive_time": "55s"}]'

    with PcapngWriter(
        os.open(source, os.O_CREAT | os.O_RDWR, 0o600),
        [CapturedInterface(name="lo", link_type=1)],
        name="told",
    ) as writer:
        writer.write(batch(talk.frames), {1: told})
    session = read(source)
    session._notes.append((Note(START_NS + 5 * S, "DROP client → server, rule 1"), None))
    save(session, tmp_path / "saved.pcapng", Wanted())
    again = read(tmp_path / "saved.pcapng")
    comments = again._files[0].comments
    assert told in comments[1].splitlines()
    assert "UTC: DROP client → server, rule 1" in comments[4].splitlines()[0]
    assert again.notes(1) == session.notes(1)
    ends = {side.name: values for side, values in again.timers(1).ends.items()}
    assert ends["CLIENT"].values["keepalive_time"].value == 55 * S
    save(again, tmp_path / "bare.pcapng", Wanted(comments=False))
    assert not read(tmp_path / "bare.pcapng")._files[0].comments


def test_nothing_is_written_over(tmp_path: Path) -> None:
    session = read(KEEPALIVE)
    path = tmp_path / "there.pcapng"
    path.write_text("mine")
    with pytest.raises(CaptureError, match="it exists"):
        save(session, path, Wanted())
    assert path.read_text() == "mine"
    with pytest.raises(CaptureError, match="there is no directory"):
        save(session, tmp_path / "nowhere" / "x.pcapng", Wanted())
    session.close()


def test_a_listing_has_no_frames(tmp_path: Path) -> None:
    listing = tmp_path / "trace.txt"
    listing.write_text("10:00:00.000000 IP 10.0.0.1.1 > 10.0.0.2.2: Flags [S], seq 1, win 1, length 0\n" * 2)
    session = read(listing)
    with pytest.raises(UsageError, match="a text listing has no frames"):
        save(session, tmp_path / "x.pcapng", Wanted())
    assert not (tmp_path / "x.pcapng").exists()


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
sys.argv[0] = "tcpladder"
from tcpladder.cli import main
main()
"""


def test_a_full_disk_is_told_and_what_was_written_is_a_capture(tmp_path: Path) -> None:
    talk = Talk().handshake()
    for _ in range(8000):
        talk.data(10)
    source, output = write_pcap(tmp_path / "long.pcap", talk.frames), tmp_path / "out.pcap"
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, "save", str(source), "-o", str(output)],
        capture_output=True,
        text=True,
        env=dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path)),
    )
    assert done.returncode == 3
    assert "file too large, 4096 frames are in it" in done.stderr
    assert "Traceback" not in done.stderr
    assert read(output).status().frames == 4096


def test_a_file_that_is_removed_meanwhile_is_told(tmp_path: Path) -> None:

    path = tmp_path / "x.pcapng"
    writer = PcapngWriter(os.open(path, os.O_CREAT | os.O_RDWR, 0o600), [], name="x.pcapng")
    writer.write(batch(Talk().handshake().frames))
    path.unlink()
    with pytest.raises(CaptureError, match="somebody removed it, 3 frames are in it"):
        writer.write(batch(Talk().handshake().frames))
    writer.close()


@pytest.mark.real
def test_under_sudo_the_file_belongs_to_who_typed_it(tmp_path: Path) -> None:
    output = tmp_path / "mine.pcapng"
    environment = dict(os.environ, SUDO_UID="65534", SUDO_GID="65534", PYTHONPATH=os.pathsep.join(sys.path))
    subprocess.run(
        [sys.executable, "-m", "tcpladder", "save", str(KEEPALIVE), "-o", str(output)],
        env=environment,
        check=True,
    )
    assert output.stat().st_uid == 65534


def test_what_ate_a_segment_is_saved_with_it(tmp_path: Path) -> None:
    session = read(KEEPALIVE)
    session.captures[0].log.lost[2] = "rule 1"
    save(session, tmp_path / "saved.pcapng", Wanted())
    again = read(tmp_path / "saved.pcapng")
    view = again.view(1)
    assert [view.lost(index) for index in range(4)] == [None, None, "rule 1", None]
    save(session, tmp_path / "plain.pcapng", Wanted(comments=False))
    assert read(tmp_path / "plain.pcapng").view(1).lost(2) is None
