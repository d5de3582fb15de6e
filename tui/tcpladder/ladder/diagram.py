"""Flows, or a range of their rungs, as every export draws them: rows, what stands below, where it all came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo

from tcpladder.analysis import names
from tcpladder.analysis.beliefs import Believed
from tcpladder.analysis.duration import seconds_text
from tcpladder.analysis.flow_view import Findings
from tcpladder.analysis.view import FlowSummary, FlowView, Origin, Side
from tcpladder.errors import UsageError
from tcpladder.ladder import words
from tcpladder.ladder.ladder import Ladder
from tcpladder.ladder.merged import timeline_of
from tcpladder.ladder.model import LANE_NAMES, Lane, Note, PendingRow, Row, SpaceRow
from tcpladder.wire.frames import UNKNOWN_TIME_NS

Remark = tuple[str, str]
"""A word and its sentence: what stands below a ladder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where a diagram came from. Every format carries all of it."""

    source: str
    """The capture's name without its folder, or the interface."""
    made_by: str
    """`tcpladder 0.1.0`."""
    flow: str
    """`1, 127.0.0.1:22345 → 127.0.0.1:12345`; of several one behind the other."""
    began: str
    """`2026-09-01 17:16:22.217000 UTC`, empty where the capture has no times."""
    rungs: str
    """`15`, or `6-15 of 15`."""
    client_timers: str
    """`keepalive_time 3 s (inferred), …`: what the end is believed to run with, and where that comes from."""
    server_timers: str
    masked: str
    """What a privacy mask hides, empty without one."""

    def lines(self) -> Iterator[Remark]:
        """Key and value of everything that is known."""
        yield "source", self.source
        yield "flow", self.flow
        if self.began:
            yield "first segment", self.began
        yield "rungs", self.rungs
        yield "client timers", self.client_timers
        yield "server timers", self.server_timers
        if self.masked:
            yield "masked", self.masked
        yield "made by", self.made_by


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagram:
    """What an export is made of."""

    ladder: Ladder
    rungs: range
    """The segments that are drawn; all of the flow's, or a part."""
    pending: tuple[PendingRow, ...]
    """What must still come; empty where the last rungs are not drawn."""
    remarks: tuple[Remark, ...]
    """How the flow ended or what it waits for, which timer gives up, what was inferred, advice."""
    believed: Mapping[Side, Mapping[str, Believed]]
    """What each end of the only flow, or of the first, is believed to run with, by the names of analysis/names.py."""
    lane_names: tuple[str, str]
    """What stands above the client's and the server's lifeline of a flow that is alone."""
    timezone: tzinfo
    provenance: Provenance

    @property
    def summaries(self) -> tuple[FlowSummary, ...]:
        """The lines of the flows in the list."""
        return tuple(flow.summary for flow in self.ladder.view.flows)

    @property
    def summary(self) -> FlowSummary:
        """The line of the only flow, or of the first."""
        return self.summaries[0]

    @property
    def view(self) -> FlowView:
        """The findings about the only flow, or the first: of the formats that take no more than one a diagram."""
        return self.ladder.view.flows[0]

    @property
    def several(self) -> bool:
        """Whether more than one flow is drawn, so that each row says of which it is."""
        return len(self.ladder.view.flows) > 1

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """From the left, by the names that they have here: client and server, or the hosts of several flows."""
        lanes = self.ladder.lanes
        if self.several:
            return lanes
        return tuple(replace(lane, title=name) for lane, name in zip(lanes, self.lane_names, strict=True))

    @property
    def complete(self) -> bool:
        """Whether every rung of the flow is drawn."""
        return self.rungs == range(self.ladder.segments)

    @property
    def row_numbers(self) -> range:
        """The rows of the ladder that are drawn, the pending ones not counted."""
        if not self.rungs:
            return range(len(self.ladder))
        first = self.ladder.row_of_segment(self.rungs.start - 1) + 1 if self.rungs.start else 0
        last = self.rungs.stop == self.ladder.segments
        return range(first, len(self.ladder) if last else self.ladder.row_of_segment(self.rungs.stop - 1) + 1)

    def rows(self) -> Iterator[Row]:
        """Everything that is drawn between the lifelines, from above."""
        for number in self.row_numbers:
            row = self.ladder.row(number)
            if not isinstance(row, SpaceRow):  # on paper, rows are evenly spaced
                yield row
        yield from self.pending


