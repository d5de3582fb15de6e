"""A session over a network of the lab, where segments are eaten on every host of the way, both ways.

    python eaten_hosts_driver.py (4|6) HOST INTERFACE

Frames are captured on that interface of `routed`. Prints one JSON object; run by test_eaten_hosts.py.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from tcpladder.agent.fault_messages import ApplyFault, FaultState, LiftFault
from tcpladder.agent.lab_messages import StartPeer
from tcpladder.agent.messages import OnHost
from tcpladder.agent.start import start_agent
from tcpladder.faults.fault import Action, Fault, Match
from tcpladder.hosts.network import PrivateNetwork
from tcpladder.lab.experiment import Point
from tcpladder.lab.topology import topology
from tcpladder.session.lab_agent import LabAgent
from tcpladder.session.private import PrivateSession

PATIENCE_S = 30.0
EATS = 2
HOSTS = ("client", "router", "server")
ENDS = {4: ("10.0.1.1", "10.0.2.1"), 6: ("fd00:1::1", "fd00:2::1")}
KEEPALIVE = {"SO_KEEPALIVE": 1, "TCP_KEEPIDLE": 1, "TCP_KEEPINTVL": 1, "TCP_KEEPCNT": 60}


def main() -> None:
    (client, server), point = ENDS[int(sys.argv[1])], Point(host=sys.argv[2], interface=sys.argv[3])
    plan = topology("routed")
    channel, _ = start_agent(PrivateNetwork(plan))
    lab = LabAgent(channel.detach(), plan, point.host)
    session = PrivateSession(lab, plan, point, name="routed")

    def until(holds: Callable[[], Any]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            if time.monotonic() > deadline:
                raise TimeoutError
            session.look(0.02)

    part = {"options": KEEPALIVE, "address": server, "port": 7001}
    listens = StartPeer(role="server", script=["listen", "accept", "read until end"], **part)
    _, (report,) = lab.request(OnHost(host="server", request=listens))
    os.read(report, 1)  # it listens
    connects = StartPeer(
        role="client", script=["connect", "read until end"], local_address=client, local_port=7002, **part
    )
    lab.request(OnHost(host="client", request=connects))
    until(lambda: session.flow_count() and session.summary(1).keepalive_probes >= 2)

    there = Match(source=client, source_port=7002, destination=server, destination_port=7001)
    where: dict[int, tuple[str, bool]] = {}
    for host in HOSTS:
        for match in (there, there.reverse()):
            eats = Fault(match=match, probe_sequences=[], action=Action.DROP_NEXT, amount=EATS, for_ms=60_000)
            state, _ = session.faults.request(OnHost(host=host, request=ApplyFault(fault=eats)))
            assert isinstance(state, FaultState)
            where[state.number] = host, match == there
    until(lambda: all(state.packets == EATS for state in session.faults.states()))
    extended = session.faults.extend(5, 90_000)
    lab.request(OnHost(host="server", request=LiftFault(number=6)))  # another terminal
    session.faults.look()
    lifted = session.faults.lift_all()
    until(lambda: not session.faults.active)
    view, states = session.view(1), session.faults.states()
    rungs = [(bool(view.from_client[i]), view.lost(i)) for i in range(len(view.time_ns))]
    said = {
        "where": where,
        "lifted": [state.number for state in lifted],
        "ends": [state.end for state in session.faults.states()],
        "left_ms": extended.left_ms,
        "packets": {state.number: state.packets for state in states},
        "rungs": [rung for rung in rungs if rung[1] is not None],
        "warnings": session.status().warnings,
        "lost_records": session.faults.logs.lost,
    }
    json.dump(said, sys.stdout)
    session.close()


main()
