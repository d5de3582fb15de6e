"""Segments to flows: a flow is one connection, so a new SYN on a known 4-tuple begins a new one.

Knows no TCP state beyond what tells one connection from the next: the initial sequence numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tcpladder.flows.tuples import Tuple4, TupleTable
from tcpladder.wire.segments import Flag, Segments, State

UNKNOWN = -1
"""An initial sequence number that was not seen."""
# Plain integers: `&` on an IntFlag makes an object.
SYN, ACK = int(Flag.SYN), int(Flag.ACK)


@dataclass(frozen=True, slots=True)
class Assigned:
    """Which flow each of m segments belongs to, and who sent it."""

    flow: NDArray[np.int64]
    """(m,) from 0, in order of the first segment."""
    from_server: NDArray[np.bool_]
    """(m,)"""


class _First(NamedTuple):
    """What the first segment of a flow says of who is its client."""

    flags: int
    """Its flags, 0 where its header cannot be believed."""
    from_larger: bool
    """Whether the larger of the two endpoints sent it."""
    is_icmp: bool


class FlowTable:
    """All flows seen so far.

    Args:
        salt: unpredictable bytes for the hash of the 4-tuples; see TupleTable.
    """

    def __init__(self, salt: bytes) -> None:
        self._tuples = TupleTable(salt)
        self._current = np.zeros(1024, np.int64)
        """By 4-tuple: the flow that its segments belong to now."""
        self._tuple_of: list[int] = []
        """By flow: its 4-tuple."""
        self._isn: list[list[int]] = []
        """By flow: initial sequence numbers of the smaller and the larger endpoint, or UNKNOWN."""
        self._client_is_larger = np.zeros(1024, np.bool_)

    def __len__(self) -> int:
        return len(self._tuple_of)

    def endpoints(self, flow: int) -> tuple[Tuple4, bool]:
        """The 4-tuple of a flow, and whether its client is the larger endpoint."""
        return self._tuples.tuples[self._tuple_of[flow]], bool(self._client_is_larger[flow])

    def assign(self, segments: Segments) -> Assigned:
        """Give every segment its flow; new flows are numbered in order of their first segment."""
        if not len(segments):
            return Assigned(np.empty(0, np.int64), np.empty(0, np.bool_))
        known = len(self._tuples)
        number = self._tuples.numbers(segments.addresses)
        first_row = self._first_rows(number, known)
        splits = self._open_flows(segments, number, first_row, known)
        flow = self._split(number, splits) if splits else self._current.take(number, mode="clip")
        return Assigned(flow, segments.swapped ^ self._client_is_larger.take(flow, mode="clip"))

    def _first_rows(self, number: NDArray[np.int64], known: int) -> list[int]:
        """The row of the first segment of each new 4-tuple, in order of their numbers."""
        new_rows = np.flatnonzero(number >= known)
        _, where = np.unique(number[new_rows], return_index=True)
        return [int(row) for row in new_rows[where]]

    def _open_flows(
        self, segments: Segments, number: NDArray[np.int64], first_row: list[int], known: int
    ) -> list[tuple[int, int, int, int]]:
        """Open a flow for each new 4-tuple and each new connection, in row order.

        Returns (row, 4-tuple, flow before, flow from this row on) of each connection that follows another one.
        """
        splits: list[tuple[int, int, int, int]] = []
        syn_rows = np.flatnonzero(((segments.flags & SYN) != 0) & (segments.state == State.WHOLE))
        opening = dict(zip(first_row, range(known, known + len(first_row)), strict=True))
        looked_at = np.zeros(len(number), np.bool_)
        looked_at[syn_rows] = looked_at[first_row] = True
        rows = np.flatnonzero(looked_at)
        columns = (rows, number[rows], *(c[rows] for c in (segments.flags, segments.state, segments.seq)))
        for row, endpoints, flags, state, seq, sender in zip(
            *(column.tolist() for column in columns), segments.swapped[rows].tolist(), strict=True
        ):
            first = _First(flags if state == State.WHOLE else 0, sender, state == State.ICMP)
            if row in opening:
                self._set_current(endpoints, self._open(endpoints, first))
            if not first.flags & SYN:
                continue
            flow = int(self._current[endpoints])
            if row not in opening and self._is_new_connection(flow, first, seq):
                before, flow = flow, self._open(endpoints, first)
                self._current[endpoints] = flow
                splits.append((row, endpoints, before, flow))
            if self._isn[flow][sender] == UNKNOWN:
                self._isn[flow][sender] = seq
        return splits

    def _set_current(self, endpoints: int, flow: int) -> None:
        if endpoints >= len(self._current):
            # Those that collide in the table of tuples get their numbers last, so a row may be far ahead.
            room = max(len(self._current), endpoints + 1 - len(self._current))
            self._current = np.concatenate([self._current, np.zeros(room, np.int64)])
        self._current[endpoints] = flow

    def _is_new_connection(self, flow: int, first: _First, seq: int) -> bool:
        """Whether a SYN on a known 4-tuple begins another connection (RFC 9293 3.4.1: another initial number)."""
        if first.flags & ACK:
            return False
        own, peer = self._isn[flow][first.from_larger], self._isn[flow][1 - first.from_larger]
        if own != UNKNOWN:
            return own != seq
        # Without a SYN of this side so far: the peer's SYN crossed this one, or the capture began in the middle.
        return peer == UNKNOWN

    def _open(self, endpoints: int, first: _First) -> int:
        flow = len(self._tuple_of)
        self._tuple_of.append(endpoints)
        self._isn.append([UNKNOWN, UNKNOWN])
        if flow == len(self._client_is_larger):
            self._client_is_larger = np.concatenate([self._client_is_larger, np.zeros(flow, np.bool_)])
        self._client_is_larger[flow] = self._larger_is_client(endpoints, first)
        return flow

    def _larger_is_client(self, endpoints: int, first: _First) -> bool:
        """The client sent the SYN; in a capture that begins later, the server is believed to have the lower port."""
        if first.flags & SYN:
            return not first.from_larger if first.flags & ACK else first.from_larger
        ports = self._tuples.tuples[endpoints].ports
        small, large = ports >> 16, ports & 0xFFFF
        if first.is_icmp and small == large:
            return not first.from_larger
        return first.from_larger if small == large else large > small

    def _split(self, number: NDArray[np.int64], splits: list[tuple[int, int, int, int]]) -> NDArray[np.int64]:
        """The flow of every row where some 4-tuples change their flow within the batch."""
        first_before: dict[int, int] = {}
        for _, endpoints, before, _ in splits:
            first_before.setdefault(endpoints, before)
        flow = self._current[number]
        at_row = {row: after for row, _, _, after in splits}
        now = dict(first_before)
        for row in np.flatnonzero(np.isin(number, list(first_before))).tolist():
            endpoints = int(number[row])
            if row in at_row:
                now[endpoints] = at_row[row]
            flow[row] = now[endpoints]
        return flow
