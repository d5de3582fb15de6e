"""The steps that a user takes, and what there is more of where that takes a while. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tcpladder.lab.experiment import Break, End, Experiment, Restore, Start, Step
from tcpladder.lab.observed import Seen

_ACTS = (Start, Break, Restore, End)
"""What is done; all else is watched."""


def of_the_user(steps: Sequence[Step]) -> tuple[range, ...]:
    """Where the steps are that are the user's to take, as ranges: what is done without a wait between is one step.

    What only starts the peers goes by itself, so that there is something to see, unless nothing is left to do then.
    """
    begins = [
        at
        for at, step in enumerate(steps)
        if isinstance(step, _ACTS) and not (at and isinstance(steps[at - 1], _ACTS))
    ]
    found = tuple(range(at, at + len(together(steps, at))) for at in begins)
    prepares = bool(found) and all(isinstance(steps[at], Start) for at in found[0])
    return found[1:] if prepares and len(found) > 1 else found


def together(steps: Sequence[Step], at: int) -> tuple[Step, ...]:
    """The step at a place with those that follow it without a wait between; one where it is a wait itself."""
    end = at
    while end < len(steps) and isinstance(steps[end], _ACTS):
        end += 1
    return tuple(steps[at : max(end, at + 1)])


def turns_more(experiment: Experiment, seen: Sequence[Seen]) -> int:
    """How often more than it says its repeated segments came, by how many segments there are in all."""
    if experiment.again is None:
        return 0
    return max(0, (len(seen) - len(experiment.order)) // len(experiment.again.rungs))


def with_turns(experiment: Experiment, turns: int) -> Experiment:
    """The experiment that expects its repeated segments so many times more."""
    again = experiment.again
    if again is None or not turns:
        return experiment
    order = (*experiment.order[: again.at], *again.rungs * turns, *experiment.order[again.at :])
    expected = []
    for one in experiment.expected:
        more = sum(
            bool({*rung.kinds} & {*one.segments.kinds})
            for rung in again.rungs
            if one.segments.sender in (rung.sender, None)
        )
        expected.append(replace(one, count=one.count + turns * more))
    return replace(experiment, order=order, expected=tuple(expected))
