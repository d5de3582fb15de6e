"""The peers as programs on this machine's loopback: what they report of what their calls returned."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tcpladder.lab import peer

Part = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def play() -> Iterator[Part]:
    running: list[subprocess.Popen[str]] = []

    def start(role: str, port: int, **more: object) -> subprocess.Popen[str]:
        part = {"role": role, "options": {}, "address": "127.0.0.1", "port": port, **more}
        command = [sys.executable, "-I", "-S", str(Path(peer.__file__)), json.dumps(part)]
        running.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.communicate()


def hear(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    said: dict[str, Any] = json.loads(process.stdout.readline())
    return said


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_a_conversation_in_order(play: Part) -> None:
    port, local_port = free_port(), free_port()
    began_ns = time.time_ns()
    server = play("server", port)
    listening = hear(server)
    assert (listening["event"], listening["port"]) == ("listening", port)
    assert began_ns < listening["time_ns"] < time.time_ns()
    options = {"SO_KEEPALIVE": 1, "TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 3, "TCP_KEEPCNT": 4}
    client = play("client", port, local_port=local_port, options=options, message="hello")
    connected = hear(client)
    assert (connected["event"], connected["port"]) == ("connected", local_port)
    assert connected["options"] == options | {
        "TCP_USER_TIMEOUT": 0,
        "TCP_SYNCNT": connected["options"]["TCP_SYNCNT"],
    }
    accepted = hear(server)
    assert (accepted["event"], accepted["port"], accepted["options"]["SO_KEEPALIVE"]) == (
        "accepted",
        local_port,
        0,
    )
    assert [hear(client)["event"], hear(server)["bytes"]] == ["sent", 5]
    server.kill()
    ended = hear(client)
    assert (ended["event"], ended["call"], ended["error"]) == ("ended", "recv()", None)
    assert ended["after_s"] >= 0
    assert client.wait() == 0


def test_a_connection_that_is_reset_ends_with_the_error_of_recv(play: Part) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = play("client", listener.getsockname()[1])
        accepted, _ = listener.accept()
        assert hear(client)["event"] == "connected"
        accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        accepted.close()
        ended = hear(client)
        assert (ended["call"], ended["error"]) == ("recv()", "ECONNRESET")


def test_nobody_listens(play: Part) -> None:
    ended = hear(play("client", free_port()))
    assert (ended["event"], ended["call"], ended["error"]) == ("ended", "connect()", "ECONNREFUSED")


def test_a_port_that_is_taken(play: Part) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = hear(play("server", taken.getsockname()[1]))
    assert (ended["call"], ended["error"]) == ("bind()", "EADDRINUSE")


def test_an_option_that_the_kernel_refuses_is_named(play: Part) -> None:
    ended = hear(play("client", free_port(), options={"TCP_KEEPCNT": 128}))
    assert (ended["call"], ended["error"]) == ("setsockopt(TCP_KEEPCNT)", "EINVAL")
