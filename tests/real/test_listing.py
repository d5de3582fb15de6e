"""What tcpdump prints of a capture, read again, is what stands in the capture."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from tcpladder.sources.files import open_capture
from tcpladder.wire.decode import Decoder
from tcpladder.wire.frames import Unknown
from tcpladder.wire.segments import Flag, Segments, State

pytestmark = pytest.mark.real("tcpdump", root=False)

TRUTH = Path(__file__).parent.parent / "truth"
CAPTURES = sorted(path.name for path in TRUTH.glob("*.pcap*") if path.suffix in (".pcap", ".pcapng"))
EVERYWHERE = ["-n", "-n -v -S"]
SOMEWHERE = ["-n -S", "-n -tt", "-n -tttt", "-n -e", "-n -vv", "-n -ttt", "-n -ttttt", "-n -t", "-n -#", ""]
CASES = [(name, options) for name in CAPTURES for options in EVERYWHERE] + [
    (name, options)
    for name in CAPTURES
    if name.startswith(("a5_", "e1_", "i2_", "t1_"))
    for options in SOMEWHERE
]


def segments_of(path: Path) -> Segments:
    """All TCP segments of a file, as one batch."""
    capture = open_capture(str(path), chunk_bytes=64 << 20)
    (segments,) = [Decoder().decode(batch).segments for batch in capture.batches()]
    assert capture.warnings == []
    capture.close()
    return segments


@pytest.mark.parametrize(("name", "options"), CASES)
def test_a_listing_says_what_the_capture_says(tmp_path: Path, name: str, options: str) -> None:
    listing = tmp_path / "listing.txt"
    command = ["tcpdump", *options.split(), "-r", TRUTH / name]
    listing.write_bytes(subprocess.run(command, capture_output=True, check=True, timeout=100).stdout)
    there, here = segments_of(TRUTH / name), segments_of(listing)
    rows = np.flatnonzero(there.state == State.WHOLE)
    assert len(here) == len(rows)

    def same(column: str, unknown: int = 0) -> None:
        known = (here.unknown & unknown) == 0
        if unknown != Unknown.SEQ:
            assert known.all(), f"{column} unknown"
        np.testing.assert_array_equal(
            getattr(here, column)[known], getattr(there, column)[rows][known], column
        )

    same("flags")
    if name.startswith("p1_") and "-S" not in options:
        # It starts with an ACK whose sequence number tcpdump never prints: what counts from there stays relative.
        return
    same("ack", Unknown.ACK)
    same("seq", Unknown.SEQ)
    same("window", Unknown.WINDOW)
    same("length", Unknown.LENGTH)
    for column in ("tsval", "tsecr", "window_shift", "has_timestamps"):
        same(column)
    assert (here.seq == there.seq[rows])[here.length > 0].all()
    if "-vv" not in options:
        silent = (here.length == 0) & (here.flags & (Flag.SYN | Flag.FIN | Flag.RST) == 0)
        assert ((here.unknown & Unknown.SEQ != 0) == silent).all()
    assert [here.sack.get(row) for row in range(len(rows))] == [there.sack.get(row) for row in rows.tolist()]
    if "-t" in options.split():
        assert (here.unknown & Unknown.TIME != 0).all()
        return
    elapsed = here.time_ns - here.time_ns[0], (there.time_ns - there.time_ns[rows[0]])[rows]
    rounding_ns = 1000 * (len(rows) if "-ttt" in options.split() else 2)
    assert np.abs(elapsed[0] - elapsed[1]).max() <= rounding_ns
    if "-tt" in options.split():
        assert abs(int(here.time_ns[0]) - int(there.time_ns[rows[0]])) < 1000
