"""Which steps are the user's, and what is expected where a person takes a while."""

from __future__ import annotations

import pytest

from tcpladder.lab.experiment import Break, End, Restore, Role, Start
from tcpladder.lab.observed import Seen
from tcpladder.lab.order import differences
from tcpladder.lab.stepping import of_the_user, turns_more, with_turns
from tcpladder.lab.table import load, names

SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("name", "types"),
    [
        ("keepalive", [[Break]]),
        ("unplugged", [[Break], [Restore]]),
        ("half-open", [[End]]),
        ("middlebox", [[Break, Break]]),
        ("connect-timeout", [[Start, Break, Start]]),
        ("retransmission", [[Start, Start, Break]]),
        ("zero-window", [[Start, Start]]),
        ("refused", [[Start]]),
    ],
)
def test_what_is_done_is_the_users_and_starting_alone_is_not(name: str, types: list[list[type]]) -> None:
    steps = load(name).steps
    assert [[type(steps[at]) for at in one] for one in of_the_user(steps)] == types


@pytest.mark.parametrize("name", names())
def test_every_experiment_leaves_something_to_do(name: str) -> None:
    assert of_the_user(load(name).steps)


def seen_in_time(name: str, turns: int) -> list[Seen]:
    """What is captured where a person delays the step for so many turns, each timer on time."""
    now_ns, seen = 0, []
    for rung in with_turns(load(name), turns).order:
        now_ns += round((rung.after_s or 0.001) * SECOND)
        seen.append(Seen(rung.kinds[0], rung.sender, now_ns))
    return seen


@pytest.mark.parametrize("name", ["keepalive", "keepalive-server", "unplugged", "half-open", "middlebox"])
def test_who_waits_sees_whole_turns_more_and_the_counts_stay_exact(name: str) -> None:
    experiment = load(name)
    probe, answer = "keepalive_probe", "keepalive_ack"
    before = {str(one.segments): one.count for one in experiment.expected}
    assert turns_more(experiment, seen_in_time(name, 0)) == 0
    assert turns_more(experiment, seen_in_time(name, 2)) == 2
    waited = with_turns(experiment, 2)
    assert not list(differences(waited.order, seen_in_time(name, 2)))
    assert list(differences(experiment.order, seen_in_time(name, 2)))
    for one in waited.expected:
        repeated = {probe, answer} & {*one.segments.kinds}
        assert one.count == before[str(one.segments)] + 2 * bool(repeated)


def test_a_turn_that_is_not_whole_is_no_turn() -> None:
    experiment = load("keepalive")
    seen = seen_in_time("keepalive", 1)
    del seen[6]  # the first answer
    assert list(differences(with_turns(experiment, turns_more(experiment, seen)).order, seen))


def test_where_nothing_happens_meanwhile_nothing_is_expected() -> None:
    experiment = load("refused")
    seen = [Seen("syn", Role.CLIENT, 0)] * 9
    assert turns_more(experiment, seen) == 0
    assert with_turns(experiment, 0) is experiment
