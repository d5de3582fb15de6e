"""What an experiment came to: expected beside observed, the calls like strace, the sockets at each step. Pure."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from textwrap import wrap

from tcpladder.lab.experiment import Event, Role, Wait
from tcpladder.lab.lateness import on_time
from tcpladder.lab.order import placed
from tcpladder.lab.reports import Report
from tcpladder.lab.run import ExperimentRun
from tcpladder.lab.socket_lines import socket_line
from tcpladder.lab.telling import end_in_words, what_a_step_does

_SHOWN = ("connected", "shutdown", "closed", "failed", "ended")
_CALLS = {
    "connected": "connect()",
    "accepted": "accept()",
    "closed": "close()",
    "sent": "send()",
    "received": "recv()",
}
_LONG_S = 0.5
_GIVES_UP = "ETIMEDOUT"
_BETWEEN = 10
"""Columns of a row of the table that are no text: blanks, and the verdict."""
_ENDS = {Event.CLIENT_ENDED: Role.CLIENT, Event.SERVER_ENDED: Role.SERVER}


@dataclass(frozen=True, slots=True)
class Compared:
    """One line of the comparison."""

    what: str
    expected: str
    observed: str
    held: bool


def compared(run: ExperimentRun) -> Iterator[Compared]:
    """Numbers of segments, the gaps of the timers, how the flow ended, and what the applications had to see."""
    observed, required = run.observed, run.required
    for one in required.expected:
        count = observed.count(one.segments)
        wanted = f"{one.count} or more" if one.or_more else str(one.count)
        yield Compared(str(one.segments), wanted, str(count), one.holds(count))
    for (_, before), (rung, seen) in pairwise(placed(required.order, observed.order)):
        if before and seen and rung and rung.after_s is not None:
            gap_ns = seen.time_ns - before.time_ns
            held = on_time(gap_ns, rung.after_s)
            yield Compared(f"gap before {rung.kind}", f"{rung.after_s:g} s", f"{gap_ns / 1e9:.3f} s", held)
    if observed.tells_end:
        wanted, ended = end_in_words(required.ended), end_in_words(observed.ended)
        yield Compared("end of the flow", wanted, ended, held=required.ended == observed.ended)
    calls_awaited = [step for step in required.steps if isinstance(step, Wait) and step.call]
    givers = [_role(step) for step in calls_awaited if step.error == _GIVES_UP]
    if givers:
        gave_up = [role for role in Role if any(one.error == _GIVES_UP for one in run.reports[role])]
        wanted, found = (", ".join(roles) or "nobody" for roles in (givers, gave_up))
        yield Compared("given up by", wanted, found, held=givers == gave_up)
    for step in calls_awaited:
        yield _call_compared(run, step)


def _role(step: Wait) -> Role:
    return step.role or _ENDS[step.event]


def _call_compared(run: ExperimentRun, step: Wait) -> Compared:
    role = _role(step)
    event = "failed" if step.event is Event.FAILED else "ended"
    report = next((one for one in reversed(run.reports[role]) if one.event == event), None)
    wanted = step.error or "returns"
    if step.took_s is not None:
        wanted += f" after {step.took_s:g} s"
    if report is None:
        return Compared(f"{role}: {step.call}", wanted, "still waits", held=False)
    seen = f"{report.error or 'returns'} after {report.after_s:.1f} s"
    held = (report.call, report.error or "") == (step.call, step.error)
    held = held and (step.took_s is None or on_time(round(report.after_s * 1e9), step.took_s))
    return Compared(f"{role}: {report.call}", wanted, seen, held)


def calls(run: ExperimentRun) -> Iterator[tuple[Role, Report]]:
    """What the applications saw, in order of time; reads and writes that were quick are left out."""
    told = [(report.time_ns, role, report) for role in Role for report in run.reports[role]]
    for _, role, report in sorted(told, key=lambda one: one[0]):
        if report.event in _SHOWN or report.after_s >= _LONG_S:
            yield role, report


def call_text(report: Report) -> str:
    """As `strace -T` prints it: `recv() = -1 ETIMEDOUT (Connection timed out) <6.123>`."""
    name = report.call or _CALLS.get(report.event, report.event)
    number = getattr(errno, report.error, 0) if report.error else 0
    if report.error:
        result = f"-1 {report.error} ({os.strerror(number)})" if number else f"-1 {report.error}"
    else:
        result = str(report.bytes)
    return f"{name} = {result} <{report.after_s:.3f}>"


def ending_lines(run: ExperimentRun, *, width: int) -> Iterator[str]:
    """All of it as text, each line at most so wide where words allow it."""
    rows = list(compared(run))
    heads = Compared("", "expected", "observed", held=True)
    widths = [
        max(len(getattr(row, name)) for row in (heads, *rows)) for name in ("what", "expected", "observed")
    ]
    what = max(10, min(widths[0], width - widths[1] - widths[2] - _BETWEEN))
    for row in (heads, *rows):
        first, *rest = wrap(row.what, what) or [""]
        verdict = "" if row is heads else "ok" if row.held else "NO"
        yield f"  {first:{what}}  {row.expected:{widths[1]}}  {row.observed:{widths[2]}}  {verdict}".rstrip()
        yield from (f"    {more}" for more in rest)
    yield ""
    yield "  what the applications saw, as strace -T shows it"
    for role, report in calls(run):
        if report.event != "ended" or report.failed:
            yield f"  {role}  {call_text(report)}"
    yield ""
    yield "  what ss -tno showed when a step was over"
    for taken in run.taken:
        yield from (
            f"  {line}" for line in wrap(f"· {what_a_step_does(taken.step, run.experiment)}", width - 2)
        )
        for state in taken.sockets:
            yield f"    {socket_line(state)}"


def ending_records(run: ExperimentRun) -> Iterator[dict[str, object]]:
    """The same as JSON lines: records `comparison`, `call` and `step`."""
    for row in compared(run):
        yield {
            "record": "comparison",
            "what": row.what,
            "expected": row.expected,
            "observed": row.observed,
            "held": row.held,
        }
    for role, report in calls(run):
        yield {
            "record": "call",
            "end": role.value,
            "event": report.event,
            "time_ns": report.time_ns,
            "call": report.call or None,
            "error": report.error,
            "after_s": report.after_s,
        }
    for taken in run.taken:
        yield {
            "record": "step",
            "did": what_a_step_does(taken.step, run.experiment),
            "began_ns": taken.began_ns,
            "ended_ns": taken.ended_ns,
            "sockets": [socket_line(state) for state in taken.sockets],
        }
