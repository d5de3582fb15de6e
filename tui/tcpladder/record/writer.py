"""Writes an asciicast while it happens: each event is on its way to the disk before the next one comes."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable

from tcpladder.record.asciicast import SECOND_US, Code, Event, Header

LIMIT_BYTES = 1 << 30
"""A day at twelve kilobytes a second, more than a screen sends that somebody reads."""


class CastWriter:
    """An asciicast that grows.

    Args:
        descriptor: of an empty file, open for writing; closed by `close`.
        header: its first line.
        clock_ns: nanoseconds, for the times of the events.
        limit_bytes: where the recording ends.

    A write that fails ends the recording, and `why_ended` says so; the events before it stay. Nothing is held back in
    this process, so being killed costs no more than the event that is being written.
    """

    def __init__(
        self,
        descriptor: int,
        header: Header,
        *,
        clock_ns: Callable[[], int] = time.monotonic_ns,
        limit_bytes: int = LIMIT_BYTES,
    ) -> None:
        self._descriptor = descriptor
        self._version = header.version
        self.size = header.width, header.height
        """Columns and rows at the begin."""
        self._clock_ns = clock_ns
        self._limit_bytes = limit_bytes
        self._size = 0
        self._begin_ns = clock_ns()
        self._last_us = 0
        self.why_ended = ""
        """Why nothing more is recorded; empty while it goes on."""
        self._write(header.line())

    def event(self, code: Code, data: str) -> None:
        """Write what happens now."""
        if self.why_ended or not data:
            return
        now_us = max(self._last_us, (self._clock_ns() - self._begin_ns) // 1000)
        event = Event(time_us=now_us, code=code, data=data)
        self._write(event.line(0 if self._version == 2 else self._last_us))
        self._last_us = now_us

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
