"""The names that stand in place of addresses: given by the user, or looked up where that is asked for.

Nothing is looked up by default: it would send the addresses of a capture to a name server. /etc/hosts and DNS are asked
as the system is configured (nsswitch.conf(5)), by one thread, and a name server that is silent ends it.
"""

from __future__ import annotations

import queue
import socket
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from tcpladder.app.contract import Session
from tcpladder.app.page import Page
from tcpladder.app.privacy import ShowsAddresses
from tcpladder.store.aliases import is_alias, kept_aliases

if TYPE_CHECKING:
    from tcpladder.app.app import TcpladderApp

PATIENCE_S = 3.0
"""How long one lookup may take."""
MOST_SILENT = 3
"""After so many lookups in a row without an answer no more is asked."""


def look_up(address: str) -> str | None:
    """The name of an address, None for one without. Takes as long as the system's resolver waits."""
    try:
        name, _ = socket.getnameinfo((address, 0), socket.NI_NAMEREQD)
    except OSError:
        return None
    return name if is_alias(name) else None


def changed(app: TcpladderApp) -> None:
    """Names are others: draw again. Called from any thread."""
    if app.is_running:
        app.call_next(draw_again, app)


def draw_again(app: TcpladderApp) -> None:
    """Every page shows its addresses otherwise from now on."""
    for page in app.screen_stack:
        if isinstance(page, ShowsAddresses):
            page.mask_changed()
        if isinstance(page, Page):
            page.show_lines(app.session.status())


class AddressNames:
    """One set of names as long as the app runs, in the session that is on the screen."""

    def __init__(self, changed: Callable[[], None], lookup: Callable[[str], str | None] = look_up) -> None:
        self._session: Session | None = None
        self._changed = changed
        """Called from any thread when names changed."""
        self._lookup = lookup
        self.given = kept_aliases()
        """Address -> name, by the user."""
        self._found: dict[str, str] = {}
        self._asked: set[str] = set()
        self._wanted: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self.resolving = False
        """Whether names are looked up."""
        self.trouble = ""
        """Why no more are looked up; empty where nothing is wrong."""

    def show_in(self, session: Session) -> None:
        """This session is on the screen."""
        if session is not self._session:
            self._session = session
            self._apply()

    def give(self, address: str, name: str) -> None:
        """Name an address; an empty name takes its name away."""
        if name:
            self.given[address] = name
        else:
            self.given.pop(address, None)
        self._apply()

    def resolve(self, on: bool) -> None:
        """Look names up from now on, or show none of those that were looked up."""
        self.resolving, self.trouble = on, ""
        self._asked = {address for address in self._asked if address in self._found}
        self._apply()

    def want(self, addresses: Iterable[str]) -> None:
        """These are on the screen: look up those that nobody has looked up."""
        if not self.resolving:
            return
        for address in addresses:
            if address not in self._asked:
                self._asked.add(address)
                self._wanted.put(address)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="names", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        silent = 0
        while silent < MOST_SILENT:
            address = self._wanted.get()
            answered, name = self._bounded(address)
            silent = 0 if answered else silent + 1
            if name is not None:
                self._found[address] = name
                self._apply()
        self.trouble = f"no names: {MOST_SILENT} lookups in a row took longer than {PATIENCE_S:.0f} s"
        self.resolving, self._thread = False, None
        self._apply()

    def _bounded(self, address: str) -> tuple[bool, str | None]:
        """Whether the resolver answered in time, and what. getnameinfo(3) cannot be told how long to wait."""
        answers: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        threading.Thread(target=lambda: answers.put(self._lookup(address)), daemon=True).start()
        try:
            return True, answers.get(timeout=PATIENCE_S)
        except queue.Empty:
            return False, None

    def _apply(self) -> None:
        found = self._found if self.resolving else {}
        if self._session is not None:
            self._session.name_addresses({**found, **self.given})
            self._changed()
