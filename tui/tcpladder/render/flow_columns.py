"""The columns that the list of flows may have, as data; and which of them a width has room for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo

from tcpladder.analysis.activity import BUCKETS
from tcpladder.analysis.view import Endpoint, FlowSummary
from tcpladder.ladder import words
from tcpladder.render.cells import clean, endpoint
from tcpladder.render.glyphs import glyphs
from tcpladder.render.sparkline import sparkline
from tcpladder.wire.frames import UNKNOWN_TIME_NS

NARROW_BELOW = 72
"""Below this width the counters of probes and retransmissions make room for the addresses."""
GUTTER = 2
BARE_PORT = 6
"""`:65535`, which is never cut."""
SHORT_ENDPOINT = 21
"""`192.168.100.100:50000`."""
LONG_ENDPOINT = 47
"""An IPv6 address with eight groups, brackets and port."""
_END_LEAST = 9
_END_COMFORT = 22


@dataclass(frozen=True, slots=True, kw_only=True)
class Pen:
    """What a cell is written with."""

    ascii_only: bool = False
    timezone: tzinfo = UTC
    exact: bool = False
    """Write every number and address in full, whatever its length."""
    activity: Sequence[int] = field(default=())

    def count(self, number: int) -> str:
        """A number, short unless exact."""
        return str(number) if self.exact else words.count(number)

    @property
    def unknown(self) -> str:
        """Stands for what is not known."""
        return glyphs(self.ascii_only).unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column; `client`, `server`, `end` and `why` take more than their width where there is room."""

    title: str
    width: int
    meaning: str
    """Half a sentence for whoever chooses."""
    cell: Callable[[FlowSummary, int | None, Pen], str]
    """Its text in so many cells, None for all of it."""
    is_number: bool = False


def _ends(which: Callable[[FlowSummary], Endpoint]) -> Callable[[FlowSummary, int | None, Pen], str]:
    return lambda flow, room, pen: endpoint(which(flow), room, pen.ascii_only)


def _count(which: Callable[[FlowSummary], int]) -> Callable[[FlowSummary, int | None, Pen], str]:
    return lambda flow, _, pen: pen.count(which(flow))


def _time(which: Callable[[FlowSummary], int]) -> Callable[[FlowSummary, int | None, Pen], str]:
    def cell(flow: FlowSummary, _: int | None, pen: Pen) -> str:
        time_ns = which(flow)
        return pen.unknown if time_ns == UNKNOWN_TIME_NS else words.clock(time_ns, pen.timezone)

    return cell


def _duration(flow: FlowSummary, _: int | None, pen: Pen) -> str:
    if UNKNOWN_TIME_NS in (flow.first_ns, flow.last_ns):
        return pen.unknown
    return clean(words.duration(flow.last_ns - flow.first_ns), pen.ascii_only)


def _owners(flow: FlowSummary, _: int | None, pen: Pen) -> str:
    return clean(", ".join(map(str, flow.owners)), pen.ascii_only) or pen.unknown


def _end(flow: FlowSummary, _: int | None, pen: Pen) -> str:
    return pen.unknown if flow.ended is None else clean(flow.ended, pen.ascii_only)


