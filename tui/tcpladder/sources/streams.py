"""Where the bytes of a capture come from: a file or a pipe, read to its end or followed.

Knows no capture format. A stream ends in one way for its reader: `readinto` returns 0. Why it ended early, if it
did, stands in `fault`.
"""

from __future__ import annotations

import fcntl
import os
import select
import stat
import threading
import time
from dataclasses import dataclass, field
from typing import Protocol

PIPE_BYTES = 1 << 20
"""What the pipe on stdin is asked to hold, so that one read fills one batch (fs.pipe-max-size is 1 MiB)."""

FOLLOW_LOOK_S = 0.05
"""How often the end of a file that is followed is looked at."""


@dataclass(slots=True)
class Following:
    """How to read a file that is still being written."""

    stop: threading.Event = field(default_factory=threading.Event)
    """Set by whoever wants to end it."""
    wait_s: float = 0.2
    """How long one look waits at the end for more; then the reader yields an empty batch."""


class ByteStream(Protocol):
    """Bytes in order, once."""

    fault: str | None
    """Why the stream ended before its proper end, as the first half of a sentence (`is cut off: …`)."""

    @property
    def growing(self) -> bool:
        """Whether more may come although `readinto` returned 0."""
        ...

    def readinto(self, view: memoryview) -> int:
        """Fill the beginning of `view`, return how much; 0 at the end. Waits only while there is nothing."""
        ...


class DescriptorStream:
    """The bytes of a descriptor, from where it stands. A pipe ends when its writer closes it, followed or not."""

    def __init__(self, descriptor: int, following: Following | None = None) -> None:
        self.fault: str | None = None
        self.caught_up = False
        """Whether the end of the file has been seen."""
        self.read_bytes = 0
        self._descriptor = descriptor
        self._peeked = b""
        status = os.fstat(descriptor)
        self.seekable = stat.S_ISREG(status.st_mode)
        self.start = os.lseek(descriptor, 0, os.SEEK_CUR) if self.seekable else 0
        self.total_bytes = max(0, status.st_size - self.start) if self.seekable else None
        self._following = following
        self._ended = False
        """Whether the writer of a pipe has closed it."""
        if stat.S_ISFIFO(status.st_mode):
            _widen_pipe(descriptor)

    @property
    def growing(self) -> bool:
        """See ByteStream."""
        if self._following is None or self._ended or self.fault is not None:
            return False
        return not self._following.stop.is_set()

    def peek(self, size: int) -> bytes:
        """Return the first `size` bytes without consuming them, fewer where the stream ends before.

        Waits for the first bytes of a pipe, even of one that is followed: they say what it carries.
        """
        following = self._following
        if not self.seekable:
            self._following = None
        while len(self._peeked) < size and (more := self._read(size - len(self._peeked))):
            self._peeked += more
        self._following = following
        return self._peeked[:size]

    def readinto(self, view: memoryview) -> int:
        """See ByteStream."""
        if self._peeked:
            size = min(len(view), len(self._peeked))
            view[:size] = self._peeked[:size]
            self._peeked = self._peeked[size:]
            return size
        try:
            if self._following is not None and not self.seekable and not self._is_ready(self._following):
                return 0
            size = os.readv(self._descriptor, [view])
            if not size and len(view) and self._following is not None:
                self._ended = not self.seekable
                size = self._wait(view, self._following) if self.seekable else 0
        except OSError as error:
            self.fault = f"cannot be read any further ({(error.strerror or str(error)).lower()})"
            return 0
        self.read_bytes += size
        return size

    def _is_ready(self, following: Following) -> bool:
        """Wait for the writer of a pipe; a read would wait for ever, and through every signal."""
        waiting = select.poll()
        waiting.register(self._descriptor, select.POLLIN)
        readable = bool(waiting.poll(following.wait_s * 1000))
        self.caught_up = self.caught_up or not readable
        return readable

    def _wait(self, view: memoryview, following: Following) -> int:
        """Look at the end of the file again and again, until there is more, time is up or the reader is stopped."""
        self.caught_up = True
        until = time.monotonic() + following.wait_s
        while not following.stop.is_set():
            if os.fstat(self._descriptor).st_size < self.start + self.read_bytes:
                self.fault = "has become shorter while it was followed"
                return 0
            if size := os.readv(self._descriptor, [view]):
                return size
            left = until - time.monotonic()
            if left <= 0:
                return 0
            following.stop.wait(min(FOLLOW_LOOK_S, left))
        return 0

    def _read(self, size: int) -> bytes:
        scratch = bytearray(size)
        peeked, self._peeked = self._peeked, b""
        count = self.readinto(memoryview(scratch))
        self._peeked = peeked
        return bytes(scratch[:count])


def _widen_pipe(descriptor: int) -> None:
    """Ask for a bigger pipe; an ordinary user near his limit is refused, and the small one works too."""
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    except OSError:
        return
