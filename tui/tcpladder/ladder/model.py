"""What a ladder is made of: rows, lanes, and what each mark on them means. No colours, no cells."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from tcpladder.analysis.kinds import PROBES, RESETS, RETRANSMISSIONS, Kind
from tcpladder.analysis.view import Gap, Pending, Side
from tcpladder.ladder.exchanges import Repeated


class Role(Enum):
    """What a mark on the ladder means. Front ends choose the colours; none may rely on colour alone."""

    SPACE = auto()
    """Nothing."""
    CURSOR = auto()
    """The gutter at the left edge, where the cursor stands."""
    HEADING = auto()
    """The words above the columns."""
    TITLE = auto()
    """A flow's endpoints."""
    STATE = auto()
    """The state of a flow, and how it ended."""
    TIME = auto()
    """When: a clock time or the time since the first segment."""
    DELTA = auto()
    """How long since the segment before."""
    LIFELINE = auto()
    """The vertical line of an endpoint."""
    ARROW = auto()
    """A segment that asks for no attention: its line and head."""
    ARROW_HANDSHAKE = auto()
    """SYN, SYN-ACK, FIN: the connection begins or ends as it should."""
    ARROW_PROBE = auto()
    """A keepalive or zero-window probe, and its answer."""
    ARROW_RETRANSMISSION = auto()
    """A segment that was sent before, or came out of order."""
    ARROW_RESET = auto()
    """RST, refusal or an ICMP error."""
    ARROW_DAMAGED = auto()
    """A frame that was cut short or contradicts itself."""
    LABEL = auto()
    """The words on an arrow that asks for no attention."""
    LABEL_LOUD = auto()
    """The words on a probe, a retransmission, a reset."""
    LOST = auto()
    """The end of an arrow that did not arrive."""
    REMARK = auto()
    """A word at the right of a rung: `established`, `rule 1`, `next`."""
    NUMBER = auto()
    """Sequence numbers, lengths, windows and frame numbers at the right of a wide ladder."""
    GAP_ON_TIME = auto()
    """A silence as long as its timer says: quiet."""
    GAP_LOUD = auto()
    """A silence that was too short or too long for its timer."""
    GAP_UNEXPLAINED = auto()
    """A silence that no timer explains."""
    ORIGIN = auto()
    """Where the believed timer value comes from."""
    FOLD = auto()
    """What stands for exchanges that repeat."""
    SPACE_BREAK = auto()
    """A gap that is longer than it is drawn."""
    FLOW_1 = auto()
    """The number of a flow where several are drawn, and its quiet arrows; the others are those of further flows."""
    FLOW_2 = auto()
    FLOW_3 = auto()
    FLOW_4 = auto()
    FLOW_5 = auto()
    FLOW_6 = auto()
    NOTE = auto()
    """A remark across the lanes: a fault, a step of an experiment."""
    PENDING = auto()
    """The next rung that must come if nothing else happens."""
    COUNTDOWN = auto()
    """The time until then."""
    WARNING = auto()
    """What should have come and did not."""


class TimeMode(Enum):
    """What stands in the time column."""

    ABSOLUTE = "absolute"
    """The clock."""
    RELATIVE = "relative"
    """Seconds since the first segment."""
    DELTA = "delta"
    """Nothing: only the time since the row above, and more room for the lanes."""
    MARK = "mark"
    """The time since a marked segment, or until it."""


class NumberMode(Enum):
    """How sequence numbers are written."""

    RELATIVE = "relative"
    RAW = "raw"


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """The header fields of one segment; None is what the capture does not know."""

    relative_seq: int | None
    relative_ack: int | None
    raw_seq: int | None
    raw_ack: int | None
    length: int | None
    """Payload bytes."""
    window: int | None
    """Bytes, scaled where the scale is known."""
    flags: str | None
    frame: int
    """From 1, in its file."""


