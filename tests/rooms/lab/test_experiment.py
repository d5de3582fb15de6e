"""The experiments that ship: what the file says, what --set changes, what it refuses."""

from __future__ import annotations

import pytest

from tcpladder.agent.lab_messages import PeerStarted, StartPeer
from tcpladder.agent.messages import HostRequest, OnHost, Reply, Request
from tcpladder.agent.protocol import decode_request, encode
from tcpladder.analysis.kinds import KINDS
from tcpladder.errors import UsageError
from tcpladder.hosts.peers import check
from tcpladder.lab.experiment import Break, Event, Role, Start, Wait
from tcpladder.lab.requests import Requests
from tcpladder.lab.table import load, names


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
    assert [type(step) for step in steps] == [Start, Start, Wait, Break, Wait, Wait, Wait]
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
    drop = next(step for step in experiment.steps if isinstance(step, Break))
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
    with pytest.raises(UsageError, match=r"cannot run 'tahoe': no such experiment \(have: .*keepalive"):
        load("tahoe")


class Asked:
    """An agent that notes what it is asked, and checks it as the real one does."""

    def __init__(self) -> None:
        self.on: list[tuple[str, HostRequest]] = []

    def request(self, message: Request) -> tuple[Reply, list[int]]:
        assert decode_request(encode(message)) == message
        host, inner = (message.host, message.request) if isinstance(message, OnHost) else ("", message)
        self.on.append((host, inner))
        return PeerStarted(pid=1), [-1]


@pytest.mark.parametrize("name", names())
def test_the_agent_would_take_what_each_experiment_asks(name: str) -> None:
    experiment, agent = load(name), Asked()
    for role in Role:
        Requests(experiment, agent).start(role)
        host, wanted = agent.on[-1]
        assert isinstance(wanted, StartPeer)
        check(wanted)
        assert host in ("", *experiment.network.hosts)
    assert experiment.capture.host in ("", *experiment.network.hosts)
    assert set(experiment.network.sysctls) <= {"", *experiment.network.hosts}


@pytest.mark.parametrize("name", names())
def test_what_an_experiment_waits_for_are_kinds_that_there_are(name: str) -> None:
    experiment = load(name)
    words = {rule.word for rule in KINDS.values()}
    waited = [step.segments for step in experiment.steps if isinstance(step, Wait) and step.segments]
    segments = (*waited, *(one.segments for one in experiment.expected))
    assert {kind for one in segments for kind in one.kinds} <= words


@pytest.mark.parametrize("name", names())
def test_an_experiment_is_short_and_sees_what_its_application_sees(name: str) -> None:
    """The default takes half a minute at most, and something besides the steps is compared with the wire."""
    experiment = load(name)
    assert experiment.expected
    assert len(experiment.sentence) <= 110
    assert any(isinstance(step, Wait) for step in experiment.steps)
