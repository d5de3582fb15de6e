"""Plays a demo on the real app, without a terminal and on a clock of its own: the same bytes each time.

What is recorded are the screens that stand after each key, not the way in which Textual painted them: how many paints
that took depends on the machine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from textual.app import App
from textual.driver import Driver
from textual.drivers.headless_driver import HeadlessDriver
from textual.pilot import Pilot

from tcpladder.app.app import TcpladderApp
from tcpladder.app.contract import Session
from tcpladder.app.page import Page
from tcpladder.app.terminal import Taste
from tcpladder.errors import CaptureError, TcpladderError, UsageError
from tcpladder.record.asciicast import SECOND_US, Code
from tcpladder.record.caption import caption_row
from tcpladder.record.demo_script import Demo, Step
from tcpladder.record.repaint import BEGIN, repaint
from tcpladder.record.terminal import Screen, Terminal

Sink = Callable[[int, Code, str], Awaitable[None]]
"""Takes an event: microseconds since the start, what it is, its data."""
KEY_US = 400_000
"""Between two keys of a step."""
REPLAY_US = 200_000
"""Between two pictures of a replay that plays."""
TYPED_US = 90_000
"""Between two characters that are typed."""
LOOK_S = 0.03
"""Between two looks whether the screen still changes; real time, as all below."""
PATIENCE_S = 60.0
TOAST_S = 86_400.0
END = "\x1b[0m\x1b[?25h"


@dataclass(slots=True)
class DemoClock:
    """The time of the viewer, which goes on when a demo says so."""

    now_us: int = 0

    def seconds(self) -> float:
        """For a replay."""
        return self.now_us / SECOND_US


class DemoDriver(HeadlessDriver):
    """A terminal in memory."""

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)
        assert isinstance(app, DemoApp)
        self._terminal = app.terminal

    @property
    def is_headless(self) -> bool:
        return False  # a headless app paints nothing

    def write(self, data: str) -> None:
        self._terminal.feed(data)


class DemoApp(TcpladderApp):
    """The app, whose messages go away by the demo's clock."""

    def __init__(self, session: Session, demo: Demo, clock: DemoClock) -> None:
        self.terminal = Terminal(demo.columns, demo.rows - 1)
        super().__init__(session, taste=Taste(timezone=UTC))
        self.clock = clock
        self.wrong = ""
        """Why the demo cannot go on."""
        self._toasts_end_us = 0

    def get_driver_class(self) -> type[Driver]:
        return DemoDriver

    def notify(self, message: str, *, timeout: float | None = None, **options: Any) -> None:
        seconds = self.NOTIFICATION_TIMEOUT if timeout is None else timeout
        self._toasts_end_us = self.clock.now_us + round(seconds * SECOND_US)
        super().notify(message, timeout=TOAST_S, **options)

    @property
    def plays(self) -> bool:
        """Whether a replay goes on."""
        replay = self.session.status().replay
        return replay is not None and replay.playing

    def next_change_us(self, until_us: int) -> int:
        """The next moment at which a message goes away or a replay is drawn, `until_us` where none does before."""
        now_us = self.clock.now_us
        if self._toasts_end_us > now_us:
            until_us = min(self._toasts_end_us, until_us)
        return min(now_us + REPLAY_US, until_us) if self.plays else until_us

    def action_replay(self, step_back: bool = False) -> None:  # noqa: ARG002
        self.wrong = "R replays by the clock on the wall; give the demo a [replay] table instead"

    def exit(self, *result: Any, **options: Any) -> None:
        self.wrong = self.wrong or "its keys leave the app"
        super().exit(*result, **options)

    def clock_moved(self) -> None:
        """Take messages away whose time is over."""
        if self._toasts_end_us and self.clock.now_us >= self._toasts_end_us:
            self._toasts_end_us = 0
            self.clear_notifications()


