"""The device that leads nowhere: a veth pair, both ends up, without ARP and without addresses.

What is sent into one end has left for the TCP that wrote it, arrives at the other, and nobody there wants it
(veth(4), rtnetlink(7)).
"""

from __future__ import annotations

import os
import struct

from tcpladder.agent.netlink import (
    NETLINK_ROUTE,
    NLM_F_ACK,
    NLM_F_CREATE,
    NLM_F_EXCL,
    Message,
    Netlink,
    attribute,
    nested,
    text,
)

_RTM_NEWLINK, _RTM_DELLINK = 16, 17
_IFINFOMSG = struct.Struct("=BxHiII")
_IFF_UP, _IFF_NOARP = 0x1, 0x80
_IFLA_IFNAME, _IFLA_LINKINFO, _INFO_KIND, _INFO_DATA, _VETH_PEER = 3, 18, 1, 2, 1
_IFLA_AF_SPEC, _AF_INET6, _ADDR_GEN_MODE, _NO_ADDRESS = 26, 10, 8, 1


class Sink:
    """One pair of devices, there from `open` to `close`. Raises OSError where the kernel has no veth or forbids it."""

    def __init__(self) -> None:
        self.names = (f"tl{os.getpid()}a", f"tl{os.getpid()}b")
        self._opened = False

    def open(self) -> str:
        """Make the pair, unless it is there; the name of the end to send into."""
        if not self._opened:
            _change(_RTM_NEWLINK, _link(self.names[0], self.names[1]), NLM_F_CREATE | NLM_F_EXCL)
            self._opened = True
            silent = nested(_IFLA_AF_SPEC, nested(_AF_INET6, attribute(_ADDR_GEN_MODE, bytes([_NO_ADDRESS]))))
            for name in self.names:
                _set(name, 0, silent)
                _set(name, _IFF_UP | _IFF_NOARP)
        return self.names[0]

    def close(self) -> None:
        """Take the pair away, if it is there."""
        if self._opened:
            _change(_RTM_DELLINK, _IFINFOMSG.pack(0, 0, 0, 0, 0) + text(_IFLA_IFNAME, self.names[0]), 0)
            self._opened = False


def _link(name: str, peer: str) -> bytes:
    """struct ifinfomsg and attributes of a new veth pair."""
    peer_link = nested(_VETH_PEER, _IFINFOMSG.pack(0, 0, 0, 0, 0) + text(_IFLA_IFNAME, peer))
    kind = nested(_IFLA_LINKINFO, text(_INFO_KIND, "veth") + nested(_INFO_DATA, peer_link))
    return _IFINFOMSG.pack(0, 0, 0, 0, 0) + text(_IFLA_IFNAME, name) + kind


def _set(name: str, flags: int, *more: bytes) -> None:
    _change(
        _RTM_NEWLINK, _IFINFOMSG.pack(0, 0, 0, flags, flags) + text(_IFLA_IFNAME, name) + b"".join(more), 0
    )


def _change(kind: int, body: bytes, flags: int) -> None:
    netlink = Netlink(NETLINK_ROUTE)
    try:
        netlink.call(Message(kind, NLM_F_ACK | flags, body))
    finally:
        netlink.close()
