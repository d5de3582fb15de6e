"""How an experiment runs: step after step, driven by whoever watches the flow. No thread, no sleep, no clock.

The caller calls `advance` again and again with the time and with what it has observed on the flow; the run asks the
agent for peers and drops, reads what the peers report, and tells what happened.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, assert_never

from tcpladder.agent.fault_messages import ApplyFault, FaultState, LiftFault
from tcpladder.agent.messages import PeerStarted, Reply, Request, StartPeer
from tcpladder.errors import TcpladderError
from tcpladder.faults.fault import Fault, Match
from tcpladder.faults.iptables import commands
from tcpladder.faults.places import Direction
from tcpladder.lab.experiment import Drop, Event, Experiment, Role, Start, Step, Wait
from tcpladder.lab.reports import Report, ReportPipe

_PEER_PATIENCE_NS = 10_000_000_000
_PROBE, _ANSWER, _RESET = "keepalive_probe", "keepalive_ack", "rst"
_READY = {Role.SERVER: "listening", Role.CLIENT: "connected"}
_ENDED = {Event.CLIENT_ENDED: Role.CLIENT, Event.SERVER_ENDED: Role.SERVER}


class Agent(Protocol):
    """The part of agent.client.AgentClient that a run needs."""

    def request(self, message: Request) -> tuple[Reply, list[int]]: ...


@dataclass(frozen=True, slots=True)
class Narration:
    """Something that happened, for a note on the ladder or a line of text."""

    time_ns: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What has been seen of the experiment's flow so far."""

    answered_probes: int = 0
    unanswered_probes: int = 0
    """Keepalive probes since the last answer to one."""
    resets: int = 0

    @classmethod
    def of(cls, kinds: Iterable[str]) -> Observed:
        """Count the kinds of the flow's segments, in order, in the words of the JSON lines (`keepalive_probe`)."""
        answered = unanswered = resets = 0
        for kind in kinds:
            if kind == _PROBE:
                unanswered += 1
            elif kind == _ANSWER:
                answered, unanswered = answered + 1, 0
            elif kind == _RESET:
                resets += 1
        return cls(answered_probes=answered, unanswered_probes=unanswered, resets=resets)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How the experiment ended."""

    held: bool
    """Whether every step came, and the applications saw what the experiment says."""
    sentence: str


class ExperimentRun:
    """One experiment on its way. Its narrations come from `advance`; the caller keeps them."""

    def __init__(self, experiment: Experiment, agent: Agent) -> None:
        self.experiment = experiment
        self.outcome: Outcome | None = None
        self.dropped: FaultState | None = None
        """What the rule ate, once it is lifted."""
        self._agent = agent
        self._pipes: dict[Role, ReportPipe] = {}
        self._reports: dict[Role, dict[str, Report]] = {role: {} for role in Role}
        self._fault: int | None = None
        self._next = 0
        self._since_ns: int | None = None
        self._told: list[Narration] = []

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen."""
        return self.outcome is not None

    @property
    def options_in_force(self) -> Mapping[Role, Mapping[str, int]]:
        """Socket options by end, as getsockopt says on the connected sockets; an end is missing until it reported."""
        connected = {Role.CLIENT: "connected", Role.SERVER: "accepted"}
        return {
            role: self._reports[role][event].options
            for role, event in connected.items()
            if event in self._reports[role]
        }

    def advance(self, now_ns: int, observed: Observed) -> list[Narration]:
        """Go as far as what has happened allows; returns what is new, in order of time.

        Raises what the agent raises (TcpladderError); the run is then over and has to be closed.
        """
        for role in self._pipes:
            self._hear(role)
        try:
            while not self.finished and self._perform(self.experiment.steps[self._next], now_ns, observed):
                self._next, self._since_ns = self._next + 1, None
                if self._next == len(self.experiment.steps):
                    self._finish(now_ns, held=True, sentence=f"{self.experiment.name}: as expected")
        except TcpladderError as error:
            self.outcome = Outcome(held=False, sentence=str(error))
            raise
        told, self._told = sorted(self._told, key=lambda narration: narration.time_ns), []
        return told

    def close(self) -> None:
        """Release the descriptors. Peers and rules end with the agent."""
        for pipe in self._pipes.values():
            pipe.close()

    def _perform(self, step: Step, now_ns: int, observed: Observed) -> bool:
        """Begin a step or look at it again; whether it is done."""
        begins = self._since_ns is None
        self._since_ns = now_ns if self._since_ns is None else self._since_ns
        match step:
            case Start():
                return self._start(step, now_ns, begins)
            case Drop():
                return self._drop(step, now_ns)
            case Wait():
                return self._wait(step, now_ns, observed)
        assert_never(step)

    def _start(self, step: Start, now_ns: int, begins: bool) -> bool:
        if begins:
            self._pipes[step.role] = self._start_peer(step.role)
        ready = self._reports[step.role].get(_READY[step.role])
        if ready is not None:
            self._tell(ready.time_ns, step.say)
            return True
        if not self._give_up_on(step.role, now_ns):
            self._fail_after(_PEER_PATIENCE_NS, now_ns, f"the {step.role} did not start")
        return False

    def _start_peer(self, role: Role) -> ReportPipe:
        peer, server = self.experiment.peer(role), self.experiment.server
        reply, descriptors = self._agent.request(
            StartPeer(
                role=role.value,
                options=dict(peer.options),
                address=server.address,
                port=server.port,
                local_port=peer.port if role is Role.CLIENT else 0,
                message=peer.message,
            )
        )
        if not isinstance(reply, PeerStarted) or len(descriptors) != 1:
            _close_all(descriptors)
            raise TcpladderError(f"cannot start the {role}: the agent answered {type(reply).__name__}")
        return ReportPipe(descriptors[0])

    def _drop(self, step: Drop, now_ns: int) -> bool:
        sender = self.experiment.peer(step.sender)
        receiver = self.experiment.peer(Role.SERVER if step.sender is Role.CLIENT else Role.CLIENT)
        # Like the article's rule: towards a server by its port alone, towards a client by the server's port.
        if step.sender is Role.CLIENT:
            match = Match(destination=receiver.address, destination_port=receiver.port)
        else:
            match = Match(source=sender.address, source_port=sender.port)
        fault = Fault(match=match, probe_sequences=[], for_ms=round(step.for_s * 1000))
        reply, descriptors = self._agent.request(ApplyFault(fault=fault))
        _close_all(descriptors)
        if not isinstance(reply, FaultState):
            raise TcpladderError(f"cannot drop: the agent answered {type(reply).__name__}")
        self._fault = reply.number
        ways = (Direction(match=match, places=tuple(reply.places), devices=()),)
        self._tell(now_ns, f"rule {reply.number}: {'; '.join(commands(reply.fault, ways))}")
        self._tell(now_ns, step.say)
        return True

    def _wait(self, step: Wait, now_ns: int, observed: Observed) -> bool:
        role = _ENDED.get(step.event)
        if role is not None:
            return self._wait_for_end(step, role, now_ns)
        seen = {
            Event.ANSWERED_PROBES: observed.answered_probes,
            Event.UNANSWERED_PROBES: observed.unanswered_probes,
            Event.RESET: observed.resets,
        }[step.event]
        if seen >= step.count:
            self._tell(now_ns, step.say)
            return True
        missing = f"{seen} of {step.count} {step.event.value}" if step.count > 1 else f"no {step.event.value}"
        self._fail_after(round(step.longest_s * 1e9), now_ns, missing)
        return False

    def _wait_for_end(self, step: Wait, role: Role, now_ns: int) -> bool:
        ended = self._reports[role].get("ended")
        if ended is None:
            if not self._give_up_on(role, now_ns):
                self._fail_after(round(step.longest_s * 1e9), now_ns, f"the {role} still waits")
            return False
        if (ended.call, ended.error or "") == (step.call, step.error):
            self._tell(ended.time_ns, step.say)
            return True
        expected = f"expected {step.call} to fail with {step.error}"
        self._finish(now_ns, held=False, sentence=f"{_how_it_ended(role, ended)}; {expected}")
        return False

    def _give_up_on(self, role: Role, now_ns: int) -> bool:
        """Fail if the peer is gone before it was ready, or without a word; whether it is."""
        ended = self._reports[role].get("ended")
        if ended is not None:
            self._finish(now_ns, held=False, sentence=_how_it_ended(role, ended))
        elif self._pipes[role].ended:
            self._finish(now_ns, held=False, sentence=f"the {role} ended without a report")
        return self.finished

    def _fail_after(self, patience_ns: int, now_ns: int, what: str) -> None:
        assert self._since_ns is not None
        waited_ns = now_ns - self._since_ns
        if waited_ns > patience_ns:
            self._finish(now_ns, held=False, sentence=f"waited {waited_ns / 1e9:.1f} s: {what}")

    def _finish(self, now_ns: int, *, held: bool, sentence: str) -> None:
        if self._fault is not None:
            reply, _ = self._agent.request(LiftFault(number=self._fault))
            if isinstance(reply, FaultState):
                self.dropped = reply
                self._tell(now_ns, f"rule {self._fault} lifted: it ate {reply.packets} segments")
            self._fault = None
        self._tell(now_ns, sentence)
        self.outcome = Outcome(held=held, sentence=sentence)

    def _hear(self, role: Role) -> None:
        """Note and narrate what a peer has reported."""
        for report in self._pipes[role].read():
            self._reports[role][report.event] = report
            self._tell(report.time_ns, _words(role, self.experiment, report))

    def _tell(self, time_ns: int, text: str) -> None:
        if text:
            self._told.append(Narration(time_ns, text))


def _words(role: Role, experiment: Experiment, report: Report) -> str:
    """The sentence for a report; empty where the ladder shows it anyway."""
    match report.event:
        case "listening":
            return f"{role} listens on {experiment.server}"
        case "connected":
            options = ", ".join(
                f"{name} {report.options.get(name)}" for name in experiment.peer(role).options
            )
            return f"{role} is connected" + (f": {options}" if options else "")
        case "received":
            return f"{role}: recv() returned {report.bytes} bytes"
        case "ended":
            return _how_it_ended(role, report)
    return ""


def _how_it_ended(role: Role, ended: Report) -> str:
    if ended.error is None:
        return f"{role}: {ended.call} returned 0, the other end closed, after {ended.after_s:.1f} s"
    return f"{role}: {ended.call} failed with {ended.error} after {ended.after_s:.1f} s"


def _close_all(descriptors: list[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
