"""What is ours by its name in this network namespace, and belongs to no instance that lives: tables and sink devices.

The kernel removes our tables with their owner, and the guardian our devices; so there should be none.
"""

from __future__ import annotations

import re
import socket

from tcpladder.agent import nftables
from tcpladder.agent.changes import DeviceMade
from tcpladder.agent.journal import instances
from tcpladder.agent.netlink import NETLINK_NETFILTER, Netlink, attributes
from tcpladder.agent.sink import remove_pair
from tcpladder.faults.rules import Family

_NFT_MSG_GETTABLE = 10 << 8 | 1
_TABLE = re.compile(r"tcpladder-(\d+)")
_SINK = re.compile(r"tl(\d+)a")


def orphan_tables() -> list[str]:
    """`inet tcpladder-123`, where no instance 123 lives. Raises OSError where netlink is forbidden."""
    living = _living()
    found = []
    netlink = Netlink(NETLINK_NETFILTER)
    try:
        for family in Family:
            asked = nftables.family_header(nftables.FAMILIES[family])
            for _, body in netlink.dump(_NFT_MSG_GETTABLE, asked):
                name = attributes(body, 4)[1].rstrip(b"\0").decode(errors="replace")
                match = _TABLE.fullmatch(name)
                if match is not None and match[1] not in living:
                    found.append(f"{family} {name}")
    finally:
        netlink.close()
    return found


def orphan_sinks() -> list[str]:
    """Names of our virtual interfaces that no living instance has."""
    living = _living()
    names = (name for _, name in socket.if_nameindex())
    return [name for name in names if (match := _SINK.fullmatch(name)) and match[1] not in living]


def remove_sink(name: str) -> None:
    """Take one away. Raises OSError."""
    remove_pair(DeviceMade(name=name, peer=""))


def _living() -> set[str]:
    return {directory.name for directory in instances()}
