"""Which faults would cut an SSH connection of this machine."""

from __future__ import annotations

import pytest

from tcpladder.faults.fault import Action, Fault, Match
from tcpladder.faults.guard import protects, protects_connection
from tcpladder.faults.machine import Line

HERE, ADMIN, THERE = "10.0.0.1", "192.0.2.7", "198.51.100.9"
LINE = Line(local=HERE, local_port=22, remote=ADMIN, remote_port=50000)


def reason(action: Action = Action.DROP, *, both: bool = False, **match: str | int) -> str:
    return protects(Fault(match=Match(**match), action=action, both=both, probe_sequences=[]), [LINE])


@pytest.mark.parametrize(
    "match",
    [
        {"source": HERE, "source_port": 22, "destination": ADMIN, "destination_port": 50000},
        {"source": ADMIN, "source_port": 50000, "destination": HERE, "destination_port": 22},
        {"destination_port": 22},
        {"source_port": 22},
        {"destination_port": 50000},
        {"source": ADMIN},
        {"destination": ADMIN, "source_port": 22},
        {"destination": HERE},
    ],
    ids=repr,
)
def test_whatever_matches_the_line_is_refused_by_its_name(match: dict[str, str | int]) -> None:
    said = reason(**match)
    assert "it would cut the SSH connection 192.0.2.7:50000 → 10.0.0.1:22 of this machine" in said
    assert said.startswith("cannot drop ")
    assert not said.endswith(".")


@pytest.mark.parametrize(
    "match",
    [
        {"source": HERE, "source_port": 22, "destination": ADMIN, "destination_port": 50001},
        {"source": HERE, "source_port": 23, "destination": ADMIN},
        {"destination_port": 80},
        {"source": ADMIN, "source_port": 22},
        {"destination": "127.0.0.1"},
    ],
    ids=repr,
)
def test_what_cannot_touch_it_is_not(match: dict[str, str | int]) -> None:
    assert reason(**match) == ""


def test_the_other_direction_counts_where_both_are_broken() -> None:
    match = {"source": ADMIN, "destination": "10.0.0.2", "destination_port": 22}
    assert reason(**match) == reason(both=True, **match) == ""
    assert LINE.local in reason(both=True, source_port=50000)


def test_a_host_without_a_port_is_refused_even_without_a_line() -> None:
    said = "cannot drop anyone → 198.51.100.9: without a port it breaks everything to or from 198.51.100.9; name a port"
    assert reason(destination=THERE) == said
    assert reason(destination=THERE, destination_port=1) == ""
    assert reason(source="::1", destination="::1") == ""


@pytest.mark.parametrize("action", [Action.WITHDRAW, Action.LINK_DOWN])
def test_no_route_and_no_link_is_for_the_asking(action: Action) -> None:
    said = reason(action, destination=THERE, destination_port=9)
    assert said.endswith("whatever else goes that way is broken as well")


def test_a_blackhole_takes_what_a_rule_with_its_ports_matches() -> None:
    assert "it would cut the SSH connection" in reason(
        Action.BLACKHOLE, destination=ADMIN, destination_port=50000
    )
    assert reason(Action.BLACKHOLE, destination=ADMIN, destination_port=9) == ""
    assert reason(Action.BLACKHOLE, destination=THERE, destination_port=9) == ""
    assert "without a port" in reason(Action.BLACKHOLE, destination=THERE)


def test_a_reset_is_refused_whichever_end_is_named_first() -> None:
    ends = Match(source=HERE, source_port=22, destination=ADMIN, destination_port=50000)
    for named in (ends, ends.reverse()):
        assert protects_connection(named, [LINE]) == (
            "cannot reset 192.0.2.7:50000 → 10.0.0.1:22: it is an SSH connection of this machine"
        )
    other = Match(source=HERE, source_port=22, destination=ADMIN, destination_port=50001)
    assert protects_connection(other, [LINE]) == ""


def test_what_is_refused_is_said_in_words() -> None:
    assert reason(Action.LOSE, source=ADMIN, destination=HERE, both=True).startswith(
        "cannot lose 0 % of 192.0.2.7 ↔ 10.0.0.1: "
    )
    assert reason(Action.REJECT_RST, destination_port=22).startswith("cannot reject anyone → port 22: ")
