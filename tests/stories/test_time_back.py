"""A clock that was set back while the capture ran: the segments keep file order, and the rung says it."""

from __future__ import annotations

import struct
from pathlib import Path

from tcpladder.analysis.kinds import KINDS, Kind
from tcpladder.ladder.ladder import Ladder
from tcpladder.render.text import ladder_text
from tcpladder.session.files import FileSession

CAPTURE = Path(__file__).parent.parent / "truth" / "a1_ka_client_3_1_3.pcap"


def set_back(frames: set[int], seconds: int) -> bytes:
    """The capture with some frames (from 1) that much earlier."""
    data = bytearray(CAPTURE.read_bytes())
    offset, number = 24, 0
    while offset + 16 <= len(data):
        number += 1
        time_s, _, captured = struct.unpack_from("<3I", data, offset)
        if number in frames:
            struct.pack_into("<I", data, offset, time_s - seconds)
        offset += 16 + captured
    return bytes(data)


def test_time_that_runs_backwards_is_shown_in_file_order_and_marked(tmp_path: Path) -> None:
    capture = tmp_path / "set_back.pcap"
    capture.write_bytes(set_back({9, 10}, 5))
    session = FileSession([str(capture)])
    for _ in session.read():
        pass
    view = session.view(1)
    assert [view.frame(index) for index in range(len(view.time_ns))] == list(range(1, 18))
    marked = [line for line in ladder_text(Ladder(view)) if line.endswith("time back")]
    assert len(marked) == 1
    assert "−4.999 s" in marked[0]
    assert "keepalive ACK" in marked[0]
    assert KINDS[Kind(int(view.kind[8]))].word == "keepalive_ack"
