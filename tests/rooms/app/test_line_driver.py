"""What the driver hands to the terminal: the writer of Textual's driver is taken away, so no terminal is needed."""

from __future__ import annotations

import pytest
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.messages import TerminalSupportsSynchronizedOutput

from tcpladder.app.line import size_of
from tcpladder.app.line_driver import ASKED, LineDriver

PICTURE = "\x1b[1;1Habc\x1b[1;1H"


class Terminal:
    """A driver whose terminal takes all at once, and what it got."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.got: list[str] = []

        def write(driver: LineDriver, data: str) -> None:
            self.got.append(data)
            driver.line.take(size_of(data))

        monkeypatch.setattr(LinuxDriver, "write", write)
        monkeypatch.setattr(LinuxDriver, "process_message", lambda *_: None)
        monkeypatch.setattr(LineDriver, "_get_terminal_size", lambda _: (80, 24))
        self.driver = LineDriver(App())

    def after(self, data: str) -> str:
        """What it gets because of this."""
        self.got.clear()
        self.driver.write(data)
        return "".join(self.got)


async def test_what_stands_there_is_sent_again_behind_what_is_not_understood(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = Terminal(monkeypatch)
    assert "abc" in terminal.after(PICTURE)
    assert terminal.after(PICTURE) == ""
    reset = "\x1bc"
    assert terminal.after(reset) == reset
    assert "abc" in terminal.after(PICTURE)


async def test_modes_and_the_clipboard_leave_the_picture_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(monkeypatch)
    terminal.after(PICTURE)
    for besides in ("\x1b[?25l", "\x1b]52;c;YWJj\x07"):
        assert terminal.after(besides) == besides
        assert terminal.after(PICTURE) == ""


async def test_a_terminal_that_has_answered_once_is_asked_behind_every_part(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = Terminal(monkeypatch)
    assert ASKED not in terminal.after(PICTURE)
    terminal.driver.process_message(TerminalSupportsSynchronizedOutput())
    assert terminal.after("\x1b[1;1Habd\x1b[1;1H").endswith(ASKED)
