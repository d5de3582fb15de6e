"""Files as Wireshark's programs write them, read as tshark reads them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tcpladder.sources.files import open_capture

pytestmark = pytest.mark.real("tshark", "editcap", root=False)

CAPTURE = Path(__file__).parent.parent / "truth" / "o1_bulk_20MB_keepalive.pcap"


def by_tshark(path: Path) -> list[tuple[int, int, int]]:
    """(time in ns, captured, original) of every frame."""
    fields = ["frame.time_epoch", "frame.cap_len", "frame.len"]
    command = ["tshark", "-n", "-r", path, "-T", "fields", *(a for f in fields for a in ("-e", f))]
    out = subprocess.run(command, capture_output=True, text=True, check=True, timeout=100).stdout
    rows = []
    for line in out.splitlines():
        time, captured, original = line.split("\t")
        seconds, fraction = time.split(".")
        rows.append((int(seconds) * 10**9 + int(fraction.ljust(9, "0")[:9]), int(captured), int(original)))
    return rows


def by_us(path: Path) -> list[tuple[int, int, int]]:
    capture = open_capture(str(path))
    rows: list[tuple[int, int, int]] = []
    for batch in capture.batches():
        columns = (batch.time_ns.tolist(), batch.captured.tolist(), batch.original.tolist())
        rows += zip(*columns, strict=True)
    capture.close()
    assert capture.warnings == []
    return rows


@pytest.mark.parametrize("form", ["snoop", "pcapng", "nsecpcap", "modpcap"])
def test_formats_of_editcap(tmp_path: Path, form: str) -> None:
    path = tmp_path / "converted"
    subprocess.run(["editcap", "-F", form, CAPTURE, path], check=True, timeout=100)
    rows = by_us(path)
    assert len(rows) > 100
    assert rows == by_tshark(path)
