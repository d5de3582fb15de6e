"""A packet socket that the agent opened: how many frames the kernel counted and lost, and whether it still hears.

packet(7). Looks at no frame.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import struct

from tcpladder.errors import InterfaceError

SOL_PACKET = 263
_PACKET_STATISTICS = 6
_STATISTICS = struct.Struct("=II")


class PacketSocket:
    """What the ring and the recvmsg source share. Takes over the descriptor that it is given."""

    def __init__(self, descriptor: int, interface: str) -> None:
        self.socket = socket.socket(fileno=descriptor)
        self._interface = interface
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN | select.POLLERR)
        self._seen = 0
        self._dropped = 0
        self._fault: InterfaceError | None = None

    def wait(self, timeout_s: float) -> None:
        """Wait until there is something to read, the interface fails, or `timeout_s` has passed."""
        for _, event in self._poll.poll(max(0, round(timeout_s * 1000))):
            if event & select.POLLERR:
                self.failed(self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))

    def failed(self, error: int) -> None:
        """Note an error of the socket; 0 is none. It is raised when everything before it has been read."""
        if error == errno.ENETDOWN:
            there = self.socket.getsockname()[0]
            what = "went down, capture goes on when it is up again" if there else "went away"
            self._fault = InterfaceError(f"{self._interface} {what}")
        elif error:
            self._fault = InterfaceError(f"cannot read {self._interface}: {os.strerror(error).lower()}")

    def failing(self) -> bool:
        """Whether a fault waits to be raised."""
        return self._fault is not None

    def raise_fault(self) -> None:
        """Raise the fault that waits, once."""
        fault, self._fault = self._fault, None
        if fault is not None:
            raise fault

    def statistics(self) -> tuple[int, int]:
        """Frames that passed the filter since the capture was opened, and how many of those the kernel dropped.

        PACKET_STATISTICS starts again from zero at each reading and counts the dropped ones as seen.
        """
        seen, dropped = _STATISTICS.unpack(
            self.socket.getsockopt(SOL_PACKET, _PACKET_STATISTICS, _STATISTICS.size)
        )
        self._seen += seen
        self._dropped += dropped
        return self._seen, self._dropped
