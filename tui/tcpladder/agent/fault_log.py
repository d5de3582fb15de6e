"""The NFLOG socket that receives a copy of every segment that a fault eats. The app reads it, the agent never does.

nfnetlink_log: include/uapi/linux/netfilter/nfnetlink_log.h. A group has one reader, so ours is one that nobody has.
"""

from __future__ import annotations

import contextlib
import socket
import struct

from tcpladder.agent import bpf
from tcpladder.agent.netlink import NETLINK_NETFILTER, NLM_F_ACK, Message, Netlink, attribute, be16, be32

COPIED_BYTES = 256
"""Of each packet; as many as a capture keeps."""
_CONFIGURE = 4 << 8 | 1
_BIND, _COPY_PACKET, _WITH_SEQUENCE = 1, 2, 1
_FIRST_GROUP, _GROUPS = 0x7C00, 256
"""Far from the groups that firewalls log to, which are small numbers."""
_BUFFER_BYTES = 4 << 20
_SOL_NETLINK, _NETLINK_NO_ENOBUFS = 270, 5
_SO_RCVBUFFORCE = 33


class FaultLog:
    """One bound NFLOG group. Raises OSError where nfnetlink_log is missing or forbidden."""

    def __init__(self) -> None:
        self._netlink = Netlink(NETLINK_NETFILTER)
        with contextlib.ExitStack() as on_failure:
            on_failure.callback(self._netlink.close)
            self._opened = False
            self.group = self._bind()
            self._configure(attribute(2, struct.pack("!IBB", COPIED_BYTES, _COPY_PACKET, 0)))
            self._configure(be32(5, 1) + be16(6, _WITH_SEQUENCE))
            # What is eaten before anybody listens does not pile up in the socket.
            bpf.attach(self._netlink.socket, bpf.accept_none())
            on_failure.pop_all()

    def open(self) -> int:
        """A descriptor of the socket, for the app; from now on records arrive."""
        listening = self._netlink.socket
        if not self._opened:
            with contextlib.suppress(OSError):
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
                listening.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER_BYTES)
            # A reader that is too slow sees the gap in the sequence, not an error.
            listening.setsockopt(_SOL_NETLINK, _NETLINK_NO_ENOBUFS, 1)
            bpf.attach(listening, bpf.accept_all())
            bpf.lock(listening)
            self._opened = True
        return listening.dup().detach()

    def close(self) -> None:
        """Give the group back, unless the app still reads."""
        self._netlink.close()

    def _bind(self) -> int:
        """Take the first group that nobody has; EPERM says that somebody has it."""
        last = _FIRST_GROUP + _GROUPS - 1
        for self.group in range(_FIRST_GROUP, last):
            with contextlib.suppress(PermissionError):
                self._configure(attribute(1, bytes([_BIND])))
                return self.group
        self.group = last
        self._configure(attribute(1, bytes([_BIND])))
        return last

    def _configure(self, body: bytes) -> None:
        header = struct.pack("!BBH", socket.AF_UNSPEC, 0, self.group)
        self._netlink.call(Message(_CONFIGURE, NLM_F_ACK, header + body))
