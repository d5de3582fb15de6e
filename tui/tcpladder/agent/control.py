"""The door for other terminals: a root-only socket of each instance, where faults are listed, lifted and extended.

One JSON message a datagram, as on the agent's channel, and the answer; nothing else is listened to.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

from tcpladder.agent import protocol
from tcpladder.agent.fault_messages import ExtendFault, LiftFault, ListFaults
from tcpladder.agent.journal import RUN, instances
from tcpladder.agent.messages import Refused, Reply
from tcpladder.errors import ExitCode, InterfaceError, PermissionRefused, TcpladderError, UsageError

MAY_ASK = (ListFaults, LiftFault, ExtendFault)
_NAME = "control"
_PATIENCE_S = 20.0
_PEER = struct.Struct("=iII")
_ERRORS: dict[int, type[TcpladderError]] = {
    ExitCode.USAGE: UsageError,
    ExitCode.NOT_PERMITTED: PermissionRefused,
}


def listen(directory: Path) -> socket.socket:
    """The socket of the instance whose directory it is, which is root's alone."""
    path = directory / _NAME
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(str(path))
    path.chmod(0o600)
    listener.listen(8)
    return listener


def accept(listener: socket.socket) -> socket.socket | None:
    """The next who asks; None where that is not our own user (SO_PEERCRED)."""
    asking, _ = listener.accept()
    _, uid, _ = _PEER.unpack(asking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))
    if uid == os.geteuid():
        return asking
    asking.close()
    return None


def running() -> Iterator[Path]:
    """The control sockets of all instances on this machine. Raises PermissionRefused where they are not for us."""
    if RUN.is_dir() and not os.access(RUN, os.R_OK | os.X_OK):
        raise PermissionRefused("only root sees the faults of all instances: run it with sudo")
    yield from (path for directory in instances() if (path := directory / _NAME).is_socket())


def ask(path: Path, question: ListFaults | LiftFault | ExtendFault) -> Reply:
    """Ask one instance. Raises what a Refused says, InterfaceError where it ended meanwhile."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as channel:
        channel.settimeout(_PATIENCE_S)
        try:
            channel.connect(str(path))
            channel.send(protocol.encode(question))
            data = channel.recv(protocol.MAX_MESSAGE_BYTES)
        except OSError:
            data = b""
    if not data:
        raise InterfaceError(
            f"tcpladder {path.parent.name} does not answer: it is stopped, or has just ended"
        )
    match protocol.decode_reply(data):
        case Refused(reason=reason, exit_code=code):
            raise _ERRORS.get(code, InterfaceError)(reason)
        case reply:
            return reply
