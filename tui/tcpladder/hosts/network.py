"""The private network of the lab: what the agent enters, and what it can do there beyond what it can do elsewhere."""

from __future__ import annotations

import os
import signal
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from tcpladder.agent.confine import Capability
from tcpladder.agent.lab_messages import EndPeer, PeerEnded, PeerStarted, StartPeer
from tcpladder.hosts import peers, private_network, running
from tcpladder.hosts.build import build
from tcpladder.hosts.namespaces import Namespaces
from tcpladder.hosts.plan import Plan

_GRACE_S = 1.0
"""What a shell in the lab has to end in, once it was told."""


@dataclass(frozen=True, slots=True)
class PrivateNetwork:
    """A fresh network where experiments run; vanishes with the agent."""

    plan: Plan = field(default_factory=Plan)

    needs = frozenset[Capability]()
    keeps = frozenset({Capability.SETPCAP, Capability.SYS_ADMIN, Capability.KILL})
    """Peers give up theirs with the first; going from host to host; ending what was started in them by hand."""

    def enter(self) -> PrivateWork:
        """Make it, build it, move there. Raises PermissionRefused with the reason where the machine forbids it."""
        private_network.enter()
        namespaces = build(self.plan)
        return PrivateWork(namespaces, running.announce(self.plan.name, namespaces.descriptors))


class PrivateWork:
    """The lab of one agent: its hosts, and the peers in them."""

    def __init__(self, namespaces: Namespaces, announcement: int) -> None:
        self._namespaces = namespaces
        self._announcement = announcement

    def inside(self, host: str) -> AbstractContextManager[None]:
        """Work in a host. Raises UsageError for a host that is not there."""
        return self._namespaces.inside(host)

    def start_peer(self, wanted: StartPeer) -> tuple[PeerStarted, int]:
        """Start a peer where we are; the descriptor is the read end of its report."""
        return peers.start_peer(wanted)

    def end_peer(self, wanted: EndPeer) -> PeerEnded:
        """End a peer, by its number."""
        return peers.end_peer(wanted)

    def end(self) -> None:
        """End every peer, and whatever else is in the network: told first, killed then."""
        os.close(self._announcement)
        peers.end_all()
        here = self._namespaces.identities()
        deadline = time.monotonic() + _GRACE_S
        for pid in running.processes_in(here):
            running.tell(pid, signal.SIGHUP)
        while left := running.processes_in(here):
            if time.monotonic() > deadline:
                for pid in left:
                    running.tell(pid, signal.SIGKILL)
                return
            time.sleep(0.02)
