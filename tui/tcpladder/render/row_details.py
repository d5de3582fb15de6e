"""What there is to know of each row of a diagram, for who points at it: a title, a sentence, fields."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tcpladder.analysis.kinds import KINDS
from tcpladder.ladder import fold_words, words
from tcpladder.ladder.diagram import Diagram
from tcpladder.ladder.model import EVENT_KINDS, FoldRow, GapRow, Note, PendingRow, Row, Rung

_UNKNOWN = "unknown"
_NAMES = ("client", "server")


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """Of one row."""

    title: str
    sentence: str
    fields: tuple[tuple[str, str], ...]
    armed: int | None = None
    """The row, counted as `Diagram.rows` gives them, of the segment that armed the timer of a silence."""
    event: bool = False
    """Whether it is worth a stop: model.EVENT_KINDS."""

    def record(self) -> dict[str, object]:
        """As JSON has it."""
        return {
            "title": self.title,
            "sentence": self.sentence,
            "fields": self.fields,
            "armed": self.armed,
            "event": self.event,
        }


def details(diagram: Diagram) -> Iterator[Details]:
    """One for each row, in the order of `Diagram.rows`."""
    for row in diagram.rows():
        yield _details(row, diagram)


def _details(row: Row, diagram: Diagram) -> Details:
    match row:
        case Rung():
            return _rung(row, diagram)
        case GapRow():
            return _gap(row, diagram)
        case Note():
            time = words.exact_time(row.time_ns, diagram.timezone)
            title = f"mark {row.mark}" if row.mark else "note"
            return Details(title=title, sentence=row.text, fields=(("time", time),))
        case FoldRow():
            return _fold(row, diagram)
        case PendingRow():
            fields = (
                ("due", words.exact_time(row.pending.due_ns, diagram.timezone)),
                ("sent by", _name(row.track.lane(row.pending.side), diagram)),
                ("values", str(row.pending.origin)),
            )
            return Details(
                title=row.pending.text, sentence="what must come if nothing else happens", fields=fields
            )


def _rung(rung: Rung, diagram: Diagram) -> Details:
    (view, index), numbers = diagram.ladder.view.within(rung.segment), rung.numbers
    timer = view.timer(index)
    since = None if rung.time_ns is None or rung.previous_ns is None else rung.time_ns - rung.previous_ns
    fields = [
        ("rung", f"{rung.segment + 1} of {diagram.ladder.segments}"),
        ("frame", str(numbers.frame)),
        ("time", _UNKNOWN if rung.time_ns is None else words.exact_time(rung.time_ns, diagram.timezone)),
        ("since above", _UNKNOWN if since is None else words.delta(since)),
        ("from", _name(rung.track.lane(rung.sender), diagram)),
        ("kind", KINDS[rung.kind].word),
        ("flags", numbers.flags or _UNKNOWN),
        ("seq", _number(numbers.relative_seq, numbers.raw_seq)),
        ("ack", _number(numbers.relative_ack, numbers.raw_ack)),
        ("length", _number(numbers.length)),
        ("window", _number(numbers.window)),
        ("sent by", "no timer" if timer is None else f"timer {timer}"),
    ]
    if rung.lost:
        fields.append(("lost", rung.lost))
    return Details(
        title=rung.label,
        sentence=view.because(index),
        fields=tuple(fields),
        event=rung.kind in EVENT_KINDS,
    )


def _gap(row: GapRow, diagram: Diagram) -> Details:
    gap = row.gap
    expected = gap.expected_ns
    fields = [
        ("observed", words.duration(gap.observed_ns)),
        ("expected", _UNKNOWN if expected is None else words.duration(expected)),
        ("deviation", _UNKNOWN if expected is None else words.deviation(gap.observed_ns - expected)),
        ("verdict", str(gap.verdict)),
        ("timer", "none" if gap.timer is None else str(gap.timer)),
        ("whose", _name(row.track.lane(row.sender), diagram)),
        ("origin", "none" if gap.origin is None else str(gap.origin)),
        ("armed by", f"frame {gap.since_frame}"),
    ]
    return Details(
        title=f"{gap.name} {words.verdict(gap)}",
        sentence="a silence, measured from what armed its timer",
        fields=tuple(fields),
        armed=_armed_by(row, diagram),
    )


def _fold(row: FoldRow, diagram: Diagram) -> Details:
    view, begin = diagram.ladder.view.within(row.begin)
    fields = [
        ("rungs", f"{row.begin + 1}-{row.end} of {diagram.ladder.segments}"),
        ("frames", f"{view.frame(begin)} to {view.frame(begin + row.end - row.begin - 1)}"),
        ("whose", _name(row.track.lane(row.sender), diagram)),
        ("time", _UNKNOWN if row.span_ns is None else words.duration(row.span_ns)),
        ("bytes", str(row.payload)),
    ]
    if row.pauses is not None:
        fields += [
            (name, words.silence(gap)) for name, gap in zip(("shortest", "longest"), row.pauses, strict=True)
        ]
    return Details(
        title=fold_words.forms(row)[0],
        sentence="exchanges that repeat, folded to one row",
        fields=tuple(fields),
    )


def _armed_by(row: GapRow, diagram: Diagram) -> int | None:
    """The row of the segment that armed the timer of a silence, None where it is not drawn."""
    segment = diagram.ladder.armed_by(row)
    if segment is None or segment not in diagram.rungs:
        return None
    return diagram.ladder.row_of_segment(segment) - diagram.row_numbers.start


def _name(number: int, diagram: Diagram) -> str:
    lane = diagram.lanes[number]
    return lane.title if diagram.several else f"{lane.title} {lane.below}"


def _number(value: int | None, raw: int | None = None) -> str:
    if value is None:
        return _UNKNOWN
    return f"{value}" if raw is None else f"{value} (raw {raw})"
