"""The part of a stream that is in memory: filled from behind, consumed from the front.

What a walk over it may rely on: `data` has PADDING readable zero bytes behind the last byte read.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tcpladder.sources.streams import ByteStream
from tcpladder.wire.frames import PADDING

CHUNK_BYTES = 8 << 20
"""Bytes asked for at a time: numpy's fixed cost vanishes, and they stay in a core's cache."""

BLOCK_LIMIT = 64 << 20
"""The longest block that is waited for. The window doubles towards it only as bytes really arrive."""

_ZEROS = bytes(PADDING)


class ReadWindow:
    """A reusable buffer over a stream.

    `buffer[:have]` are the bytes read and not yet consumed; the first of them is at `position` in the stream.
    """

    def __init__(self, stream: ByteStream, position: int, chunk_bytes: int = CHUNK_BYTES) -> None:
        self.stream = stream
        self.position = position
        self.have = 0
        self.buffer = bytearray(max(chunk_bytes, 64) + PADDING)
        self._tee: Callable[[memoryview], None] | None = None

    def tee_to(self, keep: Callable[[memoryview], None]) -> None:
        """Hand every byte read from now on to `keep` as well."""
        self._tee = keep

    @property
    def end(self) -> int:
        """Offset in the stream behind the last byte read."""
        return self.position + self.have

    @property
    def data(self) -> NDArray[np.uint8]:
        """(have + PADDING,) the bytes in memory; valid until `consume` or `fill`."""
        return np.frombuffer(self.buffer, np.uint8, self.have + PADDING)

    @property
    def growing(self) -> bool:
        """Whether more may come although `fill` said that there is nothing now."""
        return self.stream.growing

    def fill(self) -> bool:
        """Read once more behind what is there. False at the end, or where BLOCK_LIMIT is not enough."""
        room = min(CHUNK_BYTES, len(self.buffer) - PADDING - self.have)
        if room == 0:
            if self.have >= BLOCK_LIMIT:
                return False
            grown = bytearray(2 * self.have + PADDING)
            grown[: self.have] = memoryview(self.buffer)[: self.have]
            self.buffer = grown
            room = self.have
        with memoryview(self.buffer) as view, view[self.have : self.have + room] as rest:
            size = self.stream.readinto(rest)
            if size and self._tee is not None:
                self._tee(rest[:size])
        self.have += size
        self.buffer[self.have : self.have + PADDING] = _ZEROS
        return size > 0

    def fill_to(self, size: int) -> bool:
        """Read until `size` bytes are there. False where the stream ends before."""
        while self.have < size:
            if not self.fill():
                return False
        return True

    def consume(self, size: int) -> None:
        """Forget the first `size` bytes."""
        rest = self.have - size
        self.buffer[:rest] = self.buffer[size : self.have]
        self.position += size
        self.have = rest
