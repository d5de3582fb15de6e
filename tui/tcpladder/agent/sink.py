"""The device that leads nowhere: a veth pair, both ends up, without ARP and without addresses.

What is sent into one end has left for the TCP that wrote it, arrives at the other, and nobody there wants it
(veth(4), rtnetlink(7)).
"""

from __future__ import annotations

import errno
import os
import struct
from typing import TYPE_CHECKING

from tcpladder.agent.changes import DeviceMade
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

if TYPE_CHECKING:
    from tcpladder.agent.guarded import Changes

_RTM_NEWLINK, _RTM_DELLINK = 16, 17
_IFINFOMSG = struct.Struct("=BxHiII")
_IFF_UP, _IFF_NOARP = 0x1, 0x80
_IFLA_IFNAME, _IFLA_LINKINFO, _INFO_KIND, _INFO_DATA, _VETH_PEER = 3, 18, 1, 2, 1
_IFLA_AF_SPEC, _AF_INET6, _ADDR_GEN_MODE, _NO_ADDRESS = 26, 10, 8, 1


class Sink:
    """One pair of devices, there from `open` to `close`, and gone with the agent however that ends."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._names = (f"tl{os.getpid()}a", f"tl{os.getpid()}b")
        self._number = 0

    def open(self) -> str:
        """Make the pair, unless it is there; the name of the end to send into. Raises as Changes does."""
        if not self._number:
            self._number, _ = self._changes.make(DeviceMade(name=self._names[0], peer=self._names[1]))
        return self._names[0]

    def close(self) -> None:
        """Take the pair away, if it is there."""
        if self._number:
            self._changes.undo(self._number)
            self._number = 0

    def forget(self) -> None:
        """Somebody else has taken it away."""
        self._number = 0


def make_pair(change: DeviceMade) -> None:
    """Raises OSError where the kernel has no veth or forbids it."""
    _change(_RTM_NEWLINK, _link(change.name, change.peer), NLM_F_CREATE | NLM_F_EXCL)
    silent = nested(_IFLA_AF_SPEC, nested(_AF_INET6, attribute(_ADDR_GEN_MODE, bytes([_NO_ADDRESS]))))
    for name in (change.name, change.peer):
        _set(name, 0, silent)
        _set(name, _IFF_UP | _IFF_NOARP)


def remove_pair(change: DeviceMade) -> None:
    """The peer goes with it; nothing where it is gone."""
    try:
        _change(_RTM_DELLINK, _IFINFOMSG.pack(0, 0, 0, 0, 0) + text(_IFLA_IFNAME, change.name), 0)
    except OSError as refused:
        if refused.errno != errno.ENODEV:
            raise


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
