"""The front end of `lab`: the list of experiments, the start of one in its network, a command in it, a shell in it."""

from __future__ import annotations

import json
import os
import select
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, NoReturn

from tcpladder import samples
from tcpladder.agent.start import Handover, exec_app
from tcpladder.errors import ExitCode, UsageError
from tcpladder.hosts.network import PrivateNetwork
from tcpladder.hosts.plan import HOME, Plan
from tcpladder.lab.experiment import Experiment, Point
from tcpladder.lab.story import FILE
from tcpladder.lab.table import load, names
from tcpladder.lab.topology import taps, topology

if TYPE_CHECKING:
    from tcpladder.session.lab import LabSession
    from tcpladder.session.private import PrivateSession


_PAGE_COLUMNS = 80
_CAPTURE, _STORY = "capture", "story"


PUBLISHED = {"solaris": "there is no Solaris here: the listing that was published in 1998"}
"""What no kernel here can run, and is shown from what somebody else recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What is to be run, and where."""

    experiment: Experiment | None
    plan: Plan
    host: str
    """Where the user's command runs."""
    points: tuple[Point, ...]
    """Where frames are captured."""
    save: Path | None = None
    """The folder where the capture and its story are kept."""

    @property
    def outputs(self) -> dict[str, Path]:
        """What is written there."""
        if self.save is None or self.experiment is None:
            return {}
        return {_CAPTURE: self.save / f"{self.experiment.name}.pcapng", _STORY: self.save / FILE}


def list_experiments() -> None:
    """A sentence about each, on stdout; folded where that is a terminal."""
    sentences = {name: load(name).sentence for name in names()}
    for name, why in PUBLISHED.items():
        sentences[name] = f"{samples.story(name)['sentence']} ({why})"
    indent = max(map(len, sentences)) + 2
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else sys.maxsize
    for name, sentence in sorted(sentences.items()):
        lines = wrap(sentence, max(20, columns - indent))
        folded = f"\n{'':{indent}}".join(lines)
        sys.stdout.write(f"{name:{indent}}{folded}\n")


def published(
    name: str, settings: tuple[str, ...], save: Path | None, command: Sequence[str]
) -> tuple[Path, tuple[str, ...], str | None]:
    """The file of what was published, the timers and the stack that hold in it. Raises UsageError."""
    if settings or save is not None or command:
        raise UsageError(f"{name} is shown from a listing, nothing runs: leave out --set, --save and COMMAND")
    story = samples.story(name)
    _say(f"{PUBLISHED[name]}, {story['article']}")
    timers, stack = story["timers"], story["profile"]
    return samples.capture(name), tuple(timers), stack


def enter(wanted: str, host: str) -> int:
    """A shell in a lab that runs; the shell's exit code."""
    from tcpladder.hosts import shell

    return shell.enter(wanted, host)


def chosen(
    experiment: str | None,
    settings: tuple[str, ...],
    *,
    network: str,
    host: str,
    at: Sequence[str] = (),
    save: Path | None = None,
) -> Chosen:
    """What the words of the command line mean; `at` are the capture points. Raises UsageError."""
    if experiment is not None:
        if network:
            raise UsageError(f"cannot run {experiment} in {network}: an experiment has a network of its own")
        loaded = load(experiment, settings)
        _known(host, loaded.network)
        folder = None if save is None else save.absolute()
        points = taps(loaded.network, at) or (loaded.capture,)
        return Chosen(experiment=loaded, plan=loaded.network, host=host, points=points, save=folder)
    if save is not None:
        raise UsageError("--save keeps an experiment with its story: name one")
    if settings:
        raise UsageError("--set changes a number of an experiment: name one")
    plan = topology(network)
    _known(host, plan)
    where = host or (plan.hosts[0] if plan.hosts else HOME)
    points = taps(plan, at) or (Point(host=where, interface="any" if where else "lo"),)
    return Chosen(experiment=None, plan=plan, host=where, points=points)


def begin(
    chosen: Chosen, command: Sequence[str], argv: Sequence[str], outputs: Mapping[str, Path]
) -> NoReturn:
    """Start the agent in the network, make `outputs` as new files, and become the app. Raises TcpladderError."""
    beside = None
    if command:
        from tcpladder.hosts.command import beside as make_ready

        beside = make_ready(command, chosen.host)
    exec_app(
        PrivateNetwork(chosen.plan),
        {**chosen.outputs, **outputs},
        argv,
        beside=beside,
        folder=chosen.save,
        new=frozenset(outputs),
    )


