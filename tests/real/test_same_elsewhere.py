"""The commands of the detail, given to a shell as they stand there, show that segment and that socket."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import pytest

from talk import Talk, analysed, write_pcap
from tcpladder.analysis.view import Endpoint
from tcpladder.render.commands import Origin, commands
from tcpladder.session.files import FileSession


def shell(command: str) -> str:
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def commands_of(path: Path, index: int) -> tuple[tuple[str, ...], int, int]:
    """The commands of a segment of the first flow, the number of its frame, its sequence number."""
    session = FileSession([str(path)])
    list(session.read())
    view = session.view(1)
    seq = view.raw_seq(index)
    assert seq is not None
    return commands(view, index, session.endpoints(1), Origin(file=str(path))), view.frame(index), seq


@pytest.mark.real("tshark", "tcpdump", root=False)
@pytest.mark.parametrize("v6", [False, True])
def test_the_segment_in_tshark_and_in_tcpdump(tmp_path: Path, v6: bool) -> None:
    talk = Talk(v6=v6).handshake().data(100).ack().data(50).fin().fin("server").ack()
    path = write_pcap(tmp_path / "with a blank.pcap", talk.frames)
    for index in (0, 3, 5):
        (tshark, tcpdump), frame, seq = commands_of(path, index)
        assert f"Frame {frame}:" in shell(tshark)
        printed = shell(tcpdump)
        assert f"seq {seq}" in printed
        assert printed.count("Flags [") == 1


@pytest.mark.real("ss", root=False)
def test_the_socket_in_ss() -> None:
    view = analysed(Talk().handshake().frames).view(1)
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
    ):
        accepted, _ = server.accept()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        ends = Endpoint(*client.getsockname()), Endpoint(*server.getsockname())
        sender, receiver, tcpdump = commands(view, 0, ends, Origin(interface="lo"))
        shown = shell(sender)
        assert f"{ends[0]} " in shown
        assert "timer:(keepalive" in shown
        assert "rto:" in shown
        shown = shell(receiver)
        assert "timer:(keepalive" not in shown
        assert f"{ends[1]} " in shown
        accepted.close()
    assert tcpdump.startswith("tcpdump -nn -S -i lo 'host 127.0.0.1 and port ")


@pytest.mark.real("tcpdump", root=False)
def test_the_filter_for_a_live_interface_compiles() -> None:
    view = analysed(Talk(v6=True).handshake().frames).view(1)
    ends = Endpoint("2001:db8::1", 50000), Endpoint("2001:db8::2", 443)
    command = commands(view, 0, ends, Origin(interface="lo"))[-1]
    assert shell(command.replace("tcpdump ", "tcpdump -d ", 1))
