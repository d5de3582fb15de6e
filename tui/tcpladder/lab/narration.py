"""An experiment told step by step: what was done, what is waited for now, what comes next, what it came to. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap

from tcpladder.lab.comparison import ending_lines
from tcpladder.lab.experiment import Step
from tcpladder.lab.run import ExperimentRun
from tcpladder.lab.stepping import together
from tcpladder.lab.telling import what_a_step_does

_INDENT = " " * 6


def narration_lines(run: ExperimentRun, *, width: int) -> Iterator[str]:
    """Lines at most so wide where words allow it: what was done, `now`, `next`; at the end, what it came to."""
    experiment = run.experiment
    yield from wrap(f"{experiment.name}: {experiment.sentence}", width)
    yield ""
    if run.outcome is None:
        for taken in run.taken:
            yield from _step_lines(run, "done", taken.step, width)
        yield from _ahead(run, width)
        return
    yield from wrap(run.outcome.sentence, width)
    for step in experiment.steps[len(run.taken) :]:
        yield from wrap(f"not   {what_a_step_does(step, experiment)}", width, subsequent_indent=_INDENT)
    yield ""
    yield from ending_lines(run, width=width)


def awaited_lines(run: ExperimentRun, *, width: int) -> Iterator[str]:
    """What waits for its user, and what to watch then; none where nothing does."""
    return _watched(run, run.awaited, width)


def _ahead(run: ExperimentRun, width: int) -> Iterator[str]:
    """What is waited for now, and what comes then: what it will be like stands there before it happens."""
    steps = run.experiment.steps
    at = len(run.taken)
    if run.awaited:
        yield "now   your step, n takes it:"
        yield from awaited_lines(run, width=width)
        at += len(run.awaited)
    elif at < len(steps):
        yield from _step_lines(run, "now ", steps[at], width)
        at += 1
    following = together(steps, at)
    if run.is_of_the_user(at):
        yield "next  your step:"
        yield from _watched(run, following, width)
    elif following:
        for step in following:
            yield from wrap(
                f"next  {what_a_step_does(step, run.experiment)}", width, subsequent_indent=_INDENT
            )
    if more := len(steps) - at - len(following):
        yield f"{_INDENT}{more} more"


def _step_lines(run: ExperimentRun, when: str, step: Step, width: int) -> Iterator[str]:
    yield from wrap(f"{when}  {what_a_step_does(step, run.experiment)}", width, subsequent_indent=_INDENT)
    if step.say and when == "done":
        yield from wrap(step.say, width, initial_indent=_INDENT, subsequent_indent=_INDENT)


def _watched(run: ExperimentRun, steps: Sequence[Step], width: int) -> Iterator[str]:
    for step in steps:
        what = what_a_step_does(step, run.experiment)
        yield from wrap(f"{_INDENT}{what}", width, subsequent_indent=_INDENT)
        if step.say:
            yield from wrap(f"{_INDENT}watch: {step.say}", width, subsequent_indent=_INDENT + "  ")
