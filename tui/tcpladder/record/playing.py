"""Plays events on this terminal while they are made, each in its time."""

from __future__ import annotations

import asyncio
import os
import sys

from tcpladder.errors import UsageError
from tcpladder.record.asciicast import SECOND_US, Code

LEAST_COLUMNS, LEAST_ROWS = 60, 21
"""What the app needs, and a row for the captions."""
_ENTER, _LEAVE = "\x1b[?1049h", "\x1b[0m\x1b[?25h\x1b[?1049l"


class Playing:
    """Takes events; a context manager, which gives the terminal back as it was.

    Raises UsageError where there is no terminal, or one that is too small for any demo.
    """

    def __init__(self) -> None:
        # What plays may have put something else in the place of sys.stdout.
        self._out = sys.__stdout__
        if self._out is None or not self._out.isatty():
            raise UsageError(
                "a demo is played on a terminal: stdout is none; --record FILE.cast writes it to a file"
            )
        self.columns, self.rows = os.get_terminal_size(self._out.fileno())
        if self.columns < LEAST_COLUMNS or self.rows < LEAST_ROWS:
            raise UsageError(
                f"a demo needs {LEAST_COLUMNS}x{LEAST_ROWS} cells, and this terminal has {self.columns}x{self.rows}: "
                "enlarge it, or write the demo to a file with --record FILE.cast"
            )
        self._begin_s: float | None = None

    def __enter__(self) -> Playing:
        self._write(_ENTER)
        return self

    def __exit__(self, *_: object) -> None:
        self._write(_LEAVE)

    async def take(self, time_us: int, code: Code, data: str) -> None:
        """Wait until its time has come."""
        loop = asyncio.get_running_loop()
        if self._begin_s is None:
            self._begin_s = loop.time()
        await asyncio.sleep(max(0.0, self._begin_s + time_us / SECOND_US - loop.time()))
        if code is Code.OUTPUT:
            self._write(data)

    def _write(self, text: str) -> None:
        assert self._out is not None
        self._out.buffer.write(text.encode())
        self._out.buffer.flush()
