"""What this machine's kernel says of the ends of flows that live here: sysctls, sockets, their options and owners."""

from __future__ import annotations

import time
from collections.abc import Mapping

from tcpladder.agent.client import AgentClient
from tcpladder.agent.messages import ReadSysctls, Request, Sysctls
from tcpladder.analysis import beliefs
from tcpladder.analysis.beliefs import TimerValues
from tcpladder.analysis.capture import CaptureAnalysis
from tcpladder.analysis.expected import Given
from tcpladder.analysis.flow_view import Findings
from tcpladder.analysis.view import Endpoint, Origin, Process, Side
from tcpladder.errors import TcpladderError
from tcpladder.ladder.timers import EndTimers, FlowTimers
from tcpladder.session.base import Session
from tcpladder.session.flow_owners import FlowOwners
from tcpladder.session.socket_watch import Ends, SocketWatch

SYSCTLS = ReadSysctls(names=list(beliefs.SYSCTLS.values()))
SYSCTLS_EVERY_S = 5.0
"""People change sysctls while they watch."""


class LocalEnds(Session):
    """A session that asks the kernel about the ends of its flows.

    Args:
        agent: reads sysctls and sockets.
        filter_text: which segments are captured, as it is shown.
        given: what the user says of the timers.
    """

    capture: CaptureAnalysis
    """Set by who captures."""

    def __init__(
        self, name: str, agent: AgentClient, *, filter_text: str = "", given: Given | None = None
    ) -> None:
        super().__init__(name, filter_text=filter_text, given=given)
        self._agent = agent
        self._local: frozenset[str] = frozenset()
        """The addresses of the captured namespace."""
        self._values = TimerValues()
        """What the sysctls of the captured namespace say."""
        self._options: dict[Endpoint, TimerValues] = {}
        self._sockets = SocketWatch(agent, self._local_ends)
        self._owners = FlowOwners(agent, self._local_ends, self._learn_owners)
        self._reads_sockets = True
        self._sysctls_due = 0.0

    def warn(self, sentence: str) -> None:
        """Tell the user, once."""
        with self._lock:
            if sentence not in self._warnings:
                self._warnings.append(sentence)
            self.version += 1

    def _read_sysctls(self) -> None:
        if time.monotonic() < self._sysctls_due:
            return
        self._sysctls_due = time.monotonic() + SYSCTLS_EVERY_S
        try:
            changed = self._take_sysctls()
        except TcpladderError as failed:
            self.warn(str(failed))
            self._sysctls_due = float("inf")
            return
        if changed:
            with self._lock:
                self.version += 1

    def _take_sysctls(self) -> bool:
        """Read them; whether anything is believed now that was not. Raises TcpladderError."""
        before, set_by_us = self._values, self.faults.sysctls
        texts = self._texts(SYSCTLS)
        self.faults.compare(set_by_us, texts)
        self._values = _with_sysctls(before, texts)
        return self._values != before

    def _texts(self, request: Request) -> dict[str, str | None]:
        """What the sysctls say now. Raises TcpladderError."""
        reply, _ = self._agent.request(request)
        assert isinstance(reply, Sysctls)
        return reply.values

    def _sysctls(self, before: TimerValues, request: Request) -> TimerValues:
        """What is believed of them now. Raises TcpladderError."""
        return _with_sysctls(before, self._texts(request))

    def _read_sockets(self) -> None:
        if not self._reads_sockets:
            return
        try:
            changed = self._sockets.work(time.monotonic(), time.time_ns)
            changed |= self._owners.work(self.flow_count(), time.monotonic())
        except TcpladderError as failed:
            self.warn(str(failed))
            self._reads_sockets = False
            return
        if changed:
            with self._lock:
                self.version += 1

    def _learn_owners(self, number: int, processes: tuple[Process, ...]) -> None:
        with self._lock:
            self.capture.learn_owners(number, processes)

    def _local_ends(self, number: int) -> Ends:
        """The ends of a flow whose sockets are in the captured namespace."""
        client, server = self.endpoints(number)
        ends = {Side.CLIENT: (client, server), Side.SERVER: (server, client)}
        return {side: end for side, end in ends.items() if self._is_here(end[0])}

    def _is_here(self, endpoint: Endpoint) -> bool:
        return endpoint.address in self._local or endpoint.address.startswith("127.")

    def view(self, number: int) -> Findings:
        """As ever; a flow that is looked at has its sockets read."""
        self._sockets.looked_at(number, time.monotonic())
        return super().view(number)

    def timers(self, number: int) -> FlowTimers:
        """As ever; a flow whose timers are asked for has the running ones read, until nobody asks any more."""
        self._sockets.watch(number, time.monotonic())
        return super().timers(number)

    def owners(self, number: int) -> str:
        readings = [self._sockets.reading(*end, last_ns=0) for end in self._local_ends(number).values()]
        read = dict.fromkeys(one.owner for one in readings if one is not None and one.owner)
        return ", ".join(read or map(str, self.capture.owners.get(number, ())))

    def _end_timers(self, view: Findings, side: Side) -> EndTimers:
        summary = view.summary
        ends = (summary.client, summary.server)
        local, remote = ends if side is Side.CLIENT else ends[::-1]
        reading = self._sockets.reading(local, remote, summary.last_ns)
        return EndTimers(values=view.believed(side), reading=reading)

    def _no_reading(self) -> str:
        return "no socket of this machine"

    def beliefs(self, client: Endpoint, server: Endpoint) -> Mapping[Side, TimerValues]:
        """Sysctls hold for the ends that live in the captured namespace, socket options for the socket read."""
        believed = {}
        for side, endpoint, peer in ((Side.CLIENT, client, server), (Side.SERVER, server, client)):
            values = self._sysctls_of(endpoint) if self._is_here(endpoint) else TimerValues()
            options = self._sockets.values(endpoint, peer) or self._options.get(endpoint)
            if options is not None:
                values = values.merged(options.known)
            believed[side] = self.given.believed(side, values)
        return believed

    def opening(self) -> TimerValues:
        return self.given.believed(Side.CLIENT, self._values)

    def _sysctls_of(self, _endpoint: Endpoint) -> TimerValues:
        """What holds where an endpoint lives."""
        return self._values

    def learn_socket(self, endpoint: Endpoint, options: Mapping[str, int]) -> None:
        """Believe what the socket at an endpoint says of itself."""
        values = TimerValues().with_values(beliefs.from_socket_options(options), Origin.SOCKET)
        if values != self._options.get(endpoint):
            with self._lock:
                self._options[endpoint] = values
                self.version += 1


def _with_sysctls(before: TimerValues, texts: Mapping[str, str | None]) -> TimerValues:
    """What is believed once sysctls say this; from now on, unless nothing was known before."""
    since_ns = time.time_ns() if before.known else 0
    return before.with_values(beliefs.from_sysctls(texts), Origin.NETNS, since_ns)
