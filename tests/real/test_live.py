"""`tcpladder live` and `lab`, the real program on real packets, in a network of the test's own."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from real.wires import inject, ip, own_network, tcp_frame, veth
from tcpladder.errors import ExitCode

pytestmark = [pytest.mark.real("ip"), pytest.mark.usefixtures("own_network")]

__all__ = ["own_network"]
COMMAND = [sys.executable, "-m", "tcpladder"]
LATEST_S = 20
CONVERSATION = ["syn", "syn_ack", "handshake_ack", "data", "ack", "fin", "fin", "ack"]


class Program:
    """A running tcpladder, and what it says."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.lines: list[str] = []

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def hear(self, enough: int) -> list[str]:
        """Its first `enough` lines."""
        deadline = time.monotonic() + LATEST_S
        while len(self.lines) < enough:
            line = self._lines.get(timeout=max(0.01, deadline - time.monotonic()))
            assert line is not None, self.process.stderr and self.process.stderr.read()
            self.lines.append(line)
        return self.lines[:enough]

    def left(self) -> int:
        """How many lines nobody has heard yet."""
        return sum(1 for _ in iter(self._lines.get_nowait, None))

    def records(self, enough: int) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.hear(enough)]

    def end(self, how: int = signal.SIGINT) -> tuple[int, str]:
        """Stop it; its exit code and what it said on stderr."""
        self.process.send_signal(how)
        return self.wait()

    def wait(self) -> tuple[int, str]:
        code = self.process.wait(LATEST_S)
        assert self.process.stderr is not None
        self._reader.join(LATEST_S)
        return code, self.process.stderr.read()


@contextlib.contextmanager
def live(*words: object) -> Iterator[Program]:
    """`tcpladder live` that has begun to capture."""
    with running("live", *words) as program:
        wait_for_capture(program)
        yield program


