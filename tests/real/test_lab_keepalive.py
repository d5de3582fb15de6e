"""The keepalive experiment on the real kernel, as root and as an ordinary user, and what is left of it: nothing."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from real.anybody import AS_NOBODY, NOBODY, interpreter, readable_copy

pytestmark = pytest.mark.real("nft", "setpriv")

QUICK = ["idle=1", "intvl=1", "probes=2", "answered=2"]
Said = dict[str, Any]


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A copy that everyone may read."""
    with readable_copy(Path(__file__).with_name("lab_driver.py")) as directory:
        yield directory


@pytest.fixture(scope="module")
def python() -> str:
    """An interpreter that the user nobody can run."""
    return interpreter()


@contextlib.contextmanager
def driver(place: Path, command: list[str], *more: str) -> Iterator[subprocess.Popen[str]]:
    environment = {"PYTHONPATH": str(place), "PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    line = [*command, str(place / "lab_driver.py"), json.dumps(QUICK), *more]
    with subprocess.Popen(line, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def hear(process: subprocess.Popen[str], until: str = "") -> list[Said]:
    """What the driver says, up to the line that has the key `until`, or all."""
    said = []
    assert process.stdout is not None
    for line in process.stdout:
        said.append(json.loads(line))
        if until in said[-1]:
            break
    return said


def gone(pids: list[int]) -> bool:
    """Whether all end within five seconds; a dead process that nobody has waited for is gone too."""
    deadline = time.monotonic() + 5
    while any(alive(pid) for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] not in "ZX"
    except OSError:
        return False


def processes_in(network: str) -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if str((process / "ns/net").readlink()) == network:
                found.append(process.name)
    return found


def tables_of_the_host() -> str:
    return subprocess.run(["nft", "list", "tables"], capture_output=True, text=True, check=True).stdout


def test_as_root_and_as_an_ordinary_user_it_ends_with_etimedout(place: Path, python: str) -> None:
    for command in ([python], [*AS_NOBODY, python]):
        before = tables_of_the_host()
        with driver(place, command) as process:
            said = hear(process)
        result = next(entry for entry in said if "ended" in entry)
        assert (result["ended"], result["held"]) == ("keepalive: as expected", True)
        assert result["dropped"] == 3, "two probes and the RST"
        assert result["kinds"] == [
            *("from the client", "from the server", "from the client"),  # the handshake
            *("from the client", "from the server"),  # GET, and its ACK
            *("keepalive_probe", "keepalive_ack") * 2,
            *("keepalive_probe", "keepalive_probe", "rst"),
        ]
        assert {name: result["options"]["client"][name] for name in ("TCP_KEEPIDLE", "TCP_KEEPCNT")} == {
            "TCP_KEEPIDLE": 1,
            "TCP_KEEPCNT": 2,
        }
        assert result["options"]["server"]["SO_KEEPALIVE"] == 0
        texts = [entry["text"] for entry in said if "text" in entry]
        assert texts[0] == "server listens on 127.0.0.1:12345"
        assert "rule 1: iptables -A INPUT -p tcp -d 127.0.0.1 --dport 12345 -j DROP" in texts
        assert any(text.startswith("client: recv() failed with ETIMEDOUT after ") for text in texts)
        assert texts[-2:] == ["rule 1 lifted: it ate 3 segments", "keepalive: as expected"]
        assert gone([said[0]["started"], *said[-1]["peers"]])
        assert tables_of_the_host() == before


@pytest.mark.parametrize("victim", ["app", "agent"])
def test_nothing_is_left_when_one_side_is_killed_while_segments_are_dropped(
    place: Path, python: str, victim: str
) -> None:
    before = tables_of_the_host()
    with driver(place, [*AS_NOBODY, python], "hold") as process:
        said = hear(process, until="peers")
        agent, peers = said[0]["started"], said[-1]["peers"]
        assert all(map(alive, [agent, *peers]))
        network = str(Path(f"/proc/{agent}/ns/net").readlink())
        assert network != str(Path("/proc/self/ns/net").readlink())
        assert set(processes_in(network)) == {str(pid) for pid in (agent, *peers)}
        os.kill(process.pid if victim == "app" else agent, signal.SIGKILL)
        assert gone([agent, *peers])
        assert processes_in(network) == []
    assert tables_of_the_host() == before


def test_a_peer_has_no_privilege_even_if_root_starts_it(place: Path, python: str) -> None:
    for command, uid in (([python], 0), ([*AS_NOBODY, python], NOBODY.pw_uid)):
        with driver(place, command, "hold") as process:
            said = hear(process, until="peers")
            for pid in said[-1]["peers"]:
                status = dict(
                    line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
                )
                assert {int(status[name], 16) for name in ("CapEff", "CapPrm", "CapInh", "CapAmb")} == {0}
                assert status["NoNewPrivs"] == "1"
                assert status["Uid"].split() == [str(uid)] * 4
                assert len(list(Path(f"/proc/{pid}/fd").iterdir())) <= 5


def test_where_user_namespaces_are_forbidden_it_says_why_and_what_to_do(place: Path, python: str) -> None:
    """A user namespace whose own limit is zero forbids what is below it, as the sysctl does on a whole machine."""
    forbid = """
import ctypes, os, subprocess, sys
libc = ctypes.CDLL(None)
uid, gid = os.getuid(), os.getgid()
assert libc.unshare(0x10000000) == 0
open("/proc/self/setgroups", "w").write("deny")
open("/proc/self/uid_map", "w").write(f"{uid} {uid} 1")
open("/proc/self/gid_map", "w").write(f"{gid} {gid} 1")
open("/proc/sys/user/max_user_namespaces", "w").write("0")
os.execv(sys.executable, [sys.executable, "-c", sys.argv[1]])
"""
    ask = """
from tcpladder.hosts import private_network
print(private_network.why_not())
try: private_network.enter()
except Exception as error: print(type(error).__name__, error)
"""
    done = subprocess.run(
        [*AS_NOBODY, python, "-c", forbid, ask],
        env={"PYTHONPATH": str(place)},
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert done.stderr == ""
    sentence, raised = done.stdout.splitlines()
    assert sentence.startswith(
        "cannot make a private network, unshare(CLONE_NEWUSER) failed: No space left on device "
        "(user.max_user_namespaces = 0"
    )
    for way_out in (
        "run with sudo",
        "sudo sysctl -w user.max_user_namespaces=10000",
        "open a recorded capture",
    ):
        assert way_out in sentence
    assert raised == f"PermissionRefused {sentence}"


def test_where_it_works_there_is_no_reason_why_not(place: Path, python: str) -> None:
    ask = "from tcpladder.hosts import private_network; print(private_network.why_not())"
    for command in ([python], [*AS_NOBODY, python]):
        done = subprocess.run(
            [*command, "-c", ask], env={"PYTHONPATH": str(place)}, capture_output=True, text=True, timeout=20
        )
        assert (done.stdout, done.stderr) == ("None\n", "")
