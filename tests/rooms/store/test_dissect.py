"""Dissection: the fields a person looks for, the bytes they come from, and nothing left behind by scapy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcpladder.store.dissect import DetailLine, dissect

IP_TCP = bytes.fromhex(
    "4500003ccf3840004006 6d81 7f000001 7f000001"
    "5749 3039 c2463c56 00000000 a0c2 ffd7 fe30 0000"
    "0204ffd7 0402 080a fdc4ccd0 00000000 01 03030a".replace(" ", "")
)
IP6_TCP = bytes.fromhex("6000000000180640" + "00" * 15 + "01" + "00" * 15 + "02") + IP_TCP[20:40] + b"HTTP"
OUTER = {
    0: b"\2\0\0\0",
    1: bytes(12) + b"\x08\0",
    101: b"",
    108: b"\0\0\0\2",
    113: b"\0\0\3\4\0\6" + bytes(8) + b"\x08\0",
    228: b"",
    276: b"\x08\0\0\0\0\0\0\1\3\4\0\6" + bytes(8),
}


@pytest.mark.parametrize("link_type", OUTER)
def test_every_link_type_reaches_tcp(link_type: int) -> None:
    frame = OUTER[link_type] + IP_TCP
    lines = dissect(frame, link_type)
    at = len(OUTER[link_type]) + 20
    heading = next(line for line in lines if line.text.startswith("TCP"))
    assert heading == DetailLine(depth=0, text="TCP  22345 → 12345", span=(at, at + 40))
    texts = {line.text: line for line in lines}
    assert texts["seq = 3259382870"].span == (at + 4, at + 8)
    assert texts["flags = SYN,ECE,CWR"].span == (at + 12, at + 14)
    assert texts["window = 65495"].span == (at + 14, at + 16)
    assert texts["Timestamp = 4257533136, 0"].depth == 2
    assert texts["Timestamp = 4257533136, 0"].span == (at + 26, at + 36)
    assert texts["WScale = 10"].span == (at + 37, at + 40)
    assert texts["options"].span == (at + 20, at + 40)
    assert texts["dst = 127.0.0.1"].span == (at - 4, at)


@pytest.mark.parametrize("link_type", [101, 229])
def test_ipv6_and_payload(link_type: int) -> None:
    lines = dissect(IP6_TCP, link_type)
    assert lines[0].text == "IPv6  ::1 → ::2"
    assert [line.text for line in lines if line.depth == 0] == ["IPv6  ::1 → ::2", "TCP  22345 → 12345"]


def test_payload_and_padding_are_previewed() -> None:
    frame = bytearray(OUTER[1] + IP_TCP[:40] + b"GET / HTTP/1.1\r\n" + bytes(6))
    frame[14 + 3] = 56
    frame[14 + 32] = 0x50
    texts = [(line.text, line.span) for line in dissect(bytes(frame), 1)]
    assert ("data, 16 bytes", (54, 70)) in texts
    assert ("GET / HTTP/1.1..", (54, 70)) in texts
    assert ("padding, 6 bytes", (70, 76)) in texts


@given(frame=st.binary(max_size=120), link_type=st.sampled_from([*OUTER, 229, 147]))
@settings(deadline=None, max_examples=300)
def test_any_bytes_give_lines_within_the_frame(frame: bytes, link_type: int) -> None:
    lines = dissect(frame, link_type)
    assert lines
    for line in lines:
        assert "\n" not in line.text
        assert line.span is None or 0 <= line.span[0] <= line.span[1] <= len(frame)


@given(data=st.data(), link_type=st.sampled_from(sorted(OUTER)))
@settings(deadline=None, max_examples=300)
def test_damaged_and_cut_frames_give_lines(data: st.DataObject, link_type: int) -> None:
    frame = bytearray(OUTER[link_type] + IP_TCP + b"payload")
    for _ in range(data.draw(st.integers(0, 3))):
        frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    assert dissect(bytes(frame[: data.draw(st.integers(0, len(frame)))]), link_type)


def test_thousands_of_nested_tags_are_not_followed() -> None:
    lines = dissect(bytes(12) + b"\x81\0\0\1" * 16000, 1)
    assert len(lines) < 200
    assert lines[-1].text == "more headers than are shown"


def test_an_unknown_link_type_is_named() -> None:
    assert [line.text for line in dissect(b"1234", 147)] == ["link type 147, which is not dissected"]


def test_scapy_says_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    script = (
        "import os, sys\n"
        "from tcpladder.store.dissect import dissect\n"
        "assert 'scapy' not in sys.modules\n"
        "before = dict(os.environ)\n"
        f"assert dissect(bytes.fromhex('{IP_TCP.hex()}'), 101)[0].text.startswith('IP')\n"
        "assert dict(os.environ) == before\n"
    )
    home = tmp_path / "home"
    home.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"HOME": str(home), "PYTHONPATH": ":".join(sys.path), "PATH": ""},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(home.rglob("*")) == []
