"""Sockets as the kernel has them: beside ss(8), of other users, in other namespaces, and live."""

from __future__ import annotations

import contextlib
import json
import pwd
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from real.wires import own_network  # noqa: F401 - a fixture
from tcpladder.agent.messages import SocketState
from tcpladder.agent.socket_options import SocketReader
from tcpladder.agent.sockets import read_connection, read_sockets

pytestmark = pytest.mark.real("ip", "ss", "unshare")
in_own_network = pytest.mark.usefixtures("own_network")

HERE = Path(__file__).parent
NOBODY = pwd.getpwnam("nobody").pw_uid
SOL, TCP = socket.SOL_SOCKET, socket.IPPROTO_TCP
ODD = [(SOL, socket.SO_KEEPALIVE, 1), (TCP, 4, 77), (TCP, 5, 13), (TCP, 6, 4), (TCP, 18, 98_765), (TCP, 7, 2)]
TIMERS = {"on": "retransmission", "keepalive": "keepalive", "timewait": "timewait", "persist": "persist"}
"""The words of ss -o -> ours."""


@contextlib.contextmanager
def peers(*before: str, **told: object) -> Iterator[dict[str, int]]:
    """A connected pair: pid, and the ports `client` and `server`."""
    command = [*before, sys.executable, str(HERE / "socket_peers.py"), json.dumps(told)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.stdin.close()


def client_of(pair: dict[str, int]) -> SocketState:
    found = read_connection("127.0.0.1", pair["client"], "127.0.0.1", pair["server"])
    assert found is not None
    return found


def until_timer(pair: dict[str, int], timer: str) -> None:
    deadline = time.monotonic() + 10
    while client_of(pair).timer != timer:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def listed_by_ss() -> dict[tuple[int, int], str]:
    """Local and remote port -> the lines of `ss -tnoiea` about it."""
    text = subprocess.run(["ss", "-tnoie"], capture_output=True, text=True, check=True).stdout
    found = {}
    for entry in re.split(r"\n(?=\S)", text)[1:]:
        local, remote = entry.split()[3:5]
        found[int(local.rsplit(":")[-1]), int(remote.rsplit(":")[-1])] = entry
    return found


@in_own_network
def test_the_same_as_ss_says() -> None:
    """Keepalive, persist, TIME-WAIT, no timer at all; IPv4 on an IPv6 socket."""
    with peers(options=ODD) as probing, peers(full=True) as full, peers(dual=True) as dual:
        until_timer(full, "persist")
        ours = {(one.local_port, one.remote_port): one for one in read_sockets()}
        theirs = listed_by_ss()
        assert ours.keys() == theirs.keys()
        for ports, entry in theirs.items():
            found = ours[ports]
            timer = re.search(r"timer:\((\w+),", entry)
            assert found.timer == (TIMERS[timer[1]] if timer else None)
            assert entry.startswith(found.state)
            assert found.inode == int(re.findall(r"ino:(\d+)", entry)[0])
            assert found.cookie == int(re.findall(r"sk:([0-9a-f]+)", entry)[0], 16)
            assert found.info is not None
            assert found.info.rto_us == pytest.approx(
                float(re.findall(r"rto:([\d.]+)", entry)[0]) * 1000, abs=999
            )
        kinds = {name: ours[pair["client"], pair["server"]].timer for name, pair in
                 {"probing": probing, "full": full, "dual": dual}.items()}  # fmt: skip
        assert kinds == {"probing": "keepalive", "full": "persist", "dual": None}
        server_end = ours[dual["server"], dual["client"]]
        assert (server_end.local, server_end.remote) == ("127.0.0.1", "127.0.0.1")


@in_own_network
def test_ports_are_compared_by_the_kernel() -> None:
    with peers() as one, peers() as other:
        assert len(read_sockets()) == 4
        found = read_sockets(local_port=one["client"], remote_port=one["server"])
        assert [(f.local_port, f.remote_port) for f in found] == [(one["client"], one["server"])]
        assert read_connection("127.0.0.1", one["client"], "127.0.0.1", other["server"]) is None


@in_own_network
def test_options_of_another_users_socket() -> None:
    with peers(options=ODD, uid=NOBODY) as pair:
        found = client_of(pair)
        said = SocketReader().read(found)
        assert found.uid == NOBODY
        assert said.owner is not None
        assert said.owner.pid == pair["pid"]
        expected = {"SO_KEEPALIVE": 1, "TCP_KEEPIDLE": 77, "TCP_KEEPINTVL": 13, "TCP_KEEPCNT": 4}
        expected |= {"TCP_USER_TIMEOUT": 98_765, "TCP_SYNCNT": 2}
        assert expected.items() <= said.options.items()
        assert said.refused == ""


@in_own_network
def test_reading_leaves_the_socket_as_it_was() -> None:
    """No descriptor stays open, so the owner's close() still sends FIN."""
    with peers(options=ODD) as pair:
        reader = SocketReader()
        before = len(list(Path("/proc/self/fd").iterdir()))
        for _ in range(3):
            assert reader.read(client_of(pair)).options
        assert len(list(Path("/proc/self/fd").iterdir())) == before
    deadline = time.monotonic() + 5
    while any(one.state == "ESTAB" for one in read_sockets()):
        assert time.monotonic() < deadline


@in_own_network
def test_a_socket_that_nobody_holds() -> None:
    with peers(close=True) as pair:
        states = {
            one.state: one for one in read_sockets() if pair["server"] in (one.local_port, one.remote_port)
        }
        said = SocketReader().read(states["TIME-WAIT"])
        assert (said.owner, said.options) == (None, {})
        assert said.refused == "no process holds a socket in TIME-WAIT"
        assert states["TIME-WAIT"].timer == "timewait"
        assert 0 < states["TIME-WAIT"].expires_ms <= 60_000


AS_NOBODY = """
import json, os, sys
from tcpladder.agent.socket_options import SocketReader
from tcpladder.agent.sockets import read_connection
found = read_connection("127.0.0.1", int(sys.argv[1]), "127.0.0.1", int(sys.argv[2]))
seen = SocketReader()
seen.look_through_processes()
os.setresuid({nobody}, {nobody}, {nobody})
for reader in (SocketReader(), seen):
    said = reader.read(found, search=reader is not seen)
    print(json.dumps([said.owner.pid if said.owner else None, said.options, said.refused]))
"""


@in_own_network
def test_what_is_forbidden_is_an_answer() -> None:
    """Hidden in /proc; and where the place is known all the same, the kernel's own words."""
    with peers(options=ODD) as pair:
        script = AS_NOBODY.format(nobody=NOBODY)
        command = [sys.executable, "-c", script, str(pair["client"]), str(pair["server"])]
        lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
        hidden, refused = map(json.loads, lines)
        assert hidden == [
            None, {}, "the process that holds it belongs to uid 0 and is hidden: this needs sudo"
        ]  # fmt: skip
        assert refused[:2] == [pair["pid"], {}]
        assert refused[2].endswith("cannot be read: operation not permitted")


def timers(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tcpladder", "timers", *words], capture_output=True, text=True, timeout=60
    )


def records(*words: str) -> list[dict[str, Any]]:
    run = timers("--format", "jsonl", *words)
    assert (run.returncode, run.stderr) == (0, "")
    return [json.loads(line) for line in run.stdout.splitlines()]


@in_own_network
def test_timers_prints_what_is_configured_and_what_runs() -> None:
    with peers(options=ODD) as pair, peers():
        (record,) = records("sport", str(pair["client"]))
        assert record["local"] == f"127.0.0.1:{pair['client']}"
        assert (record["pid"], record["keepalive"], record["origin"]) == (pair["pid"], True, "socket")
        configured = [record[f"keepalive_{name}"] for name in ("time_s", "intvl_s", "probes")]
        assert configured == [77, 13, 4]
        assert record["timer"] == "keepalive"
        assert 60_000 < record["fires_ms"] <= 77_000
        assert len(records()) == 4
        assert {one["pid"] for one in records("--pid", str(pair["pid"]))} == {pair["pid"]}
        text = timers("timer", "keepalive").stdout.splitlines()
        assert len(text) == 2
        assert re.search(r"keepalive probe in 7\d\.\d s +77/13/4 +socket +98\.765 s", text[1])


def test_timers_of_another_namespace() -> None:
    with peers("unshare", "-n", "sh", "-c", 'ip link set lo up; exec "$@"', "sh", options=ODD) as pair:
        found = records("--netns", str(pair["pid"]), "timer", "keepalive")
        assert [(one["pid"], one["keepalive_time_s"]) for one in found] == [(pair["pid"], 77)]
        assert not [one for one in records() if one["local"].endswith(f":{pair['client']}")]


@in_own_network
def test_timers_watched_until_interrupted() -> None:
    command = [sys.executable, "-m", "tcpladder", "timers", "--watch", "--format", "jsonl"]
    with peers(), subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = [json.loads(process.stdout.readline()) for _ in range(4)]
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
        assert len({one["cookie"] for one in first}) == 2


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--pid", "4194304"], "there is no process 4194304"),
        (["--netns", "nowhere"], "cannot enter nowhere: no such network namespace"),
        (["state", "open"], "cannot filter by state open: have established"),
    ],
)
def test_timers_says_what_makes_no_sense(words: list[str], says: str) -> None:
    run = timers(*words)
    assert run.returncode in (2, 3)
    assert says in run.stderr
    assert len(run.stderr.splitlines()) == 1


