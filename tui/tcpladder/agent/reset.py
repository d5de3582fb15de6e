"""Ending one connection now: its local sockets are destroyed, the peer gets an RST (sock_diag(7), SOCK_DESTROY)."""

from __future__ import annotations

import errno

from tcpladder.agent.fault_messages import ConnectionReset, ResetConnection
from tcpladder.agent.machine import lines
from tcpladder.agent.sockets import destroy_connection, same_address
from tcpladder.errors import InterfaceError, PermissionRefused, TcpladderError
from tcpladder.faults.fault import INSIST, Match
from tcpladder.faults.guard import protects_connection
from tcpladder.faults.machine import end


def reset_connection(asked: ResetConnection, private: bool) -> ConnectionReset:
    """Destroy the sockets of both ends, as far as they are here.

    Raises PermissionRefused for an SSH connection of this machine unless the person insists, InterfaceError where
    there is no such connection or the kernel cannot do it.
    """
    ends = Match(
        source=same_address(asked.local),
        source_port=asked.local_port,
        destination=same_address(asked.remote),
        destination_port=asked.remote_port,
    )
    if not (private or asked.insist) and (refused := protects_connection(ends, lines())):
        raise PermissionRefused(f"{refused}; type {INSIST} to do it anyway")
    try:
        sockets = destroy_connection(asked.local, asked.local_port, asked.remote, asked.remote_port)
    except OSError as error:
        raise _refused(error) from None
    if not sockets:
        here = f"{end(asked.local, asked.local_port)} and {end(asked.remote, asked.remote_port)}"
        raise InterfaceError(f"cannot reset the connection of {here}: neither end has a socket here")
    return ConnectionReset(sockets=sockets)


def _refused(error: OSError) -> TcpladderError:
    said = (error.strerror or str(error)).lower()
    if error.errno == errno.EOPNOTSUPP:
        return InterfaceError(
            f"cannot reset a connection: {said}; it needs a kernel with CONFIG_INET_DIAG_DESTROY"
        )
    return PermissionRefused(f"cannot reset a connection: {said}; it needs CAP_NET_ADMIN, run with sudo")
