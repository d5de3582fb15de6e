"""The privacy mask of the app: what `P` does, and what the status line says of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, runtime_checkable

from tcpladder.app.contract import Session
from tcpladder.app.named_keys import named
from tcpladder.ladder.privacy import Mask
from tcpladder.settings.plain import MASKS


@runtime_checkable
class ShowsAddresses(Protocol):
    """A screen that draws them."""

    def mask_changed(self) -> None:
        """Draw them again, even where nothing else has changed."""


class Privacy:
    """One mask as long as the app runs, so that an address has the same stand-in whenever it is on.

    Args:
        session: the one on the screen.
        begin: what is hidden at first, one of MASKS.
        keymap: the keys that the user has changed.
    """

    def __init__(self, session: Callable[[], Session], begin: str, keymap: Mapping[str, str]) -> None:
        self._session = session
        self._keymap = keymap
        self._mask = Mask()
        for _ in range(MASKS.index(begin)):
            self.next()

    def next(self) -> str:
        """Off, addresses, addresses and ports, off: go on, and say what is hidden now."""
        session, mask = self._session(), self._mask
        if session.mask is None:
            mask.ports = False
            session.mask = mask
            return named("addresses and payload are masked; {privacy:P} again: ports, too", self._keymap)
        if not mask.ports:
            mask.ports = True
            return named("addresses, ports and payload are masked; {privacy:P} again: nothing", self._keymap)
        session.mask = None
        return "nothing is masked"


def word(session: Session) -> str:
    """What the status line says of the mask; empty without one."""
    if session.mask is None:
        return ""
    return "addresses and ports masked  " if session.mask.ports else "addresses masked  "
