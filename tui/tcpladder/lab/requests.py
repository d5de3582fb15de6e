"""What a run asks of the agent: peers on their hosts, faults at the right end, and what was started, ended again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Protocol

from tcpladder.agent.fault_messages import ApplyFault, FaultState, LiftFault
from tcpladder.agent.lab_messages import EndPeer, PeerEnded, PeerStarted, StartPeer
from tcpladder.agent.messages import (
    HostRequest,
    OnHost,
    ReadSockets,
    Reply,
    Request,
    Sockets,
    SocketState,
)
from tcpladder.errors import TcpladderError
from tcpladder.faults.fault import Fault, Match
from tcpladder.hosts.plan import HOME
from tcpladder.lab.experiment import Break, End, Experiment, Role


class Agent(Protocol):
    """The part of agent.client.AgentClient that a run needs."""

    def request(self, message: Request) -> tuple[Reply, list[int]]: ...


def on_host(host: str, request: HostRequest) -> Request:
    """A request for a host of the lab, plainly where that is the agent's own network."""
    return request if host == HOME else OnHost(host=host, request=request)


class Requests:
    """Asks for one experiment. Each raises what the agent raises, and TcpladderError for an answer of another kind."""

    def __init__(self, experiment: Experiment, agent: Agent) -> None:
        self._experiment = experiment
        self._agent = agent
        self._pids: dict[Role, int] = {}
        self._faults: list[tuple[str, int]] = []

    def start(self, role: Role) -> int:
        """Start a peer; the read end of its report."""
        peer, server = self._experiment.peer(role), self._experiment.server
        wanted = StartPeer(
            role=role.value,
            options=dict(peer.options),
            address=server.address,
            port=server.port,
            local_address=peer.address if role is Role.CLIENT else "",
            local_port=peer.port if role is Role.CLIENT else 0,
            script=list(peer.script),
        )
        reply, descriptors = self._agent.request(on_host(peer.host, wanted))
        if not isinstance(reply, PeerStarted) or len(descriptors) != 1:
            _close_all(descriptors)
            raise _other_answer(f"start the {role}", reply)
        self._pids[role] = reply.pid
        return descriptors[0]

    def end(self, step: End) -> None:
        """End a peer from outside."""
        reply = self._ask(HOME, EndPeer(pid=self._pids[step.role], silently=step.silently))
        if not isinstance(reply, PeerEnded):
            raise _other_answer(f"end the {step.role}", reply)

    def apply(self, step: Break) -> FaultState:
        """Break what one end sends, on the host that the step names or where the other end receives it.

        Like the articles' rules: towards a server by its port alone, towards a client by the server's port.
        """
        receiver = self._experiment.peer(step.sender.other)
        fault = Fault(
            match=self._match(step),
            segments=step.segments,
            probe_sequences=[],
            action=step.action,
            amount=step.amount,
            for_ms=round(step.for_s * 1000),
            insist=True,  # in a private network there is no line that anybody sits on
        )
        host = receiver.host if step.host is None else step.host
        reply = self._ask(host, ApplyFault(fault=fault))
        if not isinstance(reply, FaultState):
            raise _other_answer("break it", reply)
        self._faults.append((host, reply.number))
        return reply

    def _match(self, step: Break) -> Match:
        """The direction: by both addresses where it is broken on the way, the way itself by where it leads."""
        sender, receiver = self._experiment.peer(step.sender), self._experiment.peer(step.sender.other)
        to_server = step.sender is Role.CLIENT
        if step.routing:
            return Match(destination=receiver.address)
        if step.host is not None:
            return Match(
                source=sender.address,
                source_port=0 if to_server else sender.port,
                destination=receiver.address,
                destination_port=receiver.port if to_server else 0,
            )
        if to_server:
            return Match(destination=receiver.address, destination_port=receiver.port)
        return Match(source=sender.address, source_port=sender.port)

    def lift_all(self) -> list[FaultState]:
        """Lift every fault that is in force, and tell what became of each."""
        lifted = []
        while self._faults:
            host, number = self._faults.pop()
            reply = self._ask(host, LiftFault(number=number))
            if isinstance(reply, FaultState):
                lifted.append(reply)
        return lifted

    def sockets(self) -> Iterator[SocketState]:
        """The sockets of the client, then those of the server."""
        port = self._experiment.server.port
        for role, question in (
            (Role.CLIENT, ReadSockets(remote_port=port)),
            (Role.SERVER, ReadSockets(local_port=port)),
        ):
            reply = self._ask(self._experiment.peer(role).host, question)
            if isinstance(reply, Sockets):
                yield from reply.sockets

    def _ask(self, host: str, request: HostRequest) -> Reply:
        reply, descriptors = self._agent.request(on_host(host, request))
        _close_all(descriptors)
        return reply


def _other_answer(what: str, reply: Reply) -> TcpladderError:
    return TcpladderError(f"cannot {what}: the agent answered {type(reply).__name__}")


def _close_all(descriptors: list[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
