"""A router sees every forwarded frame twice on `any`: shown once, marked, and counted once."""

from __future__ import annotations

import json
from pathlib import Path

from tcpladder.analysis.kinds import Kind
from tcpladder.session.files import FileSession

CAPTURE = Path(__file__).parent / "router_any.pcap"
"""Recorded with `tcpdump -i any` in the middle of three namespaces; tshark calls every second frame of it a
retransmission or a duplicate ACK."""


def _view() -> tuple[FileSession, int]:
    session = FileSession([str(CAPTURE)])
    for _ in session.read():
        pass
    return session, session.flow_count()


def test_each_segment_is_shown_once_and_marked() -> None:
    session, flows = _view()
    assert flows == 1
    view = session.view(1)
    labels = [view.label(index) for index in range(len(view.time_ns))]
    assert all(label.endswith(" ×2") for label in labels), labels
    assert session.status().frames == 2 * len(labels)


def test_copies_are_no_retransmissions_and_count_nowhere() -> None:
    session, _ = _view()
    summary = session.summary(1)
    assert summary.retransmissions == 0
    assert summary.segments == 22
    # Four times back and forth, 1000 to 4000 bytes, as the client that was recorded sent them.
    assert summary.bytes == 2 * (1000 + 2000 + 3000 + 4000)
    assert not {Kind.RETRANSMISSION, Kind.DUPLICATE_ACK} & {Kind(int(k)) for k in session.view(1).kind}


def test_json_lines_have_the_copies_too(capsys: object) -> None:
    from tcpladder import printing

    printing.show([str(CAPTURE)], flows=(), form="jsonl", ascii_only=False)
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]  # type: ignore[attr-defined]
    assert [record["frame"] for record in records] == list(range(1, 45))
    assert sum(record["kind"] == "copy" for record in records) == 22


def test_it_is_said(capsys: object) -> None:
    from tcpladder import printing

    printing.show([str(CAPTURE)], flows=(), form="text", ascii_only=False)
    assert "22 of 44 frames are copies" in capsys.readouterr().err  # type: ignore[attr-defined]
