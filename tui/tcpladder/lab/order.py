"""Every segment of an experiment in its place: read from the table, and held against what was seen. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from tcpladder.lab.arithmetic import evaluate
from tcpladder.lab.experiment import Again, Role, Rung
from tcpladder.lab.lateness import on_time
from tcpladder.lab.observed import Seen

_TURN = "i"
_PLAIN = {"rst_gives_up": "rst", "tail_loss_probe": "retransmission"}
"""What a segment is as long as nobody has asked which timer sent it."""


def read_order(entries: Iterable[Mapping[str, Any]], numbers: Mapping[str, int]) -> Iterator[Rung]:
    """The rungs of a list of tables: `times` repeats one, or the list under `order`; `i` is then the turn, from 0.

    Raises UsageError for an expression that is not understood.
    """
    for entry in entries:
        for turn in range(round(evaluate(entry.get("times", 1), numbers))):
            inner = {**numbers, _TURN: turn}
            if "order" in entry:
                yield from read_order(entry["order"], inner)
            else:
                yield _rung(entry, inner)


def read_again(entries: Iterable[Mapping[str, Any]], numbers: Mapping[str, int]) -> Again | None:
    """The list that is marked `or_more`, a turn of it; None where there is none. Raises UsageError likewise."""
    before = 0
    for entry in entries:
        before += len(tuple(read_order([entry], numbers)))
        if entry.get("or_more"):
            return Again(at=before, rungs=tuple(read_order([{**entry, "times": 1}], numbers)))
    return None


def _rung(entry: Mapping[str, Any], numbers: Mapping[str, int]) -> Rung:
    kinds = entry["kind"]
    return Rung(
        kinds=(kinds,) if isinstance(kinds, str) else tuple(kinds),
        sender=Role(entry["from"]),
        after_s=evaluate(entry["after"], numbers) if "after" in entry else None,
        timer=entry.get("timer", ""),
        optional=entry.get("optional", False),
    )


def _is(was: Seen, must: Rung) -> bool:
    return was.kind in must.kinds or was.kind in {_PLAIN.get(kind) for kind in must.kinds}


def placed(order: Sequence[Rung], seen: Sequence[Seen]) -> Iterator[tuple[Rung | None, Seen | None]]:
    """Each segment beside the one that it must be, until one is of another kind; None for what is not there.

    What may be missing, and is, is left out.
    """
    at = 0
    for must in order:
        was = seen[at] if at < len(seen) else None
        alike = was is not None and _is(was, must) and was.sender is must.sender
        if alike or not must.optional:
            yield must, was
            at += 1
            if not alike:
                return
    if at < len(seen):
        yield None, seen[at]


def differences(order: Sequence[Rung], seen: Sequence[Seen]) -> Iterator[str]:
    """What is not as it must be, in words, the first first; after a segment of another kind nothing more is said."""
    before_ns: int | None = None
    for number, (must, was) in enumerate(placed(order, seen), 1):
        if must is None or was is None or not _is(was, must) or was.sender is not must.sender:
            yield f"segment {number}: {was or 'nothing'}, expected {must or 'no more'}"
            return
        if must.after_s is not None and before_ns is not None:
            gap_ns = was.time_ns - before_ns
            if not on_time(gap_ns, must.after_s):
                yield f"segment {number}: {was} after {gap_ns / 1e9:.3f} s, expected {must.after_s:g} s"
        before_ns = was.time_ns
