"""The front end of `demo`: a script played on this terminal, or written as an asciicast at once."""

from __future__ import annotations

import contextlib
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tcpladder import samples
from tcpladder.errors import TcpladderError
from tcpladder.record.asciicast import Code, Event, Header
from tcpladder.record.cast_file import Cast
from tcpladder.record.demo_script import Demo
from tcpladder.record.playing import Playing
from tcpladder.record.writer import CastWriter
from tcpladder.session.base import Session
from tcpladder.session.files import FileSession
from tcpladder.session.replay import ReplaySession
from tcpladder.session.replay_state import ReplayState
from tcpladder.session.status import Privilege

if TYPE_CHECKING:
    from tcpladder.app.demo_player import Sink


def play(demo: Demo) -> None:
    """Play it on this terminal, smaller where that is smaller. Raises TcpladderError."""
    with Playing() as playing:
        columns, rows = min(demo.columns, playing.columns), min(demo.rows, playing.rows)
        _perform(replace(demo, columns=columns, rows=rows), playing.take)


def write(demo: Demo, descriptor: int, *, version: int = 2) -> None:
    """Write it as an asciicast, as fast as it can be played. Raises TcpladderError, for a full disk, too."""
    now_us = 0
    cast = CastWriter(descriptor, _header(demo, version), clock_ns=lambda: now_us * 1000)

    async def take(time_us: int, code: Code, data: str) -> None:
        nonlocal now_us
        now_us = time_us
        cast.event(code, data)
        if cast.why_ended:
            raise TcpladderError(cast.why_ended)

    try:
        _perform(demo, take)
    finally:
        cast.close()


def recorded(demo: Demo) -> Cast:
    """The recording itself. Raises TcpladderError."""
    events: list[Event] = []

    async def take(time_us: int, code: Code, data: str) -> None:
        if data:
            events.append(Event(time_us=time_us, code=code, data=data))

    _perform(demo, take)
    return Cast(header=_header(demo, 2), events=tuple(events))


def _header(demo: Demo, version: int) -> Header:
    return Header(width=demo.columns, height=demo.rows, version=version, title=demo.title)


def _perform(demo: Demo, sink: Sink) -> None:
    _forget_the_terminal()
    from tcpladder.app.demo_player import DemoClock, DemoPlayer

    path, clock = _capture(demo), DemoClock()
    # The name alone: the same picture wherever the file is.
    with contextlib.chdir(path.parent):
        source = FileSession([path.name], read_again=True)
        source.privilege = Privilege.NONE  # the same bytes, whoever plays it
        session: Session = source
        if demo.replay is not None:
            state = ReplayState(pace=demo.replay.pace, idle_s=demo.replay.idle_s)
            session = ReplaySession(source, state, clock=clock.seconds)
        DemoPlayer(demo, session, source, clock, sink).run()


def _capture(demo: Demo) -> Path:
    if demo.folder is not None and (path := demo.folder / demo.capture).is_file():
        return path
    return samples.capture(demo.capture)


def _forget_the_terminal() -> None:
    """Textual reads these when it is imported: the same pictures on every machine."""
    for name in [name for name in os.environ if name == "NO_COLOR" or name.startswith("TEXTUAL_")]:
        del os.environ[name]
    os.environ["TEXTUAL_COLOR_SYSTEM"] = "truecolor"
