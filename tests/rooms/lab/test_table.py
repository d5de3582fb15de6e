"""From a table to an experiment: every word that a file may use, on an experiment made for it, and its run."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterator

import pytest

from tcpladder.agent.fault_messages import ApplyFault, FaultState, LiftFault
from tcpladder.agent.lab_messages import EndPeer, PeerEnded, PeerStarted, StartPeer
from tcpladder.agent.messages import OnHost, ReadSockets, Reply, Request, Sockets
from tcpladder.faults.fault import Action, Match, Place, Segments
from tcpladder.lab.experiment import Break, End, Event, Experiment, Pause, Restore, Role, Start, Wait
from tcpladder.lab.observed import Observed
from tcpladder.lab.run import ExperimentRun
from tcpladder.lab.table import read

SECOND = 1_000_000_000
TABLE = """
name = "made up"
sentence = "all there is"
article = "none"
lasts = "2 * patience"
network = "routed"
capture = { host = "router", interface = "to-client" }

[values]
patience = { value = 3, least = 1, most = 9, unit = "s", means = "how long" }

[sysctl.client]
"net.ipv4.tcp_syn_retries" = "patience + 1"

[server]
host = "server"
address = "10.0.2.1"
port = 80
script = ["listen", "accept", "hold"]

[client]
host = "client"
address = "10.0.1.1"
port = 0
options = { TCP_USER_TIMEOUT = "patience * 1000" }
script = ["connect", "wait {patience}", "say {not a number}", "try send 1"]

[[step]]
start = "server"

[[step]]
start = "client"
until = ""

[[step]]
break = { direction = "client to server", action = "lose", amount = "patience * 10", host = "router" }

[[step]]
break = { direction = "server to client", action = "withdraw", host = "server" }

[[step]]
pause = "patience / 2"
say = "wait {patience}"

[[step]]
restore = true

[[step]]
vanish = "server"

[[step]]
wait = "failed"
role = "client"
call = "send()"
error = "EPIPE"
took = 1

[[step]]
wait = "segments"
kind = "retransmission"
from = "client"
count = "patience"

[[expect]]
kind = "retransmission"
at_least = 2

