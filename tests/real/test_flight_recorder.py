"""`live --keep --save-when`: the real program saves by itself what ends as somebody waits for, and nothing else."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
from pathlib import Path

import pytest

from real.test_live import live, talk
from real.wires import ip, own_network, veth
from tcpladder.session.files import FileSession
from waiting import until

pytestmark = [pytest.mark.real("ip"), pytest.mark.usefixtures("own_network")]

__all__ = ["own_network"]


def saved_in(directory: Path, count: int) -> list[Path]:
    """The files that are there, as soon as there are so many."""
    until(lambda: len(list(directory.glob("*.pcapng"))) >= count, "not so many files")
    return sorted(directory.glob("*.pcapng"))


def reset() -> int:
    """A connection that its client aborts. Returns the client's port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname()[:2])
        peer, _ = server.accept()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        port = int(client.getsockname()[1])
        client.close()
        peer.close()
    return port


def kinds(path: Path) -> list[str]:
    session = FileSession([str(path)])
    for _ in session.read():
        pass
    flows = [session.view(number) for number in range(1, session.flow_count() + 1)]
    words = [view.label(index) for view in flows for index in range(len(view.time_ns))]
    session.close()
    return words


def test_a_flow_that_is_reset_is_saved_and_one_that_closes_is_not(tmp_path: Path) -> None:
    with live(
        "--format", "text", "--keep", "10m", "--save-when", "ended:reset", "-w", tmp_path, "tcp"
    ) as program:
        talk()
        port = reset()
        (path,) = saved_in(tmp_path, 1)
        assert f"127.0.0.1.{port}-127.0.0.1." in path.name
        assert path.name.endswith("-reset.pcapng")
        # A file is there before all of it is written.
        until(lambda: kinds(path)[-1:] and kinds(path)[-1].startswith("RST"))
        assert kinds(path)[:3] == ["SYN", "SYN-ACK", "ACK"]
        other = reset()
        paths = saved_in(tmp_path, 2)
        assert any(f".{other}-" in path.name for path in paths)
        _, stderr = program.end()
    assert "saved 2 flows" in stderr
    assert len(list(tmp_path.iterdir())) == 2


def test_a_connect_that_nobody_answers_is_saved_when_the_kernel_has_given_up(tmp_path: Path) -> None:
    """Nothing on the wire marks the end: the timer's own schedule does."""
    veth()
    ip("addr add 10.9.0.1/24 dev va")
    ip("neigh add 10.9.0.2 lladdr 02:00:00:00:00:02 dev va")
    for name, value in (("tcp_syn_retries", "1"), ("tcp_syn_linear_timeouts", "0")):
        subprocess.run(["sh", "-c", f"echo {value} > /proc/sys/net/ipv4/{name}"], check=True)
    with live(
        "-i", "va", "--format", "text", "--save-when", "ended:timeout", "-w", tmp_path, "tcp"
    ) as program:
        client = socket.socket()
        with pytest.raises(TimeoutError):
            client.connect(("10.9.0.2", 81))
        (path,) = saved_in(tmp_path, 1)
        assert path.name.endswith("-10.9.0.2.81-timeout.pcapng")
        until(lambda: kinds(path) == ["SYN", "SYN retry 1"])
        client.close()
        program.end()


def test_without_a_directory_it_is_this_one(tmp_path: Path) -> None:
    before = Path.cwd()
    os.chdir(tmp_path)
    try:
        with live("--format", "text", "--keep", "1MB", "--save-when", "any", "tcp") as program:
            talk()
            (path,) = saved_in(tmp_path, 1)
            assert path.name.endswith("-closed.pcapng")
            program.end()
    finally:
        os.chdir(before)
