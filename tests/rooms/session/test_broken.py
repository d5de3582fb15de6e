"""A session whose thread fails: it ends with a sentence, on the screen and at the exit."""

from __future__ import annotations

import socket
import time
from datetime import UTC
from pathlib import Path

import pytest

from rooms.app.scripted import settle
from tcpladder import opening, samples
from tcpladder.analysis.capture import CaptureAnalysis
from tcpladder.app.app import TcpladderApp
from tcpladder.app.terminal import Taste
from tcpladder.cli import tcpladder
from tcpladder.errors import SessionError
from tcpladder.session.fault_logs import FaultLogs
from tcpladder.session.files import FileSession
from tcpladder.session.replay import ReplaySession
from tcpladder.sources.fault_log import FaultLog
from waiting import until


def broken_session(monkeypatch: pytest.MonkeyPatch, failure: Exception) -> FileSession:
    """A capture of which the analysis fails at its first frames."""

    def fail(*_: object) -> None:
        raise failure

    monkeypatch.setattr(CaptureAnalysis, "feed", fail)
    return FileSession([str(samples.capture("keepalive"))], read_again=True)


def ended(session: FileSession) -> str:
    """The warning that a session ended with."""
    session.start()
    until(lambda: session.phase == "ended")
    session.close()
    (warning,) = session.status().warnings
    return warning


def test_an_error_of_ours_ends_the_session_and_says_where(monkeypatch: pytest.MonkeyPatch) -> None:
    session = broken_session(monkeypatch, IndexError("index 4 is out\nof bounds"))
    warning = ended(session)
    assert "keepalive.pcap: an error in tcpladder itself, IndexError index 4 is out of bounds" in warning
    assert "(test_broken.py:" in warning
    assert "\n" not in warning
    assert session.broken == warning == ReplaySession(session).broken


def test_a_disk_that_fails_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    warning = ended(broken_session(monkeypatch, OSError(5, "whatever")))
    assert "input/output error" in warning
    assert "tcpladder itself" not in warning


def test_a_replay_whose_reading_ahead_fails_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: ReplaySession) -> bool:
        raise IndexError("index 4")

    monkeypatch.setattr(ReplaySession, "_prepare", fail)
    source = FileSession([str(samples.capture("keepalive"))], read_again=True)
    for _ in source.read():
        pass
    replay = ReplaySession(source, owns_source=False)
    replay.start()
    assert replay.version
    deadline = time.monotonic() + 10
    while not replay.broken:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    replay.close()
    source.close()
    assert "an error in tcpladder itself, IndexError index 4" in replay.broken
    assert replay.status().warnings == (replay.broken,)
    assert not source.broken, "what is replayed goes on"


def test_a_fault_log_that_fails_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise IndexError("index 4")

    monkeypatch.setattr(FaultLog, "read", fail)
    reading, writing = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    writing.send(b"a record")
    logs = FaultLogs(lambda _host: reading.detach())
    logs.open("")
    deadline = time.monotonic() + 10
    while "" not in logs.refused:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    with pytest.raises(SessionError, match="cannot go on with the fault log"):
        list(logs.eaten())
    assert list(logs.eaten()) == []
    logs.close()
    writing.close()


async def test_the_screen_says_that_it_is_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    app = TcpladderApp(broken_session(monkeypatch, IndexError("index 4")), taste=Taste(timezone=UTC))
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        text = await settle(pilot)
        assert "cannot go on with" in text
        assert "loading" not in text
        assert "No TCP in" not in text, "nobody has looked"


def test_the_exit_says_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    session = broken_session(monkeypatch, IndexError("index 4"))
    monkeypatch.setattr("tcpladder.app.app.run", lambda session, **_: ended(session))
    with (
        tcpladder.make_context("tcpladder", ["open"]),
        pytest.raises(SessionError, match="IndexError index 4"),
    ):
        opening.open_app(session, ascii_only=False, no_mouse=True)
