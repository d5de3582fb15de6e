"""The bytes inside a gzip, xz, bzip2 or zstd stream, decompressed as they are asked for, in bounded memory."""

from __future__ import annotations

import bz2
import lzma
import sys
import zlib
from collections.abc import Callable
from typing import Protocol

from tcpladder.sources.streams import DescriptorStream

COMPRESSED_BYTES = 1 << 18
"""Compressed bytes handed to a decompressor at a time."""

XZ_MEMORY_BYTES = 1 << 28
"""What an xz file may make us allocate; `xz -9` needs 65 MiB."""


ZSTD_WINDOW_LOG_MAX = 27
"""What a zstd file may make us allocate, 128 MiB; `zstd --ultra -22` needs as much."""


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
