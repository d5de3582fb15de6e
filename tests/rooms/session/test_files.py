"""A session over files: listings with names, files that are still written, tunnels, and what is not TCP."""

from __future__ import annotations

import struct
import time
from pathlib import Path

import pytest

import waiting
from rooms.sources.capture_bytes import Frame, pcap
from tcpladder.errors import UsageError
from tcpladder.session.files import FileSession

LISTINGS = Path(__file__).parent.parent / "sources" / "listings"
TRUTH = Path(__file__).parent.parent.parent / "truth"


def read(path: Path) -> FileSession:
    session = FileSession([str(path)], read_again=True)
    for _ in session.read():
        pass
    return session


def test_the_names_of_a_listing_are_the_endpoints() -> None:
    session = read(LISTINGS / "solaris-snoop.txt")
    summary = session.summary(1)
    assert (str(summary.client), str(summary.server)) == ("kirke:1105", "yang:5000")
    assert session.view(1).summary.server.address == "yang"
    assert session.frame_bytes(1, 7).startswith(b"  8  12.54995 yang -> kirke TCP")
    session.close()


def test_what_is_not_tcp_is_named(tmp_path: Path) -> None:
    arp = bytes(12) + b"\x08\x06" + bytes(28)
    udp = bytes(12) + b"\x08\x00" + struct.pack(">BBHHHBBH", 0x45, 0, 28, 0, 0, 9, 17, 0) + bytes(16)
    path = tmp_path / "trace.pcap"
    path.write_bytes(pcap([Frame(frame, 1, len(frame)) for frame in (arp, udp, arp)]))
    session = read(path)
    assert (session.status().not_tcp, session.status().others) == (3, (("ARP", 2), ("UDP", 1)))
    session.close()


def test_frames_in_tunnels_are_counted_and_read_again(tmp_path: Path) -> None:
    tcp = struct.pack(">HHIIHHHH", 5000, 80, 7, 0, 5 << 12 | 2, 64240, 0, 0)
    inner = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40, 1, 0, 9, 6, 0, b"\x0a\0\0\1", b"\x0a\0\0\2") + tcp
    outer = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 60, 1, 0, 9, 4, 0, b"\xc0\0\2\1", b"\xc0\0\2\2") + inner
    path = tmp_path / "trace.pcap"
    path.write_bytes(pcap([Frame(outer, 1, len(outer))], network=101))
    session = read(path)
    assert session.status().through_scapy == 1
    assert str(session.summary(1).client) == "10.0.0.1:5000"
    assert session.frame_bytes(1, 0) == outer
    session.close()


def until(session: FileSession, segments: int) -> None:
    deadline = time.monotonic() + 20
    while session.status().segments < segments:
        assert time.monotonic() < deadline, session.status()
        session.look(0.1)


def test_a_file_is_followed_until_it_is_closed(tmp_path: Path) -> None:
    content = (TRUTH / "a1_ka_client_3_1_3.pcap").read_bytes()
    path = tmp_path / "growing.pcap"
    path.write_bytes(content[:500])
    session = FileSession([str(path)], follow=True)
    session.look(0)
    assert not session.finished
    first = session.status().segments
    session.look(0)
    assert (session.status().phase, session.now_ns()) == ("running", session.capture.last_ns)
    with path.open("ab") as out:
        out.write(content[500:])
    until(session, 17)
    assert 0 < first < 17
    assert abs(session.now_ns() - time.time_ns()) < 10**9, "it goes on now"
    assert session.status().warnings == ()
    session.close()


def test_a_followed_file_that_turns_out_to_be_none_is_said(tmp_path: Path) -> None:
    path = tmp_path / "growing.pcap"
    path.write_bytes(b"")
    session = FileSession([str(path)], follow=True)
    session.start()
    with path.open("ab") as out:
        out.write(b"\x7fELF" + bytes(100))
    waiting.until(lambda: session.status().phase == "ended")
    assert session.status().warnings == (f"cannot read {path}: it looks like a program (ELF)",)
    session.close()


def test_only_one_file_can_be_followed(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--follow takes one file, not 2"):
        FileSession([str(tmp_path / "a"), str(tmp_path / "b")], follow=True)
