"""Which way to read a live capture: the ring, or one frame a call where there is none."""

from __future__ import annotations

from typing import Protocol

from tcpladder.agent.messages import CaptureOpened
from tcpladder.sources.recvmsg import RecvmsgSource
from tcpladder.sources.ring import LiveRing
from tcpladder.wire.frames import FrameBatch


class LiveSource(Protocol):
    """Frames as they come; belongs to one thread."""

    def fileno(self) -> int:
        """The descriptor, for poll."""
        ...

    def read(self, timeout_s: float) -> FrameBatch | None:
        """The next frames, or None after `timeout_s` without any. Raises InterfaceError once when it goes down."""
        ...

    def statistics(self) -> tuple[int, int]:
        """(seen, dropped) since the capture was opened."""
        ...

    def close(self) -> None:
        """End the capture."""
        ...


def open_live(descriptor: int, opened: CaptureOpened) -> LiveSource:
    """The source for what the agent opened; takes over `descriptor`."""
    return LiveRing(descriptor, opened) if opened.block_size else RecvmsgSource(descriptor, opened)
