"""The TCP sockets of this network namespace with their running timers (sock_diag(7)). Needs no privilege."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import struct

from tcpladder.agent.messages import SocketState, TcpInfo
from tcpladder.agent.netlink import NETLINK_SOCK_DIAG, NLM_F_ACK, Message, Netlink, attributes

_SOCK_DIAG_BY_FAMILY, _SOCK_DESTROY = 20, 21
_INET_DIAG_INFO = 2
_REQUEST, _WANTED_PORTS = struct.Struct("=BBBxI"), struct.Struct("!HH44x")
_HEAD, _TAIL, _COOKIE = struct.Struct("!BBBBHH"), struct.Struct("=5I"), struct.Struct("=Q")
_IDENTITY_AT, _SOURCE_AT, _DESTINATION_AT, _COOKIE_AT, _TAIL_AT, _ATTRIBUTES_AT = 4, 8, 24, 44, 52, 72
_INFO = struct.Struct("=8B24I")
_STATES = [
    "UNKNOWN",
    "ESTAB",
    "SYN-SENT",
    "SYN-RECV",
    "FIN-WAIT-1",
    "FIN-WAIT-2",
    "TIME-WAIT",
    "CLOSED",
    "CLOSE-WAIT",
    "LAST-ACK",
    "LISTEN",
    "CLOSING",
    "SYN-RECV",
]
"""By number (include/net/tcp_states.h), in the words of `ss`; the last is a request that waits for its ACK."""
_TIMERS = {1: "retransmission", 2: "keepalive", 3: "timewait", 4: "persist"}
"""inet_sk_diag_fill of the kernel; a tail loss probe is `retransmission` too."""
_CLOSED, _LISTEN = 1 << 7, 1 << 10

ESTABLISHED = 1 << 1
CONNECTIONS = 0xFFF & ~_CLOSED & ~_LISTEN


def read_sockets(
    *, local_port: int = 0, remote_port: int = 0, states: int = CONNECTIONS
) -> list[SocketState]:
    """Every TCP socket with these ports (0 is any) in one of `states`, IPv4 before IPv6.

    Raises OSError where netlink is forbidden.
    """
    return [_parse(body) for body in _dump(local_port, remote_port, states)]


def read_connection(local: str, local_port: int, remote: str, remote_port: int) -> SocketState | None:
    """The socket with exactly these two ends, None where this namespace has none. Raises as read_sockets."""
    ends = same_address(local), same_address(remote)
    for found in read_sockets(local_port=local_port, remote_port=remote_port):
        if (found.local, found.remote) == ends:
            return found
    return None


def destroy_connection(local: str, local_port: int, remote: str, remote_port: int) -> int:
    """Destroy the sockets of both ends, as far as they are here (SOCK_DESTROY); how many there were.

    Raises OSError: EPERM without CAP_NET_ADMIN, EOPNOTSUPP in a kernel without CONFIG_INET_DIAG_DESTROY.
    """
    ends = {(same_address(local), local_port), (same_address(remote), remote_port)}
    found = [
        body
        for ports in dict.fromkeys([(local_port, remote_port), (remote_port, local_port)])
        for body in _dump(*ports, CONNECTIONS)
        if _ends(_parse(body)) == ends
    ]
    for body in found:
        _destroy(body)
    return len(found)


def same_address(text: str) -> str:
    """An address in the form in which sockets are listed. Raises ValueError."""
    return _text(ipaddress.ip_address(text))


def _dump(local_port: int, remote_port: int, states: int) -> list[bytes]:
    """The struct inet_diag_msg of each socket, with the attributes behind it."""
    netlink = Netlink(NETLINK_SOCK_DIAG)
    try:
        found = []
        for family in (socket.AF_INET, socket.AF_INET6):
            request = _REQUEST.pack(family, socket.IPPROTO_TCP, 1 << (_INET_DIAG_INFO - 1), states)
            request += _WANTED_PORTS.pack(local_port, remote_port)
            found += [body for _, body in netlink.dump(_SOCK_DIAG_BY_FAMILY, request)]
        return found
    finally:
        netlink.close()


def _ends(found: SocketState) -> set[tuple[str, int]]:
    return {(found.local, found.local_port), (found.remote, found.remote_port)}


def _destroy(body: bytes) -> None:
    """Destroy the socket that `body` describes, by its cookie; the RST of its other end may have been quicker."""
    request = _REQUEST.pack(body[0], socket.IPPROTO_TCP, 0, CONNECTIONS) + body[_IDENTITY_AT:_TAIL_AT]
    netlink = Netlink(NETLINK_SOCK_DIAG)
    try:
        with contextlib.suppress(FileNotFoundError):
            netlink.call(Message(_SOCK_DESTROY, NLM_F_ACK, request))
    finally:
        netlink.close()


def _parse(body: bytes) -> SocketState:
    """From a struct inet_diag_msg and the attributes behind it."""
    family, state, timer, retransmits, local_port, remote_port = _HEAD.unpack_from(body)
    expires, receive_queue, send_queue, uid, inode = _TAIL.unpack_from(body, _TAIL_AT)
    size = 4 if family == socket.AF_INET else 16
    return SocketState(
        local=_text(ipaddress.ip_address(body[_SOURCE_AT : _SOURCE_AT + size])),
        local_port=local_port,
        remote=_text(ipaddress.ip_address(body[_DESTINATION_AT : _DESTINATION_AT + size])),
        remote_port=remote_port,
        state=_STATES[state] if state < len(_STATES) else _STATES[0],
        uid=uid,
        inode=inode,
        cookie=_COOKIE.unpack_from(body, _COOKIE_AT)[0],
        timer=_TIMERS.get(timer),
        expires_ms=expires if timer else 0,
        retransmits=retransmits,
        receive_queue=receive_queue,
        send_queue=send_queue,
        info=_info(attributes(body, _ATTRIBUTES_AT).get(_INET_DIAG_INFO, b"")),
    )


def _info(packed: bytes) -> TcpInfo | None:
    """From a struct tcp_info, which newer kernels only make longer."""
    if len(packed) < _INFO.size:
        return None
    octets, words = struct.unpack_from("=8B", packed), struct.unpack_from("=24I", packed, 8)
    return TcpInfo(
        probes=octets[3],
        backoff=octets[4],
        rto_us=words[0],
        ato_us=words[1],
        unacked=words[4],
        lost=words[6],
        last_data_sent_ms=words[9],
        last_data_recv_ms=words[11],
        last_ack_recv_ms=words[12],
        rtt_us=words[15],
        rttvar_us=words[16],
        total_retrans=words[23],
    )


def _text(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """As text; an IPv4 peer of an IPv6 socket as the IPv4 address that is on the wire."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
