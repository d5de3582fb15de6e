"""Sequence number arithmetic mod 2^32 (RFC 9293 3.4): the one place where it is done."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MODULUS = 1 << 32


def difference(a: int, b: int) -> int:
    """a - b as a signed number in [-2^31, 2^31): positive where a lies ahead of b."""
    return (a - b + (1 << 31)) % MODULUS - (1 << 31)


def advance(seq: int, count: int) -> int:
    """The sequence number `count` bytes behind `seq`."""
    return (seq + count) % MODULUS


def differences(a: NDArray[np.uint32], b: NDArray[np.uint32]) -> NDArray[np.int64]:
    """`difference` of two (n,) columns, as int64 so that further sums do not wrap."""
    return (a - b).view(np.int32).astype(np.int64)
