"""What is broken through one agent, on any host of it: breaking, lifting, extending, and how things stand."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

from tcpladder.agent.client import AgentClient, AgentGoneError
from tcpladder.agent.fault_messages import (
    ApplyFault,
    ConnectionReset,
    ExtendFault,
    FaultPlan,
    Faults,
    FaultState,
    LiftFault,
    ListFaults,
    OpenFaultLog,
    PlanFault,
    ResetConnection,
    SetSysctl,
    SysctlSet,
)
from tcpladder.agent.messages import HostRequest, OnHost, Reply, Request
from tcpladder.analysis.view import Endpoint
from tcpladder.errors import PermissionRefused, TcpladderError
from tcpladder.faults.fault import End, Fault
from tcpladder.hosts.plan import HOME
from tcpladder.lab.requests import on_host
from tcpladder.session.fault_logs import FaultLogs, as_the_hook_says
from tcpladder.sources.fault_log import Eaten

EVERY_S = 0.5
"""Between two looks at what the faults in force ate."""
AFTERWARDS_S = 2.0
"""So long after the last fault ended, segments that it ate may still come out of the ring."""
_R = TypeVar("_R", bound=Reply)


class SessionFaults:
    """Faults of a live session. Every method may be called from any thread; those that ask the agent may take
    milliseconds, and raise what it refuses (TcpladderError).

    Args:
        agent: breaks and mends; None where nothing can be broken.
        changed: called when something is not as it was.
        why_not: why nothing can be broken, where there is no agent.
        host: the host of the lab where frames are captured, and where is broken what names no other.
        placed: whether the capture can have what was eaten on a host (FaultLogs).
    """

    def __init__(
        self,
        agent: AgentClient | None,
        changed: Callable[[], None],
        *,
        why_not: str = "",
        host: str = HOME,
        placed: Callable[[str, Eaten], Eaten] = as_the_hook_says,
    ) -> None:
        self._agent = agent
        self._host = host
        self._changed = changed
        self.why_not = why_not
        """Why nothing can be broken here; empty where it can."""
        self._states: dict[int, FaultState] = {}
        self._hosts: dict[int, str] = {}
        """Number of a fault -> the host on which it is; no two hosts of an agent have the same number."""
        self._told: set[int] = set()
        self._compared: set[int] = set()
        self._sysctls: dict[str, SysctlSet] = {}
        self._due_s = 0.0
        self._busy_until_s = 0.0
        self._lock = threading.Lock()
        self.logs = FaultLogs(self._log_of, placed)
        """What the rules eat; each opened with the first fault of its host."""

    def states(self) -> tuple[FaultState, ...]:
        """Every fault of this session in order of its number, those that ended too."""
        with self._lock:
            return tuple(self._states[number] for number in sorted(self._states))

    def in_force(self) -> tuple[FaultState, ...]:
        """Those that have not ended."""
        return tuple(state for state in self.states() if state.ended_ns is None)

    @property
    def sysctls(self) -> dict[str, SysctlSet]:
        """Sysctl -> what it is set to for this session, and what it was before; those that are as before left out."""
        with self._lock:
            return dict(self._sysctls)

    @property
    def active(self) -> bool:
        """Whether something is broken, or was a moment ago."""
        return bool(self.in_force()) or time.monotonic() < self._busy_until_s

    def tells_itself(self, number: int) -> bool:
        """Whether who applied a fault says himself when it comes and goes: the experiment of a lab."""
        return number in self._told

    def request(self, question: Request) -> tuple[Reply, list[int]]:
        """For who speaks to the agent himself and breaks with it: what he breaks is followed here, too."""
        host, asked = self._host, question
        if isinstance(question, OnHost):
            host, asked = question.host, question.request
        if isinstance(asked, ApplyFault):
            self.logs.open(host)
        reply, descriptors = self._request(question)
        if isinstance(reply, FaultState):
            self._told.add(reply.number)
            self._keep(reply, host)
        return reply, descriptors

    def plan(self, fault: Fault) -> FaultPlan:
        """What would be done, and what that would hit."""
        return self._ask(PlanFault(fault=fault), FaultPlan)

    def apply(self, fault: Fault) -> FaultState:
        """Break it."""
        self.logs.open(self._host)
        return self._keep(self._ask(ApplyFault(fault=fault), FaultState), self._host)

    def lift(self, number: int) -> FaultState:
        """Take one back."""
        return self._ask_where(number, LiftFault(number=number))

    def lift_last(self) -> FaultState | None:
        """Take back the one that was applied last; None where nothing is broken."""
        standing = self.in_force()
        return self.lift(standing[-1].number) if standing else None

    def lift_all(self) -> list[FaultState]:
        """Take back all, the last first. Raises the first refusal after all have been tried."""
        lifted, refused = [], None
        for state in reversed(self.in_force()):
            try:
                lifted.append(self.lift(state.number))
            except TcpladderError as why:
                refused = refused or why
        if refused is not None:
            raise refused
        return lifted

    def extend(self, number: int, for_ms: int | None) -> FaultState:
        """Let one last for this long from now."""
        return self._ask_where(number, ExtendFault(number=number, for_ms=for_ms))

    def reset(self, local: Endpoint, remote: Endpoint, *, insist: bool = False) -> int:
        """Destroy the sockets of a connection; how many there were."""
        question = ResetConnection(
            local=local.address,
            local_port=local.port,
            remote=remote.address,
            remote_port=remote.port,
            insist=insist,
        )
        return self._ask(question, ConnectionReset).sockets

    def set_sysctl(self, name: str, value: int | None) -> SysctlSet:
        """Set a sysctl of the captured namespace until this session ends; None puts the old value back."""
        answer = self._ask(SetSysctl(name=name, value=value), SysctlSet)
        with self._lock:
            self._sysctls.pop(name, None)
            if answer.value != answer.before:
                self._sysctls[name] = answer
        self._changed()
        return answer

    def compare(self, before: Mapping[str, SysctlSet], values: Mapping[str, str | None]) -> None:
        """Forget what no longer holds: a guardian that died has put it back, or somebody else has set it since.

        Args:
            before: `sysctls` as they were before `values` were read; what was set since then is left alone.
            values: Sysctl -> its text in the captured namespace, None where it cannot be read.
        """
        with self._lock:
            for name, one in before.items():
                if self._sysctls.get(name) is one and values.get(name, one.value) != one.value:
                    del self._sysctls[name]

    def work(self, now_s: float) -> None:
        """Ask how the faults in force stand, where that is due."""
        if now_s < self._due_s or not self.in_force():
            return
        self._due_s = now_s + EVERY_S
        self.look()

    def look(self) -> None:
        """Ask how the faults stand on every host that has one in force."""
        try:
            for host in sorted({self._hosts[state.number] for state in self.in_force()}):
                for state in self._ask(ListFaults(), Faults, host).faults:
                    self._keep(state, host)
        except AgentGoneError:
            for state in self.in_force():  # it has put everything back
                gone = replace(state, ended_ns=time.time_ns(), left_ms=None, end=End.AGENT_GONE, stuck="")
                self._keep(gone, self._hosts[state.number])
            raise

    def unmarked(self, told: Mapping[int, int]) -> Iterator[str]:
        """One sentence for each fault that ended and ate more than the log told of: those are not on the ladder."""
        for state in self.states():
            if state.ended_ns is None or state.number in self._compared:
                continue
            self._compared.add(state.number)
            ate, in_log = state.packets, told.get(state.number, 0)
            refused = self.logs.refused.get(self._hosts[state.number])
            if ate > in_log and refused is not None:
                yield f"what rule {state.number} ate cannot be marked: {refused}"
            elif ate > in_log:
                yield (
                    f"rule {state.number} ate {ate:,} segments, the fault log has {in_log:,} of them: the others "
                    "came too fast for it and look as if they had arrived"
                )

    def close(self) -> None:
        """Release the logs. What is broken is mended by the agent when it ends."""
        self.logs.close()

    def _keep(self, state: FaultState, host: str) -> FaultState:
        with self._lock:
            before = self._states.get(state.number)
            self._hosts[state.number] = host
            self._states[state.number] = state
        self._busy_until_s = time.monotonic() + AFTERWARDS_S if before != state else self._busy_until_s
        if before != state:
            self._changed()
        return state

    def _log_of(self, host: str) -> int:
        _, (descriptor,) = self._request(on_host(host, OpenFaultLog()))
        return descriptor

    def _ask_where(self, number: int, question: HostRequest) -> FaultState:
        """About a fault, where it is."""
        host = self._hosts.get(number, self._host)
        return self._keep(self._ask(question, FaultState, host), host)

    def _ask(self, question: HostRequest, answer: type[_R], host: str | None = None) -> _R:
        reply, _ = self._request(question if host is None else on_host(host, question))
        assert isinstance(reply, answer)
        return reply

    def _request(self, question: Request) -> tuple[Reply, list[int]]:
        if self._agent is None:
            raise PermissionRefused(self.why_not)
        return self._agent.request(question)