COLUMNS: Mapping[str, Column] = {
    "flow": Column(
        title="flow", width=6, meaning="its number, in order of the first segment", is_number=True,
        cell=lambda flow, _, __: str(flow.number),
    ),
    "client": Column(
        title="client", width=BARE_PORT, meaning="who sent the SYN", cell=_ends(lambda flow: flow.client)
    ),
    "server": Column(
        title="server", width=BARE_PORT, meaning="who answered it", cell=_ends(lambda flow: flow.server)
    ),
    "process": Column(
        title="process", width=16, meaning="who holds its sockets on this machine, and the pid", cell=_owners
    ),
    "state": Column(
        title="state", width=10, meaning="TCP state of the client, as ss has it",
        cell=lambda flow, _, pen: clean(flow.state, pen.ascii_only),
    ),
    "segments": Column(
        title="segs", width=5, meaning="segments, both directions", is_number=True,
        cell=_count(lambda flow: flow.segments),
    ),
    "bytes": Column(
        title="bytes", width=5, meaning="payload, both directions", is_number=True,
        cell=_count(lambda flow: flow.bytes),
    ),
    "probes": Column(
        title="prb", width=4, meaning="keepalive probes", is_number=True,
        cell=_count(lambda flow: flow.keepalive_probes),
    ),
    "rtx": Column(
        title="rtx", width=4, meaning="retransmissions", is_number=True,
        cell=_count(lambda flow: flow.retransmissions),
    ),
    "first": Column(
        title="first seen", width=12, meaning="time of the first segment", cell=_time(lambda flow: flow.first_ns)
    ),
    "last": Column(
        title="last seen", width=12, meaning="time of the last segment", cell=_time(lambda flow: flow.last_ns)
    ),
    "duration": Column(
        title="lasted", width=10, meaning="from the first segment to the last", is_number=True, cell=_duration
    ),
    "activity": Column(
        title="activity", width=BUCKETS, meaning="segments over time, oldest at the left",
        cell=lambda _, __, pen: sparkline(pen.activity, pen.ascii_only),
    ),
    "end": Column(title="end", width=_END_LEAST, meaning="how it ended", cell=_end),
    "why": Column(
        title="why", width=40, meaning="how it began and ended, as the line below says it",
        cell=lambda flow, _, pen: clean(flow.why, pen.ascii_only),
    ),
}  # fmt: skip
"""By the name that settings and chooser have for it, in the order in which they stand by themselves."""
_NARROW = ("client", "server", "state", "segments", "end")
_PLAIN = ("client", "server", "state", "segments", "probes", "rtx", "end")
_WHERE_ROOM = ("process", "activity", "duration", "bytes", "first", "why")
"""What a wider list shows beside these, the most wanted first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowColumns:
    """The columns of a list of `width` cells."""

    width: int
    cells: tuple[tuple[str, int], ...]
    """The name of each, and its cells."""
    left_out: tuple[str, ...] = ()
    """Those for which there is no room."""
    exact: bool = False
    """Write everything in full, whatever its length."""

    @property
    def shows_activity(self) -> bool:
        """Whether the counts over time are drawn."""
        return any(name == "activity" for name, _ in self.cells)


def flow_columns(
    width: int,
    chosen: Sequence[str] = (),
    *,
    longest: int = SHORT_ENDPOINT,
    owned: bool = False,
) -> FlowColumns:
    """The columns for a line of `width` cells.

    Args:
        width: of the whole line, with the gutter.
        chosen: the names of those that a person wants, in order; without any, what the width has room for.
        longest: cells of the longest endpoint that is known.
        owned: whether processes are known, which a capture from elsewhere does not tell.
    """
    longest = max(BARE_PORT, min(longest, LONG_ENDPOINT))
    names = list(chosen) or _by_itself(width, longest, owned=owned)
    left_out = []
    while _least(names) > width and len(names) > 1:
        least_wanted = next((name for name in reversed(names) if name not in _NARROW), names[-1])
        names.remove(least_wanted)
        left_out.append(least_wanted)
    return FlowColumns(
        width=width, cells=tuple(_shared_out(names, width, longest)), left_out=tuple(reversed(left_out))
    )


def full_columns(summaries: Sequence[FlowSummary]) -> FlowColumns:
    """Columns in which nothing is shortened: for a file or a pipe."""
    pen = Pen(exact=True)
    cells = []
    for name in _PLAIN:
        column = COLUMNS[name]
        longest = max((len(column.cell(one, None, pen)) for one in summaries), default=0)
        least = 0 if name == "end" else max(len(column.title), 4 if column.is_number else column.width)
        cells.append((name, max(longest, least)))
    return FlowColumns(width=0, cells=tuple(cells), exact=True)


def _by_itself(width: int, longest: int, *, owned: bool) -> list[str]:
    names = list(_NARROW if width < NARROW_BELOW else _PLAIN)
    for extra in _WHERE_ROOM:
        if extra == "process" and not owned:
            continue
        wider = [name for name in COLUMNS if name in (*names, extra)]
        comfort = _least(wider) + 2 * (longest - BARE_PORT) + _END_COMFORT - _END_LEAST
        if comfort > width:
            break
        names = wider
    return names


def _least(names: Sequence[str]) -> int:
    """Cells that a line needs at least."""
    gaps = len(names) - 1 + sum(name in ("end", "why") for name in names[1:])
    return GUTTER + gaps + sum(COLUMNS[name].width for name in names)


def _shared_out(names: Sequence[str], width: int, longest: int) -> list[tuple[str, int]]:
    """Room beyond the least goes to the end until it is comfortable, then to the addresses, then to the end again."""
    widths = {name: COLUMNS[name].width for name in names}
    spare = max(0, width - _least(names))
    ends = [name for name in names if name in ("client", "server")]

    def give(name: str, most: int) -> None:
        nonlocal spare
        more = max(0, min(spare, most - widths[name]))
        widths[name] += more
        spare -= more

    if "end" in widths:
        give("end", 12)
    for goal in (min(longest, SHORT_ENDPOINT), longest):
        each = min(goal, (sum(widths[name] for name in ends) + spare) // len(ends)) if ends else 0
        for name in ends:
            give(name, each)
        if "end" in widths:
            give("end", _END_COMFORT)
    for name in ("why", "end"):
        if name in widths:
            give(name, width)
    return list(widths.items())
