"""Waiting for what another thread or process does: looked at again and again, and never for ever."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE_S = 20
EVERY_S = 0.01


def until(holds: Callable[[], object], why: str = "waited in vain") -> None:
    """Return as soon as it holds; fail with `why` where it does not within PATIENCE_S."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline_s, why
        time.sleep(EVERY_S)
