"""Why the reading of a capture ended, and the sentence for it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

USUAL_FRAME_LIMIT = 262_144
"""The longest frame that libpcap and Wireshark believe, whatever the snap length of the file says."""

FRAME_LIMIT = 1 << 20
"""The longest frame that is believed where the file's snap length allows more."""


class Damage(Enum):
    """What was wrong where the reading stopped."""

    CUT = auto()
    """The file ends inside a frame or block."""
    LENGTH = auto()
    """A frame or block has a length that cannot be."""
    SECTION = auto()
    """A pcapng section header without its byte-order mark."""
    INTERFACE = auto()
    """A frame of an interface that the file does not describe."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Where the reading ended."""

    frames: int
    """How many frames were read."""
    offset: int
    """For CUT the end of the file, else where the record begins that makes no sense."""
    damage: Damage | None = None
    """None where the file was read to its proper end."""
    value: int = 0
    """The length or interface that cannot be."""


def describe_stop(name: str, stop: Stop, stream_fault: str | None) -> str | None:
    """One sentence about what was wrong and what was kept; None where nothing was."""
    before = f"{stop.frames} frame{' before it was' if stop.frames == 1 else 's before it were'} read"
    if stream_fault is not None:
        return f"{name} {stream_fault}, {before}"
    match stop.damage:
        case None:
            return None
        case Damage.CUT:
            return f"{name} is cut off at offset {stop.offset}: the last frame is incomplete, {before}"
        case Damage.LENGTH:
            wrong = f"claims {stop.value} bytes, which cannot be"
        case Damage.SECTION:
            wrong = "begins a section without a byte-order mark"
        case Damage.INTERFACE:
            wrong = f"belongs to interface {stop.value}, which the file does not describe"
    return f"{name} is damaged at offset {stop.offset}: what stands there {wrong}, {before}"
