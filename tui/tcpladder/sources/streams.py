"""Where the bytes of a capture come from: a file, a pipe, or either of them compressed.

Knows no capture format. A stream ends in one way for its reader: `readinto` returns 0. Why it ended early, if it
did, stands in `fault`.
"""

from __future__ import annotations

import bz2
import fcntl
import lzma
import os
import stat
import zlib
from collections.abc import Callable
from typing import Protocol

PIPE_BYTES = 1 << 20
"""What the pipe on stdin is asked to hold, so that one read fills one batch (fs.pipe-max-size is 1 MiB)."""

COMPRESSED_BYTES = 1 << 18
"""Compressed bytes handed to a decompressor at a time."""

XZ_MEMORY_BYTES = 1 << 28
"""What an xz file may make us allocate; `xz -9` needs 65 MiB."""


class ByteStream(Protocol):
    """Bytes in order, once."""

    fault: str | None
    """Why the stream ended before its proper end, as the first half of a sentence (`is cut off: …`)."""

    def readinto(self, view: memoryview) -> int:
        """Fill the beginning of `view`, return how much; 0 at the end. Waits only while there is nothing."""
        ...


class DescriptorStream:
    """The bytes of a descriptor, from where it stands."""

    def __init__(self, descriptor: int) -> None:
        self.fault: str | None = None
        self.read_bytes = 0
        self._descriptor = descriptor
        self._peeked = b""
        status = os.fstat(descriptor)
        self.seekable = stat.S_ISREG(status.st_mode)
        self.start = os.lseek(descriptor, 0, os.SEEK_CUR) if self.seekable else 0
        self.total_bytes = max(0, status.st_size - self.start) if self.seekable else None
        if stat.S_ISFIFO(status.st_mode):
            _widen_pipe(descriptor)

    def peek(self, size: int) -> bytes:
        """Return the first `size` bytes without consuming them, fewer where the stream ends before."""
        while len(self._peeked) < size and (more := self._read(size - len(self._peeked))):
            self._peeked += more
        return self._peeked[:size]

    def readinto(self, view: memoryview) -> int:
        """See ByteStream."""
        if self._peeked:
            size = min(len(view), len(self._peeked))
            view[:size] = self._peeked[:size]
            self._peeked = self._peeked[size:]
            return size
        try:
            size = os.readv(self._descriptor, [view])
        except OSError as error:
            self.fault = f"cannot be read any further ({(error.strerror or str(error)).lower()})"
            return 0
        self.read_bytes += size
        return size

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


MAGICS: dict[bytes, Callable[[], _Decompressor]] = {
    b"\x1f\x8b\x08": _Gzip,
    b"\xfd7zXZ\x00": lambda: lzma.LZMADecompressor(memlimit=XZ_MEMORY_BYTES),
    b"BZh": bz2.BZ2Decompressor,
}
"""First bytes of what is decompressed on the fly, and what does it."""


class DecompressedStream:
    """The bytes inside a gzip, xz or bzip2 stream; members that follow each other are joined."""

    def __init__(self, compressed: DescriptorStream, magic: bytes) -> None:
        self.fault: str | None = None
        self._compressed = compressed
        self._magic = magic
        self._inside = MAGICS[magic]()
        self._carried = b""
        self._fed = 0
        self._scratch = bytearray(COMPRESSED_BYTES)

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
            return False
        self._inside = MAGICS[self._magic]()
        return True


def _widen_pipe(descriptor: int) -> None:
    """Ask for a bigger pipe; an ordinary user near his limit is refused, and the small one works too."""
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    except OSError:
        return
