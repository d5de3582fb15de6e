"""The line to the terminal: whether what was drawn is still on its way, and how long the last picture took.

Textual's writer holds 30 writes and then blocks the event loop: keys would be answered seconds late. And what is on
its way already stands before what answers a key, so what nobody asked for may fill a part of a slow line only. The
kernel and SSH hold tens of kilobytes that count as written, so a terminal that answers questions is asked behind each
picture whether it has come to it.
"""

from __future__ import annotations

import os
from threading import Lock
from time import monotonic
from typing import Any, TextIO

from textual.app import App
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver

RESTS = 3
"""How many times as long as a picture took the line is left to the keys."""
NOTICED_S = 0.05
"""What takes less is no slow line."""
ASKED = "\x1b[?2026$p"
"""Whether it knows synchronized output (DECRQM); Textual asks that at the start, and makes a message of the answer."""
PATIENCE_S = 10.0
"""After which an answer does not come any more."""


class Line:
    """What was given to the writer and what the kernel took, told by both of their threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._given = self._taken = 0
        self._began_s = self._free_s = 0.0
        self._took_s = 0.0
        self._asked_s: float | None = None
        self._asked_behind = 0
        """What had been given with the last question."""
        self._nearest_s = PATIENCE_S
        """The fastest answer: what the way to the terminal and back takes by itself."""
        self.answers = False
        """Whether the terminal has ever answered."""

    def asked(self) -> None:
        """A question has been written behind a picture."""
        with self._lock:
            self._asked_s = monotonic()
            self._asked_behind = self._given + len(ASKED)

    def answered(self) -> None:
        """The terminal has come to the question."""
        with self._lock:
            self.answers = True
            if self._asked_s is None:
                return
            self._free_s = monotonic()
            passed_s, self._asked_s = self._free_s - self._asked_s, None
            self._nearest_s = min(self._nearest_s, passed_s)
            self._took_s = passed_s - self._nearest_s

    @property
    def waits_for_an_answer(self) -> bool:
        """Whether the terminal has not come to the last question yet."""
        return self._asked_s is not None and monotonic() < self._asked_s + PATIENCE_S

    @property
    def drew_since(self) -> bool:
        """Whether anything was given behind the last question."""
        return self._given > self._asked_behind

    def give(self, characters: int) -> None:
        """Something was drawn."""
        with self._lock:
            if self._given == self._taken:
                self._began_s = monotonic()
            self._given += characters

    def take(self, characters: int) -> None:
        """So much of it has left."""
        with self._lock:
            self._taken += characters
            if self._given == self._taken and not self.answers:
                self._free_s = monotonic()
                self._took_s = self._free_s - self._began_s

    @property
    def is_busy(self) -> bool:
        """Whether something is on its way."""
        return self._given != self._taken or self.waits_for_an_answer

    @property
    def rests_until_s(self) -> float:
        """When something may be drawn again that no person asked for, by `monotonic`."""
        return self._free_s + (RESTS * self._took_s if self._took_s > NOTICED_S else 0.0)


class _Counted:
    """The terminal's file, which tells a line what has left."""

    def __init__(self, file: TextIO, line: Line) -> None:
        self._file, self._line = file, line
        self._buffered = 0

    def write(self, text: str) -> int:
        self._buffered += len(text)
        return self._file.write(text)

    def flush(self) -> None:
        self._file.flush()
        buffered, self._buffered = self._buffered, 0
        self._line.take(buffered)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class LineDriver(LinuxDriver):
    """Knows what its terminal has not taken yet."""

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)
        self.line = Line()
        self._file = _Counted(self._file, self.line)  # type: ignore[assignment,arg-type]

    def _get_terminal_size(self) -> tuple[int, int]:
        """What the terminal says: COLUMNS and LINES, which Textual asks first, keep the size that they were set for."""
        columns, lines = os.get_terminal_size(self.fileno)
        return (columns, lines) if columns and lines else super()._get_terminal_size()

    def write(self, data: str) -> None:
        self.line.give(len(data))
        super().write(data)

    def ask(self) -> None:
        """Find out when the terminal has come to what was written by now."""
        if self.line.answers and self.line.drew_since and not self.line.waits_for_an_answer:
            self.line.asked()
            self.write(ASKED)
            self.flush()


def ask(app: App[Any]) -> None:
    """Ask the terminal of an app whether it has come to what was drawn last."""
    driver: Driver | None = getattr(app, "_driver", None)
    if isinstance(driver, LineDriver):
        driver.ask()


def line_of(app: App[Any]) -> Line:
    """That of an app; an idle one where it has no terminal."""
    driver: Driver | None = getattr(app, "_driver", None)
    return driver.line if isinstance(driver, LineDriver) else Line()


def is_congested(app: App[Any]) -> bool:
    """Whether earlier output still waits for a slow line. What is drawn when it is free is the newest state."""
    return line_of(app).is_busy


def rests(app: App[Any]) -> bool:
    """Whether the line is left to what a person does."""
    line = line_of(app)
    return line.is_busy or monotonic() < line.rests_until_s
