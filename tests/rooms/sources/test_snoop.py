"""The snoop reader against RFC 1761: records written here, cut anywhere, damaged anywhere, in chunks of any size."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rooms.sources.capture_bytes import Frame, read
from tcpladder.errors import CaptureError
from tcpladder.sources.files import open_capture

property_test = settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
frames_strategy = st.lists(
    st.builds(
        Frame,
        st.binary(max_size=90),
        st.integers(0, (2**32 * 10**6) - 1).map(lambda microseconds: microseconds * 1000),
        st.integers(0, 2**32 - 1),
    ),
    max_size=12,
)


def snoop(frames: list[Frame], *, link: int = 4, drops: int = 0) -> bytes:
    out = b"snoop\0\0\0" + struct.pack(">II", 2, link)
    for frame in frames:
        padded = frame.data + bytes(-len(frame.data) % 4)
        seconds, rest = divmod(frame.time_ns, 10**9)
        head = (frame.original, len(frame.data), 24 + len(padded), drops, seconds, rest // 1000)
        out += struct.pack(">6I", *head) + padded
    return out


FRAMES = [Frame(b"one", 812_345_678_000_001_000, 60), Frame(bytes(range(200)), 812_345_690_549_950_000, 1500)]


@pytest.mark.parametrize(("link", "link_type"), [(0, 1), (4, 1), (26, 226)])
def test_frames_times_and_link_types(tmp_path: Path, link: int, link_type: int) -> None:
    path = tmp_path / "dump"
    path.write_bytes(snoop(FRAMES, link=link))
    frames, warnings = read(path)
    assert [(f.data, f.time_ns, f.original) for f in frames] == [
        (f.data, f.time_ns, f.original) for f in FRAMES
    ]
    assert {frame.link_type for frame in frames} == {link_type}
    assert warnings == []


def test_what_the_capture_dropped_is_said(tmp_path: Path) -> None:
    path = tmp_path / "dump"
    path.write_bytes(snoop(FRAMES, drops=7))
    assert read(path)[1] == [f"{path} lacks 7 frames that the capture dropped"]


@given(frames=frames_strategy, chunk=st.integers(1, 400))
@property_test
def test_the_chunk_size_does_not_matter(tmp_path: Path, frames: list[Frame], chunk: int) -> None:
    path = tmp_path / "dump"
    path.write_bytes(snoop(frames))
    assert read(path, chunk) == (frames, [])


@given(frames=frames_strategy, data=st.data())
@property_test
def test_a_cut_keeps_what_came_before(tmp_path: Path, frames: list[Frame], data: st.DataObject) -> None:
    content = snoop(frames)
    path = tmp_path / "dump"
    path.write_bytes(content[: data.draw(st.integers(16, len(content)))])
    kept, warnings = read(path)
    assert kept == frames[: len(kept)]
    size = path.stat().st_size
    whole = len(snoop(kept)) == size
    assert warnings == (
        []
        if whole
        else [
            f"{path} is cut off at offset {size}: the last frame is incomplete, {len(kept)} "
            + ("frame before it was read" if len(kept) == 1 else "frames before it were read")
        ]
    )


@given(frames=frames_strategy, data=st.data(), chunk=st.sampled_from([64, 1 << 20]))
@property_test
def test_damage_never_raises(tmp_path: Path, frames: list[Frame], data: st.DataObject, chunk: int) -> None:
    content = bytearray(snoop(frames))
    at = data.draw(st.integers(0, len(content) - 1))
    content[at : at + 4] = data.draw(st.binary(min_size=4, max_size=4))
    path = tmp_path / "dump"
    path.write_bytes(content)
    try:
        _, warnings = read(path, chunk)
    except CaptureError:
        assert at < 16
        return
    assert len(warnings) <= 2


@pytest.mark.parametrize("record", [0, 23, 26, 1 << 31])
def test_a_record_length_that_cannot_be(tmp_path: Path, record: int) -> None:
    content = snoop(FRAMES) + struct.pack(">6I", 3, 3, record, 0, 0, 0) + b"abc\0"
    path = tmp_path / "dump"
    path.write_bytes(content)
    frames, warnings = read(path)
    assert len(frames) == 2
    (warning,) = warnings
    assert f"is damaged at offset {len(snoop(FRAMES))}: what stands there claims {record} bytes" in warning


def test_a_frame_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "dump"
    path.write_bytes(snoop(FRAMES))
    capture = open_capture(str(path))
    (batch,) = capture.batches()
    assert capture.frame_bytes(int(batch.position[1]), 200) == bytes(range(200))
    capture.close()