FLOW_ROLES = (Role.FLOW_1, Role.FLOW_2, Role.FLOW_3, Role.FLOW_4, Role.FLOW_5, Role.FLOW_6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """Which flow a row is of, and between which lanes that runs, counted from the left."""

    client: int = 0
    server: int = 1
    flow: int = 0
    """Its number in the list; 0 on a ladder that has one flow alone."""
    place: int = 0
    """Which of the flows on the ladder it is."""
    port: int = 0
    """The client's, which tells it from other flows between the same hosts."""

    def lane(self, side: Side) -> int:
        """That of one end."""
        return self.client if side is Side.CLIENT else self.server

    @property
    def role(self) -> Role:
        """What its number is drawn in."""
        return FLOW_ROLES[self.place % len(FLOW_ROLES)]


ALONE = Track()
"""That of the only flow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One segment: an arrow from one lifeline to the other."""

    segment: int
    """Index into the Timeline."""
    time_ns: int | None
    """None where the source does not know the time."""
    previous_ns: int | None
    """When the segment before was seen; None for the first one."""
    after_gap: bool
    """Whether a gap row, which says the time passed, stands above."""
    sender: Side
    kind: Kind
    label: str
    lost: str | None
    """What ate the segment on its way; None where nothing says that it did not arrive."""
    numbers: Numbers
    track: Track = ALONE


@dataclass(frozen=True, slots=True, kw_only=True)
class GapRow:
    """The silence before a segment."""

    segment: int
    """Index of the segment that ends the silence."""
    sender: Side
    """Who sent it, so whose timer it was."""
    gap: Gap
    track: Track = ALONE


@dataclass(frozen=True, slots=True)
class Note:
    """A remark across the lanes: a fault that was armed or lifted, a step of an experiment, a user's note."""

    time_ns: int
    text: str
    continues: bool = False
    """Whether it goes on from the note above, so that time and sign are not repeated."""
    mark: str = ""
    """The letter by which a user finds it; it stands in place of the sign."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingRow:
    """A rung that must still come, seen from `now_ns`."""

    pending: Pending
    now_ns: int
    place: int
    """0 for the next one, 1 for what follows it …"""
    track: Track = ALONE


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldRow:
    """One row for segments that repeat an exchange."""

    begin: int
    """Index of the first of them."""
    end: int
    """Behind the last."""
    repeated: Repeated
    sender: Side
    """Who probes, sends data or tries again."""
    label: str
    """What it does: the words on its first rung."""
    times: int
    """How often: exchanges, data segments, tries."""
    answers: int
    """ACKs of data."""
    payload: int
    """Bytes of data."""
    span_ns: int | None
    """From the segment before the first of them to the last; None where a time is unknown."""
    pauses: tuple[Gap, Gap] | None
    """The shortest and the longest silence before a probe."""
    track: Track = ALONE


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceRow:
    """Time in which nothing happened, in a ladder whose gaps are to scale."""

    segment: int
    """The segment before which it stands."""
    silent: bool
    """Whether it belongs to a silence that has a row of its own."""
    break_ns: int | None
    """The length of a gap that is longer than drawn, in the row that says so."""
    track: Track = ALONE


Row = Rung | GapRow | Note | PendingRow | FoldRow
"""What every front end draws."""
ScreenRow = Row | SpaceRow
"""What the screen draws: only there gaps are to scale."""


LANE_NAMES = ("client", "server")


@dataclass(frozen=True, slots=True)
class Lane:
    """A lifeline and what stands above it."""

    title: str
    """`client`, `server`; the host where several flows are drawn."""
    below: str
    """The endpoint; what the host is in its flows: `client, :443`."""


_HANDSHAKE = frozenset(
    {Kind.SYN, Kind.SYN_CROSSING, Kind.SYN_DATA, Kind.SYN_ACK, Kind.HANDSHAKE_ACK, Kind.FIN}
)
_PROBE_ANSWERS = frozenset(
    {Kind.KEEPALIVE_ACK, Kind.ZERO_WINDOW_PROBE_ACK, Kind.ZERO_WINDOW, Kind.WINDOW_FULL}
)
_LOSSES = frozenset({Kind.OUT_OF_ORDER, Kind.AFTER_HOLE})
_DAMAGED = frozenset({Kind.CUT_SHORT, Kind.MALFORMED})

ARROW_ROLES: dict[Kind, Role] = {
    **dict.fromkeys(Kind, Role.ARROW),
    **dict.fromkeys(_HANDSHAKE, Role.ARROW_HANDSHAKE),
    **dict.fromkeys(PROBES | _PROBE_ANSWERS, Role.ARROW_PROBE),
    **dict.fromkeys(RETRANSMISSIONS | _LOSSES, Role.ARROW_RETRANSMISSION),
    **dict.fromkeys(RESETS | {Kind.ICMP_ERROR, Kind.CHALLENGE_ACK}, Role.ARROW_RESET),
    **dict.fromkeys(_DAMAGED, Role.ARROW_DAMAGED),
}
"""What the arrow of each kind means."""

QUIET = frozenset({Role.ARROW, Role.ARROW_HANDSHAKE})
"""The arrows whose words ask for no attention."""

EVENT_KINDS = (
    _HANDSHAKE
    | PROBES
    | RETRANSMISSIONS
    | RESETS
    | _DAMAGED
    | {Kind.AFTER_HOLE, Kind.CHALLENGE_ACK, Kind.ICMP_ERROR, Kind.ZERO_WINDOW, Kind.WINDOW_FULL}
)
"""The kinds that a person who looks for what happened wants to jump between."""