def diagram_of(
    flows: Sequence[Findings],
    *,
    source: str,
    made_by: str,
    notes: tuple[Note, ...] = (),
    now_ns: int | None = None,
    rungs: tuple[int, int] | None = None,
    fold: bool = False,
    lane_names: tuple[str, str] = LANE_NAMES,
    timezone: tzinfo = UTC,
    masked: str = "",
) -> Diagram:
    """The diagram of a flow, or of several on one ladder.

    Args:
        flows: the findings about each. Raises UsageError for more than merged.MOST_FLOWS.
        source: the file's or interface's name.
        made_by: program and version.
        now_ns: with it, what must still come is drawn.
        rungs: the first and the last one, from 1. Raises UsageError where the flow has no such rungs.
        fold: whether exchanges that repeat are one row.
        masked: what the names in `flows` hide.
    """
    view = timeline_of(flows)
    drawn = _range(rungs, len(view.time_ns))
    ladder = Ladder(view, notes, fold=fold, apart=(drawn.start, drawn.stop))
    at_end = drawn.stop == ladder.segments
    summaries = [flow.summary for flow in flows]
    first = min(summaries, key=lambda one: one.first_ns)
    return Diagram(
        ladder=ladder,
        rungs=drawn,
        pending=ladder.pending_rows(now_ns) if at_end and now_ns is not None else (),
        remarks=tuple(remarks_of_all(flows, now_ns)),
        believed={side: flows[0].believed(side) for side in Side},
        lane_names=lane_names,
        timezone=timezone,
        provenance=Provenance(
            source=source,
            made_by=made_by,
            flow="; ".join(f"{one.number}, {one.client} → {one.server}" for one in summaries),
            began=_began(first, timezone),
            rungs=_rungs_text(drawn, ladder.segments),
            client_timers=_timers_of_all(flows, Side.CLIENT),
            server_timers=_timers_of_all(flows, Side.SERVER),
            masked=masked,
        ),
    )


def remarks_of_all(flows: Sequence[Findings], now_ns: int | None) -> Iterator[Remark]:
    """What stands below the ladder of some flows: of several, each word with the number of its flow before it."""
    for flow in flows:
        number = f"{flow.summary.number} " if len(flows) > 1 else ""
        yield from ((number + word, sentence) for word, sentence in remarks_of(flow, now_ns))


def remarks_of(view: Findings, now_ns: int | None) -> tuple[Remark, ...]:
    """What stands below the ladder of a flow."""
    summary = view.summary
    remarks = [("now" if summary.ended is None else "end", summary.why)]
    if now_ns is not None:
        remarks += [("gives up", sentence) for sentence in view.ending(now_ns)]
    remarks += [("inferred", sentence) for sentence in view.inferred()]
    remarks += [("advice", sentence) for sentence in view.advice()]
    return tuple(remarks)


def _range(rungs: tuple[int, int] | None, segments: int) -> range:
    if rungs is None:
        return range(segments)
    first, last = rungs
    if not 1 <= first <= last or first > segments:
        raise UsageError(f"there are no rungs {first}-{last}: the flow has 1-{segments}")
    return range(first - 1, min(last, segments))


def _rungs_text(drawn: range, segments: int) -> str:
    if drawn == range(segments):
        return str(segments)
    return f"{drawn.start + 1}-{drawn.stop} of {segments}"


def _began(summary: FlowSummary, timezone: tzinfo) -> str:
    if summary.first_ns == UNKNOWN_TIME_NS:
        return ""
    return words.exact_time(summary.first_ns, timezone)


def _timers_of_all(flows: Sequence[Findings], side: Side) -> str:
    if len(flows) == 1:
        return _timers_text(flows[0], side)
    return "; ".join(f"{flow.summary.number}: {_timers_text(flow, side)}" for flow in flows)


def _timers_text(view: Findings, side: Side) -> str:
    """Every value that is not a mere default, with its origin; where there is none, that the defaults are assumed."""
    parts = [
        f"{name} {_value_text(name, held.value)} ({held.origin})"
        for name, held in view.believed(side).items()
        if held.origin is not Origin.ASSUMED
    ]
    return ", ".join(parts) if parts else "nothing known, defaults assumed"


def _value_text(name: str, value: int) -> str:
    if name == names.SO_KEEPALIVE:
        return "on" if value else "off"
    if names.SETTINGS[name].unit_ns is None:
        return str(value)
    return seconds_text(value) if value else "off"
