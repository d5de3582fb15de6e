"""The agent's loop: one request, one reply. When the app is gone, or says anything malformed, all is put back."""

from __future__ import annotations

import os
import socket
from typing import assert_never

from tcpladder.agent import protocol
from tcpladder.agent.capture import open_capture
from tcpladder.agent.drop import DropTable
from tcpladder.agent.interfaces import list_interfaces
from tcpladder.agent.lab_messages import EndPeer, StartPeer
from tcpladder.agent.messages import (
    DropSegments,
    Interfaces,
    LiftDrop,
    ListInterfaces,
    OnHost,
    OpenCapture,
    ReadSocketOptions,
    ReadSockets,
    ReadSysctls,
    Refused,
    Reply,
    Request,
    Sockets,
    Sysctls,
)
from tcpladder.agent.networks import PrivateWork
from tcpladder.agent.socket_options import SocketReader
from tcpladder.agent.sockets import read_connection, read_sockets, same_address
from tcpladder.agent.sysctls import read_sysctls
from tcpladder.errors import ExitCode, PermissionRefused, TcpladderError


def serve(channel: socket.socket, private: PrivateWork | None) -> None:
    """Answer until the app closes its end of `channel` or sends what is no request; then lift and end everything.

    Only in a private network are drops, peers and hosts for the asking.
    """
    work = _Work(private)
    try:
        while data := channel.recv(protocol.MAX_MESSAGE_BYTES):
            reply, descriptors = work.answer(protocol.decode_request(data))
            _send(channel, reply, descriptors)
    except (protocol.MalformedMessageError, ConnectionError):
        return
    finally:
        try:
            work.end()
        finally:
            if private is not None:
                private.end()


def _send(channel: socket.socket, reply: Reply, descriptors: list[int]) -> None:
    """Send the reply and close our copies of what goes beside it."""
    try:
        socket.send_fds(channel, [protocol.encode(reply)], descriptors)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


class _Work:
    """What the agent has done in one network, or on one host of it, and will undo."""

    def __init__(self, private: PrivateWork | None) -> None:
        self._private = private
        self._hosts: dict[str, _Work] = {}
        self._drops: DropTable | None = None
        self._reader = SocketReader()

    def answer(self, request: Request) -> tuple[Reply, list[int]]:
        """Do what is asked; a refusal is an answer too."""
        try:
            return self._do(request)
        except TcpladderError as refused:
            return Refused(reason=str(refused), exit_code=refused.exit_code), []
        except ValueError as wrong:
            return Refused(reason=str(wrong), exit_code=ExitCode.USAGE), []
        except OSError as failed:
            reason = (
                f"the kernel refuses {type(request).__name__}: {(failed.strerror or str(failed)).lower()}"
            )
            return Refused(reason=reason, exit_code=ExitCode.NOT_PERMITTED), []

    def end(self) -> None:
        """Lift every drop, on every host."""
        for work in (self, *self._hosts.values()):
            if work._drops is not None:
                work._drops.close()

    def _do(self, request: Request) -> tuple[Reply, list[int]]:
        match request:
            case OpenCapture():
                opened, packets = open_capture(request)
                return opened, [packets.detach()]
            case ListInterfaces():
                return Interfaces(interfaces=list_interfaces()), []
            case ReadSysctls(names=names):
                return Sysctls(values=read_sysctls(names)), []
            case ReadSockets():
                return _sockets(request), []
            case ReadSocketOptions(
                local=local, local_port=local_port, remote=remote, remote_port=remote_port
            ):
                return self._reader.read(read_connection(local, local_port, remote, remote_port)), []
            case StartPeer():
                started, report = self._only_private("peers run").start_peer(request)
                return started, [report]
            case EndPeer():
                return self._only_private("peers run").end_peer(request), []
            case OnHost(host=host, request=inner):
                private = self._only_private("there are hosts")
                with private.inside(host):
                    return self._hosts.setdefault(host, _Work(private))._do(inner)
            case DropSegments():
                return self._table().drop(request), []
            case LiftDrop():
                return self._table().lift(request), []
        assert_never(request)

    def _table(self) -> DropTable:
        self._only_private("segments are dropped")
        if self._drops is None:
            self._drops = DropTable()
        return self._drops

    def _only_private(self, what: str) -> PrivateWork:
        if self._private is None:
            raise PermissionRefused(f"{what} only in the private network of `tcpladder lab`")
        return self._private


def _sockets(request: ReadSockets) -> Sockets:
    """The sockets that were asked for, no more of them than a datagram carries."""
    local = None if request.local is None else same_address(request.local)
    remote = None if request.remote is None else same_address(request.remote)
    found = [
        one
        for one in read_sockets(local_port=request.local_port, remote_port=request.remote_port)
        if local in (None, one.local) and remote in (None, one.remote)
    ]
    return Sockets(sockets=found[: request.most], left_out=max(0, len(found) - request.most))
