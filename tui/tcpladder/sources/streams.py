"""Where the bytes of a capture come from: a file, a pipe, or either of them compressed.

Knows no capture format. A stream ends in one way for its reader: `readinto` returns 0. Why it ended early, if it
did, stands in `fault`.
"""

from __future__ import annotations

import bz2
import fcntl
import lzma
import os
import select
import stat
import sys
import threading
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

PIPE_BYTES = 1 << 20
"""What the pipe on stdin is asked to hold, so that one read fills one batch (fs.pipe-max-size is 1 MiB)."""

COMPRESSED_BYTES = 1 << 18
"""Compressed bytes handed to a decompressor at a time."""

XZ_MEMORY_BYTES = 1 << 28
"""What an xz file may make us allocate; `xz -9` needs 65 MiB."""


ZSTD_WINDOW_LOG_MAX = 27
"""What a zstd file may make us allocate, 128 MiB; `zstd --ultra -22` needs as much."""

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


class _Decompressor(Protocol):
    """What lzma and bz2 offer; `_Gzip` gives zlib the same shape."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Gzip:
    """One gzip member (RFC 1952), with the interface of lzma's decompressor."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        self._full = False

    @property
    def eof(self) -> bool:
        return self._inflate.eof

    @property
    def unused_data(self) -> bytes:
        return self._inflate.unused_data

    @property
    def needs_input(self) -> bool:
        return not self._full and not self._inflate.unconsumed_tail

    def decompress(self, data: bytes, max_length: int) -> bytes:
        out = self._inflate.decompress(self._inflate.unconsumed_tail + data, max_length)
        self._full = len(out) == max_length
        return out


class _Zstd:
    """One zstd frame (RFC 8878), with the interface and the errors of bz2's decompressor."""

    def __init__(self) -> None:
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd
        limit: dict[int, int] = {zstd.DecompressionParameter.window_log_max: ZSTD_WINDOW_LOG_MAX}
        self._inside = zstd.ZstdDecompressor(options=limit)
        self._error = zstd.ZstdError

    @property
    def eof(self) -> bool:
        return self._inside.eof

    @property
    def unused_data(self) -> bytes:
        return self._inside.unused_data

    @property
    def needs_input(self) -> bool:
        return self._inside.needs_input

    def decompress(self, data: bytes, max_length: int) -> bytes:
        try:
            return self._inside.decompress(data, max_length)
        except self._error as error:
            raise OSError(str(error)) from error


MAGICS: dict[bytes, Callable[[], _Decompressor]] = {
    b"\x1f\x8b\x08": _Gzip,
    b"\xfd7zXZ\x00": lambda: lzma.LZMADecompressor(memlimit=XZ_MEMORY_BYTES),
    b"BZh": bz2.BZ2Decompressor,
    b"\x28\xb5\x2f\xfd": _Zstd,
}
"""First bytes of what is decompressed on the fly, and what does it."""


class DecompressedStream:
    """The bytes inside a gzip, xz, bzip2 or zstd stream; members that follow each other are joined."""

    def __init__(self, compressed: DescriptorStream, magic: bytes) -> None:
        self.fault: str | None = None
        self._compressed = compressed
        self._magic = magic
        self._inside = MAGICS[magic]()
        self._ended = False
        self._carried = b""
        self._fed = 0
        self._scratch = bytearray(COMPRESSED_BYTES)

    @property
    def growing(self) -> bool:
        """See ByteStream."""
        return self.fault is None and not self._ended and self._compressed.growing

    def readinto(self, view: memoryview) -> int:
        """See ByteStream."""
        while self.fault is None:
            data = b""
            if self._inside.eof:
                if not self._next_member():
                    return 0
                data = self._carried
            elif self._inside.needs_input:
                data = self._feed()
                if not data:
                    if self._compressed.growing:
                        return 0
                    self.fault = self._compressed.fault or "is cut off: its compressed data ends early"
                    return 0
            try:
                out = self._inside.decompress(data, len(view))
            except (zlib.error, lzma.LZMAError, OSError, EOFError):
                self.fault = f"is damaged: its compressed data makes no sense near byte {self._fed}"
                return 0
            if out:
                view[: len(out)] = out
                return len(out)
        return 0

    def _feed(self) -> bytes:
        size = self._compressed.readinto(memoryview(self._scratch))
        self._fed += size
        return bytes(self._scratch[:size])

    def _next_member(self) -> bool:
        """Begin the member after a complete one; zeros and anything unknown behind it end the stream."""
        self._carried = self._inside.unused_data or self._feed()
        while 0 < len(self._carried) < len(self._magic) and (more := self._feed()):
            self._carried += more
        if not self._carried.startswith(self._magic):
            self._ended = bool(self._carried)
            return False
        self._inside = MAGICS[self._magic]()
        return True


def _widen_pipe(descriptor: int) -> None:
    """Ask for a bigger pipe; an ordinary user near his limit is refused, and the small one works too."""
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    except OSError:
        return
