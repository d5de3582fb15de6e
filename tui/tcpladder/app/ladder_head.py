"""The lines above a ladder: who talks to whom, how it stands and ended, which processes it is; who each lifeline is."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from tcpladder.analysis.view import FlowSummary
from tcpladder.ladder.model import Lane
from tcpladder.render import grid
from tcpladder.render.cells import clean
from tcpladder.render.layout import NARROW_BELOW, Layout


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


def heading(summary: FlowSummary, lanes: Sequence[Lane], layout: Layout) -> str:
    """The line above the rungs: who each lifeline is, of several flows which host."""
    several = layout.flow_cells > 0
    (line,) = grid.host_lines(lanes, layout) if several else grid.header_lines(summary, layout)
    return grid.plain(line).rstrip()


def sharing(layout: Layout) -> str:
    """What is said where hosts have no lane of their own."""
    return (
        f"{layout.sharing} of {layout.lanes} hosts share the last lane: the first line names those of the row, "
        "{time:t} without times makes room"
    )


def _states(summary: FlowSummary, width: int) -> str:
    """The states of both ends where they differ; the short word where there is little room."""
    client, server = summary.states
    if width < NARROW_BELOW:
        return summary.state
    return client if client == server else f"{client} / {server}"
