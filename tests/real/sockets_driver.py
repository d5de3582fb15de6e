"""A live session over lo of a network of its own, told what to do in words on stdin; says JSON lines.

The agent is a process of its own, as in the product. Run by test_sockets.py.
"""

from __future__ import annotations

import ctypes
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

CLONE_NEWNET = 0x40000000
PATIENCE_S = 15.0


def say(**what: Any) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def main() -> None:
    assert ctypes.CDLL(None).unshare(CLONE_NEWNET) == 0
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    from tcpladder.agent.start import HostNetwork, start_agent

    channel, _ = start_agent(HostNetwork())
    from tcpladder.agent.client import AgentClient
    from tcpladder.agent.messages import OpenCapture
    from tcpladder.analysis.view import Side
    from tcpladder.session.live import LiveSession

    session = LiveSession(AgentClient(channel.detach()), OpenCapture(interface="lo"))

    def until(holds: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            session.look(0.02)
            if answer := holds():
                return answer
        raise TimeoutError

    server = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(server.getsockname())
    accepted, _ = server.accept()
    client.sendall(b"hello")
    until(lambda: session.flow_count() and session.summary(1).segments >= 5)
    listed = until(lambda: session.summary(1).owners)
    session.view(1)
    until(lambda: session.owners(1))
    say(
        listed=[str(one) for one in listed],
        owners=session.owners(1),
        pending=len(session.view(1).pending(session.now_ns())),
    )
    client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in ((4, 7), (5, 2), (6, 3)):
        client.setsockopt(socket.IPPROTO_TCP, option, value)
    (first, *_) = until(lambda: session.view(1).pending(session.now_ns()))
    say(text=first.text, origin=first.origin, due_ns=first.due_ns, side=first.side.name)
    session.timers(1)
    timers = until(lambda: (t := session.timers(1)).ends[Side.CLIENT].reading.running and t)
    reading, other = timers.ends[Side.CLIENT].reading, timers.ends[Side.SERVER].reading
    say(kind=reading.running.kind, due_ns=reading.running.due_ns, rto_ns=reading.rto_ns, other=other.running)
    until(lambda: session.summary(1).keepalive_probes)
    view = session.view(1)
    index = next(i for i in range(len(view.time_ns)) if view.label(i).startswith("keepalive probe"))
    gap = view.gap(index)
    say(probe_ns=int(view.time_ns[index]), verdict=gap.verdict, gap_origin=gap.origin, name=gap.name)
    accepted.close()
    client.close()
    until(lambda: session.summary(1).state.startswith(("time", "clos", "fin")))
    session.timers(1)
    refused = until(lambda: session.timers(1).ends[Side.SERVER].reading.refused)
    say(refused=refused, owner=session.timers(1).ends[Side.SERVER].reading.owner)
    session.close()


sys.exit(main())
