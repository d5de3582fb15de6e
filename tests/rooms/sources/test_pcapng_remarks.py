"""What a pcapng file says beside its frames: comments, and what the capture dropped."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rooms.sources.capture_bytes import block, enhanced, interface, option, section
from tcpladder.sources.files import open_capture
from tcpladder.sources.remarks import MAX_COMMENTS, Remarks

END = struct.pack("<HH", 0, 0)


def remarks(path: Path, content: bytes) -> tuple[dict[int, str], list[str]]:
    path.write_bytes(content)
    capture = open_capture(str(path))
    for _ in capture.batches():
        pass
    capture.close()
    return dict(capture.comments), [warning.replace(str(path), "FILE") for warning in capture.warnings]


def statistics(order: str, number: int, **counters: int) -> bytes:
    codes = {"received": 4, "ifdrop": 5, "accepted": 6, "osdrop": 7}
    body = struct.pack(order + "III", number, 0, 0)
    for name, value in counters.items():
        body += option(order, codes[name], struct.pack(order + "Q", value))
    return block(order, 5, body + option(order, 0, b""))


@pytest.mark.parametrize("order", ["<", ">"])
def test_comments_of_frames(tmp_path: Path, order: str) -> None:
    flags = option(order, 2, bytes(4))
    end = option(order, 0, b"")
    content = (
        section(order)
        + interface(order)
        + enhanced(b"abc", 1, order=order, options=option(order, 1, "hier reißt es".encode()) + end)
        + enhanced(b"", 2, order=order)
        + enhanced(
            b"abcd", 3, order=order, options=flags + option(order, 1, b"a") + option(order, 1, b"b") + end
        )
        + enhanced(b"abcd", 4, order=order, options=flags + end + option(order, 1, b"behind the end"))
    )
    assert remarks(tmp_path / "f", content) == ({1: "hier reißt es", 3: "a\nb"}, [])


@pytest.mark.parametrize("order", ["<", ">"])
def test_drops_are_counted_once_for_each_interface(tmp_path: Path, order: str) -> None:
    content = (
        section(order)
        + interface(order)
        + enhanced(b"abc", 1, order=order)
        + statistics(order, 0, received=9, ifdrop=2)
        + statistics(order, 0, received=20, ifdrop=3, osdrop=1)
        + statistics(order, 7, ifdrop=100)
    )
    assert remarks(tmp_path / "f", content)[1] == [
        "FILE lacks 4 frames that the capture dropped (interface eth0)"
    ]


def test_blocks_of_other_kinds_are_stepped_over(tmp_path: Path) -> None:
    others = b"".join(block("<", kind, b"\1" * 40) for kind in (4, 9, 10, 0x0BAD, 0x40000BAD, 0x80000001))
    content = section() + interface() + others + enhanced(b"abc", 1) + others
    assert remarks(tmp_path / "f", content) == ({}, [])


@given(options=st.binary(max_size=60), order=st.sampled_from("<>"))
@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_options_of_any_shape_never_raise(tmp_path: Path, options: bytes, order: str) -> None:
    content = section(order) + interface(order) + enhanced(b"abc", 1, order=order, options=options)
    comments, warnings = remarks(tmp_path / "f", content + block(order, 5, options))
    assert set(comments) <= {1}
    assert all("dropped" in warning for warning in warnings)


def test_the_number_of_comments_is_bounded() -> None:
    kept = Remarks()
    for frame in range(MAX_COMMENTS + 10):
        kept.comment(frame, b"x")
    assert len(kept.comments) == MAX_COMMENTS
