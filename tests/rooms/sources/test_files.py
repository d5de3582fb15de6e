"""Opening captures: pipes, stdin, compressed files, and the sentence for everything that is not a capture."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from rooms.sources.capture_bytes import Frame, pcap, read
from tcpladder.errors import CaptureError, ExitCode, TcpladderError
from tcpladder.sources.files import CaptureFile, open_capture

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

FRAMES = [
    Frame(b"%05d" % number * (number % 40), number * 1_000_003, number % 40 * 5) for number in range(2000)
]
CONTENT = pcap(FRAMES)
COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "xz": lzma.compress,
    "bz2": bz2.compress,
    "zst": zstd.compress,
}


def payloads(capture: CaptureFile) -> list[bytes]:
    return [
        batch.data[start : start + size].tobytes()
        for batch in capture.batches()
        for start, size in zip(batch.start.tolist(), batch.captured.tolist(), strict=True)
    ]


@pytest.mark.parametrize("how", COMPRESSORS)
def test_compressed_files_and_joined_members(tmp_path: Path, how: str) -> None:
    path = tmp_path / "no-telling-name"
    half = len(CONTENT) // 2
    path.write_bytes(COMPRESSORS[how](CONTENT[:half]) + COMPRESSORS[how](CONTENT[half:]))
    capture = open_capture(str(path), chunk_bytes=5000)
    assert payloads(capture) == [frame.data for frame in FRAMES]
    assert capture.warnings == []
    progress = capture.progress()
    assert progress.read_bytes == progress.total_bytes == path.stat().st_size
    capture.close()


@given(how=st.sampled_from(sorted(COMPRESSORS)), data=st.data())
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_cut_compressed_file_keeps_what_came_before(tmp_path: Path, how: str, data: st.DataObject) -> None:
    path = tmp_path / "trace"
    squeezed = COMPRESSORS[how](CONTENT)
    path.write_bytes(squeezed[: data.draw(st.integers(8, len(squeezed) - 1))])
    try:
        capture = open_capture(str(path))
    except CaptureError as error:
        event(str(error).partition(": it ")[2])
        return
    kept = payloads(capture)
    assert kept == [frame.data for frame in FRAMES[: len(kept)]]
    assert capture.warnings == [
        f"{path} is cut off: its compressed data ends early, {len(kept)} "
        + ("frame before it was read" if len(kept) == 1 else "frames before it were read")
    ]
    capture.close()


@given(how=st.sampled_from(sorted(COMPRESSORS)), data=st.data())
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_compressed_file_never_raises(tmp_path: Path, how: str, data: st.DataObject) -> None:
    path = tmp_path / "trace"
    squeezed = bytearray(COMPRESSORS[how](CONTENT))
    squeezed[data.draw(st.integers(0, len(squeezed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(squeezed)
    try:
        capture = open_capture(str(path))
    except CaptureError:
        return
    payloads(capture)
    assert len(capture.warnings) <= 1
    capture.close()


def test_damage_inside_compressed_data_is_said(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    squeezed = bytearray(gzip.compress(CONTENT, mtime=0))
    squeezed[-6] ^= 0xFF
    path.write_bytes(squeezed)
    capture = open_capture(str(path), chunk_bytes=4096)
    payloads(capture)
    (warning,) = capture.warnings
    assert "is damaged: its compressed data makes no sense near byte" in warning
    capture.close()


def pour(path: Path, content: bytes, pause: threading.Event) -> threading.Thread:
    """Write into a named pipe from a thread, the second half only when `pause` is set."""

    def write() -> None:
        with path.open("wb", buffering=0) as out:
            out.write(content[:5000])
            pause.wait(20)
            out.write(content[5000:])

    thread = threading.Thread(target=write)
    thread.start()
    return thread


def test_a_pipe_yields_what_is_there_without_waiting_for_more(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    pause = threading.Event()
    thread = pour(pipe, CONTENT, pause)
    capture = open_capture(str(pipe), keep=True)
    batches = capture.batches()
    first = next(batches)
    assert len(first) > 0
    places = list(zip(first.position.tolist(), first.captured.tolist(), strict=True))
    pause.set()
    for batch in batches:
        places += zip(batch.position.tolist(), batch.captured.tolist(), strict=True)
    thread.join(20)
    assert capture.progress().total_bytes is None
    assert capture.progress().read_bytes == len(CONTENT)
    assert [capture.frame_bytes(*place) for place in places] == [frame.data for frame in FRAMES]
    capture.close()


def test_bytes_that_were_not_kept_cannot_be_read_again(tmp_path: Path) -> None:
    path = tmp_path / "trace.gz"
    path.write_bytes(gzip.compress(CONTENT, mtime=0))
    capture = open_capture(str(path))
    with pytest.raises(CaptureError, match="its bytes were not kept"):
        capture.frame_bytes(40, 5)
    capture.close()
    kept = open_capture(str(path), keep=True)
    assert payloads(kept) == [frame.data for frame in FRAMES]
    assert kept.frame_bytes(CONTENT.index(b"00007"), 5) == b"00007"
    kept.close()


def test_a_file_that_shrinks_under_us(tmp_path: Path) -> None:
    path = tmp_path / "trace.pcap"
    path.write_bytes(CONTENT)
    capture = open_capture(str(path))
    os.truncate(path, 100)
    with pytest.raises(CaptureError, match="the file has become shorter"):
        capture.frame_bytes(90, 50)
    capture.close()


COUNT_STDIN = """
import sys
from tcpladder.sources.files import open_capture
capture = open_capture("-", keep=True)
places = [(int(p), int(c)) for batch in capture.batches() for p, c in zip(batch.position, batch.captured)]
print(len(places), capture.frame_bytes(*places[7]), capture.warnings)
"""


@pytest.mark.parametrize("how", ["pipe", "file", "file from its middle"])
def test_stdin(tmp_path: Path, how: str) -> None:
    path = tmp_path / "trace.pcap"
    path.write_bytes(b"skipped" * 100 + CONTENT if "middle" in how else CONTENT)
    with path.open("rb") as file:
        file.seek(700 if "middle" in how else 0)
        source: dict[str, object] = {"input": CONTENT} if how == "pipe" else {"stdin": file.fileno()}
        if "middle" in how:
            os.lseek(file.fileno(), 700, os.SEEK_SET)
        done = subprocess.run([sys.executable, "-c", COUNT_STDIN], capture_output=True, check=True, **source)
    assert done.stdout.decode() == f"2000 {FRAMES[7].data!r} []\n"


def refusal(path: Path | str) -> str:
    with pytest.raises(TcpladderError) as caught:
        open_capture(str(path))
    text = str(caught.value)
    assert text[0].islower()
    assert not text.endswith(".")
    assert "\n" not in text
    return text.replace(str(path), "FILE")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "cannot read FILE: it is empty"),
        (
            b"hello, this is a letter\n" * 200,
            "it looks like text, not like a capture (pcap, pcapng, snoop and what tcpdump prints can be read",
        ),
        ("Grüße".encode() * 400, "it looks like text"),
        (json.dumps({"a": 1}).encode(), "it looks like JSON"),
        (b"#!/bin/sh\nexit 0\n", "it looks like a script"),
        (b"<!DOCTYPE html><p>404", "it looks like a web page"),
        (b"\x7fELF\2\1\1", "it looks like a program (ELF)"),
        (b"%PDF-1.7\n", "it looks like a PDF document"),
        (b"PK\3\4", "it is a zip archive: unzip it first"),
        (
            b"snoop\0\0\0\0\0\0\2\0\0\0\x08",
            "it is a snoop capture of link type 8 (FDDI), which cannot be read",
        ),
        (b"snoop\0\0\0\0\0\0\4\0\0\0\4", "it is a snoop capture of version 4: convert it with editcap"),
        (b"snoop\0\0\0\0\0\0\2\0\0", "it is cut off inside its header, 14 of 16 bytes are there"),
        (b"\x28\xb5\x2f\xfd\4", "it is cut off: its compressed data ends early"),
        (
            gzip.compress(b"hello " * 9, mtime=0),
            "it is compressed, and what is in it is no capture: it looks like text",
        ),
        (gzip.compress(b"", mtime=0), "it is compressed, and there is nothing in it"),
        (gzip.compress(CONTENT, mtime=0)[:12], "it is cut off: its compressed data ends early"),
        (b"\x1f\x8b\x08" + b"\xff" * 50, "it is damaged: its compressed data makes no sense"),
        (bytes(100), "it begins with zeros"),
        (b"\xa1\xb2\xc3\xd5" + bytes(range(200)), "it begins with a1 b2 c3 d5, which no capture does"),
        (CONTENT[:3], "it begins with 4d 3c b2, which no capture does"),
        (b"\x0a\x0d\x0d\x0a\x1c\0\0\0" + bytes(20), "it begins with 0a 0d 0d 0a"),
    ],
)
def test_what_a_file_looks_like_instead(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "thing"
    path.write_bytes(content)
    assert words in refusal(path)


def test_a_tar_archive(tmp_path: Path) -> None:
    path = tmp_path / "thing"
    path.write_bytes(b"name".ljust(257, b"\0") + b"ustar\0" + bytes(300))
    assert "it is a tar archive: unpack it first" in refusal(path)


def test_paths_that_cannot_be_opened(tmp_path: Path) -> None:
    assert refusal(tmp_path / "missing") == "cannot read FILE: no such file"
    assert refusal(tmp_path) == "cannot read FILE: it is a directory, name a capture in it"
    assert refusal(tmp_path / ("x" * 300)) == "cannot read FILE: file name too long"
    with pytest.raises(CaptureError, match="null byte"):
        open_capture("a\0b")


def test_a_file_without_permission(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(CONTENT)
    path.chmod(0)
    script = (
        "import os, sys\n"
        "from tcpladder.sources.files import open_capture\n"
        "from tcpladder.errors import TcpladderError\n"
        "if os.getuid() == 0:\n"
        "    os.setresuid(65534, 65534, 65534)\n"
        "try:\n"
        "    open_capture(sys.argv[1])\n"
        "except TcpladderError as error:\n"
        "    print(int(error.exit_code), error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True)
    refused = f"{int(ExitCode.NOT_PERMITTED)} cannot read {path}: permission denied, make it readable first\n"
    assert (done.stdout, done.stderr) == (refused, "")


def test_a_terminal_on_stdin() -> None:
    main, child = os.openpty()
    script = "from tcpladder.sources.files import open_capture\nopen_capture('-')"
    done = subprocess.run([sys.executable, "-c", script], stdin=child, capture_output=True, text=True)
    os.close(main)
    os.close(child)
    assert "cannot read -: it is a terminal, pipe a capture into it" in done.stderr


def test_nothing_is_left_open(tmp_path: Path) -> None:
    path = tmp_path / "trace.gz"
    path.write_bytes(gzip.compress(CONTENT, mtime=0))
    before = {link.name for link in Path("/proc/self/fd").iterdir()}
    for _ in range(3):
        capture = open_capture(str(path), keep=True)
        payloads(capture)
        capture.close()
        refusal(tmp_path)
    (tmp_path / "text").write_text("words")
    refusal(tmp_path / "text")
    assert {link.name for link in Path("/proc/self/fd").iterdir()} == before


def test_a_lying_length_allocates_nothing(tmp_path: Path) -> None:
    """A block of pcapng that claims 60 MiB of a file of 200 bytes."""
    script = (
        "import resource, sys\n"
        "from tcpladder.sources.files import open_capture\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "capture = open_capture(sys.argv[1])\n"
        "list(capture.batches())\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    path = tmp_path / "trace.pcapng"
    path.write_bytes(
        bytes.fromhex("0a0d0d0a1c0000004d3c2b1a01000000ffffffffffffffff1c000000")
        + b"\x06\0\0\0\0\0\xc0\x03"
        + bytes(200)
    )
    done = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 8 * 1024


def test_whole_captures_come_out_as_they_went_in(tmp_path: Path) -> None:
    path = tmp_path / "trace.pcap"
    path.write_bytes(CONTENT)
    assert read(path) == (FRAMES, [])
