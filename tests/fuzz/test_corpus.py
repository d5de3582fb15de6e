"""Bad input: what fuzzing has reached and found, and real captures damaged: read without an exception, in bounds."""

from __future__ import annotations

import random
import subprocess
import sys
import time
import tracemalloc
import zlib
from pathlib import Path

import pytest

from fuzz.reading import HARNESSES, read_capture

HERE = Path(__file__).parent
CORPUS = HERE / "corpus"
TRUTH = HERE.parent / "truth"
LISTINGS = HERE.parent / "rooms" / "sources" / "listings"
SMALL_BYTES = 4000
SOURCES = sorted(
    path
    for path in (*TRUTH.iterdir(), *LISTINGS.iterdir())
    if path.suffix in {".pcap", ".pcapng", ".txt"} and path.stat().st_size < SMALL_BYTES
)
LONGEST_S = 5.0
"""For one input; the slowest takes a fifth of a second on an idle machine."""
MOST_BYTES = 48 << 20
"""Python's and numpy's memory for one damaged capture of a few kilobytes."""
MUTANTS = 25


def flip(data: bytearray, chance: random.Random) -> bytearray:
    for _ in range(chance.choice((1, 3, 20))):
        data[chance.randrange(len(data))] = chance.choice((0, 0x7F, 0x80, 0xFF, chance.randrange(256)))
    return data


def cut(data: bytearray, chance: random.Random) -> bytearray:
    begin = chance.randrange(len(data))
    del data[begin : begin + chance.choice((1, 4, 100, len(data)))]
    return data


def repeat(data: bytearray, chance: random.Random) -> bytearray:
    begin = chance.randrange(len(data))
    piece = data[begin : begin + chance.randrange(1, 200)]
    data[begin:begin] = piece * chance.choice((1, 2, 8))
    return data


def splice(data: bytearray, chance: random.Random) -> bytearray:
    other = chance.choice(SOURCES).read_bytes()
    at = chance.randrange(len(other))
    begin = chance.randrange(len(data))
    data[begin : begin + chance.choice((0, 100))] = other[at : at + chance.randrange(1, 1500)]
    return data


def damaged(path: Path, seed: int) -> bytes:
    """A capture after one to three accidents; the same for the same seed everywhere."""
    chance = random.Random(zlib.crc32(path.name.encode()) + seed)
    data = bytearray(path.read_bytes())
    for _ in range(chance.randint(1, 3)):
        if data:
            data = chance.choice((flip, cut, repeat, splice))(data, chance)
    return bytes(data)


@pytest.mark.parametrize("harness", HARNESSES)
@pytest.mark.filterwarnings("error")
def test_the_corpus(harness: str) -> None:
    inputs = sorted((CORPUS / harness).iterdir())
    assert inputs
    for path in inputs:
        began = time.perf_counter()
        try:
            HARNESSES[harness](path.read_bytes())
        except Exception as error:
            raise AssertionError(f"{harness}/{path.name}") from error
        assert time.perf_counter() - began < LONGEST_S, path.name


def test_the_corpus_stays_small() -> None:
    files = [path for path in CORPUS.rglob("*") if path.is_file()]
    assert len(files) <= 200
    assert sum(path.stat().st_size for path in files) <= 1 << 20


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_a_damaged_capture(path: Path) -> None:
    for seed in range(MUTANTS):
        data = damaged(path, seed)
        began = time.perf_counter()
        try:
            read_capture(data)
        except Exception as error:
            raise AssertionError(f"{path.name}, seed {seed}") from error
        assert time.perf_counter() - began < LONGEST_S, f"{path.name}, seed {seed}"


@pytest.mark.parametrize("path", SOURCES[::4], ids=lambda path: path.name)
def test_damage_allocates_little(path: Path) -> None:
    read_capture(path.read_bytes())
    tracemalloc.start()
    try:
        for seed in range(MUTANTS, MUTANTS + 5):
            read_capture(damaged(path, seed))
        assert tracemalloc.get_traced_memory()[1] < MOST_BYTES
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("path", SOURCES[::6], ids=lambda path: path.name)
def test_show_says_a_sentence(path: Path, tmp_path: Path) -> None:
    capture = tmp_path / "capture"
    capture.write_bytes(damaged(path, MUTANTS + 5))
    command = [sys.executable, "-m", "tcpladder", "show", str(capture)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode in (0, 3)
    assert "Traceback" not in done.stderr
    if done.returncode == 3:
        assert done.stderr.startswith(("tcpladder: ", "Error: "))
        assert len(done.stderr.splitlines()) == 1
