"""Every benchmark, one after the other, and one table of their figures on stdout. Asserts nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import flows
import live
import offline
import replay
import slow
import startup
import view
from figure import Figure, table

BENCHMARKS: tuple[Callable[[], Iterator[Figure]], ...] = (
    startup.figures,
    view.figures,
    flows.figures,
    replay.figures,
    offline.figures,
    slow.figures,
    live.figures,
)


def main() -> None:
    """Figures as they come on stderr, the table at the end."""
    found: list[Figure] = []
    for benchmark in BENCHMARKS:
        for figure in benchmark():
            print(f"{figure.what}: {figure.measured}", file=sys.stderr)
            found.append(figure)
    print(table(found))


if __name__ == "__main__":
    main()
