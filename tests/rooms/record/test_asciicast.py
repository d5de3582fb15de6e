"""The asciicast format, both versions, there and back; what strangers' files may hold."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tcpladder.errors import CaptureError
from tcpladder.record.asciicast import Code, Event, Header, read_header
from tcpladder.record.cast_file import read_cast

EVENTS = (
    Event(time_us=0, code=Code.OUTPUT, data="\x1b[2J│ é"),
    Event(time_us=1_500_000, code=Code.MARKER, data="flow 1: syn"),
    Event(time_us=1_500_001, code=Code.RESIZE, data="100x30"),
    Event(time_us=62_000_000, code=Code.INPUT, data="\r"),
)


def written(path: Path, version: int) -> Path:
    """A file with EVENTS."""
    times = [0, *(event.time_us for event in EVENTS)]
    lines = [event.line(before if version == 3 else 0) for event, before in zip(EVENTS, times, strict=False)]
    header = Header(width=80, height=24, version=version, title="a title")
    path.write_text("\n".join([header.line(), *lines]) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("version", [2, 3])
def test_events_come_back_at_their_times(tmp_path: Path, version: int) -> None:
    cast = read_cast(written(tmp_path / "a.cast", version))
    assert cast.events == EVENTS
    assert (cast.header.width, cast.header.height, cast.header.title) == (80, 24, "a title")


def test_version_2_counts_from_the_start_and_3_from_the_event_before(tmp_path: Path) -> None:
    """https://docs.asciinema.org/manual/asciicast/v3/: `interval` since the previous event."""
    seconds = {}
    for version in (2, 3):
        lines = written(tmp_path / f"{version}.cast", version).read_text(encoding="utf-8").splitlines()
        seconds[version] = [json.loads(line)[0] for line in lines[1:]]
    assert seconds == {2: [0, 1.5, 1.500001, 62], 3: [0, 1.5, 0.000001, 60.499999]}


def test_the_headers_are_those_of_the_format() -> None:
    two = json.loads(Header(width=80, height=24, timestamp_s=7).line())
    assert (two["version"], two["width"], two["height"], two["timestamp"]) == (2, 80, 24, 7)
    three = json.loads(Header(width=80, height=24, version=3).line())
    assert three["term"] == {"cols": 80, "rows": 24, "type": "xterm-256color"}
    assert "width" not in three
    assert "timestamp" not in three


def test_a_last_line_that_was_cut_is_left_out_and_told(tmp_path: Path) -> None:
    path = written(tmp_path / "a.cast", 2)
    path.write_bytes(path.read_bytes()[:-5])
    cast = read_cast(path)
    assert cast.events == EVENTS[:-1]
    assert cast.warnings == ("a.cast was cut in line 5: the recording ends there",)


def test_a_broken_line_in_the_middle_is_an_error(tmp_path: Path) -> None:
    path = written(tmp_path / "a.cast", 2)
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([*lines[:2], '["soon", "o"]', *lines[2:]]) + "\n", encoding="utf-8")
    with pytest.raises(CaptureError, match="line 3 is no event"):
        read_cast(path)


@pytest.mark.parametrize(
    "line",
    ["", "{", "[]", "7", "null", '{"version": 2}', '{"version": 2, "width": 0, "height": 5}',
     '{"version": 2, "width": 100000000, "height": 5}', '{"version": 3, "term": 7}',
     '{"version": 2, "width": "8", "height": 5}'],
)  # fmt: skip
def test_what_is_no_asciicast_is_told(line: str) -> None:
    with pytest.raises(CaptureError, match="cannot read x: it is no asciicast"):
        read_header(line, "x")


def test_another_version_is_told() -> None:
    with pytest.raises(CaptureError, match="asciicast version 1, and 2 and 3 are known"):
        read_header('{"version": 1}', "x")


def test_comments_and_codes_that_nobody_knows_are_skipped(tmp_path: Path) -> None:
    path = tmp_path / "a.cast"
    path.write_text('{"version": 2, "width": 9, "height": 2}\n# a comment\n[1, "z", "?"]\n[2.5, "o", "x"]\n')
    assert read_cast(path).events == (Event(time_us=2_500_000, code=Code.OUTPUT, data="x"),)
