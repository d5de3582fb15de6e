"""One sentence about a row: why the segment is what it is, what armed the timer, what will come."""

from __future__ import annotations

from datetime import tzinfo

from tcpladder.analysis.view import FlowView, Gap, Origin, Verdict
from tcpladder.ladder import words
from tcpladder.ladder.model import GapRow, Note, NumberMode, Numbers, PendingRow, Row, Rung

ORIGINS: dict[Origin, str] = {
    Origin.SOCKET: "read from the live socket",
    Origin.NETNS: "a sysctl of its network namespace",
    Origin.CAPTURE: "saved in the capture",
    Origin.USER: "given on the command line",
    Origin.INFERRED: "inferred from the segments themselves",
    Origin.ASSUMED: "the kernel's default, assumed",
}
"""Where a believed timer value comes from, in words."""


def why(row: Row, view: FlowView, timezone: tzinfo) -> str:
    """The line below the ladder for the row under the cursor."""
    match row:
        case Rung():
            return _why_rung(row, view)
        case GapRow():
            return why_gap(row.gap)
        case Note():
            return f"{words.clock(row.time_ns, timezone)} {row.text}"
        case PendingRow():
            due = words.clock(row.pending.due_ns, timezone)
            length = words.duration(row.pending.due_ns - row.pending.armed_ns)
            return f"{row.pending.text}: due at {due}, armed for {length}; {ORIGINS[row.pending.origin]}"


def why_gap(gap: Gap) -> str:
    """What a silence is measured from, and what its timer says."""
    measured = f"{words.duration(gap.observed_ns)} since frame {gap.since_frame}"
    if gap.verdict is Verdict.UNEXPLAINED:
        return f"{measured}; no timer that is known explains it"
    deviation = ""
    if gap.expected_ns is not None:
        deviation = f", {words.deviation(gap.observed_ns - gap.expected_ns)}"
    origin = "" if gap.origin is None else f" ({ORIGINS[gap.origin]})"
    return f"{measured}; {gap.name}{origin}: {gap.verdict}{deviation}"


def numbers(header: Numbers, mode: NumberMode) -> str:
    """The header fields of a segment: `frame 4  ACK  seq 0  ack 1  len 0  win 65536`; unknown ones left out."""
    raw = mode is NumberMode.RAW
    fields = (
        ("frame", header.frame),
        ("", header.flags),
        ("seq", header.raw_seq if raw else header.relative_seq),
        ("ack", header.raw_ack if raw else header.relative_ack),
        ("len", header.length),
        ("win", header.window),
    )
    return "  ".join(f"{name} {value}".strip() for name, value in fields if value is not None)


def _why_rung(rung: Rung, view: FlowView) -> str:
    because = view.because(rung.segment)
    timer = view.timer(rung.segment)
    if timer is not None:
        because = f"{because}; sent by the {timer} timer"
    return because if rung.lost is None else f"{because}; did not arrive: {rung.lost}"
