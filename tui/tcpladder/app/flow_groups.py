"""Flows that have something in common, under one heading: what they may be grouped by, and how a group sums up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

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


def grouped(shown: list[tuple[int, str, str]], folded: set[str]) -> tuple[list[int], list[Group]]:
    """The rows of a list and its groups, the largest first: a number is a flow, -1 the heading of the first group.

    Args:
        shown: number, group and end of each flow, in the order of the list.
        folded: the names of the groups that show their heading alone.
    """
    members: dict[str, list[int]] = {}
    ends: dict[str, list[str]] = {}
    for number, name, end in shown:
        members.setdefault(name, []).append(number)
        ends.setdefault(name, []).append(end)
    names = sorted(members, key=lambda name: (-len(members[name]), name))
    groups = [
        Group(
            name=name,
            members=tuple(members[name]),
            ends=tuple(sorted(Counter(ends[name]).items(), key=lambda one: (-one[1], one[0]))),
            folded=name in folded,
        )
        for name in names
    ]
    rows: list[int] = []
    for index, group in enumerate(groups):
        rows.append(-index - 1)
        if not group.folded:
            rows += group.members
    return rows, groups
