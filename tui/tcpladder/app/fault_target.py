"""The flow that a person wants to break: what is proposed for it, and what became of it while the dialog is open."""

from __future__ import annotations

from tcpladder.analysis.provoked import connect_gives_up_ns
from tcpladder.app.contract import Session
from tcpladder.app.fault_choices import Choices, Scope, for_opening, probe_sequences, proposed_length
from tcpladder.errors import TcpladderError
from tcpladder.faults import phrases


class FaultTarget:
    """Flow `number` of a session, and whichever comes after it between the same ends; None for no flow."""

    def __init__(self, session: Session, number: int | None) -> None:
        self._session = session
        self._first = self._number = number
        self._looked = number or 0
        """Flows that have been looked at for a later one."""

    def choices(self) -> Choices:
        """What stands in the dialog at first."""
        client, server = (None, None) if self._number is None else self._session.endpoints(self._number)
        return Choices(
            client=client,
            server=server,
            scope=Scope.TYPED if server is None else Scope.FLOW,
            typed="" if server is None or self._session.mask is not None else str(server),
            probes=self.probes(),
        )

    def probes(self) -> tuple[int, int] | None:
        """Raw sequence numbers of the next keepalive probes, as they are now."""
        number = self._newest()
        return None if number is None else probe_sequences(self._session.view(number))

    def proposed(self, chosen: Choices) -> tuple[str, str]:
        """For how long, and why: by the timers of the flow, or of a connection that opens where another was typed."""
        number = self._newest()
        if chosen.scope is Scope.TYPED and not self._is_meant(chosen):
            return for_opening(connect_gives_up_ns(self._session.opening()))
        seen = None if number is None else self._session.view(number)
        return proposed_length(seen, self._session.status().now_ns)

    def news(self) -> str:
        """That the flow has ended, and what has the same ends now; empty while it goes on."""
        number = self._newest()
        if number is None or self._first is None:
            return ""
        if number != self._first:
            return f"flow {self._first} has ended; flow {number} has the same ends, and is meant now"
        if self._session.summary(number).ended is not None:
            return f"flow {number} has ended; what comes next between the same ends is meant"
        return ""

    def _is_meant(self, chosen: Choices) -> bool:
        """Whether what is typed matches the flow."""
        if chosen.client is None or chosen.server is None:
            return False
        ends = (chosen.client.address, chosen.client.port, chosen.server.address, chosen.server.port)
        try:
            return phrases.matches(chosen.to_server(), *ends)
        except TcpladderError:
            return True  # nothing is typed yet

    def _newest(self) -> int | None:
        """The latest flow between the same ends."""
        if self._number is None:
            return None
        count, ends = self._session.flow_count(), set(self._session.endpoints(self._number))
        for number in range(self._looked + 1, count + 1):
            if set(self._session.endpoints(number)) == ends:
                self._number = number
        self._looked = count
        return self._number
