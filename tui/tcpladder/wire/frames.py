"""What every source yields: a batch of frames. Nothing here looks inside a frame."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag

import numpy as np
from numpy.typing import NDArray

PADDING = 256
"""Readable bytes that must follow the start of the last frame of a batch, so that fixed-width reads stay inside."""

TIME_LIMIT_NS = 1 << 62
"""Times are nearer to 1970 than this (the year 2116): the difference of any two then fits in 64 bits."""

UNKNOWN_TIME_NS = -TIME_LIMIT_NS
"""The time of a frame whose source does not know it (a pcapng simple packet block, a listing without times)."""

LINKTYPE_NULL = 0
LINKTYPE_ETHERNET = 1
LINKTYPE_PPP = 9
LINKTYPE_PPP_HDLC = 50
LINKTYPE_RAW = 101
LINKTYPE_LOOP = 108
LINKTYPE_LINUX_SLL = 113
LINKTYPE_IPNET = 226
LINKTYPE_IPV4 = 228
LINKTYPE_IPV6 = 229
LINKTYPE_LINUX_SLL2 = 276
LINKTYPE_LISTING = 0xFFFF
"""Not of the registry: the stored bytes are a line of a text listing, and the frame was made from it."""


class Unknown(IntFlag):
    """Fields of a segment that its source does not give. Their columns hold a guess that disturbs least."""

    SEQ = 1
    ACK = 2
    WINDOW = 4
    LENGTH = 8
    TIME = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """The records that n frames were made from: a tunnel around each, or a line of text. Every array is (n,)."""

    captured: NDArray[np.int64]
    """Bytes of the record."""
    original: NDArray[np.int64]
    """Bytes that it had on the wire."""
    link_type: NDArray[np.uint16]


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameBatch:
    """n frames of one file or one live capture, in capture order.

    The arrays are valid until the next batch is asked for: a source may reuse the buffer.
    """

    data: NDArray[np.uint8]
    """(bytes,) the buffer that holds the frames; at least PADDING bytes follow the start of every frame."""
    start: NDArray[np.int64]
    """(n,) offset in `data` of the first byte of each frame."""
    captured: NDArray[np.int64]
    """(n,) bytes of each frame that are in `data`."""
    original: NDArray[np.int64]
    """(n,) bytes that each frame had on the wire."""
    time_ns: NDArray[np.int64]
    """(n,) nanoseconds since 1970 UTC, or UNKNOWN_TIME_NS."""
    position: NDArray[np.int64]
    """(n,) where the frame's bytes begin in the file or spool, for reading it again."""
    link_type: NDArray[np.uint16]
    """(n,) LINKTYPE_* of each frame."""
    interface: NDArray[np.uint16]
    """(n,) index of the interface in its file, 0 where a file has only one."""
    first_frame: int
    """Number of the first frame in its file, counted from 1 as Wireshark does."""
    file: int = 0
    """Which of the files named on the command line, from 0."""
    vlan_tci: NDArray[np.int32] | None = None
    """(n,) the VLAN tag that the kernel took off a live frame, -1 where there was none."""
    unknown: NDArray[np.uint8] | None = None
    """(n,) Unknown of each frame; None where every frame is whole, as all but listings are."""
    ip: tuple[NDArray[np.int64], NDArray[np.uint16]] | None = None
    """What link.ip_start says of the batch, where somebody has asked already."""
    stored: Stored | None = None
    """What is at `position`, where that is not the frame itself."""

    def __len__(self) -> int:
        return len(self.start)

    @classmethod
    def empty(cls, first_frame: int, file: int) -> FrameBatch:
        """No frames: what a source that is followed yields when nothing came while it waited."""
        none = np.zeros(0, np.int64)
        return cls(
            data=np.zeros(PADDING, np.uint8),
            start=none,
            captured=none,
            original=none,
            time_ns=none,
            position=none,
            link_type=np.zeros(0, np.uint16),
            interface=np.zeros(0, np.uint16),
            first_frame=first_frame,
            file=file,
        )
