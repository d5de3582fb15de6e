"""The peers as programs on this machine's loopback: what they report of what their calls returned."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tcpladder.lab import peer

SCRIPTS = {"server": ["listen", "accept", "read until end"], "client": ["connect", "read until end"]}
Part = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def play() -> Iterator[Part]:
    running: list[subprocess.Popen[str]] = []

    def start(role: str, port: int, **more: object) -> subprocess.Popen[str]:
        part = {
            "role": role,
            "options": {},
            "address": "127.0.0.1",
            "port": port,
            "script": SCRIPTS[role],
            **more,
        }
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
    script = ["connect", "say hello", "read until end", "close"]
    client = play("client", port, local_port=local_port, options=options, script=script)
    connected = hear(client)
    assert (connected["event"], connected["port"]) == ("connected", local_port)
    assert connected["options"] == options | {
        "TCP_USER_TIMEOUT": 0,
        "TCP_SYNCNT": connected["options"]["TCP_SYNCNT"],
        "TCP_LINGER2": connected["options"]["TCP_LINGER2"],
    }
    accepted = hear(server)
    assert (accepted["event"], accepted["port"], accepted["options"]["SO_KEEPALIVE"]) == (
        "accepted",
        local_port,
        0,
    )
    assert [hear(client)["event"], hear(server)["bytes"]] == ["sent", 5]
    server.kill()
    last = [hear(client) for _ in range(3)]
    assert [said["event"] for said in last] == ["received", "closed", "ended"]
    assert (last[0]["bytes"], last[-1]["call"], last[-1]["error"]) == (0, "close", None)
    assert all(said["after_s"] >= 0 for said in last)
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


def test_after_a_half_close_the_other_direction_goes_on(play: Part) -> None:
    port = free_port()
    server = play("server", port, script=["listen", "accept", "read until end", "send 7"])
    assert hear(server)["event"] == "listening"
    client = play("client", port, script=["connect", "send 5", "shutdown write", "read until end"])
    said = [hear(client) for _ in range(6)]
    assert [(one["event"], one.get("bytes")) for one in said] == [
        ("connected", None),
        ("sent", 5),
        ("shutdown", None),
        ("received", 7),
        ("received", 0),
        ("ended", None),
    ]
    assert [hear(server)["event"] for _ in range(5)] == ["accepted", "received", "received", "sent", "ended"]


def test_a_slow_reader_takes_so_many_bytes_at_a_time(play: Part) -> None:
    port = free_port()
    server = play("server", port, script=["listen", "accept", "read 3 every 0.05"])
    assert hear(server)["event"] == "listening"
    play("client", port, script=["connect", "send 7"])
    said = [hear(server) for _ in range(6)]
    assert [one.get("bytes") for one in said] == [None, 3, 3, 1, 0, None]
    times = [one["monotonic_ns"] for one in said[1:5]]
    assert all(later - sooner > 45_000_000 for sooner, later in pairwise(times))


def test_it_sends_again_and_again(play: Part) -> None:
    port = free_port()
    server = play("server", port)
    assert hear(server)["event"] == "listening"
    client = play("client", port, script=["connect", "send 4 every 0.05 times 3", "close"])
    said = [hear(client) for _ in range(6)]
    assert [one["event"] for one in said] == ["connected", *["sent"] * 3, "closed", "ended"]
    assert said[3]["monotonic_ns"] - said[1]["monotonic_ns"] > 95_000_000


def test_a_failure_that_was_to_be_tried_is_told_and_the_script_goes_on(play: Part) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        script = ["connect", "try read until end", "try send 1", "close"]
        client = play("client", listener.getsockname()[1], script=script)
        accepted, _ = listener.accept()
        assert hear(client)["event"] == "connected"
        accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        accepted.close()
        said = [hear(client) for _ in range(4)]
    assert [(one["event"], one.get("call"), one.get("error")) for one in said] == [
        ("failed", "recv()", "ECONNRESET"),
        ("failed", "send()", "EPIPE"),
        ("closed", None, None),
        ("ended", "close", None),
    ]


def test_a_lingering_time_of_zero_makes_a_reset_of_a_close(play: Part) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = play(
            "client", listener.getsockname()[1], options={"SO_LINGER": 0}, script=["connect", "close"]
        )
        accepted, _ = listener.accept()
        assert [hear(client)["event"] for _ in range(3)] == ["connected", "closed", "ended"]
        with pytest.raises(ConnectionResetError):
            accepted.recv(1)
        accepted.close()
