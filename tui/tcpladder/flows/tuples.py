"""Numbers for 4-tuples: which pair of endpoints a segment belongs to, found by a salted hash and checked exactly.

The hash only picks a slot in which a tuple is looked for; the slot's tuple is compared with the segment's own, so two
tuples with one hash cost time and never mix. The salt keeps strangers from choosing such tuples.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tcpladder.wire.segments import Addresses

FREE = -1
FIRST_SLOTS = 1 << 16
MOST_SLOTS = 1 << 22
SLOTS_PER_TUPLE = 64
"""So sparse that few tuples share a slot: those that do are looked up one by one."""
SALTS = 6


class Tuple4(NamedTuple):
    """Both endpoints, the smaller first, as Addresses holds them."""

    is_v6: bool
    first: int
    second: int
    third: int
    fourth: int
    ports: int


class TupleTable:
    """Every 4-tuple seen, numbered from 0 in order of first appearance.

    Args:
        salt: at least 48 unpredictable bytes.
    """

    def __init__(self, salt: bytes) -> None:
        salts = np.frombuffer(salt[: SALTS * 8], np.uint64)
        # Odd factors are invertible mod 2^64, so no tuple loses bits.
        self._factors = salts | np.uint64(1)
        self.tuples: list[Tuple4] = []
        self._number: dict[Tuple4, int] = {}
        self._slots = np.full(FIRST_SLOTS, FREE, np.int32)
        self._columns = [np.zeros(1024, np.uint64) for _ in range(5)]
        self._is_v6 = np.zeros(1024, np.bool_)
        self._any_v6 = False

    def __len__(self) -> int:
        return len(self.tuples)

    def numbers(self, addresses: Addresses) -> NDArray[np.int64]:
        """(m,) the number of each segment's tuple; new tuples are added."""
        slot = self._slot_of(
            addresses.first, addresses.second, addresses.third, addresses.fourth, addresses.ports
        )
        number = self._slots.take(slot, mode="clip").astype(np.int64)
        missing = np.flatnonzero(~self._equal(number, addresses))
        if len(missing):
            # Most of them are the same few tuples: look up one row a slot, then see who is served.
            _, first = np.unique(slot[missing], return_index=True)
            self._look_up(addresses, missing[np.sort(first)], slot)
            if len(self.tuples) * SLOTS_PER_TUPLE > len(self._slots) < MOST_SLOTS:
                self._spread()
                return self.numbers(addresses)
            number = self._slots[slot].astype(np.int64)
            missing = np.flatnonzero(~self._equal(number, addresses))
            number[missing] = self._look_up(addresses, missing, slot)
        return number

    def _equal(self, number: NDArray[np.int64], addresses: Addresses) -> NDArray[np.bool_]:
        """Whether each row's tuple is the one with that number."""
        first, second, third, fourth, ports = self._columns
        # FREE is looked up as 0, and equal to nothing.
        equal: NDArray[np.bool_] = number != FREE
        equal &= first.take(number, mode="clip") == addresses.first
        equal &= ports.take(number, mode="clip") == addresses.ports
        if self._any_v6 or addresses.second is not None:
            equal &= self._is_v6.take(number, mode="clip") == addresses.is_v6
        if addresses.second is not None and addresses.third is not None and addresses.fourth is not None:
            v6 = np.flatnonzero(equal & addresses.is_v6)
            number = number[v6]
            equal[v6] = (
                (second[number] == addresses.second[v6])
                & (third[number] == addresses.third[v6])
                & (fourth[number] == addresses.fourth[v6])
            )
        return equal

    def _look_up(
        self, addresses: Addresses, rows: NDArray[np.int64], slot: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Find or add the tuples of some rows, one by one."""
        columns = (addresses.second, addresses.third, addresses.fourth)
        halves = [[0] * len(rows) if c is None else c[rows].tolist() for c in columns]
        wanted = map(
            Tuple4,
            addresses.is_v6[rows].tolist(),
            addresses.first[rows].tolist(),
            *halves,
            addresses.ports[rows].tolist(),
        )
        found = np.empty(len(rows), np.int64)
        known = self._number
        for i, endpoints in enumerate(wanted):
            number = known.get(endpoints)
            if number is None:
                number = self._add(endpoints)
            found[i] = number
        self._slots[slot[rows]] = found
        return found

    def _add(self, endpoints: Tuple4) -> int:
        number = self._number[endpoints] = len(self.tuples)
        self.tuples.append(endpoints)
        if number == len(self._is_v6):
            self._columns = [np.concatenate([c, np.zeros(len(c), np.uint64)]) for c in self._columns]
            self._is_v6 = np.concatenate([self._is_v6, np.zeros(len(self._is_v6), np.bool_)])
        for column, value in zip(self._columns, endpoints[1:], strict=True):
            column[number] = value
        self._is_v6[number] = endpoints.is_v6
        self._any_v6 |= endpoints.is_v6
        return number

    def _spread(self) -> None:
        """Make the slots as sparse as SLOTS_PER_TUPLE wants, and put every tuple where it is found."""
        size = len(self._slots)
        while size < min(MOST_SLOTS, 2 * SLOTS_PER_TUPLE * len(self.tuples)):
            size *= 2
        self._slots = np.full(size, FREE, np.int32)
        count = len(self.tuples)
        first, second, third, fourth, ports = (c[:count] for c in self._columns)
        slot = self._slot_of(first, second, third, fourth, ports)
        self._slots[slot] = np.arange(count, dtype=np.int32)

    def _slot_of(
        self,
        first: NDArray[np.uint64],
        second: NDArray[np.uint64] | None,
        third: NDArray[np.uint64] | None,
        fourth: NDArray[np.uint64] | None,
        ports: NDArray[np.uint32] | NDArray[np.uint64],
    ) -> NDArray[np.int64]:
        """(m,) the slot in which each tuple is looked for first."""
        f = self._factors
        mixed: NDArray[np.uint64] = first * f[0]
        mixed ^= mixed >> np.uint64(29)
        if second is not None and third is not None and fourth is not None:
            mixed += second * f[3] ^ third * f[4] ^ fourth * f[5]
            mixed ^= mixed >> np.uint64(31)
        mixed += ports * f[1]
        mixed *= f[2]
        mixed >>= np.uint64(64 - (len(self._slots).bit_length() - 1))
        return mixed.view(np.int64)
