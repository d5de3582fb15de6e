"""`show --follow` beside a writer: segments come as they are written, and an interrupt ends it cleanly."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.real(root=False)

TRUTH = Path(__file__).parent.parent / "truth"


@pytest.mark.parametrize("through", ["file", "pipe"])
def test_segments_are_printed_while_they_are_written(tmp_path: Path, through: str) -> None:
    content = (TRUTH / "a1_ka_client_3_1_3.pcap").read_bytes()
    path = tmp_path / "growing.pcap"
    path.write_bytes(b"")
    name = "-" if through == "pipe" else str(path)
    command = [sys.executable, "-m", "tcpladder", "show", "--follow", "--format", "jsonl", name]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stdin is not None
    assert child.stdout is not None
    with path.open("ab", buffering=0) if through == "file" else child.stdin as out:
        out.write(content[:200])
        out.flush()
        assert b'"kind": "syn"' in child.stdout.readline()
        out.write(content[200:])
        out.flush()
        rest = [child.stdout.readline() for _ in range(16)]
    assert b'"frame": 17' in rest[-1]
    if through == "file":
        child.send_signal(signal.SIGINT)
        child.stdin.close()
    child.stdin = None
    printed, talk = child.communicate(timeout=20)
    assert (printed, child.returncode) == (b"", 0)
    assert talk.startswith(b"tcpladder: 17 frames, 17 segments in 1 flow")
    assert talk.count(b"\n") == 1
