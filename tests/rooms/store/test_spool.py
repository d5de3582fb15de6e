"""The spool: what was appended last comes back, what is gone says so, and nothing stays on the disk."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcpladder.store.anonymous import anonymous_file
from tcpladder.store.spool import Spool


@given(limit=st.integers(1, 60), parts=st.lists(st.binary(max_size=80), max_size=12), data=st.data())
@settings(deadline=None, max_examples=200)
def test_reads_are_what_was_appended_or_none(limit: int, parts: list[bytes], data: st.DataObject) -> None:
    spool = Spool(limit)
    everything = b""
    for part in parts:
        assert spool.append(memoryview(part)) == len(everything)
        everything += part
    assert spool.end == len(everything)
    assert spool.oldest == max(0, len(everything) - limit)
    begin = data.draw(st.integers(0, len(everything)))
    size = data.draw(st.integers(0, len(everything) - begin + 3))
    expected = everything[begin : begin + size]
    known = begin >= spool.oldest and begin + size <= len(everything)
    assert spool.read(begin, size) == (expected if known else None)
    spool.close()


def test_an_array_is_appended_as_its_bytes() -> None:
    spool = Spool(1000)
    spool.append(np.arange(10, dtype=np.uint8)[2:])
    assert spool.read(1, 3) == b"\3\4\5"
    spool.close()


def test_one_write_a_batch(tmp_path: Path) -> None:
    script = (
        "from tcpladder.store.spool import Spool\n"
        "spool = Spool(1 << 30)\n"
        "before = int(open('/proc/self/io').read().split('syscw: ')[1].split()[0])\n"
        "for _ in range(10):\n"
        "    spool.append(memoryview(bytes(1 << 20)))\n"
        "print(int(open('/proc/self/io').read().split('syscw: ')[1].split()[0]) - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert int(done.stdout) == 10


LIMITED = """
import resource, signal
from tcpladder.store.spool import Spool
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
spool = Spool(1000)
resource.setrlimit(resource.RLIMIT_FSIZE, (600, 600))
for number in range(9):
    spool.append(memoryview(bytes([number]) * 100))
print([None if (part := spool.read(number * 100, 100)) is None else part[0] for number in range(9)])
for number in range(9, 14):
    spool.append(memoryview(bytes([number]) * 100))
print([None if (part := spool.read(number * 100, 100)) is None else part[0] for number in range(14)])
print(spool.warnings)
"""


def test_a_full_disk_is_one_warning_and_capture_goes_on() -> None:
    """A limit on the file's size stands for the disk: the write fails half way through the ring."""
    done = subprocess.run([sys.executable, "-c", LIMITED], capture_output=True, text=True, check=True)
    first, second, warnings = done.stdout.splitlines()
    assert first == "[0, 1, 2, 3, 4, 5, None, None, None]"
    assert second == "[None, None, None, None, 4, 5, None, None, None, None, 10, 11, 12, 13]"
    assert warnings == (
        "['cannot keep captured bytes on disk (file too large): some frames cannot be looked into or saved']"
    )


STALE = """
import resource, signal
from tcpladder.store.spool import Spool
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
spool = Spool(1000)
for number in range(20):
    if number == 10:
        resource.setrlimit(resource.RLIMIT_FSIZE, (600, 600))
    spool.append(memoryview(bytes([number]) * 100))
print([None if (part := spool.read(number * 100, 100)) is None else part[0] for number in range(10, 20)])
"""


def test_what_could_not_be_overwritten_is_not_taken_for_new() -> None:
    done = subprocess.run([sys.executable, "-c", STALE], capture_output=True, text=True, check=True)
    assert done.stdout == "[10, 11, 12, 13, 14, 15, None, None, None, None]\n"


def test_nothing_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    spool = Spool(1000)
    spool.append(memoryview(b"secret"))
    assert list(tmp_path.rglob("*")) == []
    target = str(Path(f"/proc/self/fd/{spool._descriptor}").readlink())
    assert target.startswith(str(tmp_path))
    assert target.endswith("(deleted)")
    spool.close()


def test_an_empty_home_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    descriptor = anonymous_file()
    os.write(descriptor, b"works")
    assert os.pread(descriptor, 5, 0) == b"works"
    os.close(descriptor)
    assert list(tmp_path.iterdir()) == []


def test_a_spool_needs_room() -> None:
    with pytest.raises(ValueError, match="needs room, not 0 bytes"):
        Spool(0)


def test_memory_does_not_grow_with_what_is_spooled() -> None:
    spool = Spool(8 << 20)
    block = memoryview(bytes(1 << 20))
    spool.append(block)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(64):
        spool.append(block)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 4096
    assert os.fstat(spool._descriptor).st_size == 8 << 20
    spool.close()
