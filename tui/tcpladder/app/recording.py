"""The app while it is recorded: what it paints goes to the terminal and into an asciicast."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from textual import events
from textual.app import App
from textual.driver import Driver

from tcpladder.app.app import TcpladderApp
from tcpladder.app.contract import Session, SessionStatus
from tcpladder.app.line_driver import LineDriver
from tcpladder.app.start_screen import StartApp
from tcpladder.app.terminal import Taste
from tcpladder.record.asciicast import Code
from tcpladder.record.keys import sent
from tcpladder.record.painted import painted
from tcpladder.record.writer import CastWriter
from tcpladder.session.base import Session as WholeSession
from tcpladder.session.happenings import Happenings


class RecordingDriver(LineDriver):
    """Writes to the terminal, and hands over what it wrote whenever a picture is complete."""

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)
        assert isinstance(app, _Recorded)
        self._recorded = app
        self._written: list[str] = []

    def write(self, data: str) -> None:
        super().write(data)
        self._written.append(data)

    def flush(self) -> None:
        super().flush()
        self._hand_over()

    def close(self) -> None:
        super().close()
        self._hand_over()

    def _hand_over(self) -> None:
        text = painted("".join(self._written))
        self._written.clear()
        self._recorded.record(Code.OUTPUT, text)


class _Recorded(App[Any]):
    """Records itself; mixed in before the app that is recorded.

    A recording that ends, for a full disk, is told, and the app goes on.
    """

    def __init__(self, *, cast: CastWriter, keys: bool, **about: Any) -> None:
        super().__init__(**about)
        self._cast = cast
        self._keys = keys
        self._told = False
        self._recorded_size = cast.size

    def get_driver_class(self) -> type[Driver]:
        return RecordingDriver

    def record(self, code: Code, data: str) -> None:
        """Add to the recording; say once that it has ended."""
        self._cast.event(code, data)
        if self._cast.why_ended and not self._told:
            self._told = True
            self.call_later(self._say_ended)

    def _say_ended(self) -> None:
        self.notify(self._cast.why_ended, severity="error", markup=False, timeout=15)

    def on_resize(self, event: events.Resize) -> None:
        size = event.size.width, event.size.height
        if size != self._recorded_size:
            self._recorded_size = size
            self.record(Code.RESIZE, f"{size[0]}x{size[1]}")

    async def on_event(self, event: events.Event) -> None:
        if self._keys and not event.is_forwarded:
            if isinstance(event, events.Key):
                self.record(Code.INPUT, sent(event.key, event.character))
            elif isinstance(event, events.Paste):
                self.record(Code.INPUT, event.text)
        await super().on_event(event)


class RecordedStart(_Recorded, StartApp):
    """The start screen. `cast` and `keys` as above; the cast is closed by the caller."""


class RecordedApp(_Recorded, TcpladderApp):
    """A session on the screen, with what happens in it as markers."""

    def __init__(self, session: Session, *, taste: Taste, start_flow: int | None, **recorded: Any) -> None:
        super().__init__(session=session, taste=taste, start_flow=start_flow, **recorded)
        self._happenings: Happenings | None = None

    def session_changed(self, status: SessionStatus) -> None:
        super().session_changed(status)
        session = self.session
        if not isinstance(session, WholeSession):
            return
        if self._happenings is None or self._happenings.session is not session:
            self._happenings = Happenings(session)
        for words in self._happenings.new(status.phase, status.faults):
            self.record(Code.MARKER, words)


def run_recorded(
    session: Session,
    cast: CastWriter,
    *,
    keys: bool,
    taste: Taste,
    mouse: bool = True,
    start_flow: int | None = None,
) -> None:
    """Show a session until its user leaves, as app.run does, and record it; closes the recording."""
    try:
        RecordedApp(
            session, taste=replace(taste, tour=False), start_flow=start_flow, cast=cast, keys=keys
        ).run(mouse=mouse)
    finally:
        cast.close()
