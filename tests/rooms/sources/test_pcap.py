"""The pcap reader against files written here, cut anywhere, damaged anywhere, read in chunks of any size."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rooms.sources.capture_bytes import Frame, pcap, read
from tcpladder.errors import CaptureError

FRAMES = [
    Frame(b"first frame", 1_760_000_000_123_456_000, 11),
    Frame(b"", 1_760_000_000_123_457_000, 0),
    Frame(bytes(range(256)) * 3, 4_294_967_295_999_999_000, 9000),
]
frames_strategy = st.lists(
    st.builds(
        Frame,
        st.binary(max_size=90),
        st.integers(0, 2**32 * 10**9 - 1),
        st.integers(0, 2**32 - 1),
    ),
    max_size=12,
)
property_test = settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def write(directory: Path, content: bytes) -> Path:
    path = directory / "trace.pcap"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("unit_ns", [1, 1000])
def test_both_byte_orders_and_both_resolutions(tmp_path: Path, order: str, unit_ns: int) -> None:
    path = write(tmp_path, pcap(FRAMES, order=order, unit_ns=unit_ns))
    assert read(path) == (FRAMES, [])


def test_the_patched_format_has_longer_record_headers(tmp_path: Path) -> None:
    content = struct.pack("<IHHiIII", 0xA1B2CD34, 2, 4, 0, 0, 65535, 1)
    for frame in FRAMES:
        seconds, rest = divmod(frame.time_ns, 10**9)
        content += (
            struct.pack("<4I", seconds, rest // 1000, len(frame.data), frame.original) + bytes(8) + frame.data
        )
    assert read(write(tmp_path, content)) == (FRAMES, [])


@pytest.mark.parametrize(
    ("network", "link_type"), [(113, 113), (276, 276), (12, 101), (14, 101), (0x24000001, 1)]
)
def test_the_link_type_without_its_checksum_length_and_aliases(
    tmp_path: Path, network: int, link_type: int
) -> None:
    frames, _ = read(write(tmp_path, pcap(FRAMES, network=network)))
    assert {frame.link_type for frame in frames} == {link_type}


@given(frames=frames_strategy, chunk=st.integers(1, 400))
@property_test
def test_the_chunk_size_does_not_matter(tmp_path: Path, frames: list[Frame], chunk: int) -> None:
    assert read(write(tmp_path, pcap(frames)), chunk) == (frames, [])


@given(frames=frames_strategy, data=st.data(), chunk=st.sampled_from([64, 1 << 20]))
@property_test
def test_a_cut_keeps_what_came_before(
    tmp_path: Path, frames: list[Frame], data: st.DataObject, chunk: int
) -> None:
    content = pcap(frames)
    cut = data.draw(st.integers(24, len(content)))
    kept, warnings = read(write(tmp_path, content[:cut]), chunk)
    assert kept == frames[: len(kept)]
    whole = len(pcap(kept))
    assert cut - whole < 16 + 90
    assert len(warnings) == (cut != whole)


@given(frames=frames_strategy, data=st.data())
@property_test
def test_no_damage_raises(tmp_path: Path, frames: list[Frame], data: st.DataObject) -> None:
    content = bytearray(pcap(frames))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(4, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    _, warnings = read(write(tmp_path, bytes(content)))
    assert len(warnings) <= 1


def test_the_sentence_for_a_cut(tmp_path: Path) -> None:
    path = write(tmp_path, pcap(FRAMES)[:-1])
    _, warnings = read(path)
    size = len(pcap(FRAMES)) - 1
    assert warnings == [
        f"{path} is cut off at offset {size}: the last frame is incomplete, 2 frames before it were read"
    ]


@pytest.mark.parametrize("behind", [0, 3_000_000])
def test_a_length_that_lies_ends_the_reading(tmp_path: Path, behind: int) -> None:
    good = pcap(FRAMES[:1])
    path = write(tmp_path, good + struct.pack("<4I", 1, 2, 2_000_000, 2_000_000) + bytes(behind))
    frames, warnings = read(path, 4 << 20)
    assert frames == FRAMES[:1]
    assert warnings == [
        f"{path} is damaged at offset {len(good)}: what stands there claims 2000000 bytes, which cannot be, "
        "1 frame before it was read"
    ]


def test_a_frame_longer_than_the_chunk(tmp_path: Path) -> None:
    frames = [Frame(bytes(200_000), 5, 200_000), Frame(b"after it", 6, 8)]
    assert read(write(tmp_path, pcap(frames)), 4096) == (frames, [])


def test_no_frames_is_no_damage(tmp_path: Path) -> None:
    assert read(write(tmp_path, pcap([]))) == ([], [])


def test_a_header_cut_short(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="cut off inside its header, 23 of 24 bytes are there"):
        read(write(tmp_path, pcap([])[:23]))
