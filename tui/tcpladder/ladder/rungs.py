"""What one row of a ladder says: read from the findings about its flow when somebody looks at it."""

from __future__ import annotations

import numpy as np

from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.view import FlowView, Gap, Side
from tcpladder.ladder.exchanges import Repeated
from tcpladder.ladder.model import FoldRow, GapRow, Numbers, Rung, SpaceRow
from tcpladder.wire.frames import UNKNOWN_TIME_NS


def rung(view: FlowView, segment: int) -> Rung:
    """The rung of a segment."""
    return Rung(
        segment=segment,
        time_ns=time_ns(view, segment),
        previous_ns=time_ns(view, segment - 1) if segment else None,
        after_gap=bool(view.silent[segment]),
        sender=_sender(view, segment),
        kind=Kind(int(view.kind[segment])),
        label=view.label(segment),
        lost=view.lost(segment),
        numbers=Numbers(
            relative_seq=view.relative_seq(segment),
            relative_ack=view.relative_ack(segment),
            raw_seq=view.raw_seq(segment),
            raw_ack=view.raw_ack(segment),
            length=view.length(segment),
            window=view.window(segment),
            flags=view.flags(segment),
            frame=view.frame(segment),
        ),
    )


def gap_row(view: FlowView, segment: int) -> GapRow:
    """The silence before a segment."""
    gap = view.gap(segment)
    if gap is None:
        raise LookupError(f"the view says that segment {segment} ends a silence, and has no gap for it")
    return GapRow(segment=segment, sender=_sender(view, segment), gap=gap)


def fold_row(view: FlowView, begin: int, end: int, repeated: Repeated) -> FoldRow:
    """What stands for the segments from `begin` up to `end`."""
    kinds = view.kind[begin:end]
    doers = kinds == kinds[0]
    if repeated is Repeated.TRANSFER:
        doers = kinds == Kind.DATA
    first = begin + int(doers.argmax())
    times = time_ns(view, begin - 1), time_ns(view, end - 1)
    return FoldRow(
        begin=begin,
        end=end,
        repeated=repeated,
        sender=_sender(view, first),
        label=view.label(first),
        times=end - begin if repeated is Repeated.RETRIES else int(doers.sum()),
        answers=int((~doers).sum()),
        payload=view.payload(begin, end),
        span_ns=None if None in times else times[1] - times[0],  # type: ignore[operator]
        pauses=_pauses(view, begin, end) if repeated is Repeated.ANSWERED else None,
    )


def space_row(view: FlowView, segment: int, break_ns: int | None) -> SpaceRow:
    """An empty row above a segment."""
    return SpaceRow(segment=segment, silent=bool(view.silent[segment]), break_ns=break_ns)


def time_ns(view: FlowView, segment: int) -> int | None:
    """When a segment was seen; None where nobody knows."""
    time = int(view.time_ns[segment])
    return None if time == UNKNOWN_TIME_NS else time


def _sender(view: FlowView, segment: int) -> Side:
    return Side.CLIENT if view.from_client[segment] else Side.SERVER


def _pauses(view: FlowView, begin: int, end: int) -> tuple[Gap, Gap] | None:
    """The shortest and the longest silence in a stretch; None where none has a row of its own."""
    silent = np.flatnonzero(view.silent[begin:end]) + begin
    if not len(silent):
        return None
    pauses = view.time_ns[silent] - view.time_ns[silent - 1]
    ends = view.gap(int(silent[pauses.argmin()])), view.gap(int(silent[pauses.argmax()]))
    return None if ends[0] is None or ends[1] is None else (ends[0], ends[1])
