"""What the decoder hands on: TCP header fields in columns, one row a segment. No addresses as text, no flows.

An ICMP error that quotes a segment is a row too (`state == State.ICMP`), so that it keeps its place in time.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import IntEnum, IntFlag

import numpy as np
from numpy.typing import NDArray

NO_IP_ID = -1
"""`ip_id` of a segment whose datagram has none (IPv6)."""
NO_SHIFT = -1
"""`window_shift` of a segment without a window scale option."""


SackBlocks = tuple[tuple[int, int], ...]
"""Left and right edge of each block of a SACK option, raw sequence numbers, in the order of the option (RFC 2018 3)."""


class Flag(IntFlag):
    """TCP control bits (RFC 9293 3.1), and the accurate-ECN bit AE above them."""

    FIN = 0x001
    SYN = 0x002
    RST = 0x004
    PSH = 0x008
    ACK = 0x010
    URG = 0x020
    ECE = 0x040
    CWR = 0x080
    AE = 0x100


class State(IntEnum):
    """Whether a row's header can be believed."""

    WHOLE = 0
    CUT_SHORT = 1
    """The snap length cut the frame inside the TCP header: only the ports are known."""
    IP_LENGTH = 2
    """The IP header claims more bytes than the frame had, or fewer than its headers need."""
    DATA_OFFSET = 3
    """The TCP data offset is below 5 or points past the end of the datagram (RFC 9293 3.1)."""
    ICMP = 4
    """An ICMP error; the fields are those of the segment that it quotes, sent by the quoted segment's receiver."""


@dataclass(slots=True, kw_only=True)
class Addresses:
    """The endpoints of m segments, the smaller endpoint first, so that both directions of a flow are equal.

    Endpoints compare by address, then port. IPv4 addresses fill `first` alone: low << 32 | high.
    """

    is_v6: NDArray[np.bool_]
    """(m,)"""
    first: NDArray[np.uint64]
    """(m,) both IPv4 addresses, or the upper half of the smaller IPv6 address."""
    second: NDArray[np.uint64] | None
    """(m,) the lower half of the smaller IPv6 address; None where no row is IPv6."""
    third: NDArray[np.uint64] | None
    """(m,) the upper half of the larger IPv6 address."""
    fourth: NDArray[np.uint64] | None
    """(m,) the lower half of the larger IPv6 address."""
    ports: NDArray[np.uint32]
    """(m,) port of the smaller endpoint << 16 | port of the larger."""


@dataclass(slots=True, kw_only=True)
class Segments:
    """m segments in capture order; every array is (m,)."""

    time_ns: NDArray[np.int64]
    frame: NDArray[np.int64]
    """Number of the frame in its file, from 1."""
    position: NDArray[np.int64]
    captured: NDArray[np.uint32]
    """Bytes at `position`: of the frame with its tunnels, or of the line of a listing."""
    original: NDArray[np.uint32]
    link_type: NDArray[np.uint16]
    interface: NDArray[np.uint16]
    state: NDArray[np.uint8]
    """State of the row."""
    unknown: NDArray[np.uint8]
    """frames.Unknown of the row: fields that the source does not give, whatever their columns hold."""
    swapped: NDArray[np.bool_]
    """Whether the sender is the larger of the two endpoints."""
    seq: NDArray[np.uint32]
    ack: NDArray[np.uint32]
    flags: NDArray[np.uint16]
    window: NDArray[np.uint16]
    """As on the wire, not scaled."""
    length: NDArray[np.int32]
    """Payload bytes, from the IP header (from the frame where a TSO frame says 0)."""
    ip_id: NDArray[np.int32]
    ttl: NDArray[np.uint8]
    """Time to live (IPv4) or hop limit (IPv6) of the datagram."""
    has_timestamps: NDArray[np.bool_]
    tsval: NDArray[np.uint32]
    tsecr: NDArray[np.uint32]
    window_shift: NDArray[np.int8]
    """Shift count of the window scale option of a SYN (RFC 7323 2.2), NO_SHIFT elsewhere."""
    addresses: Addresses
    icmp: dict[int, str] = field(default_factory=dict)
    """Row -> what an ICMP error says, in words: `port unreachable`."""
    sack: dict[int, SackBlocks] = field(default_factory=dict)
    """Row -> its SACK blocks, where it has any; no blocks for a SYN that permits SACK."""

    def __len__(self) -> int:
        return len(self.time_ns)


@dataclass(frozen=True, slots=True)
class Decoded:
    """The segments of one batch, and how many of its frames were something else."""

    segments: Segments
    not_tcp: int
    """Frames that are neither TCP nor an ICMP error about TCP."""
    others: dict[str, int] = field(default_factory=dict)
    """What these are -> how many: `UDP`, `ARP`, `link type 147`."""


def column_names() -> tuple[str, ...]:
    """The names of the per-row arrays of Segments, in order."""
    return tuple(f.name for f in fields(Segments) if f.name not in ("addresses", "icmp", "sack"))
