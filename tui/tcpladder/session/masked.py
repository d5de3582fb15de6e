"""What stands in place of addresses in all that a session says: a mask, or the names that a user gave."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tcpladder.ladder.privacy import Mask


class Masked:
    """A mask for all who look, and another one for a thread that exports meanwhile."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._mask: Mask | None = None
        self._aliases: Mapping[str, str] = {}
        self._exporting = threading.local()

    @property
    def lock(self) -> threading.RLock:
        """Held by whoever looks at several things that must belong together."""
        return self._lock

    @property
    def mask(self) -> Mask | None:
        """What stands in place of addresses in everything that this session says of flows; None shows them."""
        return self._mask

    @mask.setter
    def mask(self, mask: Mask | None) -> None:
        self._mask = mask

    def name_addresses(self, aliases: Mapping[str, str]) -> None:
        """What is to stand in place of addresses where people read: address -> name. A mask comes before it."""
        self._aliases = dict(aliases)

    @contextmanager
    def shown_by(self, mask: Mask | None) -> Iterator[None]:
        """Nothing changes while the caller looks, and for its thread alone this mask is on."""
        with self._lock:
            self._exporting.mask = mask
            try:
                yield
            finally:
                del self._exporting.mask

    def mask_here(self) -> Mask | None:
        """The mask that is on for this thread."""
        mask: Mask | None = getattr(self._exporting, "mask", self.mask)
        return mask

    def masked(self, text: str) -> str:
        """A sentence as the mask shows it."""
        mask = self.mask_here()
        return text if mask is None else mask.text(text)
