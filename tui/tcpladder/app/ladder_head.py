"""The first line of a ladder: who talks to whom, in which states, how it ended, which processes hold the sockets."""

from __future__ import annotations

from textual.content import Content

from tcpladder.analysis.view import FlowSummary
from tcpladder.render import grid
from tcpladder.render.cells import clean
from tcpladder.render.layout import NARROW_BELOW


def head(
    summary: FlowSummary,
    *,
    name: str,
    number: int | None,
    owners: str,
    width: int,
    taken: int,
    ascii_only: bool,
) -> Content:
    """That line on a screen of `width` cells, `taken` of them by what stands at its right end.

    `number` is that of the flow, where the ladder has several. `name` is what the session reads; it and `owners` are
    left out where there is no room.
    """
    both = _states(summary, width)
    ended = f"  {summary.ended}" if summary.ended else ""
    room = max(20, width - taken - len(both) - len(ended) - 4)
    told = "" if number is None else f"flow {number}  "
    title = told + grid.flow_title(summary, room - len(told), ascii_only)
    prefix = f"{name} {'>' if ascii_only else '›'} "
    if len(prefix) + len(title) <= room:
        title = prefix + title
    owners = clean(owners, ascii_only)
    used = sum(map(len, (title, both, ended))) + taken + 6
    who = f"  {owners}" if owners and used + len(owners) <= width else ""
    return Content.assemble(f" {title}  ", (both, "$text-accent"), (ended, "$text-warning"), who)


def _states(summary: FlowSummary, width: int) -> str:
    """The states of both ends where they differ; the short word where there is little room."""
    client, server = summary.states
    if width < NARROW_BELOW:
        return summary.state
    return client if client == server else f"{client} / {server}"
