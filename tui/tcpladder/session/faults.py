"""What is broken through one agent: breaking, lifting, extending, and how things stand."""

from __future__ import annotations

import threading
import time
from collections import deque
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
from tcpladder.agent.messages import OnHost, Reply, Request
from tcpladder.analysis.view import Endpoint
from tcpladder.errors import PermissionRefused, TcpladderError
from tcpladder.faults.fault import Fault
from tcpladder.hosts.plan import HOME
from tcpladder.sources.fault_log import Eaten, FaultLog

EVERY_S = 0.5
"""Between two looks at what the faults in force ate."""
AFTERWARDS_S = 2.0
"""So long after the last fault ended, segments that it ate may still come out of the ring."""
LISTEN_S = 0.2
"""How long the log is waited for at once: the longest delay before a stop is noticed."""
MANY, GATHER_S = 256, 0.02
"""Where so many records came at once, more are gathered for so long: a few large reads cost less than many small."""
_R = TypeVar("_R", bound=Reply)


class SessionFaults:
    """Faults of a live session. Every method may be called from any thread; those that ask the agent may take
    milliseconds, and raise what it refuses (TcpladderError).

    Args:
        agent: breaks and mends; None where nothing can be broken.
        changed: called when something is not as it was.
        why_not: why nothing can be broken, where there is no agent.
        host: the host of the lab where frames are captured.
    """

    def __init__(
        self, agent: AgentClient | None, changed: Callable[[], None], *, why_not: str = "", host: str = HOME
    ) -> None:
        self._agent = agent
        self._host = host
        self._changed = changed
        self.why_not = why_not
        """Why nothing can be broken here; empty where it can."""
        self._states: dict[int, FaultState] = {}
        self._lifted: set[int] = set()
        self._told: set[int] = set()
        self._compared: set[int] = set()
        self._sysctls: dict[str, SysctlSet] = {}
        self._due_s = 0.0
        self._busy_until_s = 0.0
        self._log_asked = False
        self._lock = threading.Lock()
        self._eaten: deque[Eaten] = deque()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self.log: FaultLog | None = None
        """What the rules eat; opened with the first fault."""
        self.log_refused = ""
        """Why there is no log."""

    def states(self) -> tuple[FaultState, ...]:
        """Every fault of this session in order of its number, those that ended too."""
        with self._lock:
            return tuple(self._states[number] for number in sorted(self._states))

    def in_force(self) -> tuple[FaultState, ...]:
        """Those that have not ended."""
        return tuple(state for state in self.states() if state.ended_ns is None)

    def was_lifted(self, number: int) -> bool:
        """Whether a person lifted it, rather than its time being up."""
        return number in self._lifted

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
        """For who speaks to the agent himself and breaks with it: what he breaks where frames are captured is
        followed here, too."""
        elsewhere = isinstance(question, OnHost) and question.host != self._host
        asked = question.request if isinstance(question, OnHost) else question
        if isinstance(asked, ApplyFault) and not elsewhere:
            self._open_log()
        reply, descriptors = self._request(question)
        if isinstance(reply, FaultState) and not elsewhere:
            self._told.add(reply.number)
            self._keep(reply)
        return reply, descriptors

    def plan(self, fault: Fault) -> FaultPlan:
        """What would be done, and what that would hit."""
        return self._ask(PlanFault(fault=fault), FaultPlan)

    def apply(self, fault: Fault) -> FaultState:
        """Break it."""
        self._open_log()
        return self._keep(self._ask(ApplyFault(fault=fault), FaultState))

    def lift(self, number: int) -> FaultState:
        """Take one back."""
        state = self._ask(LiftFault(number=number), FaultState)
        self._lifted.add(number)
        return self._keep(state)

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
        return self._keep(self._ask(ExtendFault(number=number, for_ms=for_ms), FaultState))

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

    def work(self, now_s: float) -> None:
        """Ask how the faults in force stand, where that is due."""
        if now_s < self._due_s or not self.in_force():
            return
        self._due_s = now_s + EVERY_S
        self.look()

    def look(self) -> None:
        """Ask how every fault stands."""
        try:
            states = self._ask(ListFaults(), Faults).faults
        except AgentGoneError:
            for state in self.in_force():  # it has put everything back
                self._keep(replace(state, ended_ns=time.time_ns(), left_ms=None))
            raise
        for state in states:
            self._keep(state)

    def unmarked(self, told: Mapping[int, int]) -> Iterator[str]:
        """One sentence for each fault that ended and ate more than the log told of: those are not on the ladder."""
        for state in self.states():
            if state.ended_ns is None or state.number in self._compared:
                continue
            self._compared.add(state.number)
            ate, in_log = state.packets, told.get(state.number, 0)
            if ate > in_log and self.log is None:
                yield f"what rule {state.number} ate cannot be marked: {self.log_refused}"
            elif ate > in_log:
                yield (
                    f"rule {state.number} ate {ate:,} segments, the fault log has {in_log:,} of them: the others "
                    "came too fast for it and look as if they had arrived"
                )

    def close(self) -> None:
        """Release the log. What is broken is mended by the agent when it ends."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(2)
        if self.log is not None:
            self.log.close()
            self.log = None

    def _keep(self, state: FaultState) -> FaultState:
        with self._lock:
            before = self._states.get(state.number)
            self._states[state.number] = state
        self._busy_until_s = time.monotonic() + AFTERWARDS_S if before != state else self._busy_until_s
        if before != state:
            self._changed()
        return state

    def _open_log(self) -> None:
        """Listen before anything is eaten."""
        with self._lock:
            if self._log_asked:
                return
            self._log_asked = True
        try:
            descriptors = self._request(OpenFaultLog())[1]
        except TcpladderError as refused:
            self.log_refused = str(refused)
            return
        self.log = FaultLog(descriptors[0])
        self._thread = threading.Thread(target=self._listen, args=(self.log,), name="fault log", daemon=True)
        self._thread.start()

    def _listen(self, log: FaultLog) -> None:
        """Read records as soon as they come: one without a time of its own gets that of its arrival."""
        while not self._stop.is_set():
            if not log.wait(LISTEN_S):
                continue
            eaten = log.read(time.time_ns())
            if eaten is not None:
                self._eaten.append(eaten)
                if len(eaten.rule) > MANY:
                    self._stop.wait(GATHER_S)

    def eaten(self) -> Iterator[Eaten]:
        """What the log told since the last call."""
        while self._eaten:
            yield self._eaten.popleft()

    def _ask(self, question: Request, answer: type[_R]) -> _R:
        reply, _ = self._request(question)
        assert isinstance(reply, answer)
        return reply

    def _request(self, question: Request) -> tuple[Reply, list[int]]:
        if self._agent is None:
            raise PermissionRefused(self.why_not)
        return self._agent.request(question)
