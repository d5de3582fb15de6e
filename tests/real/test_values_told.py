"""A live capture of real sockets, saved: the values of their timers are in the file, and explain it elsewhere."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from real.wires import own_network  # noqa: F401 - a fixture
from waiting import until

pytestmark = [pytest.mark.real("ip"), pytest.mark.usefixtures("own_network")]
PATIENCE_S = 20


def test_the_options_of_real_sockets_are_in_the_saved_capture(tmp_path: Path) -> None:
    """Probes a second apart: believed with origin `socket` while live, and `capture` when the file is read."""
    path = tmp_path / "live.pcapng"
    command = [sys.executable, "-m", "tcpladder", "live", "--format", "jsonl", "-w", str(path)]
    live = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        until(lambda: path.exists() and path.stat().st_size > 0)
        with (
            socket.create_server(("127.0.0.1", 0)) as listener,
            socket.create_connection(listener.getsockname()) as client,
            listener.accept()[0],
        ):
            client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 2)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
            until(lambda: b'"from": "socket"' in path.read_bytes())
    finally:
        live.send_signal(signal.SIGINT)
        printed, said = live.communicate(timeout=PATIENCE_S)
    assert live.returncode == 0, said
    seen = [json.loads(line) for line in printed.splitlines()]
    assert "keepalive_probe" in {record["kind"] for record in seen}
    shown = subprocess.run(
        [sys.executable, "-m", "tcpladder", "show", "--format", "jsonl", str(path)],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    gaps = [json.loads(line)["gap"] for line in shown.stdout.splitlines()]
    keepalive = [gap for gap in gaps if gap and gap["timer"] == "keepalive"]
    assert keepalive
    assert {(gap["expected_ns"], gap["verdict"], gap["origin"]) for gap in keepalive} == {
        (1_000_000_000, "on time", "capture")
    }
