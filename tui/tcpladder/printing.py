"""The front end without a screen: ladders, lists and JSON lines on stdout, talk on stderr."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from datetime import datetime, tzinfo
from types import FrameType
from typing import TYPE_CHECKING

from tcpladder.analysis import flow_filter
from tcpladder.analysis.capture import CaptureAnalysis
from tcpladder.analysis.expected import Given
from tcpladder.errors import UsageError
from tcpladder.ladder import words
from tcpladder.ladder.ladder import Ladder
from tcpladder.ladder.merged import timeline_of
from tcpladder.render.ansi import coloured
from tcpladder.render.grid import plain
from tcpladder.render.jsonl import copy_record, ends, flow_record, segment_record
from tcpladder.render.layout import Layout
from tcpladder.render.text import Paint, flows_table, ladder_text, remark_text, row_texts
from tcpladder.session.files import FileSession
from tcpladder.session.status import SessionStatus

if TYPE_CHECKING:
    from tcpladder.analysis.flow_view import Findings
    from tcpladder.ladder.model import Note
    from tcpladder.session.live import LiveSession

PAGE_COLUMNS = 80
WIDEST = 200
STREAM_LOOK_S = 0.2
OTHERS_NAMED = 5


def show(
    files: Sequence[str],
    *,
    flows: Sequence[int],
    form: str,
    ascii_only: bool,
    fold: bool = False,
    given: Given | None = None,
) -> None:
    """Print the ladders of captures, or one JSON object a segment in file order.

    With `fold` exchanges that repeat are one row.
    """
    session = FileSession(files, given=given)
    first = 1
    for capture in session.read():
        numbers = range(first, first + capture.flows)
        first += capture.flows
        wanted = [number for number in numbers if number in flows] if flows else numbers
        if form == "jsonl":
            _print_records(capture, numbers, wanted)
        else:
            for number in wanted:
                print_ladder(
                    [session.view(number)],
                    session.notes(number),
                    ascii_only=ascii_only,
                    now_ns=session.now_ns(),
                    fold=fold,
                )
    _finish(session)
    _refuse_missing(flows, first - 1, files)


def show_together(
    files: Sequence[str],
    *,
    flows: Sequence[int],
    ascii_only: bool,
    fold: bool = False,
    given: Given | None = None,
) -> None:
    """Print flows of captures on one ladder, a lane for each host; without numbers all of them."""
    from tcpladder.session.exportable import notes_of  # a list needs none of it

    session = FileSession(files, given=given)
    for _ in session.read():
        pass
    count = session.flow_count()
    _refuse_missing(flows, count, files)
    numbers = sorted(flows) or range(1, count + 1)
    if numbers:
        views = [session.view(number) for number in numbers]
        notes = notes_of(session, numbers)
        print_ladder(views, notes, ascii_only=ascii_only, now_ns=session.now_ns(), fold=fold)
    _finish(session)


def _refuse_missing(flows: Sequence[int], count: int, files: Sequence[str]) -> None:
    """Raise UsageError for a flow that is not there."""
    missing = [number for number in flows if number > count]
    if missing:
        raise UsageError(f"there is no flow {missing[0]}: {', '.join(files)} has {count}")


def flows(files: Sequence[str], *, form: str, words: str = "", ascii_only: bool) -> None:
    """Print the list of the flows that pass a filter."""
    wanted = flow_filter.parse(words)
    session = FileSession(files, keep_segments=False)
    for _ in session.read():
        pass
    every = (session.summary(number) for number in range(1, session.flow_count() + 1))
    summaries = (summary for summary in every if wanted.passes(summary))
    if form == "jsonl":
        for summary in summaries:
            _line(json.dumps(flow_record(summary), ensure_ascii=False))
    else:
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        for line in flows_table(summaries, width=width, ascii_only=_ascii(ascii_only), paint=_paint()):
            _line(line)
    _finish(session)


def print_ladder(
    views: Sequence[Findings],
    notes: Sequence[Note],
    *,
    ascii_only: bool,
    now_ns: int | None,
    fold: bool = False,
) -> None:
    """Print the ladder of one flow, or of several, and an empty line."""
    from tcpladder.ladder.diagram import remarks_of_all  # a list needs none of it

    ladder = Ladder(timeline_of(views), notes, fold=fold)
    text = ladder_text(
        ladder,
        width=_columns(),
        ascii_only=_ascii(ascii_only),
        timezone=_timezone(),
        now_ns=now_ns,
        paint=_paint(),
    )
    for line in text:
        _line(line)
    for word, sentence in remarks_of_all(views, now_ns):
        if word.endswith(("now", "end")):
            continue  # the ladder has said it
        for line in remark_text(
            word, sentence, width=_columns(), ascii_only=_ascii(ascii_only), paint=_paint()
        ):
            _line(line)
    _line("")


def follow(files: Sequence[str], *, form: str, ascii_only: bool, given: Given | None = None) -> None:
    """Print the segments of a capture that is still being written, until the user interrupts."""
    stream(FileSession(files, follow=True, given=given), form=form, ascii_only=ascii_only)


def stream(session: LiveSession | FileSession, *, form: str, ascii_only: bool) -> None:
    """Print what a live session sees as it comes, until it ends or the user interrupts."""
    stopped = False

    def stop(_signal: int, _frame: FrameType | None) -> None:
        nonlocal stopped
        stopped = True

    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, stop)
    printer = _StreamPrinter(session, form, ascii_only=ascii_only)
    try:
        while not stopped and not session.finished:
            session.look(STREAM_LOOK_S)
            printer.print_new()
    finally:
        printer.print_new()
        session.close()
        printer.say_totals()


class _StreamPrinter:
    """Prints each segment once, in the order of the capture; text with the ladder's columns and a heading a flow."""

    def __init__(self, session: LiveSession | FileSession, form: str, *, ascii_only: bool) -> None:
        self._session, self._form = session, form
        self._layout = Layout(width=_columns(), ascii=_ascii(ascii_only), timezone=_timezone())
        self._paint = _paint()
        self._row = 0
        self._ladders: dict[int, Ladder] = {}
        self._printed: dict[int, int] = {}
        self._heading = 0
        self._notes = 0
        self._warned = 0
        self._notice = ""

    def print_new(self) -> None:
        """Print the segments that came since the last call, and in text the notes."""
        capture = self._session.capture
        records = []
        fresh_flows = capture.flows_since(self._row)
        if self._form == "text" and self._session.note_count != self._notes:
            self._notes = self._session.note_count
            fresh_flows = sorted({*fresh_flows, *self._ladders})
        for number in fresh_flows:
            view = self._session.view(number)
            if self._form == "text":
                self._print_rows(number, view)
            else:
                fresh = range(self._printed.get(number, 0), len(view.time_ns))
                records += [(view.frame(index), number, index, view) for index in fresh]
                self._printed[number] = fresh.stop
        self._row = capture.segments
        for _, number, index, view in sorted(records, key=lambda record: record[0]):
            _line(json.dumps(segment_record(view, index, number), ensure_ascii=False))
        warnings = self._session.status().warnings
        for sentence in warnings[self._warned :]:
            _say(sentence)
        self._warned = len(warnings)
        notice = self._session.status().notice
        if notice != self._notice and self._session.mode == "live":
            self._notice = notice
            _say(notice)
        sys.stdout.flush()

    def _print_rows(self, number: int, view: Findings) -> None:
        notes = self._session.notes(number)
        ladder = self._ladders.get(number)
        if ladder is None:
            ladder = self._ladders[number] = Ladder(view, notes)
        else:
            ladder.refresh(notes)
        if self._heading != number and len(ladder) > self._printed.get(number, 0):
            summary = view.summary
            _line(f"flow {number}  {summary.client} → {summary.server}  {summary.state}")
            self._heading = number
        for line in row_texts(ladder, self._layout, start=self._printed.get(number, 0), paint=self._paint):
            _line(line)
        self._printed[number] = len(ladder)

    def say_totals(self) -> None:
        """What was seen and what the kernel lost, on stderr."""
        status = self._session.status()
        flows = "1 flow" if status.flows == 1 else f"{status.flows} flows"
        _say(
            f"{status.frames} frames, {status.segments} segments in {flows}, "
            f"{status.kernel_drops} dropped by the kernel"
        )


