"""What is known of each segment of a batch once it is classified."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Amended:
    """A segment that got another kind when its answer came."""

    flow: int
    answer: int
    """Row of the capture."""
    length: int
    """Its payload in bytes: garbage, and no application's (RFC 1122 4.2.3.6)."""


@dataclass(slots=True, kw_only=True)
class Classified:
    """The kinds of m segments, and the numbers that decided them; file order."""

    kind: NDArray[np.uint8]
    """(m,) Kind of each segment."""
    expected: NDArray[np.uint32]
    """(m,) next sequence number that the sender had to send, from its own segments and the peer's ACKs."""
    expected_known: NDArray[np.bool_]
    peer_ack: NDArray[np.uint32]
    """(m,) acknowledgment number of the peer's latest segment."""
    peer_ack_known: NDArray[np.bool_]
    copy_of: dict[int, int]
    """Row of the batch -> row of the capture that it repeats."""
    heard: dict[int, int]
    """Row of the batch -> row of the capture in which its sender's peer spoke last, for probes and resets after which
    silence matters. Rows and not times: a coarse clock gives an answer the time of its probe."""
    amended: dict[int, Amended]
    """Row of the capture, of this batch or an earlier one: keepalive probes that only their answer shows to be such.
    `kind` says what they looked like when they came."""
