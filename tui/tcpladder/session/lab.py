"""A session over an experiment: a live capture of its private network, and the run that goes on in it."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tcpladder.analysis.kinds import KINDS, Kind
from tcpladder.analysis.view import Endpoint
from tcpladder.errors import CaptureError, TcpladderError
from tcpladder.hosts.command import Command
from tcpladder.lab.comparison import ending_lines, ending_records
from tcpladder.lab.experiment import Experiment, Point, Role, Step
from tcpladder.lab.narration import awaited_lines, narration_lines
from tcpladder.lab.observed import Observed, Seen
from tcpladder.lab.run import ExperimentRun, Narration, Outcome
from tcpladder.lab.story import Recording, story
from tcpladder.session.fault_notes import in_lines
from tcpladder.session.lab_agent import LabAgent
from tcpladder.session.private import PrivateSession
from tcpladder.sources.points import HELD_NS

_ASKED_COLUMNS = 76


@dataclass(frozen=True, slots=True, kw_only=True)
class Save:
    """Where an experiment is kept: descriptors, which belong to the session."""

    name: str
    """Of the capture, without its folder."""
    capture: int
    story: int

    def write(self, text: str) -> None:
        """Write the story and close it. Raises CaptureError where that is refused."""
        try:
            with os.fdopen(self.story, "w", encoding="utf-8") as file:
                file.write(text)
        except OSError as refused:
            reason = (refused.strerror or str(refused)).lower()
            raise CaptureError(f"cannot write the story of {self.name}: {reason}") from None


class LabSession(PrivateSession):
    """An experiment in the agent's private network; its steps are taken between looks at the ring.

    Args:
        stepped: what is done waits for `step_on`.
        ask: asked at each look while a step waits for its user, with its words: whether it may go.
    """

    def __init__(
        self,
        agent: LabAgent,
        experiment: Experiment,
        points: Sequence[Point],
        *,
        name: str,
        command: Command | None = None,
        on_output: Callable[[bytes], None] = lambda _said: None,
        save: Save | None = None,
        stepped: bool = False,
        ask: Callable[[Sequence[str]], bool] = lambda _words: False,
    ) -> None:
        super().__init__(
            agent,
            experiment.network,
            points,
            name=name,
            command=command,
            on_output=on_output,
            write=None if save is None else (save.capture, save.name),
        )
        self._save = save
        self.experiment = experiment
        self._experiment_run = ExperimentRun(experiment, self.faults, stepped=stepped)
        self._stepped, self._ask = stepped, ask
        self._words = experiment.sentence
        self._awaited: tuple[Step, ...] = ()
        self._untold: list[Narration] = []
        """What happened, until the segments from before it have come."""
        self._frames_late_ns = 2 * HELD_NS if len(points) > 1 else 0

    @property
    def outcome(self) -> Outcome | None:
        """How the experiment ended, None while it goes on."""
        return self._experiment_run.outcome

    def narration(self, width: int) -> list[str]:
        """What the command says, then the experiment's steps; at the end what it came to, before all else."""
        said = super().narration(width) if self.has_command else []
        told = list(narration_lines(self._experiment_run, width=width))
        first, second = (told, said) if self.sums_up else (said, told)
        return [*first, "", *second] if first and second else first + second

    @property
    def awaits_its_user(self) -> bool:
        return bool(self._experiment_run.awaited)

    @property
    def sums_up(self) -> bool:
        return self._experiment_run.finished

    def step_on(self) -> str:
        if self._experiment_run.step_on():
            return ""
        if self._experiment_run.finished:
            return "the experiment is over"
        if not self._stepped:
            return "the steps go by themselves (--auto)"
        return "not yet: wait for what stands behind `now`"

    def ending(self, width: int) -> list[str]:
        """What it came to: expected and observed, the calls, the sockets at each step."""
        return list(ending_lines(self._experiment_run, width=width))

    def ending_records(self) -> list[dict[str, object]]:
        """The same, for JSON lines."""
        return list(ending_records(self._experiment_run))

    @property
    def finished(self) -> bool:
        return self._experiment_run.finished and (not self.has_command or super().finished)

    def look(self, wait_s: float) -> bool:
        """One look at the ring, then as many steps of the experiment as it allows."""
        came = super().look(wait_s)
        if not self._experiment_run.finished:
            self._advance()
        return came

    def _may_begin(self) -> bool:
        """The experiment's own flow comes first, so that it is the first on the list."""
        return self._experiment_run.started

    def _advance(self) -> None:
        # Not through the view: it belongs to whoever draws it.
        seen = [
            Seen(KINDS[Kind(kind)].word, Role.SERVER if from_server else Role.CLIENT, time_ns)
            for kind, from_server, time_ns in (self.capture.kinds(1) if self.flow_count() else ())
        ]
        ended = self.summary(1).ended if seen else None
        run = self._experiment_run
        try:
            told = run.advance(time.time_ns(), Observed.of_segments(seen, ended))
        except TcpladderError as failed:
            self.warn(str(failed))
            return
        if run.awaited and self._ask(list(awaited_lines(run, width=_ASKED_COLUMNS))):
            run.step_on()
        for role, options in run.options_in_force.items():
            peer = self.experiment.peer(role)
            self.learn_socket(Endpoint(peer.address, peer.port), options)
        self._untold += told
        due_ns = time.time_ns() - self._frames_late_ns
        told = [one for one in self._untold if run.finished or one.time_ns <= due_ns]
        if told:
            self._untold = self._untold[len(told) :]
            with self._lock:
                self._notes += [(note, None) for n in told for note in in_lines(n.time_ns, n.text)]
                self._words = told[-1].text
                self.version += 1
        if run.awaited != self._awaited:
            self._awaited = run.awaited
            self._change()

    def close(self) -> None:
        super().close()
        self._experiment_run.close()
        save, self._save = self._save, None
        if save is not None:
            kernel = f"{platform.system()} {platform.release().partition('-')[0]}"
            save.write(story(self._experiment_run, Recording(file=save.name, kernel=kernel)))

    def _notice(self) -> str:
        return "a step waits for you" if self.awaits_its_user else self._words
