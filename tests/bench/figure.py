"""One measured figure beside what it was aimed to be, and many of them as one table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What was measured, in words that a table can hold."""

    what: str
    measured: str
    aim: str = ""
    reached: bool | None = None
    """None where nothing was aimed at."""


def table(figures: Iterable[Figure]) -> str:
    """The figures as a Markdown table, as docs/BENCHMARKS.md holds it."""
    verdicts = {None: "", True: "yes", False: "no"}
    rows = [("what", "measured", "aim", "reached"), ("---",) * 4]
    rows += [(f.what, f.measured, f.aim, verdicts[f.reached]) for f in figures]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    cells = [[text.ljust(width) for text, width in zip(row, widths, strict=True)] for row in rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in cells)
