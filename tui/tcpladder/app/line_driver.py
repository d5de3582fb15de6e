"""Textual's driver on a line that may be slow: what the terminal shows is not sent again, and never much at once."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from types import FrameType
from typing import Any, TextIO

from textual.app import App
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message
from textual.messages import TerminalSupportsSynchronizedOutput

from tcpladder.app.brush import eraser
from tcpladder.app.line import PATIENCE_S, Line, size_of
from tcpladder.app.picture import Picture

BEGINS, ENDS = "\x1b[?2026h", "\x1b[?2026l"
"""Around what the terminal shows at once (synchronized output); Textual sends them where the terminal knows them."""
ASKED = "\x1b[?2026$p"
"""Whether it knows synchronized output (DECRQM); Textual asks that at the start, and makes a message of the answer."""
BESIDES = re.compile(r"(?:\x1b\[[<>=?][\d;]*\$?[a-z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x07)+")
"""What leaves the picture as it is: modes, clipboard, shape of the pointer, bell."""


class _Counted:
    """The terminal's file, which tells a line what has left."""

    def __init__(self, file: TextIO, line: Line, left: Callable[[], object]) -> None:
        self._file, self._line, self._left = file, line, left
        self._buffered = 0

    def write(self, text: str) -> int:
        self._buffered += size_of(text)
        return self._file.write(text)

    def flush(self) -> None:
        self._file.flush()
        buffered, self._buffered = self._buffered, 0
        self._line.take(buffered)
        self._left()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class LineDriver(LinuxDriver):
    """Knows what its terminal shows and what it has not taken yet."""

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)
        self.line = Line()
        self._picture = Picture(eraser(self.fileno))
        self._file = _Counted(self._file, self.line, self._has_room)  # type: ignore[assignment,arg-type]
        self._brackets = self._resized = False
        self._looks_again: asyncio.TimerHandle | None = None

    def _get_terminal_size(self) -> tuple[int, int]:
        """What the terminal says: COLUMNS and LINES, which Textual asks first, keep the size that they were set for."""
        columns, lines = os.get_terminal_size(self.fileno)
        return (columns, lines) if columns and lines else super()._get_terminal_size()

    def start_application_mode(self) -> None:
        self._forget()
        super().start_application_mode()  # type: ignore[no-untyped-call]
        resized = signal.getsignal(signal.SIGWINCH)

        def on_resize(number: int, frame: FrameType | None) -> None:
            self._resized = True  # a signal comes in the middle of anything
            if callable(resized):
                resized(number, frame)

        signal.signal(signal.SIGWINCH, on_resize)

    def stop_application_mode(self) -> None:
        self._forget()
        super().stop_application_mode()

    def _forget(self) -> None:
        self._picture.forget()
        self.line.forget()

    def process_message(self, message: Message) -> None:
        if isinstance(message, TerminalSupportsSynchronizedOutput):
            self.line.answered()
            self._has_room()
        super().process_message(message)

    def _has_room(self) -> None:
        """Called in the threads that read and write."""
        if self.line.is_behind:
            with suppress(RuntimeError):  # the app has just ended
                self._loop.call_soon_threadsafe(self._send)

    def write(self, data: str) -> None:
        if data in (BEGINS, ENDS):
            self._brackets = True
            return
        self._notice_size()
        if BESIDES.fullmatch(data):
            self._give(data)
            return
        try:
            self._picture.draw(data, self._get_terminal_size())
        except ValueError:  # no picture of this terminal
            if rest := self._picture.changes():
                self._give(rest)
            self._give(data)
            self._picture.forget()
        self._send()

    def _notice_size(self) -> None:
        """What stood on a terminal of another size, or was on its way there, says nothing any more."""
        if self._resized:
            self._resized = False
            self._forget()

    def _give(self, data: str, *, asked: bool = False) -> None:
        self.line.give(size_of(data), asked=asked)
        super().write(data)

    def _send(self) -> None:
        """As much of the difference as there is room for; the rest when there is."""
        self._notice_size()
        self.line.is_behind = self._picture.is_behind  # before the look for room: the writer may just make it
        while self._picture.is_behind and (room := self.line.room):
            part, asked = self._picture.changes(room), self.line.answers
            self.line.is_behind = self._picture.is_behind
            if part:
                part = f"{BEGINS}{part}{ENDS}" if self._brackets else part
                self._give(part + ASKED if asked else part, asked=asked)
        self.line.is_behind = self._picture.is_behind
        if self.line.is_behind and self._looks_again is None:
            self._looks_again = self._loop.call_later(PATIENCE_S, self._look_again)

    def _look_again(self) -> None:
        """An answer may never come."""
        self._looks_again = None
        self._send()

    def redraw(self) -> None:
        """Something else has written on the terminal: send all of the picture."""
        self._picture.mistrust()
        self._send()


def redraw(app: App[Any]) -> None:
    """Send all that the terminal of an app should show."""
    driver: Driver | None = getattr(app, "_driver", None)
    if isinstance(driver, LineDriver):
        driver.redraw()


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
