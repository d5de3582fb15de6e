"""A session over an experiment: a live capture of its private network, and the run that goes on in it."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass

from tcpladder.analysis.kinds import KINDS, Kind
from tcpladder.analysis.view import Endpoint
from tcpladder.errors import CaptureError, TcpladderError
from tcpladder.hosts.command import Command
from tcpladder.lab.experiment import Experiment, Role
from tcpladder.lab.observed import Observed, Seen
from tcpladder.lab.run import ExperimentRun, Outcome
from tcpladder.lab.story import Recording, story
from tcpladder.session.fault_notes import in_lines
from tcpladder.session.lab_agent import LabAgent
from tcpladder.session.private import PrivateSession


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
    """An experiment in the agent's private network; its steps are taken between looks at the ring."""

    def __init__(
        self,
        agent: LabAgent,
        experiment: Experiment,
        *,
        name: str,
        command: Command | None = None,
        on_output: Callable[[bytes], None] = lambda _said: None,
        save: Save | None = None,
    ) -> None:
        super().__init__(
            agent,
            experiment.network,
            experiment.capture,
            name=name,
            command=command,
            on_output=on_output,
            write=None if save is None else (save.capture, save.name),
        )
        self._save = save
        self.experiment = experiment
        self._experiment_run = ExperimentRun(experiment, self.faults)
        self._words = experiment.sentence

    @property
    def outcome(self) -> Outcome | None:
        """How the experiment ended, None while it goes on."""
        return self._experiment_run.outcome

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
        try:
            told = self._experiment_run.advance(time.time_ns(), Observed.of_segments(seen))
        except TcpladderError as failed:
            self.warn(str(failed))
            return
        for role, options in self._experiment_run.options_in_force.items():
            peer = self.experiment.peer(role)
            self.learn_socket(Endpoint(peer.address, peer.port), options)
        if told:
            with self._lock:
                self._notes += [(note, None) for n in told for note in in_lines(n.time_ns, n.text)]
                self._words = told[-1].text
                self.version += 1

    def close(self) -> None:
        super().close()
        self._experiment_run.close()
        save, self._save = self._save, None
        if save is not None:
            kernel = f"{platform.system()} {platform.release().partition('-')[0]}"
            save.write(story(self._experiment_run, Recording(file=save.name, kernel=kernel)))

    def _notice(self) -> str:
        return self._words