def interfaces(every_s: float) -> None:
    """Print the interfaces and what each carries, measured over `every_s` seconds."""
    from tcpladder.agent.interfaces import list_interfaces

    before = {state.index: state for state in list_interfaces()}
    time.sleep(every_s)
    rows = [("name", "state", "received/s", "sent/s", "addresses")]
    for state in list_interfaces():
        old = before.get(state.index, state)
        received = (state.received_bytes - old.received_bytes) / every_s
        sent = (state.sent_bytes - old.sent_bytes) / every_s
        rows.append((state.name, state.state, _rate(received), _rate(sent), " ".join(state.addresses)))
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    for row in rows:
        cells = [row[0].ljust(widths[0]), row[1].ljust(widths[1])]
        cells += [row[2].rjust(widths[2]), row[3].rjust(widths[3]), row[4]]
        _line("  ".join(cells).rstrip())


def _print_records(capture: CaptureAnalysis, numbers: range, wanted: Sequence[int]) -> None:
    """One JSON object a segment, in file order."""
    views = list(capture.all_views())
    only = set(wanted)
    named = [ends(view) for view in views]
    for local, index, copy in capture.in_file_order():
        number = numbers[local - 1]
        if number not in only:
            continue
        record = segment_record(views[local - 1], index, number, named[local - 1])
        if copy is not None:
            log = capture.log
            record = copy_record(record, frame=log.value("frame", copy), time_ns=log.value("time_ns", copy))
        _line(json.dumps(record, ensure_ascii=False))


