"""A recording that grows: complete after each event, ended and told where it cannot go on."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tcpladder.record.asciicast import Code, Header
from tcpladder.record.cast_file import read_cast
from tcpladder.record.writer import CastWriter

HEADER = Header(width=80, height=24)


class Clock:
    """Nanoseconds that pass when told."""

    now_ns = 5_000_000_000

    def __call__(self) -> int:
        return self.now_ns


def begin(path: Path, clock: Clock | None = None, *, version: int = 2, **options: int) -> CastWriter:
    header = Header(width=80, height=24, version=version)
    return CastWriter(
        os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL), header, clock_ns=clock or Clock(), **options
    )


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """A disk on which no file gets longer."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("version", [2, 3])
def test_each_event_is_in_the_file_before_the_next(tmp_path: Path, version: int) -> None:
    path, clock = tmp_path / "a.cast", Clock()
    cast = begin(path, clock, version=version)
    for number in range(1, 4):
        clock.now_ns += 250_000_000
        cast.event(Code.OUTPUT, f"picture {number}")
        read = read_cast(path).events
        assert [(event.time_us, event.data) for event in read] == [
            (250_000 * n, f"picture {n}") for n in range(1, number + 1)
        ]
    cast.close()


def test_a_clock_that_goes_back_makes_no_time_run_back(tmp_path: Path) -> None:
    path, clock = tmp_path / "a.cast", Clock()
    cast = begin(path, clock)
    for by_ns in (2_000_000, -1_500_000):
        clock.now_ns += by_ns
        cast.event(Code.OUTPUT, "x")
    assert [event.time_us for event in read_cast(path).events] == [2000, 2000]


def test_a_full_disk_ends_it_and_what_was_written_stays_readable(tmp_path: Path) -> None:
    path, clock = tmp_path / "a.cast", Clock()
    cast = begin(path, clock)
    clock.now_ns += 3_000_000_000
    cast.event(Code.OUTPUT, "kept")
    with room_for(path.stat().st_size + 100):
        cast.event(Code.OUTPUT, "lost" * 1000)
    cast.event(Code.OUTPUT, "after it")
    assert cast.why_ended == "the recording ended after 3 s: file too large"
    read = read_cast(path)
    assert [event.data for event in read.events] == ["kept"]
    assert read.warnings == ()


def test_a_file_that_was_removed_ends_it(tmp_path: Path) -> None:
    path = tmp_path / "a.cast"
    cast = begin(path)
    path.unlink()
    cast.event(Code.OUTPUT, "x")
    assert cast.why_ended == "the recording ended after 0 s: its file has been removed"


def test_it_has_an_end(tmp_path: Path) -> None:
    path = tmp_path / "a.cast"
    cast = begin(path, limit_bytes=1 << 20)
    for _ in range(4):
        cast.event(Code.OUTPUT, "x" * 300_000)
    assert cast.why_ended == "the recording ended after 0 s: it has 1 MiB, and that is the most"
    assert len(read_cast(path).events) == 3


def test_half_a_character_does_not_stop_it(tmp_path: Path) -> None:
    path = tmp_path / "a.cast"
    begin(path).event(Code.OUTPUT, "a\udce2b")
    assert [event.data for event in read_cast(path).events] == ["a?b"]
