"""Memory that is freed and taken again: the kernel need not clear its pages anew."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

ROUNDS = 20
PAGES = 2048
FAULTS = f"""
import resource, sys
from tcpladder.session.memory import keep_freed_memory

if sys.argv[1] == "kept":
    keep_freed_memory()
size = {PAGES} * resource.getpagesize()
bytearray(size)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range({ROUNDS}):
    memory = bytearray(size)
    memory[:] = b"x" * size
    del memory
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how: str) -> int:
    """Minor page faults of a process that takes and frees the same amount again and again."""
    done = subprocess.run([sys.executable, "-c", FAULTS, how], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="mallopt is of glibc")
def test_freed_memory_is_taken_again_without_the_kernel() -> None:
    assert faults("kept") < 3 * PAGES
    assert faults("given back") > ROUNDS * PAGES / 2, (
        "else there is nothing that keep_freed_memory() is good for"
    )
