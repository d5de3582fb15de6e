"""The line that somebody sits on: a real sshd, a real client, and faults that would cut it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import pytest

import tcpladder
from real.breaking import fault, faults_on, rules, until
from real.hosts import CLIENT, SERVER, Row, row_of_hosts
from tcpladder.agent.fault_messages import ResetConnection
from tcpladder.agent.reset import reset_connection
from tcpladder.agent.ssh import established_connections
from tcpladder.errors import PermissionRefused
from tcpladder.faults.fault import Action, Fault, Match, Segments

pytestmark = pytest.mark.real("ip", "nft", "sshd", "ssh", "ssh-keygen")

PORT = 2222
NEVER_ASK = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes"]


@dataclass(frozen=True)
class Session:
    """Somebody who sits at the server."""

    row: Row
    version: int
    client_port: int

    @property
    def line(self) -> str:
        here, there = CLIENT[self.version], SERVER[self.version]
        return (
            f"{here}:{self.client_port} → {there}:{PORT}"
            if self.version == 4
            else f"[{here}]:{self.client_port} → [{there}]:{PORT}"
        )


def key(directory: Path, name: str) -> Path:
    path = directory / name
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return path


@contextmanager
def sshd(row: Row, directory: Path) -> Iterator[Path]:
    """A server on the last host; yields the key that it accepts."""
    host_key, own_key = key(directory, "host"), key(directory, "own")
    (directory / "authorized").write_text(own_key.with_suffix(".pub").read_text())
    (directory / "config").write_text(
        f"Port {PORT}\nHostKey {host_key}\nAuthorizedKeysFile {directory}/authorized\nPermitRootLogin yes\n"
        f"PidFile none\nStrictModes no\nUsePAM no\nAddressFamily any\n"
    )
    separation = Path("/run/sshd")
    made = not separation.exists()
    separation.mkdir(mode=0o755, exist_ok=True)
    with row.server.inside():
        program = shutil.which("sshd") or "/usr/sbin/sshd"
        server = subprocess.Popen(
            [program, "-D", "-e", "-f", str(directory / "config")], stderr=subprocess.DEVNULL
        )
    with server:
        try:
            yield own_key
        finally:
            server.terminate()
            server.wait()
            if made:
                separation.rmdir()


@contextmanager
def login(row: Row, own_key: Path, version: int) -> Iterator[IO[bytes]]:
    """Somebody who has logged in, without a terminal, and waits."""
    command = ["ssh", "-i", str(own_key), "-p", str(PORT), *NEVER_ASK, f"root@{SERVER[version]}"]
    with row.client.inside():
        client = subprocess.Popen(
            [*command, "echo here; cat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    with client:
        assert client.stdin is not None
        assert client.stdout is not None
        assert client.stdout.readline() == b"here\n"
        yield client.stdout


@pytest.fixture(scope="module", params=[4, 6])
def session(request: pytest.FixtureRequest) -> Iterator[Session]:
    with (
        tempfile.TemporaryDirectory(prefix="tcpladder-test-", dir="/var/tmp") as directory,
        row_of_hosts() as row,
        sshd(row, Path(directory)) as own_key,
    ):
        with row.client.inside():
            reachable = ["ssh-keyscan", "-p", str(PORT), SERVER[request.param]]
            until(lambda: bool(subprocess.run(reachable, capture_output=True).stdout))
        with login(row, own_key, request.param):
            with row.server.inside():
                (found,) = (one for one in established_connections() if one.local_port == PORT)
            yield Session(row, request.param, found.remote_port)


def wanted(session: Session, **more: Any) -> list[Fault]:
    """Faults that would cut the line."""
    here, there = SERVER[session.version], CLIENT[session.version]
    arriving = Match(source=there, source_port=session.client_port, destination=here, destination_port=PORT)
    return [
        fault(arriving, **more),
        fault(arriving.reverse(), **more),
        fault(Match(destination_port=PORT), **more),
        fault(Match(source_port=PORT), **more),
        fault(Match(destination=there, destination_port=session.client_port), **more),
    ]


@pytest.mark.parametrize("more", [{}, {"action": Action.REJECT_RST}, {"segments": Segments.DATA}], ids=repr)
def test_a_fault_that_would_cut_the_line_is_refused_and_names_it(
    session: Session, more: dict[str, Any]
) -> None:
    with faults_on(session.row.server, private=False) as book:
        for one in wanted(session, **more):
            plan = book.plan(one)
            assert plan.needs_insist
            assert f"it would cut the SSH connection {session.line} of this machine" in plan.refused
            assert plan.script
            with pytest.raises(PermissionRefused, match="type insist to do it anyway"):
                book.apply(one)
        assert rules() == ""


def test_a_reverse_direction_that_would_cut_it_counts(session: Session) -> None:
    here, there = SERVER[session.version], CLIENT[session.version]
    one_way = fault(Match(source=there, source_port=9, destination=here))
    with faults_on(session.row.server, private=False) as book:
        assert book.plan(one_way).refused == ""
        other = replace(one_way, match=Match(source=here, source_port=PORT), both=True)
        assert session.line in book.plan(other).refused


@pytest.mark.parametrize("action", [Action.BLACKHOLE, Action.WITHDRAW, Action.LINK_DOWN])
def test_its_route_and_its_interface_are_refused_too(session: Session, action: Action) -> None:
    there = CLIENT[session.version]
    back = fault(Match(destination=there, destination_port=session.client_port), action=action)
    with faults_on(session.row.server, private=False) as book:
        assert session.line in book.plan(back).refused
        with pytest.raises(PermissionRefused):
            book.apply(back)


def test_everything_of_a_host_is_refused_without_a_line_too(session: Session) -> None:
    with faults_on(session.row.client, private=False) as book:
        plan = book.plan(fault(Match(destination="192.0.2.1")))
        assert plan.refused == (
            "cannot drop anyone → 192.0.2.1: without a port it breaks everything to or from 192.0.2.1; name a port"
        )
        assert plan.needs_insist
        assert book.plan(fault(Match(destination="127.0.0.1"))).refused == ""


def test_what_does_not_touch_the_line_goes_through(session: Session) -> None:
    here, there = SERVER[session.version], CLIENT[session.version]
    with faults_on(session.row.server, private=False) as book:
        book.apply(fault(Match(source=there, destination=here, destination_port=9)))
        book.apply(fault(Match(destination_port=9)))
        assert "goto eaten-2" in rules()


def test_who_insists_gets_it(session: Session) -> None:
    with faults_on(session.row.server, private=False) as book:
        one = fault(Match(destination_port=PORT), insist=True, action=Action.DROP_NEXT, amount=1)
        assert book.plan(one).refused == ""
        book.apply(one)
        assert f"dport {PORT}" in rules()


def test_a_reset_of_the_line_is_refused(session: Session) -> None:
    asked = ResetConnection(
        local=SERVER[session.version],
        local_port=PORT,
        remote=CLIENT[session.version],
        remote_port=session.client_port,
    )
    with session.row.server.inside():
        with pytest.raises(PermissionRefused) as refused:
            reset_connection(asked, private=False)
        assert str(refused.value) == (
            f"cannot reset {session.line}: it is an SSH connection of this machine; type insist to do it anyway"
        )


@pytest.mark.parametrize(
    "variables", [{}, {"SSH_CONNECTION": "192.0.2.9 1 192.0.2.8 22", "TMUX": "/tmp/x,1,0"}]
)
def test_no_environment_variable_is_believed(session: Session, variables: dict[str, str]) -> None:
    """Under sudo they are gone, in tmux and screen they are those of yesterday."""
    script = """
import sys
from tcpladder.agent.faults import FaultBook
from tcpladder.agent.guarded import Changes
from tcpladder.faults.fault import Fault, Match
fault = Fault(match=Match(destination_port=int(sys.argv[1])), probe_sequences=[])
print(FaultBook(False, Changes(False)).plan(fault).refused)
"""
    environment = {"PYTHONPATH": str(Path(tcpladder.__file__).parent.parent), **variables}
    with session.row.server.inside():
        done = subprocess.run(
            ["setsid", sys.executable, "-c", script, str(PORT)],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
    assert session.line in done.stdout
