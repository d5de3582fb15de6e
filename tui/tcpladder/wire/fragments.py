"""TCP segments in IPv4 and IPv6 fragments. A segment is seen when its last fragment is, as Wireshark shows it.

Only what the analysis needs is kept: the TCP header, and how long the whole datagram is. Bounded: a sender of endless
first fragments loses its oldest.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

MAX_DATAGRAMS = 1024
MAX_PIECES = 64
MAX_DATAGRAM_BYTES = 65_535


@dataclass(slots=True)
class _Datagram:
    header: bytes | None = None
    """The first bytes behind the IP header; enough for a TCP header with all options."""
    pieces: list[tuple[int, int]] = field(default_factory=list)
    """(offset, end) of each fragment, in bytes."""
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Reassembled:
    """A datagram of which every byte was on the wire."""

    header: bytes
    """The first bytes of its payload."""
    payload_bytes: int


class FragmentTable:
    """Datagrams of which some fragments are still to come (RFC 791 3.2, RFC 8200 4.5)."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[bytes, _Datagram] = OrderedDict()

    def add(self, key: bytes, offset: int, size: int, more: bool, start: bytes) -> Reassembled | None:
        """Take one fragment in; returns the datagram when it is complete.

        `key` names the datagram (addresses, protocol, identification), `offset` and `size` are bytes of its payload,
        `start` the first captured bytes of this fragment.
        """
        if offset + size > MAX_DATAGRAM_BYTES:
            return None
        datagram = self._waiting.get(key)
        if datagram is None:
            datagram = self._waiting[key] = _Datagram()
            if len(self._waiting) > MAX_DATAGRAMS:
                self._waiting.popitem(last=False)
        if len(datagram.pieces) >= MAX_PIECES:
            del self._waiting[key]
            return None
        datagram.pieces.append((offset, offset + size))
        if offset == 0:
            datagram.header = start
        if not more:
            datagram.total = offset + size
        if datagram.header is None or datagram.total is None or _gaps(datagram.pieces, datagram.total):
            return None
        del self._waiting[key]
        return Reassembled(datagram.header, datagram.total)


def _gaps(pieces: list[tuple[int, int]], total: int) -> bool:
    """Whether the pieces leave some byte below `total` uncovered."""
    reached = 0
    for offset, end in sorted(pieces):
        if offset > reached:
            return True
        reached = max(reached, end)
    return reached < total