[[expect]]
kind = "rst"
from = "server"
count = 0
"""


@pytest.fixture
def experiment() -> Experiment:
    return read(tomllib.loads(TABLE), ("patience=2",))


class Played:
    """An agent that does nothing but answer, and its peers, which say what the test lets them say."""

    def __init__(self, experiment: Experiment) -> None:
        self.asked: list[tuple[str, object]] = []
        self.writers: dict[str, int] = {}
        self.run = ExperimentRun(experiment, self)

    def request(self, message: Request) -> tuple[Reply, list[int]]:
        host, inner = (message.host, message.request) if isinstance(message, OnHost) else ("", message)
        if isinstance(inner, ReadSockets):
            return Sockets(sockets=[], left_out=0), []
        self.asked.append((host, inner))
        match inner:
            case StartPeer(role=role):
                reader, self.writers[role] = os.pipe()
                return PeerStarted(pid=7), [reader]
            case ApplyFault(fault=fault):
                return FaultState(
                    number=len(self.asked), fault=fault, places=[Place.FORWARD], since_ns=0, ended_ns=None,
                    left_ms=None, packets=0, bytes=0, interfaces=[],
                ), []  # fmt: skip
            case LiftFault(number=number):
                applied = self.asked[number - 1][1]
                assert isinstance(applied, ApplyFault)
                return FaultState(
                    number=number, fault=applied.fault, places=[], since_ns=0, ended_ns=1,
                    left_ms=None, packets=5, bytes=0, interfaces=[],
                ), []  # fmt: skip
            case EndPeer():
                return PeerEnded(connections=1), []
        raise AssertionError(message)

    def say(self, role: str, event: str, time_s: float, **facts: object) -> None:
        line = {"event": event, "time_ns": int(time_s * SECOND), **facts}
        os.write(self.writers[role], json.dumps(line).encode() + b"\n")

    def at(self, time_s: float, **segments: int) -> list[str]:
        seen = {(kind, Role.CLIENT): count for kind, count in segments.items()}
        told = self.run.advance(round(time_s * SECOND), Observed(segments=seen))
        return [one.text for one in told]


@pytest.fixture
def played(experiment: Experiment) -> Iterator[Played]:
    made = Played(experiment)
    yield made
    made.run.close()
    for writer in made.writers.values():
        os.close(writer)


def test_numbers_are_calculated_and_words_are_filled(experiment: Experiment) -> None:
    assert experiment.client.options == {"TCP_USER_TIMEOUT": 2000}
    assert experiment.client.script == ("connect", "wait 2", "say {not a number}", "try send 1")
    assert experiment.network.sysctls == {"client": {"net.ipv4.tcp_syn_retries": "3"}}
    assert (experiment.network.name, experiment.network.hosts) == ("made up", ("client", "router", "server"))
    assert str(experiment.capture) == "to-client of router"


def test_every_kind_of_step(experiment: Experiment) -> None:
    kinds = [type(step) for step in experiment.steps]
    assert kinds == [Start, Start, Break, Break, Pause, Restore, End, Wait, Wait]
    lose = experiment.steps[2]
    assert isinstance(lose, Break)
    assert (lose.action, lose.amount, lose.segments, lose.host) == (Action.LOSE, 20, Segments.ALL, "router")
    failed = experiment.steps[7]
    assert isinstance(failed, Wait)
    assert (failed.event, failed.role, failed.took_s) == (Event.FAILED, Role.CLIENT, 1)


def test_the_run_asks_the_right_hosts_and_tells_what_it_does(played: Played) -> None:
    played.at(0)
    played.say("server", "listening", 0.1)
    assert played.at(0.2) == [
        "server listens on 10.0.2.1:80",
        "rule 3: iptables -A FORWARD -p tcp -s 10.0.1.1 -d 10.0.2.1 --dport 80 "
        "-m statistic --mode random --probability 0.2 -j DROP",
        "rule 4: the route is gone for what goes to 10.0.1.1",
        "wait 2",
    ]
    hosts = [host for host, _ in played.asked]
    assert hosts == ["server", "client", "router", "server"]
    applied = [asked.fault for _, asked in played.asked if isinstance(asked, ApplyFault)]
    assert applied[0].match == Match(source="10.0.1.1", destination="10.0.2.1", destination_port=80)
    assert applied[1].match == Match(destination="10.0.1.1")
    assert all(fault.insist for fault in applied), "there is no line to protect"
    assert played.at(1) == []
    assert played.at(1.3) == [
        "rule 4 lifted: the way is there again",
        "rule 3 lifted: it ate 5 segments",
        "the server lost its power: no FIN, no RST, and it has forgotten all",
    ]
    ended = played.asked[-1]
    assert ended == ("", EndPeer(pid=7, silently=True))


def through_the_steps(played: Played, after_s: float) -> None:
    """Up to the failure of the client's call."""
    played.at(0)
    played.say("server", "listening", 0.1)
    played.at(0.2)
    played.at(1.3)
    played.say("client", "failed", 2.5, call="send()", error="EPIPE", after_s=after_s)


def test_a_call_that_took_too_long_is_no_success(played: Played) -> None:
    through_the_steps(played, after_s=1.9)
    played.at(2.6)
    assert played.run.outcome is not None
    assert played.run.outcome.sentence == (
        "client: send() failed with EPIPE after 1.9 s; expected send() to take 1 s"
    )


def test_kernels_are_late_and_never_early(played: Played) -> None:
    through_the_steps(played, after_s=1.1)
    assert played.at(2.6) == ["client: send() failed with EPIPE after 1.1 s"]
    played.at(2.7, retransmission=2)
    played.at(3.1, retransmission=2)
    assert played.run.outcome is not None
    assert played.run.outcome.held


def test_more_than_at_least_is_fine_and_more_than_exactly_is_not(played: Played) -> None:
    through_the_steps(played, after_s=1.1)
    played.at(2.6, retransmission=9)
    played.at(3.1, retransmission=9)
    assert played.run.outcome is not None
    assert played.run.outcome.held


def test_a_peer_that_we_ended_is_not_missed(played: Played) -> None:
    through_the_steps(played, after_s=1.1)
    os.close(played.writers.pop("server"))
    played.at(2.6, retransmission=1)
    assert not played.run.finished
    os.close(played.writers.pop("client"))
    played.at(2.7, retransmission=1)
    assert played.run.outcome is not None
    assert played.run.outcome.sentence == "the client ended without a report"
