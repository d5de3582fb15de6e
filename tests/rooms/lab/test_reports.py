"""Reading a peer's report from a pipe: never waits, takes lines in pieces, skips what is no report."""

from __future__ import annotations

import os

from tcpladder.lab.reports import ReportPipe

LINE = (
    b'{"event": "ended", "time_ns": 5, "monotonic_ns": 7, "call": "recv()", "error": null, "after_s": 1.5}\n'
)


def test_nothing_said_yet_is_nothing() -> None:
    reader, writer = os.pipe()
    pipe = ReportPipe(reader)
    assert list(pipe.read()) == []
    assert not pipe.ended
    os.close(writer)
    assert list(pipe.read()) == []
    assert pipe.ended


def test_a_line_in_pieces_and_what_is_no_report() -> None:
    reader, writer = os.pipe()
    pipe = ReportPipe(reader)
    os.write(writer, b'nonsense\n[1]\n{"event": "no time"}\n' + LINE[:20])
    assert list(pipe.read()) == []
    os.write(writer, LINE[20:])
    (report,) = pipe.read()
    assert (report.event, report.time_ns, report.call, report.error, report.after_s) == (
        "ended",
        5,
        "recv()",
        None,
        1.5,
    )
    os.close(writer)
    pipe.close()


def test_what_was_said_before_the_end_is_read_with_it() -> None:
    reader, writer = os.pipe()
    os.write(writer, LINE)
    os.close(writer)
    pipe = ReportPipe(reader)
    assert [report.call for report in pipe.read()] == ["recv()"]
    assert pipe.ended
