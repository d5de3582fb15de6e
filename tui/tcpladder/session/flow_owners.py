"""Who holds the sockets of each live flow: asked soon after a flow begins, because many processes do not live long."""

from __future__ import annotations

from collections.abc import Callable

from tcpladder.agent.client import AgentClient
from tcpladder.agent.messages import Owners, ReadOwners
from tcpladder.analysis.view import Process
from tcpladder.session.socket_watch import Ends

APART_S = 1.0
"""At least so long between two questions: the agent looks through all processes for each."""
AT_ONCE = 256
TRIES = 4
"""After so many questions nobody holds the socket who can be seen."""


class FlowOwners:
    """Asks the agent about flows that nobody has asked about. `work` is called from one thread.

    Args:
        agent: looks through the processes.
        ends: the ends of a flow that live in the captured namespace.
        found: takes what was found: number of the flow, its processes, client first.
    """

    def __init__(
        self,
        agent: AgentClient,
        ends: Callable[[int], Ends],
        found: Callable[[int, tuple[Process, ...]], None],
    ) -> None:
        self._agent, self._ends, self._found = agent, ends, found
        self._known = 0
        """Flows that were taken in."""
        self._tries: dict[int, int] = {}
        """Flow without an owner -> how often it was asked for."""
        self._next_s = 0.0

    def work(self, flows: int, now_s: float) -> bool:
        """Ask, where something is due; `flows` is how many there are. True if an owner is known that was not.
        Raises TcpladderError."""
        for number in range(self._known + 1, flows + 1):
            if self._ends(number):
                self._tries[number] = 0
        self._known = flows
        if not self._tries or now_s < self._next_s:
            return False
        self._next_s = now_s + APART_S
        asked = list(self._tries)[-AT_ONCE:]
        ends = {number: list(self._ends(number).values()) for number in asked}
        ports = [(local.port, remote.port) for pairs in ends.values() for local, remote in pairs]
        question = ReadOwners(local_ports=[one for one, _ in ports], remote_ports=[one for _, one in ports])
        answer, _ = self._agent.request(question)
        assert isinstance(answer, Owners)
        held = {
            (one.local, one.local_port, one.remote, one.remote_port): Process(
                one.owner.command, one.owner.pid
            )
            for one in answer.held
        }
        new = False
        for number, pairs in ends.items():
            keys = [(local.address, local.port, remote.address, remote.port) for local, remote in pairs]
            processes = dict.fromkeys(held[key] for key in keys if key in held)
            if processes:
                self._found(number, tuple(processes))
                new = True
            self._tries[number] += 1
            if all(key in held for key in keys) or self._tries[number] == TRIES:
                del self._tries[number]
        return new
