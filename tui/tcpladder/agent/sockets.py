"""The TCP sockets of this network namespace, as the kernel lists them (sock_diag(7)). Needs no privilege."""

from __future__ import annotations

import ipaddress
import socket
import struct
from dataclasses import dataclass

from tcpladder.agent.netlink import NETLINK_SOCK_DIAG, Netlink

_SOCK_DIAG_BY_FAMILY = 20
_REQUEST = struct.Struct("=BBBxI48s")
_ESTABLISHED = 1 << 1
_PORTS, _INODE = struct.Struct("!HH"), struct.Struct("=I")
_PORTS_AT, _SOURCE_AT, _DESTINATION_AT, _INODE_AT = 4, 8, 24, 68


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpSocket:
    """One established connection of this namespace, seen from the local end."""

    local: str
    local_port: int
    remote: str
    remote_port: int
    inode: int
    """As in the link /proc/PID/fd/N -> socket:[inode]; 0 where no process holds it."""


def established() -> list[TcpSocket]:
    """Every established TCP connection. Raises OSError where netlink is forbidden."""
    netlink = Netlink(NETLINK_SOCK_DIAG)
    try:
        found = []
        for family in (socket.AF_INET, socket.AF_INET6):
            request = _REQUEST.pack(family, socket.IPPROTO_TCP, 0, _ESTABLISHED, bytes(48))
            found += [_parse(body) for _, body in netlink.dump(_SOCK_DIAG_BY_FAMILY, request)]
        return found
    finally:
        netlink.close()


def _parse(body: bytes) -> TcpSocket:
    """From a struct inet_diag_msg (include/uapi/linux/inet_diag.h)."""
    size = 4 if body[0] == socket.AF_INET else 16
    local_port, remote_port = _PORTS.unpack_from(body, _PORTS_AT)
    return TcpSocket(
        local=_address(body[_SOURCE_AT : _SOURCE_AT + size]),
        local_port=local_port,
        remote=_address(body[_DESTINATION_AT : _DESTINATION_AT + size]),
        remote_port=remote_port,
        inode=_INODE.unpack_from(body, _INODE_AT)[0],
    )


def _address(packed: bytes) -> str:
    """As text; an IPv4 peer of an IPv6 socket as the IPv4 address that is on the wire."""
    address = ipaddress.ip_address(packed)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
