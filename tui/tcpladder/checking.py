"""The front end of `check`: a table or JSON lines of the timers that did not keep their schedule."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from tcpladder.analysis.check import NEVER_CAME, READ, Deviation, Tolerance, must_hold
from tcpladder.analysis.check import check as check_flow
from tcpladder.analysis.expected import Given
from tcpladder.analysis.view import Side
from tcpladder.analysis.wait import Schedule
from tcpladder.errors import CaptureError, UsageError
from tcpladder.ladder import words
from tcpladder.session.files import FileSession

_TOLERANCE = re.compile(r"(\d+(?:\.\d+)?)(%|us|ms|s)")
_UNITS_NS = {"us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}
_NAMES = {Side.CLIENT: "client", Side.SERVER: "server"}
_HEADINGS = ("flow", "frame", "end", "timer", "expected", "observed", "deviation")


@dataclass(slots=True)
class _Totals:
    kept: int = 0
    unknown: int = 0
    broken: int = 0


def check(files: Sequence[str], *, given: Given, tolerance: str | None, form: str) -> bool:
    """Print the timers that did not keep the schedule given, and say how many did; returns whether all did.

    Raises CaptureError where there is nothing to judge.
    """
    held = must_hold(given, None if tolerance is None else tolerance_of(tolerance))
    session = FileSession(files, columns=READ, given=given)
    totals = _Totals()
    rows: list[tuple[str, ...]] = [] if form == "jsonl" else [_HEADINGS]
    for capture in session.read():
        delayed, quiet = held.judges(Schedule.DELAYED_ACK), held.of_quiet_flows
        for flow in capture.all_waits(delayed=delayed, quiet=quiet):
            checked = check_flow(flow, held, capture.last_ns)
            totals.kept += checked.kept
            totals.unknown += checked.unknown
            totals.broken += len(checked.deviations)
            for deviation in checked.deviations:
                if form == "jsonl":
                    _line(json.dumps(_record(deviation), ensure_ascii=False))
                else:
                    rows.append(_row(deviation))
    if len(rows) > 1:
        _print_table(rows)
    _finish(session, totals)
    return not totals.broken


def tolerance_of(text: str) -> Tolerance:
    """`5%`, `20ms`, or both with a plus between them."""
    per_mille = length_ns = 0
    for part in text.split("+"):
        match = _TOLERANCE.fullmatch(part.strip())
        if match is None:
            raise UsageError(f"--tolerance {text}: give a share or a time, such as 5% or 20ms, not {part!r}")
        number, unit = match.groups()
        if unit == "%":
            per_mille = round(float(number) * 10)
        else:
            length_ns = round(float(number) * _UNITS_NS[unit])
    return Tolerance(per_mille, length_ns)


def _finish(session: FileSession, totals: _Totals) -> None:
    sys.stdout.flush()
    status = session.status()
    for sentence in status.warnings:
        _say(sentence)
    session.close()
    if not status.segments:
        raise CaptureError(f"cannot check {status.name}: it has no TCP segments")
    waits = "1 timer" if totals.kept == 1 else f"{totals.kept} timers"
    said = f"{waits} kept {'its' if totals.kept == 1 else 'their'} schedule"
    if totals.broken:
        said += f", {totals.broken} did not"
    if totals.unknown:
        said += f", {totals.unknown} cannot be judged by the values given"
    if not totals.kept and not totals.broken:
        said = f"no timer that was given fired in {status.name}"
    _say(said)


def _row(deviation: Deviation) -> tuple[str, ...]:
    expected, observed, off = deviation.expected_ns, deviation.observed_ns, deviation.because
    seen = "–" if observed is None else words.duration(observed)
    if off == NEVER_CAME:
        seen = f"> {seen}"
    elif expected is not None and observed is not None:
        off = f"{off} by {words.duration(abs(observed - expected))}"
    return (
        str(deviation.flow),
        str(deviation.frame),
        _NAMES[deviation.side],
        deviation.name,
        "–" if expected is None else words.duration(expected),
        seen,
        off,
    )


def _record(deviation: Deviation) -> dict[str, str | int | None]:
    expected, observed = deviation.expected_ns, deviation.observed_ns
    never = deviation.because == NEVER_CAME
    return {
        "record": "deviation",
        "file": deviation.file,
        "flow": deviation.flow,
        "frame": deviation.frame,
        "end": _NAMES[deviation.side],
        "timer": str(deviation.timer),
        "name": deviation.name,
        "expected_ns": expected,
        "observed_ns": observed,
        "deviation_ns": None if expected is None or observed is None or never else observed - expected,
        "because": deviation.because,
    }


def _print_table(rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    for row in rows:
        cells = [
            cell.rjust(width) if column in (0, 1, 4, 5) else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        _line("  ".join(cells).rstrip())


def _line(text: str) -> None:
    sys.stdout.write(text + "\n")


def _say(sentence: str) -> None:
    sys.stderr.write(f"tcpladder: {sentence}\n")