@contextlib.contextmanager
def running(*words: object) -> Iterator[Program]:
    with subprocess.Popen(
        [*COMMAND, *map(str, words)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Program(process)
        finally:
            process.kill()


def wait_for_capture(program: Program) -> None:
    """Until the program, which is the same process before and after it became the app, has mapped the ring."""
    deadline = time.monotonic() + LATEST_S
    maps = Path(f"/proc/{program.process.pid}/maps")
    while "packet:" not in maps.read_text() and "socket:" not in maps.read_text():
        assert program.process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)


def talk(address: str = "127.0.0.1", port: int = 0) -> int:
    """Eight segments: open, one byte, close. Returns the server's port."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, port), family=family) as server:
        with socket.create_connection(server.getsockname()[:2]) as client:
            peer, _ = server.accept()
            client.send(b"x")
            assert peer.recv(1) == b"x"
        assert peer.recv(1) == b""
        peer.close()
        return int(server.getsockname()[1])


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_each_segment_is_a_line_when_it_comes(address: str) -> None:
    with live("--format", "jsonl") as program:
        port = talk(address)
        said = program.records(8)
        code, stderr = program.end()
    kinds = [one["kind"] for one in said if one["record"] == "segment"]
    assert kinds[:4] == CONVERSATION[:4]
    assert sorted(kinds) == sorted(CONVERSATION)
    assert [one["frame"] for one in said] == list(range(1, 9))
    assert said[0]["dst"] == (f"[{address}]:{port}" if ":" in address else f"{address}:{port}")
    assert code == 0
    assert stderr.splitlines()[-1] == "tcpladder: 8 frames, 8 segments in 1 flow, 0 dropped by the kernel"


def test_text_has_the_flow_and_its_rungs() -> None:
    with live() as program:
        talk()
        first, *rungs = program.hear(9)
        program.end(signal.SIGTERM)
    assert first.startswith("flow 1  127.0.0.1:")
    assert "SYN" in rungs[0]
    assert all("▶" in rung or "◀" in rung for rung in rungs)


def test_the_filter_leaves_the_rest_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free = taken.getsockname()[1]
    with live("--format", "jsonl", "tcp", "port", free) as program:
        talk()
        talk(port=free)
        talk()
        said = program.records(8)
        _, stderr = program.end()
    assert all(str(free) in one["src"] + one["dst"] for one in said)
    assert "8 frames, 8 segments" in stderr


@pytest.mark.real("tshark")
def test_what_is_written_is_what_was_said(tmp_path: Path) -> None:
    """tshark reads the same frames, and `show` says of them what `live` said."""
    path = tmp_path / "written.pcapng"
    with live("--format", "jsonl", "-w", path) as program:
        for address in ("127.0.0.1", "::1", "127.0.0.1"):
            talk(address)
        said = program.records(24)
        _, stderr = program.end()
    assert f"tcpladder: 24 frames written to {path}" in stderr.splitlines()
    shown = subprocess.run(
        [*COMMAND, "show", "--format", "jsonl", str(path)], capture_output=True, text=True, check=True
    )
    same = (
        "frame",
        "time_ns",
        "flow",
        "src",
        "dst",
        "kind",
        "seq",
        "ack",
        "length",
        "window",
        "flags",
        "timer",
    )
    read = [json.loads(line) for line in shown.stdout.splitlines()]
    assert [[one[key] for key in same] for one in read] == [[one[key] for key in same] for one in said]
    fields = ["frame.number", "frame.time_epoch", "tcp.len"]
    tshark = [
        "tshark",
        "-n",
        "-r",
        str(path),
        "-T",
        "fields",
        *(word for name in fields for word in ("-e", name)),
    ]
    lines = subprocess.run(tshark, capture_output=True, text=True, check=True).stdout.splitlines()
    assert [line.split("\t") for line in lines] == [
        [str(one["frame"]), f"{one['time_ns'] // 10**9}.{one['time_ns'] % 10**9:09}", str(one["length"])]
        for one in said
    ]


def test_what_the_kernel_lost_is_said() -> None:
    """A stopped program's ring runs over; the frames that did not fit are counted."""
    veth()
    with live("-i", "vb", "--format", "jsonl", "-s", 0) as program:
        program.process.send_signal(signal.SIGSTOP)
        for _ in range(100):
            inject("va", [tcp_frame(7, payload=bytes(1400))] * 1000)
        program.process.send_signal(signal.SIGCONT)
        program.hear(1)
        _, stderr = program.end()
    words = stderr.splitlines()[-1].replace(",", "").split()
    seen, lost = int(words[1]), int(words[8])
    assert words[9:] == ["dropped", "by", "the", "kernel"]
    assert lost > 0
    # The veth's own queue may lose some before they reach any socket.
    assert seen + lost <= 100_000
    assert len(program.lines) + program.left() == seen


def test_an_interface_that_vanishes_is_said_and_nothing_hangs() -> None:
    veth()
    with live("-i", "vb", "--format", "jsonl") as program:
        inject("va", [tcp_frame(7)])
        assert program.records(1)[0]["src"] == "10.9.0.1:7"
        ip("link del va")
        assert program.process.stderr is not None
        assert next(line for line in program.process.stderr if "vb" in line).startswith("tcpladder: ")
        code, stderr = program.end()
    assert code == 0
    assert "Traceback" not in stderr


@pytest.mark.parametrize(("words", "code", "sentence"), [
    (["-i", "nope"], ExitCode.BAD_INPUT, "tcpladder: cannot open nope: no such interface (have: lo)\n"),
    (["tcp", "prot", "1"], ExitCode.USAGE, "tcpladder: cannot use the filter 'tcp prot 1': "),
    (["--netns", "nope"], ExitCode.BAD_INPUT, "tcpladder: cannot enter nope: "),
])  # fmt: skip
def test_what_cannot_be_is_one_sentence(words: list[str], code: ExitCode, sentence: str) -> None:
    with running("live", "--format", "jsonl", *words) as program:
        found, stderr = program.wait()
    assert found == code
    assert stderr.startswith(sentence)
    assert stderr.count("\n") == 1


@pytest.mark.real("setpriv")
def test_without_privilege_the_sentence_says_what_works() -> None:
    nothing = ["--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]
    done = subprocess.run(
        ["setpriv", *nothing, *COMMAND, "live", "--format", "jsonl"],
        capture_output=True,
        text=True,
        timeout=LATEST_S,
    )
    assert done.returncode == ExitCode.NOT_PERMITTED
    assert done.stdout == ""
    assert done.stderr.startswith("tcpladder: ")
    assert "lab keepalive" in done.stderr
    assert "Traceback" not in done.stderr


def test_nothing_of_it_is_left() -> None:
    """The agent ends with the app, kill -9 too."""
    with live("--format", "jsonl") as program:
        children = (
            Path(f"/proc/{program.process.pid}/task/{program.process.pid}/children").read_text().split()
        )
        others = [int(pid) for pid in children] or agents_of(program.process.pid)
        program.process.kill()
        program.process.wait(LATEST_S)
        deadline = time.monotonic() + LATEST_S
        while any(Path(f"/proc/{pid}/exe").exists() and alive(pid) for pid in others):
            assert time.monotonic() < deadline
            time.sleep(0.02)


def agents_of(pid: int) -> list[int]:
    """Processes of the group of `pid`, itself left out."""
    found = []
    for other in (int(path.name) for path in Path("/proc").glob("[0-9]*")):
        # Others on this machine come and go while we look.
        with contextlib.suppress(ProcessLookupError):
            if other != pid and os.getpgid(other) == pid:
                found.append(other)
    return found


def alive(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


@pytest.mark.real("nft")
def test_the_lab_runs_unattended_and_its_expectations_hold() -> None:
    quick = [
        word for setting in ("idle=1", "intvl=1", "probes=2", "answered=2") for word in ("--set", setting)
    ]
    with running("lab", "keepalive", "--auto", "--format", "jsonl", *quick) as program:
        code, stderr = program.wait()
    records = [json.loads(line) for line in iter(program._lines.get_nowait, None)]
    assert {"step", "call", "comparison"} <= {one["record"] for one in records}
    said = [one for one in records if one["record"] == "segment"]
    kinds = [one["kind"] for one in said]
    assert code == ExitCode.DONE, stderr
    assert kinds[:3] == ["syn", "syn_ack", "handshake_ack"]
    assert kinds.count("keepalive_probe") >= 4
    assert kinds.count("keepalive_ack") >= 2
    assert kinds[-1].startswith("rst")
    probes = [one for one in said if one["kind"] == "keepalive_probe"]
    assert {one["timer"] for one in probes} == {"keepalive"}
    assert {one["gap"]["verdict"] for one in probes} == {"on time"}
    assert "Traceback" not in stderr
