"""Writes an asciicast while it happens: each event is on its way to the disk before the next one comes."""

from __future__ import annotations

import contextlib
import io
import os
import time
from collections.abc import Callable

from tcpladder.record.asciicast import SECOND_US, Code, Event, Header, size_of
from tcpladder.record.cast_file import Cast, cast_of

LIMIT_BYTES = 1 << 30
"""A day at twelve kilobytes a second, more than a screen sends that somebody reads."""


class CastWriter:
    """An asciicast that grows.

    Args:
        descriptor: of an empty file, open for writing, or of a recording that goes on; closed by `close`.
        header: its first line, None where it is written already.
        clock_ns: nanoseconds, for the times of the events.
        limit_bytes: where the recording ends.

    A write that fails ends the recording, and `why_ended` says so; the events before it stay. Nothing is held back in
    this process, so being killed costs no more than the event that is being written.
    """

    def __init__(
        self,
        descriptor: int,
        header: Header | None,
        *,
        clock_ns: Callable[[], int] = time.monotonic_ns,
        limit_bytes: int = LIMIT_BYTES,
    ) -> None:
        self._descriptor = descriptor
        self._clock_ns = clock_ns
        self._limit_bytes = limit_bytes
        self._size = self._last_us = 0
        self.why_ended = ""
        """Why nothing more is recorded; empty while it goes on."""
        before = _recorded(descriptor) if header is None else Cast(header=header, events=())
        self._version = before.header.version
        self.size = before.header.width, before.header.height
        """Columns and rows now."""
        if header is None:
            self._size = os.fstat(descriptor).st_size
            self._last_us = before.events[-1].time_us if before.events else 0
            for event in before.events:
                self.size = size_of(event.data) if event.code is Code.RESIZE else self.size
        # What goes on does so at once: the time between two programs on the same terminal is nobody's.
        self._begin_ns = clock_ns() - self._last_us * 1000
        if header is not None:
            self._write(header.line())

    def event(self, code: Code, data: str) -> None:
        """Write what happens now."""
        if self.why_ended or not data:
            return
        now_us = max(self._last_us, (self._clock_ns() - self._begin_ns) // 1000)
        event = Event(time_us=now_us, code=code, data=data)
        self._write(event.line(0 if self._version == 2 else self._last_us))
        self._last_us = now_us

    def detach(self) -> int:
        """Leave the descriptor to the caller, so that another writer goes on."""
        descriptor, self._descriptor = self._descriptor, -1
        return descriptor

    def close(self) -> None:
        """Nothing more comes."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _write(self, line: str) -> None:
        data = memoryview(line.encode(errors="replace") + b"\n")
        if self._size + len(data) > self._limit_bytes:
            self._end(f"it has {self._limit_bytes >> 20} MiB, and that is the most")
            return
        try:
            if os.fstat(self._descriptor).st_nlink == 0:
                self._end("its file has been removed")
                return
            rest = data
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError as failed:
            # Half a line would make the whole file unreadable for some players.
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, self._size)
            self._end((failed.strerror or str(failed)).lower())
            return
        self._size += len(data)

    def _end(self, reason: str) -> None:
        self.why_ended = f"the recording ended after {self._last_us / SECOND_US:.0f} s: {reason}"
        self.close()


def _recorded(descriptor: int) -> Cast:
    """What is in the file so far; the place where it is written does not move."""
    data = os.pread(descriptor, os.fstat(descriptor).st_size, 0)
    return cast_of(io.StringIO(data.decode(errors="replace")), "the recording")
