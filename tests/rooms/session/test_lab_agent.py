"""Which host of a lab is asked: that of the address, or the one where frames are captured."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tcpladder.agent.client import AgentClient
from tcpladder.agent.fault_messages import ApplyFault, ListFaults, ResetConnection
from tcpladder.agent.lab_messages import EndPeer
from tcpladder.agent.messages import (
    ListInterfaces,
    OnHost,
    OpenCapture,
    ReadSocketOptions,
    ReadSockets,
    ReadSysctls,
    Request,
)
from tcpladder.faults.fault import Fault, Match
from tcpladder.hosts.plan import Plan
from tcpladder.lab.topology import topology
from tcpladder.session.lab_agent import LabAgent

ENDS = {"local_port": 1, "remote": "10.0.1.1", "remote_port": 2}
FAULT = Fault(match=Match(destination_port=7), probe_sequences=[])


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Request]]:
    """What is sent to the agent."""
    sent: list[Request] = []
    monkeypatch.setattr(AgentClient, "request", lambda _, message: (sent.append(message), [])[::-1])
    return sent


def agent(plan: Plan, host: str) -> LabAgent:
    ours, theirs = socket.socketpair()
    theirs.close()
    return LabAgent(ours.detach(), plan, host)


@pytest.mark.parametrize(
    ("message", "host"),
    [
        (OpenCapture(interface="eth0"), "client"),
        (ListInterfaces(), "client"),
        (ReadSysctls(names=["net.a"]), "client"),
        (ReadSockets(), "client"),
        (ReadSockets(local="10.0.2.1"), "server"),
        (ReadSocketOptions(local="fd00:2::1", **ENDS), "server"),  # type: ignore[arg-type]
        (ReadSocketOptions(local="127.0.0.1", **ENDS), "client"),  # type: ignore[arg-type]
        (ResetConnection(local="10.0.2.254", **ENDS), "router"),  # type: ignore[arg-type]
        (ApplyFault(fault=FAULT), "client"),
        (ListFaults(), "client"),
    ],
    ids=repr,
)
def test_what_names_no_host_goes_where_it_belongs(asked: list[Request], message: Request, host: str) -> None:
    lab = agent(topology("routed"), "client")
    lab.request(message)
    lab.close()
    assert not isinstance(message, OnHost)
    assert asked == [OnHost(host=host, request=message)]


def test_what_names_its_host_and_peers_by_their_number_go_as_they_are(asked: list[Request]) -> None:
    lab = agent(topology("routed"), "client")
    messages = [OnHost(host="router", request=ListFaults()), EndPeer(pid=7, silently=True)]
    for message in messages:
        lab.request(message)
    lab.close()
    assert asked == messages


def test_on_a_loopback_everything_goes_as_it_is(asked: list[Request]) -> None:
    lab = agent(Plan(), "")
    for message in (ListInterfaces(), ReadSockets(local="127.0.0.1"), ApplyFault(fault=FAULT)):
        lab.request(message)
    lab.close()
    assert asked == [ListInterfaces(), ReadSockets(local="127.0.0.1"), ApplyFault(fault=FAULT)]
