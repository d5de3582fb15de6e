"""How a run goes from step to step: told what was observed, it says what happened. The real kernel is in tests/real."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest

from tcpladder.agent.fault_messages import ApplyFault, FaultState, LiftFault
from tcpladder.agent.lab_messages import PeerStarted, StartPeer
from tcpladder.agent.messages import ReadSockets, Reply, Request, Sockets
from tcpladder.errors import PermissionRefused
from tcpladder.faults.fault import Fault, Match, Place
from tcpladder.lab.experiment import Role
from tcpladder.lab.narration import narration_lines
from tcpladder.lab.observed import Observed
from tcpladder.lab.run import ExperimentRun
from tcpladder.lab.table import load

SECOND = 1_000_000_000
SILENCE = Observed()
SEEN = {("keepalive_ack", Role.SERVER): 3, ("rst", Role.CLIENT): 1}


ANY = Fault(match=Match(destination_port=1), probe_sequences=[])


def state(fault: Fault, packets: int) -> FaultState:
    return FaultState(
        number=7,
        fault=fault,
        places=[Place.INPUT],
        since_ns=0,
        ended_ns=None,
        left_ms=fault.for_ms,
        packets=packets,
        bytes=52 * packets,
        interfaces=[],
    )


class Scene:
    """Plays the agent and the peers, and holds what was asked of the agent."""

    def __init__(self, *, stepped: bool = False) -> None:
        self.asked: list[Request] = []
        self.writers: dict[str, int] = {}
        self.refuse_drops = False
        self.run = ExperimentRun(load("keepalive"), self, stepped=stepped)

    def request(self, message: Request) -> tuple[Reply, list[int]]:
        if isinstance(message, ReadSockets):
            return Sockets(sockets=[], left_out=0), []
        self.asked.append(message)
        match message:
            case StartPeer(role=role):
                reader, self.writers[role] = os.pipe()
                return PeerStarted(pid=1), [reader]
            case ApplyFault() if self.refuse_drops:
                raise PermissionRefused("no nf_tables here")
            case ApplyFault(fault=fault):
                return state(fault, packets=0), []
            case LiftFault(number=7):
                return state(ANY, packets=4), []
        raise AssertionError(message)

    def say(self, role: str, event: str, time_s: float, **facts: object) -> None:
        line = {"event": event, "time_ns": int(time_s * SECOND), **facts}
        os.write(self.writers[role], json.dumps(line).encode() + b"\n")

    def at(self, time_s: float, observed: Observed = SILENCE) -> list[str]:
        return [told.text for told in self.run.advance(int(time_s * SECOND), observed)]

    def connect(self) -> None:
        self.at(0)
        self.say("server", "listening", 0.1)
        self.at(0.2)
        self.say("client", "connected", 0.3, options={"SO_KEEPALIVE": 1, "TCP_KEEPIDLE": 3})
        self.at(0.4)


@pytest.fixture(params=[False])
def scene(request: pytest.FixtureRequest) -> Iterator[Scene]:
    made = Scene(stepped=request.param)
    yield made
    made.run.close()
    for writer in made.writers.values():
        os.close(writer)


stepped = pytest.mark.parametrize("scene", [True], indirect=True)
"""Its user takes the steps."""


def test_the_client_is_started_when_the_server_listens(scene: Scene) -> None:
    assert scene.at(0) == []
    assert [type(message) for message in scene.asked] == [StartPeer]
    assert scene.at(0.1) == []
    scene.say("server", "listening", 0.1)
    assert scene.at(0.2) == ["server listens on 127.0.0.1:12345"]
    client = scene.asked[-1]
    assert isinstance(client, StartPeer)
    assert (client.role, client.port, client.local_port) == ("client", 12345, 22345)
    assert client.script[0] == "connect"
    assert client.script[1].startswith("say GET / ")


def test_the_whole_story(scene: Scene) -> None:
    scene.connect()
    assert scene.run.options_in_force == {Role.CLIENT: {"SO_KEEPALIVE": 1, "TCP_KEEPIDLE": 3}}
    assert scene.at(6, Observed(answered_probes=2)) == []
    assert scene.at(9.5, Observed(answered_probes=3))[0] == (
        "rule 7: iptables -A INPUT -p tcp -d 127.0.0.1 --dport 12345 -j DROP"
    )
    drop = scene.asked[-1]
    assert isinstance(drop, ApplyFault)
    assert drop.fault.match == Match(destination="127.0.0.1", destination_port=12345)
    assert scene.at(14, Observed(answered_probes=3, unanswered_probes=2)) == []
    assert "gives up in 1 s" in scene.at(15, Observed(answered_probes=3, unanswered_probes=3))[0]
    last = Observed(answered_probes=3, unanswered_probes=3, resets=1, segments=SEEN)
    assert scene.at(16, last) == []
    assert not scene.run.finished
    scene.say("client", "ended", 16.0, call="recv()", error="ETIMEDOUT", after_s=15.7)
    told = scene.at(16.1, last)
    assert told[0] == "client: recv() failed with ETIMEDOUT after 15.7 s"
    assert not scene.run.finished, "what follows on the wire counts too"
    told = scene.at(16.5, last)
    assert told[-2:] == ["rule 7 lifted: it ate 4 segments", "keepalive: as expected"]
    assert scene.run.outcome is not None
    assert scene.run.outcome.held
    assert scene.run.faults == [state(ANY, packets=4)]
    assert scene.at(99) == []


def test_what_is_done_now_and_next_is_told_before_it_happens(scene: Scene) -> None:
    scene.connect()
    lines = list(narration_lines(scene.run, width=74))
    assert "done  start the client" in lines
    assert "now   wait for 3 × answered probes" in lines
    assert "next  drop what goes from client to server" in lines
    scene.at(9.5, Observed(answered_probes=3))
    lines = list(narration_lines(scene.run, width=74))
    assert "done  drop what goes from client to server" in lines
    assert "now   wait for 3 × unanswered probes" in lines
    assert "next  wait for reset" in lines
    assert "no answer can come" in " ".join(lines), "before the first probe that stays unanswered"
    assert max(map(len, lines)) <= 74


@stepped
def test_what_the_user_does_is_said_before_and_waits_for_its_user(scene: Scene) -> None:
    scene.connect()
    lines = list(narration_lines(scene.run, width=74))
    at = lines.index("next  your step:")
    assert lines[at + 1].strip() == "drop what goes from client to server"
    assert lines[at + 2].strip().startswith("watch: the next probe comes when 3 s of silence are over")
    assert not scene.run.awaited
    assert not scene.run.step_on(), "the probes are not yet answered"
    assert scene.at(9.5, Observed(answered_probes=3)) == []
    assert "now   your step, n takes it:" in list(narration_lines(scene.run, width=74))
    assert not any(isinstance(asked, ApplyFault) for asked in scene.asked)
    assert scene.at(99, Observed(answered_probes=30)) == [], "however long that takes"
    assert scene.run.step_on()
    assert scene.at(99.1, Observed(answered_probes=30))[0].startswith("rule 7: iptables -A INPUT")
    assert not scene.run.awaited
    assert not scene.run.step_on()


def test_the_time_of_a_narration_is_that_of_the_call(scene: Scene) -> None:
    scene.at(0)
    scene.say("server", "listening", 0.125)
    (told,) = scene.run.advance(SECOND, SILENCE)
    assert told.time_ns == SECOND // 8


def test_what_both_ends_say_at_once_is_told_in_order_of_time(scene: Scene) -> None:
    scene.at(0)
    scene.say("server", "listening", 0.1)
    scene.at(0.2)
    scene.say("server", "received", 0.5, bytes=77)
    scene.say("client", "connected", 0.4)
    told = scene.at(1)
    assert told[0].startswith("client is connected")
    assert told[-1] == "server: recv() returned 77 bytes"


def test_what_does_not_come_ends_the_run_and_lifts_the_rule(scene: Scene) -> None:
    scene.connect()
    scene.at(10, Observed(answered_probes=3))
    told = scene.at(60, Observed(answered_probes=12))
    assert told == ["rule 7 lifted: it ate 4 segments", "waited 50.0 s: 0 of 3 unanswered probes"]
    assert scene.run.outcome is not None
    assert not scene.run.outcome.held


def test_another_error_than_the_expected_one_is_no_success(scene: Scene) -> None:
    scene.connect()
    scene.at(10, Observed(answered_probes=3))
    scene.say("client", "ended", 11, call="recv()", error="ECONNRESET", after_s=10.7)
    scene.at(11, Observed(answered_probes=3, unanswered_probes=3, resets=1))
    assert scene.run.outcome is not None
    assert (scene.run.outcome.held, scene.run.outcome.sentence) == (
        False,
        "client: recv() failed with ECONNRESET after 10.7 s; expected recv() to fail with ETIMEDOUT",
    )


def test_a_peer_that_cannot_start_says_why(scene: Scene) -> None:
    scene.at(0)
    scene.say("server", "ended", 0.1, call="bind()", error="EADDRINUSE", after_s=0.0)
    scene.at(0.2)
    assert scene.run.outcome is not None
    assert scene.run.outcome.sentence == "server: bind() failed with EADDRINUSE after 0.0 s"


def test_a_peer_that_dies_without_a_word_is_noticed(scene: Scene) -> None:
    scene.at(0)
    os.close(scene.writers.pop("server"))
    assert scene.at(0.2) == ["the server ended without a report"]


def test_a_refusal_of_the_agent_is_the_callers_to_show(scene: Scene) -> None:
    scene.refuse_drops = True
    scene.connect()
    with pytest.raises(PermissionRefused, match="no nf_tables here"):
        scene.at(10, Observed(answered_probes=3))
    assert scene.run.finished


def test_a_wire_that_shows_something_else_is_no_success(scene: Scene) -> None:
    scene.connect()
    scene.at(10, Observed(answered_probes=3))
    scene.say("client", "ended", 16.0, call="recv()", error="ETIMEDOUT", after_s=15.7)
    last = Observed(
        answered_probes=3, unanswered_probes=3, resets=2, segments=SEEN | {("rst", Role.CLIENT): 2}
    )
    scene.at(16.1, last)
    scene.at(18, last)
    assert not scene.run.finished, "a late segment may be on its way"
    scene.at(20, last)
    assert scene.run.outcome is not None
    assert (scene.run.outcome.held, scene.run.outcome.sentence) == (
        False,
        "keepalive: 2 rst from the client, expected 1",
    )
