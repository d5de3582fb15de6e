"""A capture under analysis: frames go in, flows and their findings come out. The core, wired; no I/O, no clock."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from tcpladder.analysis.activity import BUCKETS, Activity
from tcpladder.analysis.beliefs import TimerValues
from tcpladder.analysis.carried import Carried
from tcpladder.analysis.classify import classify
from tcpladder.analysis.flow_measures import FlowMeasures
from tcpladder.analysis.log import NO_FLOW, SegmentLog
from tcpladder.analysis.summary import summed_up
from tcpladder.analysis.tracking import Ending, Tracker
from tcpladder.analysis.view import Endpoint, FlowSummary, Process, Side
from tcpladder.flows.table import FlowTable
from tcpladder.flows.tuples import Tuple4
from tcpladder.wire.decode import Decoder
from tcpladder.wire.frames import FrameBatch

if TYPE_CHECKING:
    from tcpladder.analysis.flow_reading import Part
    from tcpladder.analysis.flow_view import Findings
    from tcpladder.analysis.flow_waits import FlowWaits

LONG_FLOW = 50_000
"""Segments from which on a flow takes longer to read than a person likes to wait for a key."""
MOST_LONG_FLOWS = 16
PIECES_AT_ONCE = 4

Beliefs = Callable[[Endpoint, Endpoint], Mapping[Side, TimerValues]]
"""What client and server of a flow are believed to run with."""


def nothing_known(_client: Endpoint, _server: Endpoint) -> Mapping[Side, TimerValues]:
    """Believe only the defaults."""
    return {side: TimerValues() for side in Side}


class CaptureAnalysis:
    """All that is known of one capture.

    Args:
        salt: unpredictable bytes, see flows.tuples.TupleTable.
        beliefs: asked for the timer values of each flow that is looked at.
        keep_segments: False where only the list of flows is wanted: the memory then does not grow with the segments.
        columns: which of the log's are kept, for who looks at nothing else: then nobody follows the flows, and there
            are no summaries of them, states and ends. None for all.
        activity: counts when each flow had segments; None where nobody asks.
    """

    def __init__(
        self,
        salt: bytes,
        beliefs: Beliefs = nothing_known,
        *,
        keep_segments: bool = True,
        columns: Collection[str] | None = None,
        activity: Activity | None = None,
    ) -> None:
        self._decoders: dict[int, Decoder] = {}
        self._table = FlowTable(salt)
        self._carried = Carried()
        self._tracker = Tracker()
        self._beliefs = beliefs
        self._keep = keep_segments
        self._follow = columns is None
        self._activity = activity
        self.owners: dict[int, tuple[Process, ...]] = {}
        """Who holds the sockets of a flow, by its number, as far as somebody knows."""
        self._rows = 0
        self._views: dict[int, Findings] = {}
        self._endpoints: dict[int, tuple[Endpoint, Endpoint]] = {}
        self.flows_before = 0
        """Flows of the captures that are shown before this one: its own are numbered behind them."""
        self.log = SegmentLog(columns)
        self.last_ns = 0
        """The latest time of any segment, 0 before the first."""
        self.frames = 0
        self.copies = 0
        """Frames that the capture holds again; shown once."""
        self.not_tcp = 0
        """Frames that hold neither TCP nor an ICMP error about TCP."""
        self.others: dict[str, int] = {}
        """What these are -> how many."""

    def feed(self, batch: FrameBatch) -> None:
        """Take in the next frames of the capture."""
        decoded = self._decoders.setdefault(batch.file, Decoder()).decode(batch)
        segments = decoded.segments
        assigned = self._table.assign(segments)
        classified = classify(segments, assigned, self._carried, self._rows)
        if self._follow:
            self._tracker.follow(segments, assigned, classified, segments.icmp)
        if self._activity is not None:
            self._activity.take(assigned.flow, segments.time_ns, self.flows)
        if self._keep:
            self.log.append(segments, assigned, classified, batch.file)
        self.copies += len(classified.copy_of)
        self._rows += len(segments)
        if len(segments):
            self.last_ns = max(self.last_ns, int(segments.time_ns.max()))
        self.frames += len(batch)
        self.not_tcp += decoded.not_tcp
        for words, count in decoded.others.items():
            self.others[words] = self.others.get(words, 0) + count

    @property
    def keeps_segments(self) -> bool:
        """Whether ladders still grow."""
        return self._keep

    def stop_keeping(self) -> None:
        """Let ladders end here, so that memory does not grow any more; the list of flows goes on counting."""
        self._keep = False

    @property
    def segments(self) -> int:
        """TCP segments and ICMP errors about them."""
        return self._rows

    @property
    def flows(self) -> int:
        """How many flows there are."""
        return len(self._tracker.tracks if self._follow else self._table)

    def summary(self, number: int) -> FlowSummary:
        """The line of a flow of this capture, asked for by its number from 1."""
        return summed_up(
            self._tracker,
            number - 1,
            self.flows_before + number,
            self.shown_ends(number),
            self.owners.get(number, ()),
        )

    def learn_owners(self, number: int, owners: tuple[Process, ...]) -> None:
        """Who holds the sockets of a flow."""
        self.owners[number] = owners
        self._tracker.told[number - 1] += 1

    def measures(self) -> FlowMeasures:
        """What the list of flows is sorted by, of all flows at once."""
        tracker, n = self._tracker, self.flows
        return FlowMeasures(
            last_ns=tracker.last_ns[:n].copy(),
            segments=tracker.segments[:n].copy(),
            keepalive_probes=tracker.keepalive_probes[:n].copy(),
            retransmissions=tracker.retransmissions[:n].copy(),
            changes=tracker.segments[:n] + tracker.told[:n],
            window=0 if self._activity is None else self._activity.moves,
        )

    def activity(self, number: int) -> list[int]:
        """When a flow had segments: activity.BUCKETS counts, oldest first."""
        return [0] * BUCKETS if self._activity is None else self._activity.of(number - 1)

    def endpoints(self, number: int) -> tuple[Endpoint, Endpoint]:
        """Client and server of a flow."""
        known = self._endpoints.get(number)
        if known is None:
            endpoints, client_is_larger = self._table.endpoints(number - 1)
            smaller, larger = _texts(endpoints)
            known = self._endpoints[number] = (larger, smaller) if client_is_larger else (smaller, larger)
        return known

    def shown_ends(self, number: int) -> tuple[Endpoint, Endpoint]:
        """Client and server of a flow as summaries show them."""
        return self.endpoints(number)

    def ending(self, number: int) -> Ending | None:
        """How the segments of a flow ended it; None while they have not."""
        return self._tracker.tracks[number - 1].ending

    def believed(self, number: int) -> Mapping[Side, TimerValues]:
        """What the ends of a flow are believed to run with."""
        return self._beliefs(*self.endpoints(number))

    def tuple_of(self, number: int) -> tuple[Tuple4, bool]:
        """The 4-tuple of a flow, and whether its client is the larger endpoint."""
        return self._table.endpoints(number - 1)

    def kinds(self, number: int) -> list[tuple[int, bool, int]]:
        """The kinds of a flow's segments so far, in order, whether the server sent each, and when (ns)."""
        rows = self.log.rows_of(number - 1, 0)
        columns = (self.log.column(name, rows).tolist() for name in ("kind", "from_server", "time_ns"))
        return list(zip(*columns, strict=True))

    def view(self, number: int) -> Findings:
        """The findings about a flow; the same object each time, brought up to date."""
        found = self._views.get(number)
        if found is None:
            found = self._views[number] = self._new_view(number)
        found.refresh()
        return found

    def long_flows(self) -> list[int]:
        """The numbers of the flows that are worth reading before somebody opens them, the longest first."""
        segments = self._tracker.segments[: self.flows]
        longest = np.argsort(-segments, kind="stable")[:MOST_LONG_FLOWS]
        return [flow + 1 for flow in longest.tolist() if segments[flow] >= LONG_FLOW]

    def read_ahead(self, number: int) -> bool:
        """Read a flow a bit further, so that `view` has less to do; returns whether there is more."""
        found = self._views.get(number)
        if found is None:
            found = self._views[number] = self._new_view(number, at_once=False)
        return found.read_on(PIECES_AT_ONCE)

    def all_views(self) -> Iterator[Findings]:
        """The findings about every flow, in order: one pass over the log for all of them."""
        from tcpladder.analysis.together import read_together

        for number, part in enumerate(read_together(self.log, self.flows), 1):
            yield self._new_view(number, part=part, at_once=False)

    def all_waits(self, *, delayed: bool, quiet: bool) -> Iterator[FlowWaits]:
        """The waits for timers of the flows, in order: one pass likewise.

        Args:
            delayed: whether the ACKs that a delayed ACK timer sent are told from others.
            quiet: whether those flows are wanted, too, that surely have no wait.
        """
        from tcpladder.analysis.flow_waits import FlowWaits
        from tcpladder.analysis.together import read_together

        for number, part in enumerate(read_together(self.log, self.flows, delayed=delayed), 1):
            if quiet or part.candidates.may_wait:
                yield FlowWaits(self.log, self.flows_before + number, part)

    def in_file_order(self) -> Iterator[tuple[int, int, int | None]]:
        """(flow number, index in its view, row of the copy) of every segment of the capture and every copy of one.

        The row is None for the segment itself.
        """
        indices = [0] * self.flows
        copied: dict[int, tuple[int, int]] = {}
        for row, flow in enumerate(self.log.flows()):
            if flow == NO_FLOW:
                yield *copied[self.log.copy_of[row]], row
                continue
            if row in self.log.copies:
                copied[row] = flow + 1, indices[flow]
            yield flow + 1, indices[flow], None
            indices[flow] += 1

    def flows_since(self, row: int) -> list[int]:
        """The numbers of the flows that segments from `row` on belong to, in order of the first of them."""
        fresh, first = np.unique(self.log.column("flow", np.arange(row, len(self.log))), return_index=True)
        return [flow + 1 for flow in fresh[np.argsort(first)].tolist() if flow != NO_FLOW]

    def _new_view(self, number: int, *, part: Part | None = None, at_once: bool = True) -> Findings:
        from tcpladder.analysis.flow_view import Findings  # a list needs none of it

        track = self._tracker.tracks[number - 1]
        return Findings(
            self.log,
            number - 1,
            values=lambda: self.believed(number),
            ends=lambda: self.endpoints(number),
            summary=lambda: self.summary(number),
            states=lambda: {side: end.state for side, end in track.ends.items()},
            part=part,
            at_once=at_once,
        )


def _texts(endpoints: Tuple4) -> tuple[Endpoint, Endpoint]:
    ports = endpoints.ports >> 16, endpoints.ports & 0xFFFF
    if endpoints.is_v6:
        addresses = endpoints.first << 64 | endpoints.second, endpoints.third << 64 | endpoints.fourth
        texts = [str(ipaddress.IPv6Address(a)) for a in addresses]
    else:
        texts = [str(ipaddress.IPv4Address(a)) for a in (endpoints.first >> 32, endpoints.first & 0xFFFFFFFF)]
    return Endpoint(texts[0], ports[0]), Endpoint(texts[1], ports[1])
