"""What a row says that stands for exchanges which repeat."""

from __future__ import annotations

from tcpladder.analysis.view import Gap, Side, Verdict
from tcpladder.ladder.exchanges import Repeated
from tcpladder.ladder.model import FoldRow
from tcpladder.ladder.words import about, size, verdict

_LOUDEST = (Verdict.UNEXPLAINED, Verdict.LATE, Verdict.EARLY, Verdict.ON_TIME)


def forms(row: FoldRow) -> tuple[str, ...]:
    """What a fold says, the longest form first; the last one is what must be said."""
    match row.repeated:
        case Repeated.ANSWERED:
            end = f", {pauses(row.pauses)}" if row.pauses is not None else ""
            times = f"× {row.times:,}"
            return (
                f"{row.label} and answer {times}{_over(row)}{end}",
                f"probe and answer {times}{_over(row)}{end}",
                f"probe and answer {times}{end}",
                f"probe and answer {times}",
            )
        case Repeated.TRANSFER:
            took = "" if row.span_ns is None else f" in {about(row.span_ns)}"
            moved = f"data × {row.times:,}, {size(row.payload)}{took}"
            return (
                f"{_who(row.sender)} sends data × {row.times:,}, ACK × {row.answers:,}: {size(row.payload)}{took}",
                f"{_who(row.sender)}: {moved}",
                moved,
            )
        case _:
            return (f"{row.label} × {row.times:,}{_over(row)}", f"× {row.times:,}{_over(row)}")


def folded(row: FoldRow) -> str:
    """How much is folded: `238 folded`."""
    count = row.end - row.begin if row.repeated is Repeated.TRANSFER else row.times
    return f"{count:,} folded"


def loudest(row: FoldRow) -> Verdict:
    """The verdict that a person must hear of: that of the shortest silence or of the longest."""
    if row.pauses is None:
        return Verdict.ON_TIME
    return min((gap.verdict for gap in row.pauses), key=_LOUDEST.index)


def pauses(both: tuple[Gap, Gap]) -> str:
    """How long the silences were, from the shortest to the longest, and the louder verdict: `30.0 s ✓`."""
    shortest, longest = both
    texts = about(shortest.observed_ns), about(longest.observed_ns)
    length = texts[0] if texts[0] == texts[1] else f"{texts[0]} to {texts[1]}"
    louder = min(both, key=lambda gap: _LOUDEST.index(gap.verdict))
    return f"{length} {'✓' if louder.verdict is Verdict.ON_TIME else verdict(louder)}"


def _over(row: FoldRow) -> str:
    return "" if row.span_ns is None else f" over {about(row.span_ns)}"


def _who(side: Side) -> str:
    return side.name.lower()
