"""One flow to one line of the list of flows; text and screen are made from the same lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tcpladder.analysis.view import FlowSummary
from tcpladder.ladder import words
from tcpladder.ladder.model import Role
from tcpladder.render.cells import clean, endpoint, left, right
from tcpladder.render.glyphs import glyphs
from tcpladder.render.grid import Line, exact

NARROW_BELOW = 72
"""Below this width the counters of probes and retransmissions make room for the addresses."""
GUTTER = 2
STATE_WIDTH = 10
COUNT_WIDTH = 4
END_WIDTH = 12
END_COMFORT = 22
BARE_PORT = 6
"""`:65535`, which is never cut."""
SHORT_ENDPOINT = 21
"""`192.168.100.100:50000`."""
LONG_ENDPOINT = 47
"""An IPv6 address with eight groups, brackets and port."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowColumns:
    """Widths of the columns of the list, in cells; 0 for a column that is not shown."""

    width: int
    endpoint: int
    segments: int
    probes: int
    retransmissions: int
    end: int
    exact: bool
    """Write every number and address in full, whatever its length."""


def flow_columns(width: int) -> FlowColumns:
    """The columns for a line of `width` cells."""
    counters = 0 if width < NARROW_BELOW else COUNT_WIDTH
    fixed = GUTTER + 1 + 1 + STATE_WIDTH + 1 + COUNT_WIDTH + (2 * (counters + 1) if counters else 0) + 2
    end = END_WIDTH if counters else 9
    room = max(width - fixed - end, 0)
    each = max(min(room // 2, SHORT_ENDPOINT), BARE_PORT)
    spare = max(room - 2 * each, 0)
    wider_end = min(spare, END_COMFORT - END_WIDTH)
    each = min(each + (spare - wider_end) // 2, LONG_ENDPOINT)
    return FlowColumns(
        width=width,
        endpoint=each,
        segments=COUNT_WIDTH,
        probes=counters,
        retransmissions=counters,
        end=max(width - fixed - 2 * each, 0),
        exact=False,
    )


def full_columns(summaries: Sequence[FlowSummary]) -> FlowColumns:
    """Columns in which nothing is shortened: for a file or a pipe."""
    each = max([len(str(end)) for one in summaries for end in (one.client, one.server)], default=0)
    segments = max([len(str(one.segments)) for one in summaries], default=0)
    probes = max([len(str(one.keepalive_probes)) for one in summaries], default=0)
    retransmissions = max([len(str(one.retransmissions)) for one in summaries], default=0)
    return FlowColumns(
        width=0,
        endpoint=max(each, len("client")),
        segments=max(segments, COUNT_WIDTH),
        probes=max(probes, COUNT_WIDTH),
        retransmissions=max(retransmissions, COUNT_WIDTH),
        end=max([len(one.ended or "") for one in summaries], default=0),
        exact=True,
    )


def flow_header(columns: FlowColumns) -> Line:
    """The names of the columns."""
    text = _cells(
        columns, "client", "server", "state", (("segs", columns.segments), *_counters(columns, "prb", "rtx"))
    )
    return _finish([(text + "  end", Role.HEADING)], columns)


def draw_flow(summary: FlowSummary, columns: FlowColumns, ascii_only: bool = False) -> Line:
    """The line of a flow, without the cursor; the first GUTTER cells are free for it."""
    room = None if columns.exact else columns.endpoint
    number = str if columns.exact else words.count
    client, server = (endpoint(end, room, ascii_only) for end in (summary.client, summary.server))
    counters = _counters(columns, number(summary.keepalive_probes), number(summary.retransmissions))
    ended = glyphs(ascii_only).unknown if summary.ended is None else clean(summary.ended, ascii_only)
    counts = ((number(summary.segments), columns.segments), *counters)
    text = _cells(columns, client, server, clean(summary.state, ascii_only), counts)
    return _finish(
        [
            (" " * GUTTER, Role.CURSOR),
            (text[GUTTER : GUTTER + 2 * columns.endpoint + 2], Role.TITLE),
            (text[GUTTER + 2 * columns.endpoint + 2 :], Role.NUMBER),
            ("  " + (ended if columns.exact else left(ended, columns.end, ascii_only)), Role.STATE),
        ],
        columns,
    )


def _cells(
    columns: FlowColumns, client: str, server: str, state: str, counts: tuple[tuple[str, int], ...]
) -> str:
    ends = f"{client.ljust(columns.endpoint)} {server.ljust(columns.endpoint)}"
    numbers = "".join(" " + right(text, width) for text, width in counts)
    return f"{' ' * GUTTER}{ends} {left(state, STATE_WIDTH)}{numbers}"


def _counters(columns: FlowColumns, probes: str, retransmissions: str) -> tuple[tuple[str, int], ...]:
    if not columns.probes:
        return ()
    return (probes, columns.probes), (retransmissions, columns.retransmissions)


def _finish(spans: list[tuple[str, Role]], columns: FlowColumns) -> Line:
    return tuple(spans) if columns.exact else exact(spans, columns.width)
