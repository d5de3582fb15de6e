"""Segments and flows as JSON lines: the keys that README documents and that stay as they are.

What a source does not know is null, never zero.
"""

from __future__ import annotations

from typing import TypeAlias

from tcpladder.analysis.kinds import KINDS, Kind
from tcpladder.analysis.view import FlowSummary, FlowView, Gap
from tcpladder.wire.frames import UNKNOWN_TIME_NS

Value: TypeAlias = str | int | None
Record: TypeAlias = dict[str, Value | dict[str, Value]]
"""One line: json.dumps(record, ensure_ascii=False) prints it."""


def ends(view: FlowView) -> tuple[str, str]:
    """Client and server of a flow, as its lines name them."""
    summary = view.summary
    return summary.client.numeric, summary.server.numeric


def segment_record(
    view: FlowView, index: int, flow_number: int, named: tuple[str, str] | None = None
) -> Record:
    """The line of one segment, or of an ICMP error that quotes one. `named`: what `ends` says, for who has it."""
    source, destination = ends(view) if named is None else named
    if not view.from_client[index]:
        source, destination = destination, source
    kind = Kind(int(view.kind[index]))
    gap = view.gap(index) if view.silent[index] else None
    return {
        "record": "icmp" if kind is Kind.ICMP_ERROR else "segment",
        "file": view.file(index),
        "frame": view.frame(index),
        "time_ns": _time(int(view.time_ns[index])),
        "flow": flow_number,
        "src": source,
        "dst": destination,
        "kind": KINDS[kind].word,
        "because": view.because(index),
        "seq": view.relative_seq(index),
        "ack": view.relative_ack(index),
        "length": view.length(index),
        "window": view.window(index),
        "flags": view.flags(index),
        "lost": view.lost(index),
        "timer": _word(view.timer(index)),
        "gap": None if gap is None else _gap_record(gap),
    }


def copy_record(original: Record, *, frame: int, time_ns: int) -> Record:
    """The line of a copy of a segment: the same numbers, its own frame and time."""
    because = f"the datagram of frame {original['frame']} again"
    kind = KINDS[Kind.COPY].word
    return {
        **original,
        "frame": frame,
        "time_ns": _time(time_ns),
        "kind": kind,
        "because": because,
        "gap": None,
    }


def flow_record(summary: FlowSummary) -> Record:
    """The line of one flow."""
    return {
        "flow": summary.number,
        "client": summary.client.numeric,
        "server": summary.server.numeric,
        "state": summary.state,
        "began": summary.began,
        "ended": summary.ended,
        "segments": summary.segments,
        "bytes": summary.bytes,
        "first_ns": _time(summary.first_ns),
        "last_ns": _time(summary.last_ns),
        "keepalive_probes": summary.keepalive_probes,
        "retransmissions": summary.retransmissions,
    }


def _gap_record(gap: Gap) -> dict[str, Value]:
    return {
        "observed_ns": gap.observed_ns,
        "expected_ns": gap.expected_ns,
        "since_frame": gap.since_frame,
        "timer": _word(gap.timer),
        "verdict": _word(gap.verdict),
        "origin": _word(gap.origin),
    }


def _word(value: str | None) -> str | None:
    """The plain text of a StrEnum, which json would otherwise be free to write as it likes."""
    return None if value is None else str(value)


def _time(time_ns: int) -> int | None:
    return None if time_ns == UNKNOWN_TIME_NS else time_ns
