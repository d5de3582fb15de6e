"""The bytes of a live capture, on disk and bounded: what was captured last can be read again.

The file has no name, so nothing is left of it when we are killed. One thread appends, any thread reads.
"""

from __future__ import annotations

import os
from collections import deque

import numpy as np
from numpy.typing import NDArray

from tcpladder.store.anonymous import anonymous_file


class Spool:
    """A ring of `limit_bytes` in a file. Positions count every byte ever appended and never repeat.

    Raises OSError from the constructor where no directory takes a file. A full disk later is a warning: the bytes
    that did not fit cannot be read again, and appending goes on over what the file already has.
    """

    def __init__(self, limit_bytes: int) -> None:
        if limit_bytes <= 0:
            raise ValueError(f"a spool needs room, not {limit_bytes} bytes")
        self.warnings: list[str] = []
        self._limit = limit_bytes
        self._end = self._forgotten = 0
        self._lost: deque[tuple[int, int]] = deque()
        """Position ranges that could not be written, in order; only those that the ring has not passed."""
        self._descriptor = anonymous_file()

    @property
    def end(self) -> int:
        """Position behind the last byte appended."""
        return self._end

    @property
    def oldest(self) -> int:
        """Position of the oldest byte that is not overwritten."""
        return max(self._forgotten, self._end - self._limit)

    def forget(self, position: int) -> None:
        """Let everything before a position be gone, too."""
        self._forgotten = max(self._forgotten, position)

    def append(self, data: memoryview | NDArray[np.uint8]) -> int:
        """Append bytes with one write (two where the ring turns), return the position of the first of them.

        `data` is contiguous. Of more than `limit_bytes`, the last `limit_bytes` are kept.
        """
        view = data.cast("B") if isinstance(data, memoryview) else data.data.cast("B")
        position = self._end
        # What is about to be overwritten counts as gone first, for a reader in another thread.
        self._end += len(view)
        while self._lost and self._lost[0][1] <= self.oldest:
            self._lost.popleft()
        written = max(0, len(view) - self._limit)
        while written < len(view):
            place = (position + written) % self._limit
            room = self._limit - place
            count = self._write(view[written : written + room], place)
            if count == 0:
                self._note_lost(position + written, self._end)
                break
            written += count
        return position

    def read(self, position: int, size: int) -> bytes | None:
        """Read bytes again; None where they are overwritten, were never written, or lie beyond the end."""
        if position < self.oldest or position + size > self._end or self._is_lost(position, position + size):
            return None
        place = position % self._limit
        first = min(size, self._limit - place)
        try:
            data = os.pread(self._descriptor, first, place)
            if first < size:
                data += os.pread(self._descriptor, size - first, 0)
        except OSError:
            return None
        return data if len(data) == size and position >= self.oldest else None

    def close(self) -> None:
        """Give the disk space back."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _write(self, view: memoryview, place: int) -> int:
        try:
            return os.pwrite(self._descriptor, view, place)
        except OSError as error:
            if not self.warnings:
                self.warnings.append(
                    f"cannot keep captured bytes on disk ({(error.strerror or str(error)).lower()}): "
                    "some frames cannot be looked into or saved"
                )
            return 0

    def _note_lost(self, begin: int, end: int) -> None:
        if self._lost and self._lost[-1][1] == begin:
            begin, _ = self._lost.pop()
        self._lost.append((begin, end))

    def _is_lost(self, begin: int, end: int) -> bool:
        return any(begin < lost_end and lost_begin < end for lost_begin, lost_end in tuple(self._lost))
