"""The agent's loop: one request, one reply. When the app is gone, or says anything malformed, all is put back."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Callable, Iterator
from typing import assert_never

from tcpladder.agent import protocol
from tcpladder.agent.capture import open_capture
from tcpladder.agent.fault_messages import (
    ApplyFault,
    ExtendFault,
    LiftFault,
    ListFaults,
    OpenFaultLog,
    PlanFault,
    ResetConnection,
    SetSysctl,
)
from tcpladder.agent.faults import FaultBook
from tcpladder.agent.guarded import Changes
from tcpladder.agent.interfaces import list_interfaces
from tcpladder.agent.lab_messages import EndPeer, StartPeer
from tcpladder.agent.loop import Loop
from tcpladder.agent.messages import (
    HeldSocket,
    Interfaces,
    ListInterfaces,
    OnHost,
    OpenCapture,
    Owners,
    ReadOwners,
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
from tcpladder.agent.reset import reset_connection
from tcpladder.agent.socket_options import SocketReader
from tcpladder.agent.sockets import read_connection, read_sockets, same_address
from tcpladder.agent.sysctls import SysctlSetter, read_sysctls
from tcpladder.errors import ExitCode, PermissionRefused, TcpladderError

MOST_OWNERS = 512
"""What one datagram carries."""


def serve(channel: socket.socket, private: PrivateWork | None) -> None:
    """Answer until the app closes its end of `channel` or sends what is no request; then lift and end everything.

    Only in a private network are peers and hosts for the asking.
    """
    work = _Work(private)
    try:
        Loop(channel, work).run()
    except (protocol.MalformedMessageError, ConnectionError):
        return
    finally:
        try:
            work.end()
        finally:
            if private is not None:
                private.end()


class _Work:
    """What the agent has done in one network, or on one host of it, and will undo."""

    def __init__(self, private: PrivateWork | None, numbers: Iterator[int] | None = None) -> None:
        self._private = private
        self._numbers = numbers or itertools.count(1)
        """Of faults, the same for every host: who reads `rule 2` need not ask where."""
        self._hosts: dict[str, _Work] = {}
        self.changes = Changes(private is not None)
        self._faults = FaultBook(private is not None, self.changes, self._numbers)
        self._sysctls = SysctlSetter(self.changes)
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
        """Lift every fault, on every host."""
        try:
            self._faults.close()
        finally:
            self.changes.end()
            self._on_hosts(_Work.end)

    def wait_s(self) -> float | None:
        """How long until there is something to do unasked; None where nobody knows of anything."""
        waits_s = [work._faults.wait_s() for work in (self, *self._hosts.values())]
        return min((wait_s for wait_s in waits_s if wait_s is not None), default=None)

    def do_due(self) -> None:
        """Notice what has ended."""
        self._faults.notice_due()
        self._on_hosts(_Work.do_due)

    def lose_changes(self) -> None:
        """The guardian died: nothing that it had changed is in force any more."""
        self._faults.lose_changes()
        self._sysctls.lose_changes()

    def strand(self, why: str) -> None:
        """The guardian died, and nobody can put back what it had changed."""
        self._faults.strand(why)

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
            case ReadOwners(local_ports=local_ports, remote_ports=remote_ports):
                return self._owners(set(zip(local_ports, remote_ports, strict=False))), []
            case StartPeer():
                started, report = self._only_private("peers run").start_peer(request)
                return started, [report]
            case EndPeer():
                return self._only_private("peers run").end_peer(request), []
            case PlanFault(fault=fault):
                return self._faults.plan(fault), []
            case ApplyFault(fault=fault):
                return self._faults.apply(fault), []
            case LiftFault(number=number):
                return self._faults.lift(number), []
            case ExtendFault(number=number, for_ms=for_ms):
                return self._faults.extend(number, for_ms), []
            case ListFaults():
                return self._faults.list(), []
            case OpenFaultLog():
                log, descriptor = self._faults.open_log()
                return log, [descriptor]
            case ResetConnection():
                return reset_connection(request, self._private is not None), []
            case SetSysctl():
                return self._sysctls.set(request), []
            case OnHost(host=host, request=inner):
                private = self._only_private("there are hosts")
                with private.inside(host):
                    if host not in self._hosts:
                        self._hosts[host] = _Work(private, self._numbers)
                    return self._hosts[host]._do(inner)
        assert_never(request)

    def _owners(self, ports: set[tuple[int, int]]) -> Owners:
        """Who holds the sockets with these local and remote ports, no more of them than a datagram carries."""
        found = [one for one in read_sockets() if (one.local_port, one.remote_port) in ports and one.inode]
        if found:
            self._reader.look_through_processes()
        held = []
        for one in found[:MOST_OWNERS]:
            owner = self._reader.owner(one.inode)
            if owner is not None:
                held.append(
                    HeldSocket(
                        local=one.local,
                        local_port=one.local_port,
                        remote=one.remote,
                        remote_port=one.remote_port,
                        owner=owner,
                    )
                )
        return Owners(held=held)

    def _on_hosts(self, do: Callable[[_Work], None]) -> None:
        """Do it for every host of which anything was asked, there."""
        for host, work in self._hosts.items():
            with self._only_private("there are hosts").inside(host):
                do(work)

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
