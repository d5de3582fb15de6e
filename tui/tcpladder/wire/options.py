"""TCP options of single segments, for the few whose options decide something: SYNs."""

from __future__ import annotations

from collections.abc import Iterator

END_OF_OPTIONS = 0
NO_OPERATION = 1
WINDOW_SCALE = 3
SACK_PERMITTED = 4
SACK = 5
TIMESTAMPS = 8

MAX_WINDOW_SHIFT = 14
"""A larger shift count is used as 14 (RFC 7323 2.3)."""


def options(header: bytes) -> Iterator[tuple[int, bytes]]:
    """The (kind, value) pairs of a TCP header's option area; stops at the first lying length (RFC 9293 3.1)."""
    at = 0
    while at < len(header):
        kind = header[at]
        if kind == END_OF_OPTIONS:
            return
        if kind == NO_OPERATION:
            at += 1
            continue
        if at + 1 >= len(header):
            return
        size = header[at + 1]
        if size < 2 or at + size > len(header):
            return
        yield kind, header[at + 2 : at + size]
        at += size