class DemoPlayer:
    """One run of a demo.

    Args:
        demo: what happens.
        session: what is shown; a replay goes by `clock`.
        source: what reads the capture: the session, or what is replayed.
    """

    def __init__(self, demo: Demo, session: Session, source: Session, clock: DemoClock, sink: Sink) -> None:
        self._demo = demo
        self._source = source
        self._sink = sink
        self._app = DemoApp(session, demo, clock)
        self._shown: Screen = ()
        self._caption = self._key = ""
        self._step = 0
        self._failed: TcpladderError | None = None
        self._complete = False

    def run(self) -> None:
        """Play it all. Raises TcpladderError where the script cannot be played on."""
        asyncio.run(
            self._app.run_async(size=(self._demo.columns, self._demo.rows - 1), auto_pilot=self._play)
        )
        if self._failed is not None:
            raise self._failed
        if not self._complete:
            raise UsageError(f"the demo ended in step {self._step}: {self._app.wrong}")

    async def _play(self, pilot: Pilot[Any]) -> None:
        try:
            await self._sink(0, Code.OUTPUT, BEGIN)
            await self._settle(pilot)
            if warnings := self._app.session.status().warnings:
                raise CaptureError(warnings[0])
            for number, step in enumerate(self._demo.steps, 1):
                self._step = number
                await self._play_step(pilot, step)
            await self._sink(self._app.clock.now_us, Code.OUTPUT, END)
            self._complete = True
        except TcpladderError as failed:
            self._failed = failed
        self._app.exit()

    async def _play_step(self, pilot: Pilot[Any], step: Step) -> None:
        self._key = ""
        if step.caption is not None:
            self._caption = step.caption
            await self._sink(self._app.clock.now_us, Code.MARKER, step.caption)
        if not step.keys:
            await self._show(pilot)
        for key in step.keys:
            await pilot.press(key)
            if self._app.wrong:
                raise UsageError(f"the demo ended in step {self._step}: {self._app.wrong}")
            self._key = key if len(key) > 1 or not self._is_typing() else ""
            await self._show(pilot)
            await self._let_pass(pilot, KEY_US if self._key else TYPED_US)
        await self._let_pass(pilot, step.wait_us, until_end=step.until_end)

    def _is_typing(self) -> bool:
        focused = self._app.focused
        return focused is not None and focused.check_consume_key("a", "a")

    async def _let_pass(self, pilot: Pilot[Any], length_us: int, *, until_end: bool = False) -> None:
        """Let so much time pass for the viewer, with all that goes by it; `until_end`, while a replay plays."""
        app = self._app
        until_us = app.clock.now_us + length_us
        while app.clock.now_us < until_us and (not until_end or app.plays):
            app.clock.now_us = app.next_change_us(until_us)
            app.clock_moved()
            await self._show(pilot)

    async def _show(self, pilot: Pilot[Any]) -> None:
        await self._settle(pilot)
        row = caption_row(self._caption, self._key, self._demo.columns)
        screen = (*self._app.terminal.screen(), row)
        await self._sink(self._app.clock.now_us, Code.OUTPUT, repaint(self._shown, screen))
        self._shown = screen

    async def _settle(self, pilot: Pilot[Any]) -> None:
        """Wait until all that follows from what was done has been drawn."""
        loop, before = asyncio.get_running_loop(), None
        deadline = loop.time() + PATIENCE_S
        while not self._is_quiet() or before != self._app.terminal.screen():
            if loop.time() > deadline:
                raise TcpladderError(
                    f"step {self._step} of the demo does not come to rest in {PATIENCE_S:g} s"
                )
            before = self._app.terminal.screen()
            if not self._app.feed.up_to_date:
                self._app.feed.look()
            await pilot.pause(LOOK_S)
            await pilot.pause()

    def _is_quiet(self) -> bool:
        page, feed = self._app.screen, self._app.feed
        if self._source.status().phase != "ended" or not (
            feed.asleep or (self._demo.replay and feed.up_to_date)
        ):
            return False
        settled = not isinstance(page, Page) or page.settled
        return settled and all(worker.is_finished for worker in self._app.workers)