def session(chosen: Chosen, left: Handover, *, form: str | None, auto: bool) -> PrivateSession:
    """The session over what was begun; without the app, what is said goes to stderr, the command's words too.

    Unless `auto`, who sits at a terminal takes the steps: with a key of the app, or a line of text.
    """
    from tcpladder.hosts.command import handed_over
    from tcpladder.session.lab import LabSession, Save
    from tcpladder.session.lab_agent import LabAgent
    from tcpladder.session.private import PrivateSession

    aloud = form is not None
    agent = LabAgent(left.agent, chosen.plan, chosen.points[0].host)
    command = handed_over(left.beside)
    if aloud:
        _say(f"lab {left.agent_pid}: `tcpladder lab enter {left.agent_pid}` opens a shell in its network")
    on_output = _to_stderr if aloud else _nowhere
    if chosen.experiment is None:
        name = f"lab {left.agent_pid}"
        return PrivateSession(
            agent, chosen.plan, chosen.points, name=name, command=command, on_output=on_output
        )
    name = f"lab {chosen.experiment.name} {left.agent_pid}"
    save = None
    if _CAPTURE in left.outputs:
        file = chosen.outputs[_CAPTURE].name
        save = Save(name=file, capture=left.outputs[_CAPTURE], story=left.outputs[_STORY])
    attended = form is None or (form == "text" and all(map(os.isatty, (0, 1, 2))))
    return LabSession(
        agent,
        chosen.experiment,
        chosen.points,
        name=name,
        command=command,
        on_output=on_output,
        save=save,
        stepped=attended and not auto,
        ask=_Prompt() if aloud else lambda _words: False,
    )


class _Prompt:
    """Asks for each step on stderr, once, and takes a line from stdin for an answer; does not wait for it."""

    def __init__(self) -> None:
        self._asked: list[str] = []

    def __call__(self, words: Sequence[str]) -> bool:
        if self._asked != words:
            self._asked = list(words)
            sys.stdout.flush()
            sys.stderr.write("\n".join(["", "your step, n and Enter takes it:", *words, ""]))
            sys.stderr.flush()
        if not select.select([sys.stdin], [], [], 0)[0] or not sys.stdin.readline():
            return False
        self._asked = []
        return True


def finish(chosen: Chosen, session: PrivateSession, *, form: str | None) -> int:
    """The exit code: no where an experiment did not hold, else that of the user's command."""
    from tcpladder.session.lab import LabSession

    aloud = form is not None
    if isinstance(session, LabSession) and session.outcome is not None:
        _print_ending(session, form)
    if chosen.save is not None:
        _say(f"{session.frames_written} frames and their story are in {chosen.save}")
    if aloud and isinstance(session, LabSession):
        if session.outcome is None:
            return ExitCode.INTERRUPTED
        _say(session.outcome.sentence)
        if not session.outcome.held:
            return ExitCode.NO
    if session.has_command and session.exit_code is None and aloud:
        return ExitCode.INTERRUPTED
    return session.exit_code or ExitCode.DONE


def _print_ending(session: LabSession, form: str | None) -> None:
    """After the ladder, on stdout; after the app, in words."""
    if form == "jsonl":
        lines = [json.dumps(record, ensure_ascii=False) for record in session.ending_records()]
    else:
        columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else _PAGE_COLUMNS
        lines = ["", *session.ending(columns)]
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def _known(host: str, plan: Plan) -> None:
    if host and host not in plan.hosts:
        have = ", ".join(plan.hosts) or "one host, leave --host out"
        raise UsageError(f"there is no host {host!r} in this network (have: {have})")


def _to_stderr(said: bytes) -> None:
    sys.stdout.flush()
    sys.stderr.buffer.write(said)
    sys.stderr.flush()


def _nowhere(_said: bytes) -> None:
    """The screen is drawn on the terminal: what a command says there would spoil it."""


def _say(sentence: str) -> None:
    sys.stderr.write(f"tcpladder: {sentence}\n")
