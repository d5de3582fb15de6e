"""The experiments that ship: what the file says, what --set changes, what it refuses."""

from __future__ import annotations

import pytest

from tcpladder.agent.messages import StartPeer
from tcpladder.agent.peers import OPTIONS
from tcpladder.agent.protocol import decode_request, encode
from tcpladder.errors import UsageError
from tcpladder.lab.experiment import Drop, Event, Role, Start, Wait, load, names


def test_the_numbers_of_the_demo() -> None:
    experiment = load("keepalive")
    assert str(experiment.client) == "127.0.0.1:22345"
    assert str(experiment.server) == "127.0.0.1:12345"
    assert experiment.client.options == {
        "SO_KEEPALIVE": 1,
        "TCP_KEEPIDLE": 3,
        "TCP_KEEPINTVL": 1,
        "TCP_KEEPCNT": 3,
    }
    assert not experiment.server.options


def test_the_steps_in_order() -> None:
    steps = load("keepalive").steps
    assert [type(step) for step in steps] == [Start, Start, Wait, Drop, Wait, Wait, Wait]
    waits = [step for step in steps if isinstance(step, Wait)]
    assert [(wait.event, wait.count) for wait in waits] == [
        (Event.ANSWERED_PROBES, 3),
        (Event.UNANSWERED_PROBES, 3),
        (Event.RESET, 1),
        (Event.CLIENT_ENDED, 1),
    ]
    assert (waits[-1].call, waits[-1].error) == ("recv()", "ETIMEDOUT")


def test_the_article_by_its_own_numbers() -> None:
    experiment = load("keepalive", ("idle=30", "intvl=3", "probes=3", "answered=1"))
    assert experiment.client.options["TCP_KEEPIDLE"] == 30
    assert experiment.client.options["TCP_KEEPINTVL"] == 3
    started = next(step for step in experiment.steps if isinstance(step, Start) and step.role is Role.CLIENT)
    assert "every 30 s" in started.say
    drop = next(step for step in experiment.steps if isinstance(step, Drop))
    assert drop.sender is Role.CLIENT
    assert 30 + 3 * 3 < drop.for_s < 90, "until keepalive has given up, and a margin"
    for step in experiment.steps:
        if isinstance(step, Wait):
            assert step.longest_s > 39


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("idle=0", "cannot set idle to '0': .* a number from 1 to 7200 s"),
        ("probes=128", "cannot set probes to '128': .* a number from 1 to 127"),
        ("intvl=soon", "cannot set intvl to 'soon'"),
        ("intvl", "cannot set 'intvl': say one of idle=3, intvl=1, probes=3, answered=3"),
        ("rto=3", "cannot set 'rto=3': say one of"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_with_what_does(setting: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        load("keepalive", (setting,))


def test_an_unknown_experiment_is_refused_with_those_that_are_there() -> None:
    with pytest.raises(UsageError, match=r"cannot run 'solaris': no such experiment \(have: keepalive\)"):
        load("solaris")


@pytest.mark.parametrize("name", names())
def test_the_agent_would_take_what_each_experiment_asks(name: str) -> None:
    experiment = load(name)
    for role in Role:
        peer = experiment.peer(role)
        assert set(peer.options) <= OPTIONS
        wanted = StartPeer(
            role=role.value,
            options=dict(peer.options),
            address=peer.address,
            port=peer.port,
            message=peer.message,
        )
        assert decode_request(encode(wanted)) == wanted
