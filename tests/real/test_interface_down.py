"""A session whose interface goes down says that it waits, and goes on when it is up again."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from real.wires import carrier, inject, ip, own_network, tcp_frame, veth
from tcpladder.agent.capture import open_capture
from tcpladder.agent.messages import OpenCapture, Reply, Request, Sysctls
from tcpladder.session.live import LiveSession
from tcpladder.session.status import Privilege

pytestmark = [pytest.mark.real("ip"), pytest.mark.usefixtures("own_network")]

__all__ = ["own_network"]
PATIENCE_S = 5


class Agent:
    """Opens the capture in this process, whose privilege it takes."""

    def request(self, message: Request) -> tuple[Reply, list[int]]:
        if isinstance(message, OpenCapture):
            opened, packets = open_capture(message)
            return opened, [packets.detach()]
        return Sysctls(values={}), []

    def close(self) -> None:
        pass


@pytest.fixture
def session() -> Iterator[LiveSession]:
    veth()
    session = LiveSession(Agent(), OpenCapture(interface="vb"))  # type: ignore[arg-type]
    session._reads_sockets = False
    assert session.status().privilege is Privilege.AGENT
    yield session
    session.close()


def look_until(session: LiveSession, phase: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while session.status().phase != phase:
        assert time.monotonic() < deadline
        session.look(0.1)


def test_it_waits_while_the_interface_is_down(session: LiveSession) -> None:
    for _ in range(2):
        version = session.version
        ip("link set vb down")
        look_until(session, "waiting")
        assert session.version > version
        ip("link set vb up")
        carrier()
        inject("va", [tcp_frame(1)])
        look_until(session, "running")
    assert session.status().warnings == ("vb went down, capture goes on when it is up again",)
