"""One line of a text listing, read: what every dialect comes down to, before it becomes a frame."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class StampKind(Enum):
    """What the time at the beginning of a line is."""

    NONE = auto()
    TIME_OF_DAY = auto()
    """Nanoseconds since midnight, of a day that the line does not name."""
    LOCAL = auto()
    """Nanoseconds since 1970 of a clock on the wall, in a time zone that the line does not name."""
    EPOCH = auto()
    """Nanoseconds since 1970 UTC."""
    SPAN = auto()
    """Nanoseconds since the line before, or since the first one."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """The time of a line as it stands there."""

    kind: StampKind
    ns: int = 0


NO_STAMP = Stamp(StampKind.NONE)


@dataclass(frozen=True, slots=True)
class ListedEnd:
    """A host and its port in the words of the listing: numbers or names."""

    host: str
    port: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedOptions:
    """The TCP options that a listing gives."""

    mss: int | None = None
    window_shift: int | None = None
    sack_permitted: bool = False
    timestamps: tuple[int, int] | None = None
    sack: tuple[tuple[int, int], ...] = ()


NO_OPTIONS = ListedOptions()


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedSegment:
    """A TCP segment. None is what the line does not give; numbers are those of the line."""

    stamp: Stamp
    source: ListedEnd
    destination: ListedEnd
    is_v6: bool
    flags: int
    seq: int | None
    ack: int | None
    window: int | None
    length: int | None
    options: ListedOptions
    ip_id: int = 0
    relative: bool = False
    """Whether numbers may be relative to the first ones of the connection, as tcpdump prints them without -S."""


@dataclass(frozen=True, slots=True)
class ListedOther:
    """A frame that is not TCP."""

    stamp: Stamp
    protocol: int | None
    """Of IP; None for ARP."""


Listed = ListedSegment | ListedOther
