"""The sentence below a ladder: what the row under the cursor is, and because of what."""

from __future__ import annotations

from collections.abc import Mapping

from tcpladder.analysis.view import Gap, Origin, Pending, Timeline, Verdict
from tcpladder.app.named_keys import named
from tcpladder.ladder import fold_words, words
from tcpladder.ladder.model import FoldRow, GapRow, Note, NumberMode, PendingRow, Rung, ScreenRow, SpaceRow

ORIGINS: dict[Origin, str] = {
    Origin.SOCKET: "read from the live socket",
    Origin.NETNS: "read from the sysctls of this network namespace",
    Origin.CAPTURE: "saved in the capture",
    Origin.USER: "given on the command line",
    Origin.INFERRED: "inferred from what was seen before",
    Origin.ASSUMED: "assumed: the default of Linux",
}
"""Where a believed timer value comes from, as half a sentence."""


UNSEEN = ", log"
"""Behind what ate a segment that no tap saw."""


def explain(row: ScreenRow | None, timeline: Timeline, numbers: NumberMode, keymap: Mapping[str, str]) -> str:
    """One or two sentences about a row; empty where there is no row."""
    match row:
        case Rung():
            return _rung(row, timeline, numbers)
        case GapRow():
            return silence(row.gap)
        case Note():
            return row.text
        case PendingRow():
            return _pending(row.pending)
        case FoldRow():
            view, begin = timeline.within(row.begin)
            frames = f"frames {view.frame(begin)} to {view.frame(begin + row.end - row.begin - 1)}"
            shows = named("{fold:x} or {open:Enter} shows them", keymap)
            return f"{fold_words.forms(row)[0]}\n{frames}, folded: {shows}"
        case SpaceRow():
            keys = "{scale_back:-} less of it, {scale_1:+} more, {scale_0:0} evenly spaced rows"
            return f"time to scale: {named(keys, keymap)}"
        case None:
            return ""


def _rung(rung: Rung, timeline: Timeline, numbers: NumberMode) -> str:
    view, index = timeline.within(rung.segment)
    timer = view.timer(index)
    sent = f"; sent by its {timer} timer" if timer is not None else ""
    return f"{view.because(index)}{sent}{_fate(rung)}\n{header_fields(rung, numbers)}"


def _fate(rung: Rung) -> str:
    """What became of a segment that did not arrive, short enough to stand behind the reason."""
    return "" if rung.lost is None else f"; eaten by {rung.lost.removesuffix(UNSEEN)}"


def how_lost(lost: str) -> str:
    """What ate a segment, and how that is known."""
    rule = lost.removesuffix(UNSEEN)
    if rule != lost:
        return f"{rule} took it before the capture could see it; shown as the fault log has it (NFLOG)"
    return f"{rule} took it after the capture had seen it; the fault log has the same bytes (NFLOG)"


def header_fields(rung: Rung, mode: NumberMode) -> str:
    """`frame 12  PSH,ACK  seq 1  ack 80  len 79  win 65536`; what the capture does not know is left out."""
    numbers = rung.numbers
    raw = mode is NumberMode.RAW
    fields = {
        "seq": numbers.raw_seq if raw else numbers.relative_seq,
        "ack": numbers.raw_ack if raw else numbers.relative_ack,
        "len": numbers.length,
        "win": numbers.window,
    }
    known = [f"{name} {value}" for name, value in fields.items() if value is not None]
    flags = [numbers.flags] if numbers.flags else []
    return "  ".join([f"frame {numbers.frame}", *flags, *known, *(["(raw numbers)"] if raw else [])])


def silence(gap: Gap) -> str:
    """What armed the timer, what it should have been, what it was, and who says so."""
    since = f"{words.duration(gap.observed_ns)} since frame {gap.since_frame}"
    if gap.verdict is Verdict.UNEXPLAINED or gap.expected_ns is None:
        return f"{since}; no timer that is known explains this silence (the application may have been silent)"
    off = words.deviation(gap.observed_ns - gap.expected_ns)
    origin = "" if gap.origin is None else f"\n{gap.name}: {ORIGINS[gap.origin]}"
    return (
        f"{since} armed the timer, {words.duration(gap.expected_ns)} expected: {gap.verdict}, {off}{origin}"
    )


def _pending(pending: Pending) -> str:
    length = words.duration(pending.due_ns - pending.armed_ns)
    who = pending.side.name.lower()
    return (
        f"if nothing else happens: {pending.text} ({who}), {length} after the timer was armed"
        f"\ntimer value {ORIGINS[pending.origin]}"
    )
