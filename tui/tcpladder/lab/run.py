"""How an experiment runs: step after step, driven by whoever watches the flow. No thread, no sleep, no clock.

The caller calls `advance` again and again with the time and with what it has observed on the flow; the run asks the
agent for peers and drops, reads what the peers report, and tells what happened.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never

from tcpladder.agent.fault_messages import FaultState
from tcpladder.agent.messages import SocketState
from tcpladder.errors import TcpladderError
from tcpladder.lab.experiment import (
    Break,
    End,
    Event,
    Experiment,
    Pause,
    Restore,
    Role,
    Start,
    Step,
    Wait,
)
from tcpladder.lab.lateness import on_time
from tcpladder.lab.observed import Observed
from tcpladder.lab.order import differences
from tcpladder.lab.reports import Report, ReportPipe
from tcpladder.lab.requests import Agent, Requests
from tcpladder.lab.stepping import of_the_user, turns_more, with_turns
from tcpladder.lab.telling import (
    end_in_words,
    how_it_ended,
    in_words,
    what_is_broken,
    what_is_restored,
)

_PEER_PATIENCE_NS = 10_000_000_000
_SETTLING_NS = 300_000_000
"""After the last step, until what was sent last is captured and analysed, and nothing follows it."""
_SETTLING_PATIENCE_NS = 3_000_000_000
_ENDED = {Event.CLIENT_ENDED: Role.CLIENT, Event.SERVER_ENDED: Role.SERVER}
_CONNECTED = {Role.CLIENT: "connected", Role.SERVER: "accepted"}


@dataclass(frozen=True, slots=True)
class Narration:
    """Something that happened, for a note on the ladder or a line of text."""

    time_ns: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A step that is over."""

    step: Step
    began_ns: int
    ended_ns: int
    sockets: tuple[SocketState, ...]
    """The sockets of both ends when it was over; those that listen left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How the experiment ended."""

    held: bool
    """Whether every step came, the applications saw what the experiment says, and so did the wire."""
    sentence: str


