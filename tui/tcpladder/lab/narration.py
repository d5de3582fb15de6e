"""An experiment told step by step: what was done, what is waited for now, what comes next, what it came to. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

from tcpladder.lab.comparison import ending_lines
from tcpladder.lab.run import ExperimentRun
from tcpladder.lab.telling import what_a_step_does


def narration_lines(run: ExperimentRun, *, width: int) -> Iterator[str]:
    """Lines at most so wide where words allow it; one step is `now`, the one behind it `next`."""
    experiment = run.experiment
    yield from wrap(f"{experiment.name}: {experiment.sentence}", width)
    yield ""
    over = len(run.taken)
    for number, step in enumerate(experiment.steps[: over + 2]):
        when = "done" if number < over else "now " if number == over else "next"
        if number >= over and run.finished:
            when = "not "  # it failed before
        yield from wrap(f"{when}  {what_a_step_does(step, experiment)}", width, subsequent_indent="      ")
        if number < over and step.say:
            yield from wrap(step.say, width, initial_indent="      ", subsequent_indent="      ")
    more = len(experiment.steps) - over - 2
    if more > 0:
        yield f"      {more} more"
    if run.outcome is not None:
        yield ""
        yield from wrap(run.outcome.sentence, width)
        yield ""
        yield from ending_lines(run, width=width)
