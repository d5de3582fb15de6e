"""The agent of a lab, asked about the right host: each address lives on one, and frames are captured on one."""

from __future__ import annotations

import ipaddress

from tcpladder.agent.client import AgentClient
from tcpladder.agent.fault_messages import ResetConnection
from tcpladder.agent.lab_messages import EndPeer, StartPeer
from tcpladder.agent.messages import OnHost, ReadSocketOptions, ReadSockets, Reply, Request
from tcpladder.hosts.plan import HOME, Plan
from tcpladder.lab.requests import on_host


class LabAgent(AgentClient):
    """Sends what is asked plainly to where it belongs; what names its host, goes there.

    Args:
        descriptor: that of a Handover.
        plan: the network that the agent has built.
        capture_host: where frames are captured, and so whose interfaces, sysctls and faults are meant.
    """

    def __init__(self, descriptor: int, plan: Plan, capture_host: str = HOME) -> None:
        super().__init__(descriptor)
        self._capture_host = capture_host
        self._host_of = {
            str(ipaddress.ip_interface(address).ip): end.host
            for cable in plan.cables
            for end in cable.ends
            for address in end.addresses
        }

    @property
    def addresses(self) -> frozenset[str]:
        """Every address of the lab but those of the loopbacks."""
        return frozenset(self._host_of)

    def addresses_of(self, host: str) -> list[str]:
        """The addresses of a host's cables."""
        return [address for address, lives in self._host_of.items() if lives == host]

    def host_of(self, address: str) -> str:
        """Where an address lives; the host of the capture for one that no cable has."""
        return self._host_of.get(address, self._capture_host)

    def request(self, message: Request) -> tuple[Reply, list[int]]:
        match message:
            case OnHost() | StartPeer() | EndPeer():
                return super().request(message)
            case (
                ReadSocketOptions(local=local) | ReadSockets(local=str(local)) | ResetConnection(local=local)
            ):
                return super().request(on_host(self.host_of(local), message))
        return super().request(on_host(self._capture_host, message))
