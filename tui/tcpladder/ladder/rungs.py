"""What one row of a ladder says: read from the findings about its flow when somebody looks at it."""

from __future__ import annotations

import numpy as np

from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.view import FlowView, Gap, Side, Timeline
from tcpladder.ladder.exchanges import Repeated
from tcpladder.ladder.model import ALONE, FoldRow, GapRow, Numbers, Rung, SpaceRow, Track
from tcpladder.wire.frames import UNKNOWN_TIME_NS


def rung(timeline: Timeline, segment: int, track: Track = ALONE) -> Rung:
    """The rung of a segment."""
    view, index = timeline.within(segment)
    return Rung(
        segment=segment,
        time_ns=time_ns(timeline, segment),
        previous_ns=time_ns(timeline, segment - 1) if segment else None,
        after_gap=bool(view.silent[index]) and _follows(timeline, segment),
        sender=_sender(view, index),
        kind=Kind(int(view.kind[index])),
        label=view.label(index),
        lost=view.lost(index),
        numbers=Numbers(
            relative_seq=view.relative_seq(index),
            relative_ack=view.relative_ack(index),
            raw_seq=view.raw_seq(index),
            raw_ack=view.raw_ack(index),
            length=view.length(index),
            window=view.window(index),
            flags=view.flags(index),
            frame=view.frame(index),
        ),
        track=track,
    )


def gap_row(timeline: Timeline, segment: int, track: Track = ALONE) -> GapRow:
    """The silence before a segment, in its own flow."""
    view, index = timeline.within(segment)
    gap = view.gap(index)
    if gap is None:
        raise LookupError(f"the view says that segment {index} ends a silence, and has no gap for it")
    return GapRow(segment=segment, sender=_sender(view, index), gap=gap, track=track)


def fold_row(timeline: Timeline, begin: int, end: int, repeated: Repeated, track: Track = ALONE) -> FoldRow:
    """What stands for the segments from `begin` up to `end`, which are of one flow."""
    view, at = timeline.within(begin)
    behind = at + end - begin
    kinds = view.kind[at:behind]
    doers = kinds == kinds[0]
    if repeated is Repeated.TRANSFER:
        doers = kinds == Kind.DATA
    first = at + int(doers.argmax())
    times = time_ns(view, at - 1), time_ns(view, behind - 1)
    return FoldRow(
        begin=begin,
        end=end,
        repeated=repeated,
        sender=_sender(view, first),
        label=view.label(first),
        times=end - begin if repeated is Repeated.RETRIES else int(doers.sum()),
        answers=int((~doers).sum()),
        payload=view.payload(at, behind),
        span_ns=None if None in times else times[1] - times[0],  # type: ignore[operator]
        pauses=_pauses(view, at, behind) if repeated is Repeated.ANSWERED else None,
        track=track,
    )


def space_row(timeline: Timeline, segment: int, break_ns: int | None, track: Track = ALONE) -> SpaceRow:
    """An empty row above a segment."""
    return SpaceRow(segment=segment, silent=bool(timeline.silent[segment]), break_ns=break_ns, track=track)


def time_ns(timeline: Timeline, segment: int) -> int | None:
    """When a segment was seen; None where nobody knows."""
    time = int(timeline.time_ns[segment])
    return None if time == UNKNOWN_TIME_NS else time


def _follows(timeline: Timeline, segment: int) -> bool:
    """Whether the segment before is of the same flow."""
    return segment > 0 and bool(timeline.flow[segment] == timeline.flow[segment - 1])


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
