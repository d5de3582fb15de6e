"""A capture that is still being written: read to where its writer is, and on."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from rooms.sources.capture_bytes import Frame, enhanced, interface, pcap, section
from tcpladder.errors import CaptureError
from tcpladder.sources.files import CaptureFile, open_capture
from tcpladder.sources.streams import Following
from tcpladder.wire.frames import FrameBatch

FRAMES = [Frame(b"frame %d" % number, number * 1000, 60) for number in range(6)]
PCAP = pcap(FRAMES)
PCAPNG = section() + interface(resolution=9) + b"".join(enhanced(f.data, f.time_ns) for f in FRAMES)


def followed(path: Path) -> tuple[CaptureFile, Following]:
    following = Following(wait_s=0.01)
    return open_capture(str(path), following=following), following


def payloads(batch: FrameBatch) -> list[bytes]:
    return [
        batch.data[start : start + size].tobytes()
        for start, size in zip(batch.start.tolist(), batch.captured.tolist(), strict=True)
    ]


def until_quiet(batches: Iterator[FrameBatch]) -> list[bytes]:
    """What comes before the first empty batch."""
    found: list[bytes] = []
    for batch in batches:
        if not len(batch):
            break
        found += payloads(batch)
    return found


@pytest.mark.parametrize("content", [PCAP, PCAPNG], ids=["pcap", "pcapng"])
def test_a_file_that_grows_byte_by_byte(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "growing"
    path.write_bytes(b"")
    capture, following = followed(path)
    batches = capture.batches()
    assert until_quiet(batches) == []
    assert capture.caught_up
    found = []
    with path.open("ab", buffering=0) as out:
        for at in range(0, len(content), 7):
            out.write(content[at : at + 7])
            if at % 35 == 0:
                found += until_quiet(batches)
    found += until_quiet(batches)
    assert found == [frame.data for frame in FRAMES]
    following.stop.set()
    assert list(batches) == []
    assert capture.warnings == []
    capture.close()


def test_half_a_frame_at_the_end_is_no_damage_before_it_is_over(tmp_path: Path) -> None:
    path = tmp_path / "growing"
    path.write_bytes(PCAP[:-3])
    capture, following = followed(path)
    batches = capture.batches()
    assert len(until_quiet(batches)) == 5
    assert capture.warnings == []
    following.stop.set()
    assert list(batches) == []
    assert "the last frame is incomplete, 5 frames before it were read" in capture.warnings[0]
    capture.close()


def test_a_compressed_file_grows_too(tmp_path: Path) -> None:
    path = tmp_path / "growing"
    squeezed = gzip.compress(PCAP)
    path.write_bytes(squeezed[:20])
    capture, following = followed(path)
    batches = capture.batches()
    first = until_quiet(batches)
    with path.open("ab") as out:
        out.write(squeezed[20:])
    assert first + until_quiet(batches) == [frame.data for frame in FRAMES]
    following.stop.set()
    assert list(batches) == []
    assert capture.warnings == []
    capture.close()


def test_a_file_that_is_truncated_under_us_ends(tmp_path: Path) -> None:
    path = tmp_path / "growing"
    path.write_bytes(PCAP)
    capture, _ = followed(path)
    batches = capture.batches()
    assert len(until_quiet(batches)) == 6
    path.write_bytes(PCAP[:30])
    assert list(batches) == []
    assert capture.warnings == [
        f"{path} has become shorter while it was followed, 6 frames before it were read"
    ]
    capture.close()


def test_a_file_that_becomes_no_capture(tmp_path: Path) -> None:
    path = tmp_path / "growing"
    path.write_bytes(b"\xa1\xb2")
    capture, _ = followed(path)
    batches = capture.batches()
    assert until_quiet(batches) == []
    with path.open("ab") as out:
        out.write(bytes(range(100)))
    with pytest.raises(CaptureError, match="it begins with a1 b2 00 01"):
        until_quiet(batches)
    capture.close()


def test_a_file_that_stays_empty_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "growing"
    path.write_bytes(b"")
    capture, following = followed(path)
    following.stop.set()
    assert list(capture.batches()) == []
    capture.close()


def test_a_pipe_that_is_followed_does_not_wait_for_ever(tmp_path: Path) -> None:
    read_end, write_end = os.pipe()
    os.write(write_end, PCAP[:100])
    capture, _ = followed(Path(f"/proc/self/fd/{read_end}"))
    batches = capture.batches()
    first = until_quiet(batches)
    assert len(first) > 0
    assert until_quiet(batches) == []
    os.write(write_end, PCAP[100:])
    assert first + until_quiet(batches) == [frame.data for frame in FRAMES]
    os.close(write_end)
    assert list(batches) == []
    assert capture.warnings == []
    capture.close()
    os.close(read_end)