class ExperimentRun:
    """One experiment on its way. Its narrations come from `advance`; the caller keeps them.

    Args:
        stepped: what is done waits for `step_on`, as stepping.of_the_user says; else all goes by itself.
    """

    def __init__(self, experiment: Experiment, agent: Agent, *, stepped: bool = False) -> None:
        self.experiment = experiment
        self.required = experiment
        """What must have been seen: as the experiment says, and what came while a step waited for its user."""
        self.outcome: Outcome | None = None
        self.faults: list[FaultState] = []
        """What became of each fault, once it is lifted."""
        self.taken: list[Taken] = []
        self.observed = Observed()
        """What was seen of the flow until now."""
        self.reports: dict[Role, list[Report]] = {role: [] for role in Role}
        self._requests = Requests(experiment, agent)
        self._pipes: dict[Role, ReportPipe] = {}
        self._ended_by_us: set[Role] = set()
        self._stops = {steps.start: steps for steps in of_the_user(experiment.steps)} if stepped else {}
        """Where it stops, and the steps that are then the user's."""
        self._stepped = stepped
        self._at_stop: Observed | None = None
        self._while_stopped: Counter[tuple[str, Role]] = Counter()
        self._next = 0
        self._since_ns: int | None = None
        self._told: list[Narration] = []

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen."""
        return self.outcome is not None

    @property
    def awaited(self) -> tuple[Step, ...]:
        """The steps that wait for their user; none while something else is waited for."""
        stop = self._stops.get(self._next, range(0)) if self._at_stop is not None else range(0)
        return tuple(self.experiment.steps[at] for at in stop)

    def is_of_the_user(self, number: int) -> bool:
        """Whether the steps from `number` on, from 0, are going to wait for their user."""
        return number in self._stops

    def step_on(self) -> bool:
        """Let the steps go that wait for their user; whether any did. May be called from any thread."""
        return self._at_stop is not None and self._stops.pop(self._next, None) is not None

    @property
    def started(self) -> bool:
        """Whether every peer is there."""
        return not any(isinstance(step, Start) for step in self.experiment.steps[self._next :])

    @property
    def options_in_force(self) -> Mapping[Role, Mapping[str, int]]:
        """Socket options by end, as getsockopt says on the connected sockets; an end is missing until it reported."""
        found = {role: self._report(role, event) for role, event in _CONNECTED.items()}
        return {role: report.options for role, report in found.items() if report is not None}

    def advance(self, now_ns: int, observed: Observed) -> list[Narration]:
        """Go as far as what has happened allows; returns what is new, in order of time.

        Raises what the agent raises (TcpladderError); the run is then over and has to be closed.
        """
        self.observed = observed
        for role in self._pipes:
            self._hear(role)
        steps = self.experiment.steps
        try:
            while not self.finished and self._next < len(steps):
                if self._stopped(observed) or not self._perform(steps[self._next], now_ns, observed):
                    break
                self._passed(steps[self._next], now_ns)
            if not self.finished and self._next == len(steps):
                self._settle(now_ns, observed)
        except TcpladderError as error:
            self.outcome = Outcome(held=False, sentence=str(error))
            raise
        told, self._told = sorted(self._told, key=lambda narration: narration.time_ns), []
        return told

    def close(self) -> None:
        """Release the descriptors. Peers and rules end with the agent."""
        for pipe in self._pipes.values():
            pipe.close()

    def _stopped(self, observed: Observed) -> bool:
        """Whether the next step waits for its user; what came meanwhile is counted apart."""
        if self._next in self._stops:
            self._at_stop = self._at_stop or observed
            return True
        if self._at_stop is not None:
            self._while_stopped += Counter(observed.segments) - Counter(self._at_stop.segments)
            self._at_stop = None
        return False

    def _passed(self, step: Step, now_ns: int) -> None:
        began_ns = now_ns if self._since_ns is None else self._since_ns
        sockets = tuple(self._requests.sockets())
        self.taken.append(Taken(step=step, began_ns=began_ns, ended_ns=now_ns, sockets=sockets))
        self._next, self._since_ns = self._next + 1, None

    def _perform(self, step: Step, now_ns: int, observed: Observed) -> bool:
        """Begin a step or look at it again; whether it is done."""
        begins = self._since_ns is None
        self._since_ns = now_ns if self._since_ns is None else self._since_ns
        match step:
            case Start():
                return self._start(step, now_ns, begins)
            case Wait():
                return self._wait(step, now_ns, observed)
            case Pause():
                if begins:
                    self._tell(now_ns, step.say)
                return now_ns - self._since_ns >= step.for_s * 1e9
            case Break():
                self._tell(now_ns, what_is_broken(self._requests.apply(step)))
            case Restore():
                self._lift(now_ns)
            case End():
                self._requests.end(step)
                self._ended_by_us.add(step.role)
                how = (
                    "lost its power: no FIN, no RST, and it has forgotten all"
                    if step.silently
                    else "was killed"
                )
                self._tell(now_ns, f"the {step.role} {how}")
            case _:
                assert_never(step)
        self._tell(now_ns, step.say)
        return True

    def _start(self, step: Start, now_ns: int, begins: bool) -> bool:
        if begins:
            self._pipes[step.role] = ReportPipe(self._requests.start(step.role))
        ready = self._report(step.role, step.until)
        if not step.until or ready is not None:
            self._tell(ready.time_ns if ready is not None else now_ns, step.say)
            return True
        if not self._give_up_on(step.role, now_ns):
            self._fail_after(_PEER_PATIENCE_NS, now_ns, f"the {step.role} did not start")
        return False

    def _wait(self, step: Wait, now_ns: int, observed: Observed) -> bool:
        match step.event:
            case Event.CLIENT_ENDED | Event.SERVER_ENDED:
                role = _ENDED[step.event]
                return self._wait_for_call(step, role, self._report(role, "ended"), now_ns)
            case Event.FAILED:
                assert step.role is not None
                return self._wait_for_call(step, step.role, self._report(step.role, "failed"), now_ns)
            case Event.ANSWERED_PROBES:
                seen = observed.answered_probes
            case Event.UNANSWERED_PROBES:
                seen = observed.unanswered_probes
            case Event.RESET:
                seen = observed.resets
            case Event.SEGMENTS:
                assert step.segments is not None
                seen = observed.count(step.segments)
                seen -= Observed(segments=self._while_stopped).count(step.segments)
            case _:
                assert_never(step.event)
        if seen >= step.count:
            self._tell(now_ns, step.say)
            return True
        for role in self._pipes:
            if self._report(role, "ended") is None and self._give_up_on(role, now_ns):
                return False
        what = str(step.segments or step.event.value)
        missing = f"{seen} of {step.count} {what}" if step.count > 1 else f"no {what}"
        self._fail_after(round(step.longest_s * 1e9), now_ns, missing)
        return False

    def _wait_for_call(self, step: Wait, role: Role, report: Report | None, now_ns: int) -> bool:
        if report is None:
            if not self._give_up_on(role, now_ns):
                self._fail_after(round(step.longest_s * 1e9), now_ns, f"the {role} still waits")
            return False
        wrong = ""
        if (report.call, report.error or "") != (step.call, step.error):
            how = f"fail with {step.error}" if step.error else "be the last, without an error"
            wrong = f"expected {step.call} to {how}"
        elif step.took_s is not None and not on_time(round(report.after_s * 1e9), step.took_s):
            wrong = f"expected {step.call} to take {step.took_s:g} s"
        if wrong:
            self._finish(now_ns, held=False, sentence=f"{how_it_ended(role, report)}; {wrong}")
            return False
        self._tell(report.time_ns, step.say)
        return True

    def _settle(self, now_ns: int, observed: Observed) -> None:
        """After the last step: what was seen on the wire must be what the experiment says, no less and no more."""
        self._since_ns = now_ns if self._since_ns is None else self._since_ns
        waited_ns = now_ns - self._since_ns
        turns = turns_more(self.experiment, observed.order) if self._stepped else 0
        self.required = required = with_turns(self.experiment, turns)
        counts = [(one, observed.count(one.segments)) for one in required.expected]
        wrong = [
            f"{seen} {one.segments}, expected {one.count}{' or more' if one.or_more else ''}"
            for one, seen in counts
            if not one.holds(seen)
        ]
        if observed.order and required.order:
            wrong += differences(required.order, observed.order)
        if observed.ended != required.ended and observed.tells_end:
            wrong.append(f"{end_in_words(observed.ended)}, expected {end_in_words(required.ended)}")
        if not wrong and waited_ns >= _SETTLING_NS:
            self._finish(now_ns, held=True, sentence=f"{self.experiment.name}: as expected")
        elif wrong and waited_ns >= _SETTLING_PATIENCE_NS:
            self._finish(now_ns, held=False, sentence=f"{self.experiment.name}: {'; '.join(wrong)}")

    def _give_up_on(self, role: Role, now_ns: int) -> bool:
        """Fail if the peer is gone before it was ready, or without a word; whether it is."""
        ended = self._report(role, "ended")
        if ended is not None:
            self._finish(now_ns, held=False, sentence=how_it_ended(role, ended))
        elif self._pipes[role].ended and role not in self._ended_by_us:
            self._finish(now_ns, held=False, sentence=f"the {role} ended without a report")
        return self.finished

    def _fail_after(self, patience_ns: int, now_ns: int, what: str) -> None:
        assert self._since_ns is not None
        waited_ns = now_ns - self._since_ns
        if waited_ns > patience_ns:
            self._finish(now_ns, held=False, sentence=f"waited {waited_ns / 1e9:.1f} s: {what}")

    def _finish(self, now_ns: int, *, held: bool, sentence: str) -> None:
        self._lift(now_ns)
        self._tell(now_ns, sentence)
        self.outcome = Outcome(held=held, sentence=sentence)

    def _lift(self, now_ns: int) -> None:
        for fault in self._requests.lift_all():
            self.faults.append(fault)
            self._tell(now_ns, what_is_restored(fault))

    def _report(self, role: Role, event: str) -> Report | None:
        """The last report of an event; None where there was none."""
        return next((report for report in reversed(self.reports[role]) if report.event == event), None)

    def _hear(self, role: Role) -> None:
        """Note and narrate what a peer has reported."""
        for report in self._pipes[role].read():
            before = self.reports[role][-1].event if self.reports[role] else ""
            self.reports[role].append(report)
            self._tell(report.time_ns, in_words(role, self.experiment, report, before))

    def _tell(self, time_ns: int, text: str) -> None:
        if text:
            self._told.append(Narration(time_ns, text))
