"""How often the screen looks at the session: often while it changes, rarely while not, never when it is over."""

from __future__ import annotations

import os
from time import monotonic
from typing import TYPE_CHECKING

from textual.timer import Timer

from tcpladder.app.contract import Session
from tcpladder.app.line_driver import rests
from tcpladder.app.page import Page

if TYPE_CHECKING:
    from tcpladder.app.app import TcpladderApp

QUICK_S = 0.1
"""Between two looks while something changes: a person sees ten frames a second as now."""
REMOTE_QUICK_S = 0.25
"""The same over SSH, where bytes cost more than a quarter of a second."""
CALM_S = 0.25
"""Between two looks when nothing has changed for CALM_AFTER_S: a comparison of two numbers, no measurable CPU.
Also where so much changes that each look draws a page."""
CALM_AFTER_S = 2.0
CLOSED_S = 1.0
"""Between two looks while another screen hides the session."""


class Feed:
    """Brings a session's changes to the page that is on the screen."""

    def __init__(self, app: TcpladderApp, session: Session) -> None:
        self._app = app
        self._session = session
        self._quick_s = REMOTE_QUICK_S if "SSH_CONNECTION" in os.environ else QUICK_S
        self._timer: Timer | None = None
        self._seconds: float | None = None
        self._ended = False
        self._version = -1
        self._asked = False
        """Whether what is drawn next is what a person did."""
        self._changed_s = self._started_s = monotonic()
        self._progress: float | None = None

    def start(self) -> None:
        """Begin to look."""
        self._started_s = monotonic()
        self.look()

    def wake(self) -> None:
        """Look often again: a person did something that takes several looks."""
        self._version = -1
        self._asked = True
        self._every(self._quick_s)

    def stop(self) -> None:
        """Look no more, until `wake`: another session is on the screen."""
        self._every(None)

    @property
    def seconds_left(self) -> float | None:
        """Until a file is read, by the pace so far; None in the first second and where nobody can know."""
        passed_s = monotonic() - self._started_s
        if not self._progress or passed_s < 1:
            return None
        return passed_s * (1 - self._progress) / self._progress

    @property
    def up_to_date(self) -> bool:
        """Whether the newest version of the session has been drawn."""
        return self._version == self._session.version

    @property
    def asleep(self) -> bool:
        """Whether nothing is due: the session is over and all of it has been drawn."""
        return self._timer is None

    def _every(self, seconds: float | None) -> None:
        """Look in this rhythm from now on, None for no more."""
        if seconds == self._seconds:
            return
        if self._timer is not None:
            self._timer.stop()
        self._seconds = seconds
        self._timer = None if seconds is None else self._app.set_interval(seconds, self.look)

    def look(self) -> None:
        """Look now: draw what has changed, and choose when to look again."""
        if not self._app.screen_stack:  # the app is closing
            return
        if rests(self._app) and not self._asked:
            self._every(self._quick_s)
            return
        page = self._app.screen
        if not page.is_mounted:
            self._every(self._quick_s)
            return
        self._asked = False
        changed = self._session.version != self._version
        unfinished = isinstance(page, Page) and not page.settled
        if changed or unfinished:
            self._draw(page, changed=changed)
        self._every(self._rhythm(page))

    def _draw(self, page: object, *, changed: bool) -> None:
        if changed:
            self._version, self._changed_s = self._session.version, monotonic()
        status = self._session.status()
        self._progress, self._ended = status.progress, status.phase == "ended"
        if isinstance(page, Page):
            page.show(status)
        self._app.session_changed(status)

    def _rhythm(self, page: object) -> float | None:
        if isinstance(page, Page) and not page.settled:
            return CALM_S if page.racing else self._quick_s
        if self._ended and self._version == self._session.version:
            return None
        if not isinstance(page, Page):
            return CLOSED_S
        calm = monotonic() - self._changed_s >= CALM_AFTER_S
        return CALM_S if calm or page.racing else self._quick_s
