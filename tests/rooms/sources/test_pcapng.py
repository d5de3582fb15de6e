"""The pcapng reader: sections, interfaces, clocks, the three kinds of packet block, cut and damaged anywhere."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rooms.sources.capture_bytes import (
    Frame,
    block,
    enhanced,
    interface,
    obsolete,
    option,
    read,
    section,
    simple,
)
from tcpladder.wire.frames import UNKNOWN_TIME_NS

NANOSECONDS = 9
property_test = settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def write(directory: Path, content: bytes) -> Path:
    path = directory / "trace.pcapng"
    path.write_bytes(content)
    return path


def mixed_file(order: str, other: str) -> tuple[bytes, list[Frame]]:
    """Two sections of different byte order; interfaces of different link types and clocks; everything between."""
    comment = option(order, 1, b"a comment") + option(order, 0, b"")
    content = (
        section(order, comment)
        + interface(order)
        + interface(order, link_type=113, resolution=NANOSECONDS)
        + block(order, 4, b"names, which nobody reads")
        + enhanced(b"micro", 1_760_000_000_000_001, order=order, options=comment)
        + enhanced(b"nano!", 1_760_000_000_000_000_007, order=order, interface=1, original=1500)
        + simple(b"simple frame", order=order)
        + obsolete(b"old", 1_760_000_000_000_002, order=order)
        + block(order, 0x0BAD, b"custom")
        + section(other)
        + interface(other, link_type=101, resolution=0x80 | 10)
        + enhanced(b"binary", 3 * 1024 + 512, order=other)
        + block(other, 5, bytes(20))
    )
    frames = [
        Frame(b"micro", 1_760_000_000_000_001_000, 5, 1, 0),
        Frame(b"nano!", 1_760_000_000_000_000_007, 1500, 113, 1),
        Frame(b"simple frame", UNKNOWN_TIME_NS, 12, 1, 0),
        Frame(b"old", 1_760_000_000_000_002_000, 3, 1, 0),
        Frame(b"binary", 3_500_000_000, 6, 101, 2),
    ]
    return content, frames


@pytest.mark.parametrize(("order", "other"), ["<>", "><", "<<", ">>"])
@pytest.mark.parametrize("chunk", [64, 100, 1 << 20])
def test_sections_interfaces_and_all_packet_blocks(
    tmp_path: Path, order: str, other: str, chunk: int
) -> None:
    content, frames = mixed_file(order, other)
    assert read(write(tmp_path, content), chunk) == (frames, [])


@pytest.mark.parametrize(
    ("resolution", "ticks", "time_ns"),
    [
        (None, 1_760_000_000_123_456, 1_760_000_000_123_456_000),
        (0, 1_760_000_000, 1_760_000_000_000_000_000),
        (9, 2**62 - 1, 2**62 - 1),
        (9, 2**62, UNKNOWN_TIME_NS),
        (12, 1_760_000_000_123_456_789, 1_760_000_000_123_456),
        (19, 10**19, 10**9),
        (20, 2**64 - 1, 184_467_440),
        (40, 2**64 - 1, 0),
        (0x80 | 0, 7, 7_000_000_000),
        (0x80 | 20, (1_760_000_000 << 20) + 1, 1_760_000_000_000_000_953),
        (0x80 | 34, (1 << 34) - 1, 999_999_999),
        (0x80 | 40, (5 << 40) + (1 << 39), 5_500_000_000),
        (0x80 | 127, 2**64 - 1, 0),
        (6, 2**63, UNKNOWN_TIME_NS),
        (0x80 | 1, 2**64 - 1, UNKNOWN_TIME_NS),
    ],
)
def test_ticks_become_exact_nanoseconds(
    tmp_path: Path, resolution: int | None, ticks: int, time_ns: int
) -> None:
    content = section() + interface(resolution=resolution) + enhanced(b"x", ticks)
    frames, _ = read(write(tmp_path, content))
    assert [frame.time_ns for frame in frames] == [time_ns]


@given(exponent=st.integers(0, 63), ticks=st.integers(0, 2**64 - 1))
@property_test
def test_binary_clocks_agree_with_whole_numbers(tmp_path: Path, exponent: int, ticks: int) -> None:
    exact = ticks * 10**9 >> exponent
    content = section() + interface(resolution=0x80 | exponent) + enhanced(b"x", ticks)
    (frame,), _ = read(write(tmp_path, content))
    assert frame.time_ns == (exact if exact < 2**62 else UNKNOWN_TIME_NS)


@pytest.mark.parametrize(
    ("offset_s", "time_ns"),
    [(10, 10_000_005_000), (-1, -999_995_000), (2**62, UNKNOWN_TIME_NS), (-(2**63), UNKNOWN_TIME_NS)],
)
def test_the_time_offset_of_an_interface(tmp_path: Path, offset_s: int, time_ns: int) -> None:
    content = section() + interface() + interface(offset_s=offset_s)
    content += enhanced(b"x", 5, interface=1) + enhanced(b"y", 5)
    frames, _ = read(write(tmp_path, content))
    assert [frame.time_ns for frame in frames] == [time_ns, 5_000]


def test_a_simple_block_is_as_long_as_the_snap_length(tmp_path: Path) -> None:
    content = section() + interface(snap=5) + simple(b"12345", original=1500) + simple(b"123")
    frames, _ = read(write(tmp_path, content))
    assert [(frame.data, frame.original) for frame in frames] == [(b"12345", 1500), (b"123", 3)]


def test_ten_thousand_sections_are_read_in_a_moment(tmp_path: Path) -> None:
    content = b"".join(section("<>"[n % 2]) + interface("<>"[n % 2]) for n in range(10_000))
    content += enhanced(b"at last", 1, order=">")
    frames, warnings = read(write(tmp_path, content))
    assert [frame.data for frame in frames] == [b"at last"]
    assert warnings == []


@given(data=st.data(), order=st.sampled_from(["<>", ">>"]), chunk=st.sampled_from([64, 1 << 20]))
@property_test
def test_a_cut_keeps_what_came_before(tmp_path: Path, data: st.DataObject, order: str, chunk: int) -> None:
    content, frames = mixed_file(*order)
    cut = data.draw(st.integers(12, len(content)))
    kept, warnings = read(write(tmp_path, content[:cut]), chunk)
    assert kept == frames[: len(kept)]
    assert len(warnings) <= 1
    assert (len(kept) == len(frames)) or warnings or cut < len(content)


@given(data=st.data(), order=st.sampled_from(["<>", ">>"]))
@property_test
def test_no_damage_raises(tmp_path: Path, data: st.DataObject, order: str) -> None:
    content = bytearray(mixed_file(*order)[0])
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(12, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    _, warnings = read(write(tmp_path, bytes(content)))
    assert len(warnings) <= 1


def damaged(tmp_path: Path, tail: bytes) -> tuple[int, str]:
    good = section() + interface() + enhanced(b"good", 1)
    frames, (warning,) = read(write(tmp_path, good + tail))
    assert [frame.data for frame in frames] == [b"good"]
    return len(good), warning


def test_a_frame_longer_than_its_block(tmp_path: Path) -> None:
    body = struct.pack("<5I", 0, 0, 1, 4000, 4000) + b"only this"
    offset, warning = damaged(tmp_path, block("<", 6, body) + enhanced(b"never read", 2))
    assert f"damaged at offset {offset}: what stands there claims 4000 bytes, which cannot be" in warning


def test_a_frame_of_an_unknown_interface(tmp_path: Path) -> None:
    offset, warning = damaged(tmp_path, enhanced(b"whose?", 2, interface=3))
    assert f"damaged at offset {offset}: what stands there belongs to interface 3, which" in warning


@pytest.mark.parametrize("length", [0, 8, 0xFFFFFFF0])
def test_a_block_length_that_cannot_be(tmp_path: Path, length: int) -> None:
    offset, warning = damaged(tmp_path, struct.pack("<III", 6, length, 0) + bytes(40))
    assert f"damaged at offset {offset}: what stands there claims {length} bytes" in warning


def test_a_section_without_byte_order(tmp_path: Path) -> None:
    offset, warning = damaged(tmp_path, block("<", 0x0A0D0D0A, bytes(16)))
    assert (
        f"damaged at offset {offset}: what stands there begins a section without a byte-order mark" in warning
    )


@pytest.mark.parametrize("chunk_bytes", [64, 1 << 16])
def test_what_stands_behind_a_block_does_not_speak_for_it(tmp_path: Path, chunk_bytes: int) -> None:
    """A frame of an interface that is described only later, and a counter behind damage: in pieces of any size."""
    dropped = block("<", 5, bytes(12) + option("<", 5, (7).to_bytes(8, "little")))
    content = section() + interface() + enhanced(b"good", 1) + enhanced(b"early", 2, interface=1)
    path = write(tmp_path, content + interface() + dropped)
    frames, warnings = read(path, chunk_bytes)
    assert [frame.data for frame in frames] == [b"good"]
    assert len(warnings) == 1
    assert "interface" in warnings[0]
    assert "lacks" not in warnings[0]
