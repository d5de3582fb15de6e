"""Flows that have something in common, under one heading: what they may be grouped by, and how a group sums up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from tcpladder.analysis.view import FlowSummary


class Grouping(Enum):
    """By what, in the sequence in which a key walks through them; the value is how the status line calls it."""

    NONE = ""
    SERVER = "server host"
    CLIENT = "client host"
    END = "end"
    PROCESS = "process"

    def next(self) -> Grouping:
        """The one that comes behind it."""
        members = list(Grouping)
        return members[(members.index(self) + 1) % len(members)]


def _host(text: str) -> str:
    """An endpoint without its port."""
    return text.rpartition(":")[0].strip("[]")


NAMES: dict[Grouping, Callable[[FlowSummary], str]] = {
    Grouping.SERVER: lambda flow: _host(str(flow.server)),
    Grouping.CLIENT: lambda flow: _host(str(flow.client)),
    Grouping.END: lambda flow: flow.ended or "open",
    Grouping.PROCESS: lambda flow: ", ".join(map(str, flow.owners)) or "no process known",
}
"""The group that a flow belongs to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A heading of the list."""

    name: str
    members: tuple[int, ...]
    """The numbers of its flows, in the order of the list."""
    ends: tuple[tuple[str, int], ...]
    """How they ended, and how many did, most first."""
    folded: bool

    @property
    def words(self) -> str:
        """`10.0.0.9   214 flows: 209 open, 3 RST, 2 no answer`."""
        count = len(self.members)
        ends = [f"{number:,} {end}" for end, number in self.ends]
        plain = len(ends) == 1 and self.ends[0][0] == self.name
        told = "" if plain else ": " + ", ".join(ends)
        return f"{self.name}   {count:,} flow{'' if count == 1 else 's'}{told}"


def grouped(
    shown: NDArray[np.int64],
    group: NDArray[np.int64],
    end: NDArray[np.int64],
    words: list[str],
    folded: set[str],
) -> tuple[list[int], list[Group]]:
    """The rows of a list and its groups, the largest first: a number is a flow, -1 the heading of the first group.

    Args:
        shown: (n,) the numbers of the flows in the order of the list.
        group: (n,) the name of each one's group, and `end` how it ended, as places in `words`.
        words: names and ends.
        folded: the names of the groups that show their heading alone.
    """
    members = shown[np.argsort(group, kind="stable")].tolist()
    places, sizes = np.unique(group, return_counts=True)
    begins = np.cumsum(sizes) - sizes
    pairs, told = np.unique(group * len(words) + end, return_counts=True)
    ends: dict[int, list[tuple[str, int]]] = {}
    for pair, count in zip(pairs.tolist(), told.tolist(), strict=True):
        place, ended = divmod(pair, len(words))
        ends.setdefault(place, []).append((words[ended], count))
    parts = zip(places.tolist(), begins.tolist(), sizes.tolist(), strict=True)
    groups = [
        Group(
            name=words[place],
            members=tuple(members[begin : begin + size]),
            ends=tuple(sorted(ends[place], key=lambda one: (-one[1], one[0]))),
            folded=words[place] in folded,
        )
        for place, begin, size in sorted(parts, key=lambda part: (-part[2], words[part[0]]))
    ]
    rows: list[int] = []
    for index, one in enumerate(groups):
        rows.append(-index - 1)
        if not one.folded:
            rows += one.members
    return rows, groups
