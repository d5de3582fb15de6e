"""What a drop may match, and the command that a person would type for it."""

from __future__ import annotations

import pytest

from tcpladder.agent.drop import DropTable, checked, equivalent
from tcpladder.agent.messages import DropSegments, LiftDrop
from tcpladder.errors import UsageError


def test_the_rule_of_the_article() -> None:
    match = checked(DropSegments(destination="127.0.0.1", destination_port=12345))
    assert equivalent(match) == "iptables -A INPUT -p tcp -d 127.0.0.1 --dport 12345 -j DROP"


def test_one_direction_of_one_flow_over_ipv6() -> None:
    match = checked(
        DropSegments(destination="::1", destination_port=80, source="2001:db8::a1", source_port=5000)
    )
    assert equivalent(match) == (
        "ip6tables -A INPUT -p tcp -s 2001:db8::a1 --sport 5000 -d ::1 --dport 80 -j DROP"
    )


def test_a_port_alone_takes_a_command_for_each_family() -> None:
    match = checked(DropSegments(destination=None, destination_port=None, source_port=6699))
    assert equivalent(match) == (
        "iptables -A INPUT -p tcp --sport 6699 -j DROP; ip6tables -A INPUT -p tcp --sport 6699 -j DROP"
    )


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        (DropSegments(destination=None, destination_port=None), "cannot drop everything"),
        (
            DropSegments(destination="localhost", destination_port=1),
            "'localhost': not an IPv4 or IPv6 address",
        ),
        (DropSegments(destination="127.0.0.1", destination_port=65536), "ports go from 0 to 65535"),
        (
            DropSegments(destination="127.0.0.1", destination_port=None, source="::1"),
            "one is IPv4 and the other",
        ),
        (DropSegments(destination="127.0.0.1", destination_port=1, for_s=0), "cannot drop for 0 s"),
        (DropSegments(destination="127.0.0.1", destination_port=1, for_s=float("inf")), "at most 86400 s"),
        (
            DropSegments(destination="127.0.0.1", destination_port=1, for_s=float("nan")),
            "cannot drop for nan s",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_value(wanted: DropSegments, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        checked(wanted)


def test_lifting_a_rule_that_is_not_there_says_which_are() -> None:
    with pytest.raises(UsageError, match=r"cannot lift rule 3: no such rule \(have: none\)"):
        DropTable().lift(LiftDrop(rule=3))
