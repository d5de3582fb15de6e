"""The pcapng writer: our reader and Wireshark's agree on what it wrote, and a full disk leaves a good file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rooms.sources.capture_bytes import Frame, read
from tcpladder.errors import CaptureError
from tcpladder.store.pcapng import CapturedInterface, PcapngWriter
from tcpladder.wire.frames import PADDING, TIME_LIMIT_NS, UNKNOWN_TIME_NS, FrameBatch

LO = CapturedInterface(name="lo", link_type=1, snap_length=256)
COOKED = CapturedInterface(name="any", link_type=276)
TIME_NS = 1_760_000_000_123_456_789


def batch_of(frames: list[Frame], vlan_tci: list[int] | None = None) -> FrameBatch:
    captured = np.array([len(frame.data) for frame in frames], np.int64)
    data = b"".join(frame.data for frame in frames) + bytes(PADDING)
    start = np.cumsum(captured) - captured
    return FrameBatch(
        data=np.frombuffer(data, np.uint8),
        start=start,
        captured=captured,
        original=np.array([frame.original for frame in frames], np.int64),
        time_ns=np.array([frame.time_ns for frame in frames], np.int64),
        position=start,
        link_type=np.array([frame.link_type for frame in frames], np.uint16),
        interface=np.array([frame.interface for frame in frames], np.uint16),
        first_frame=1,
        vlan_tci=None if vlan_tci is None else np.array(vlan_tci, np.int32),
    )


def create(path: Path) -> int:
    return os.open(path, os.O_CREAT | os.O_TRUNC | os.O_RDWR, 0o600)


def tcp_frame(length: int) -> bytes:
    """Ethernet, IPv4, TCP from 10.0.0.1 port 1000 to 10.0.0.2 port 2000."""
    total = 40 + length
    return (
        bytes.fromhex("02020202020204040404040408004500")
        + total.to_bytes(2, "big")
        + bytes.fromhex("000040004006000 00a0000010a000002".replace(" ", ""))
        + bytes.fromhex("03e807d000000001000000025010020000000000")
        + bytes(length)
    )


frames_strategy = st.lists(
    st.builds(
        Frame,
        st.binary(max_size=40),
        st.integers(0, TIME_LIMIT_NS - 1),
        st.integers(0, 2**32 - 1),
        st.sampled_from([1, 113]),
        st.integers(0, 2),
    ),
    max_size=8,
)


@given(batches=st.lists(frames_strategy, max_size=4))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_is_read(tmp_path: Path, batches: list[list[Frame]]) -> None:
    path = tmp_path / "out.pcapng"
    with PcapngWriter(create(path), [LO], name="out.pcapng", comment="odd") as writer:
        for frames in batches:
            writer.write(batch_of(frames), {0: "a comment"} if frames else None)
    found, warnings = read(path)
    expected = [frame for frames in batches for frame in frames]
    assert warnings == []
    assert writer.frames == len(expected)
    assert [(f.data, f.time_ns, f.original, f.link_type) for f in found] == [
        (f.data, f.time_ns, f.original, f.link_type) for f in expected
    ]


def test_a_vlan_tag_goes_back_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "out.pcapng"
    frames = [
        Frame(tcp_frame(5), 1, 59),
        Frame(tcp_frame(6), 2, 60),
        Frame(b"short", 3, 5),
        Frame(b"x" * 30, 4, 30, 276, 1),
    ]
    with PcapngWriter(create(path), [LO, COOKED], name="out.pcapng") as writer:
        writer.write(batch_of(frames, [0x600A, -1, 7, 7]), {0: "tagged"})
    found, _ = read(path)
    assert found[0].data == frames[0].data[:12] + bytes.fromhex("8100600a") + frames[0].data[12:]
    assert found[0].original == 63
    assert found[1:] == frames[1:]


def test_a_time_that_is_not_known_is_1970(tmp_path: Path) -> None:
    path = tmp_path / "out.pcapng"
    with PcapngWriter(create(path), [LO], name="out.pcapng") as writer:
        writer.write(batch_of([Frame(b"when?", UNKNOWN_TIME_NS, 5)]))
    assert read(path)[0][0].time_ns == 0


@pytest.mark.real("tshark", "capinfos", root=False)
def test_wireshark_agrees(tmp_path: Path) -> None:
    path = tmp_path / "out.pcapng"
    frames = [
        Frame(tcp_frame(100), TIME_NS, 1500),
        Frame(tcp_frame(0), TIME_NS + 1, 54),
        Frame(tcp_frame(3), TIME_NS + 10**9, 57),
    ]
    with PcapngWriter(create(path), [LO, COOKED], name="out.pcapng", comment="from a test") as writer:
        writer.write(batch_of(frames[:2]), {1: "the second frame"})
        writer.write(batch_of(frames[2:], [0x000A]))
    fields = [
        "frame.time_epoch",
        "frame.cap_len",
        "frame.len",
        "frame.interface_name",
        "frame.comment",
        "tcp.dstport",
        "vlan.id",
    ]
    shown = subprocess.run(
        ["tshark", "-r", path, "-T", "fields", *(word for name in fields for word in ("-e", name))],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert [line.split("\t") for line in shown] == [
        ["1760000000.123456789", "154", "1500", "lo", "", "2000", ""],
        ["1760000000.123456790", "54", "54", "lo", "the second frame", "2000", ""],
        ["1760000001.123456789", "61", "61", "lo", "", "2000", "10"],
    ]
    about = subprocess.run(["capinfos", path], capture_output=True, text=True, check=True).stdout
    for words in ("Capture application: tcpladder", "from a test", "nanoseconds (9)", "Capture length = 256"):
        assert words in about


FULL = """
import os, resource, signal, sys
import numpy as np
from tcpladder.errors import CaptureError
from tcpladder.store.pcapng import CapturedInterface, PcapngWriter
from tcpladder.wire.frames import FrameBatch
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))
columns = dict(start=np.arange(3) * 300, captured=np.full(3, 300), original=np.full(3, 300), position=np.zeros(3, int),
               time_ns=np.arange(3), link_type=np.ones(3, np.uint16), interface=np.zeros(3, np.uint16))
batch = FrameBatch(data=np.zeros(2000, np.uint8), first_frame=1, **columns)
writer = PcapngWriter(os.open(sys.argv[1], os.O_CREAT | os.O_RDWR), [], name="out.pcapng")
try:
    for _ in range(10):
        writer.write(batch)
except CaptureError as error:
    print(error)
"""


def test_a_full_disk_leaves_a_good_file(tmp_path: Path) -> None:
    path = tmp_path / "out.pcapng"
    done = subprocess.run([sys.executable, "-c", FULL, path], capture_output=True, text=True, check=True)
    assert done.stdout == "cannot write out.pcapng: file too large, 9 frames are in it\n"
    frames, warnings = read(path)
    assert len(frames) == 9
    assert warnings == []


def test_a_closed_pipe_is_a_sentence() -> None:
    reader, writer_end = os.pipe()
    writer = PcapngWriter(writer_end, [LO], name="-")
    os.close(reader)
    with pytest.raises(CaptureError, match="cannot write -: broken pipe, 0 frames are in it"):
        writer.write(batch_of([Frame(b"x" * 60, 1, 60)]))
    writer.close()