def test_keepalive_enabled_on_a_live_socket_makes_the_forecast_exact() -> None:
    """Before the first probe: nothing was forecast, then the option is read, then the probe comes when it said."""
    run = subprocess.run(
        [sys.executable, str(HERE / "sockets_driver.py")], capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 0, run.stderr
    before, forecast, running, probe, closed = map(json.loads, run.stdout.splitlines())
    assert before["owners"].split()[0].startswith("python")
    assert ", ".join(before["listed"]) == before["owners"]  # in the list, where nobody has opened the flow
    assert before["pending"] == 0
    assert forecast["text"].startswith("keepalive probe 1")
    assert (forecast["origin"], forecast["side"]) == ("socket", "CLIENT")
    assert (running["kind"], running["other"]) == ("keepalive", None)
    assert abs(running["due_ns"] - forecast["due_ns"]) < 100_000_000
    late_ns = probe["probe_ns"] - forecast["due_ns"]
    assert -2_000_000 < late_ns < 7_000_000_000 / 8
    assert (probe["verdict"], probe["gap_origin"], probe["name"]) == (
        "on time",
        "socket",
        "keepalive_time 7 s",
    )
    assert "no process holds" in closed["refused"] or "no socket" in closed["refused"]
    assert closed["owner"] == before["owners"]