def _finish(session: FileSession) -> None:
    """Say what was wrong; nothing on stdout hides it."""
    sys.stdout.flush()
    status = session.status()
    for sentence in status.warnings:
        _say(sentence)
    if status.through_scapy:
        came = (
            "frame came through tunnels and was"
            if status.through_scapy == 1
            else "frames came through tunnels and were"
        )
        _say(f"{words.count(status.through_scapy)} {came} read by scapy, which is slower")
    if status.copies:
        counted = f"{words.count(status.copies)} of {words.count(status.frames)} frames are copies"
        _say(f"{counted} (interface `any`, a mirror, merged captures): shown once, marked ×2")
    if not status.frames:
        _say(f"{status.name} has no frames")
    elif not status.segments:
        _say(f"{status.name} has {words.count(status.frames)} frames, none of them TCP{_others(status)}")
    elif status.not_tcp:
        _say(
            f"{words.count(status.not_tcp)} of {words.count(status.frames)} frames are not TCP{_others(status)}"
        )
    session.close()


def _others(status: SessionStatus) -> str:
    """`: 2 ARP, 1 UDP`, most first."""
    parts = [f"{words.count(count)} {what}" for what, count in status.others[:OTHERS_NAMED]]
    rest = sum(count for _, count in status.others[OTHERS_NAMED:])
    if rest:
        parts.append(f"{words.count(rest)} other")
    return ": " + ", ".join(parts) if parts else ""


def _rate(bytes_per_s: float) -> str:
    for unit in ("B", "kB", "MB"):
        if bytes_per_s < 1000:
            return f"{bytes_per_s:.0f} {unit}" if unit == "B" else f"{bytes_per_s:.1f} {unit}"
        bytes_per_s /= 1000
    return f"{bytes_per_s:.1f} GB"


def _columns() -> int:
    if not sys.stdout.isatty():
        return PAGE_COLUMNS
    return max(40, min(WIDEST, shutil.get_terminal_size().columns))


def _paint() -> Paint:
    """Colour on a terminal, unless NO_COLOR says otherwise (no-color.org)."""
    return coloured if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else plain


def _ascii(asked: bool) -> bool:
    """ASCII where the user asks for it or stdout cannot say more."""
    encoding = (sys.stdout.encoding or "ascii").lower().replace("-", "")
    return asked or not encoding.startswith("utf")


def _timezone() -> tzinfo:
    timezone = datetime.now().astimezone().tzinfo
    assert timezone is not None
    return timezone


def _line(text: str) -> None:
    sys.stdout.write(text + "\n")


def _say(sentence: str) -> None:
    sys.stdout.flush()
    sys.stderr.write(f"tcpladder: {sentence}\n")
