"""The networks of the lab on the real kernel, as root and as an ordinary user, and what is left of them: nothing."""

from __future__ import annotations

import ast
import contextlib
import json
import os
import pty
import pwd
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from real.anybody import becoming, interpreter, ordinary_user, readable_copy

pytestmark = pytest.mark.real("ip", "nft", "setpriv", "useradd")

SERVERS = ["10.0.2.1", "fd00:2::1"]
ROUNDS = 6
IN_THE_LAB = """
import os, sys
from tcpladder.errors import TcpladderError
from tcpladder.hosts import shell
try: sys.exit(shell.enter(sys.argv[1], sys.argv[2]))
except TcpladderError as refused: sys.exit(f"{int(refused.exit_code)} {refused}")
"""
BESIDE = """
import os, sys, time
from tcpladder.hosts.command import beside, handed_over
command = handed_over(beside(sys.argv[2:], "client")(int(sys.argv[1])))
print(repr(command.read()), flush=True)
command.begin()
said = b""
while command.code is None:
    said += command.read()
    time.sleep(0.01)
print(repr((said + command.read(), command.code)))
"""


@dataclass
class Who:
    """Somebody who runs a lab: what stands before a command, and what the command sees."""

    user: pwd.struct_passwd
    becoming: list[str]
    python: str
    place: Path

    def environment(self, **more: str) -> dict[str, str]:
        return {"PYTHONPATH": str(self.place), "PATH": os.environ["PATH"], "HOME": "/nonexistent", **more}

    def run(self, script: str, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """A script, to its end, with nothing on stdin but its end."""
        command = [*self.becoming, self.python, "-c", script, *arguments]
        environment = self.environment(**more)
        return subprocess.run(command, env=environment, capture_output=True, text=True, input="", timeout=30)


@dataclass
class Lab:
    """A lab that runs: its first process, its agent, what it says to an expression."""

    process: subprocess.Popen[str]
    agent: int

    def __call__(self, expression: str) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(expression + "\n")
        self.process.stdin.flush()
        said = self.process.stdout.readline()
        try:
            return ast.literal_eval(said)
        except (ValueError, SyntaxError):
            return said.strip()

    def networks(self) -> set[str]:
        """Of every host, and the agent's own."""
        found = set[str]()
        for link in (Path(f"/proc/{self.agent}/ns/net"), *Path(f"/proc/{self.agent}/fd").iterdir()):
            with contextlib.suppress(FileNotFoundError):  # a descriptor that is just being closed
                found.add(str(link.readlink()))
        return {name for name in found if name.startswith("net:")}


@pytest.fixture(scope="module")
def somebody() -> Iterator[dict[str, Who]]:
    """Root, and an ordinary user who is removed afterwards."""
    files = [Path(__file__).with_name(name) for name in ("lab_console.py", "lab_driver.py")]
    with ordinary_user() as user, readable_copy(*files) as place:
        root = Who(pwd.getpwuid(0), [], sys.executable, place)
        yield {"root": root, "user": Who(user, becoming(user), interpreter(becoming(user)), place)}


@pytest.fixture(params=["root", "user"])
def who(request: pytest.FixtureRequest, somebody: dict[str, Who]) -> Who:
    return somebody[request.param]


@contextlib.contextmanager
def started(who: Who, network: str = "routed", **sysctls: dict[str, str]) -> Iterator[Lab]:
    line = [*who.becoming, who.python, str(who.place / "lab_console.py"), network, json.dumps(sysctls)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(line, env=who.environment(), text=True, **pipes) as process:  # type: ignore[call-overload]
        try:
            assert process.stdout is not None
            yield Lab(process, int(process.stdout.readline()))
        finally:
            process.kill()


def within(seconds: float, happened: Any) -> bool:
    """Whether it happens in time."""
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def living_in(networks: set[str]) -> list[str]:
    """The processes in these namespaces; a dead one that nobody has waited for is in none."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if str((process / "ns/net").readlink()) in networks:
                found.append((process / "cmdline").read_text().replace("\0", " "))
    return found


def machine() -> dict[str, str]:
    """What a lab must not change: interfaces, addresses, routes, rules, mounts, tables, files of ours."""
    commands = ["ip -o link", "ip -o address", "ip route show table all", "ip rule", "nft list tables"]
    said = {words: subprocess.run(words.split(), capture_output=True, text=True).stdout for words in commands}
    said["ip -o address"] = " ".join(word for word in said["ip -o address"].split() if "lft" not in word)
    said["mounts"] = Path("/proc/self/mountinfo").read_text()
    said["files"] = str(sorted(Path("/run").glob("tcpladder*/*")))
    return said


@pytest.mark.parametrize("server", SERVERS)
def test_client_and_server_talk_through_the_router(who: Who, server: str) -> None:
    with started(who) as lab:
        lab(f'play("server", "server", "{server}", "listen", "accept", "read until end")')
        lab('hear("server", "listening")')
        lab(f'play("client", "client", "{server}", "connect", "send 10", "close")')
        family = "10.0.1.1" if "." in server else "fd00:1::1"
        assert lab('hear("client", "connected")')[0] == family
        assert lab('hear("server", "accepted")')[0] == family
        assert lab('hear("server", "ended")') == ("", "read until end", None)
        assert within(5, lambda: not living_in(lab.networks()) or len(living_in(lab.networks())) == 1)


def test_the_same_segment_is_captured_at_two_points(who: Who) -> None:
    with started(who) as lab:
        lab('capture("client", "eth0")')
        lab('capture("server", "eth0")')
        lab('play("server", "server", "10.0.2.1", "listen", "accept", "read until end")')
        lab('hear("server", "listening")')
        lab('play("client", "client", "10.0.2.1", "connect", "close")')
        near, far = (lab(f'captured("{host}", 1)') for host in ("client", "server"))
        assert near[0][26:] == far[0][26:], "addresses, ports, sequence number, options"
        assert (near[0][22], far[0][22]) == (64, 63), "a router stands between the two"


def test_a_fault_on_one_host_is_none_on_another(who: Who) -> None:
    fault = 'Fault(match=Match(source="10.0.1.1", destination="10.0.2.1", destination_port=7777), probe_sequences=[])'
    with started(who) as lab:
        assert lab(f'ask("router", ApplyFault(fault={fault})).places[0].value') == "forward"
        lab('play("server", "server", "10.0.2.1", "listen", "accept", "read until end")')
        lab('hear("server", "listening")')
        lab('play("client", "client", "10.0.2.1", "connect")')
        assert within(5, lambda: lab('ask("router", ListFaults()).faults[0].packets') == 1)
        assert lab('len(ask("client", ListFaults()).faults)') == 0
        assert lab('ask("router", LiftFault(number=1)).packets') >= 1
        assert lab('hear("client", "connected")')[0] == "10.0.1.1", "the SYN is sent again after 1 s"


def test_a_sysctl_is_of_one_host(who: Who) -> None:
    name, here = "net.ipv4.tcp_retries2", Path("/proc/sys/net/ipv4/tcp_retries2").read_text().strip()
    with started(who, "pair", client={name: "3"}) as lab:
        read = f"ReadSysctls(names=['{name}'])"
        assert lab(f'ask("client", {read}).values') == {name: "3"}
        assert lab(f'ask("server", {read}).values') == {name: here}
        assert lab(f'ask("server", SetSysctl(name="{name}", value=7)).value') == "7"
        assert lab(f'ask("client", {read}).values') == {name: "3"}
        assert Path("/proc/sys/net/ipv4/tcp_retries2").read_text().strip() == here


def test_a_peer_that_loses_its_power_says_nothing_and_knows_nothing(who: Who) -> None:
    with started(who, "pair") as lab:
        lab('capture("client", "eth0")')
        server = lab('play("server", "server", "10.0.1.2", "listen", "accept", "read until end")')
        lab('hear("server", "listening")')
        lab('play("client", "client", "10.0.1.2", "connect", "read 1", "close")')
        lab('hear("server", "accepted")')
        assert lab(f"client.request(EndPeer(pid={server}, silently=True))[0].connections") == 1
        assert not Path(f"/proc/{server}").exists()
        lab("globals().update(PATIENCE_S=0.5)")
        assert lab('hear("client", "received")') == "TimeoutError: client said ['connected']"
        lab("globals().update(PATIENCE_S=10)")
        assert len(lab('captured("client", 3)')) == 3, "the handshake, and nothing after it"
        lab('play("another", "client", "10.0.1.2", "try connect", "close")')
        assert lab('hear("another", "failed")')[1:] == ("connect()", "ECONNREFUSED")


def test_what_is_not_there_is_refused_with_what_is(who: Who) -> None:
    with started(who, "pair") as lab:
        assert lab('ask("router", ListInterfaces())') == (
            "UsageError: there is no host 'router' in this lab (have: client, server)"
        )
        assert lab("client.request(EndPeer(pid=1, silently=True))").startswith("UsageError: cannot end 1: ")
        assert lab('play("x", "client", "10.0.1.2", "fly")').startswith("UsageError: a peer cannot 'fly'")
        assert "eth0" in lab('[one.name for one in ask("client", ListInterfaces()).interfaces]')


def test_the_end_of_the_app_is_the_end_of_the_lab(who: Who) -> None:
    before = machine()
    with started(who) as lab:
        networks = lab.networks()
        assert len(networks) == 4
        lab('play("server", "server", "10.0.2.1", "listen", "hold")')
        assert len(living_in(networks)) == 2
        assert lab.process.stdin is not None
        lab.process.stdin.close()
        assert within(5, lambda: not living_in(networks))
    assert machine() == before


def test_whoever_is_killed_whenever_nothing_is_left(who: Who) -> None:
    """App or agent, in the middle of anything; with a shell in the network, and what that left in the background."""
    before, chance = machine(), random.Random(6)
    for _ in range(ROUNDS):
        with started(who) as lab, in_a_shell(who, lab, b"sleep 1000 & sleep 2000\n") as shell:
            networks = lab.networks()
            for host, script in (("server", '"listen", "hold"'), ("client", '"hold"')):
                lab(f'play("{host}", "{host}", "10.0.2.1", {script})')
            lab('ask("router", ApplyFault(fault=Fault(match=Match(destination_port=9), probe_sequences=[])))')
            assert within(5, partial(sleeping_in, networks, 2))
            time.sleep(chance.random() / 10)
            os.kill(chance.choice([lab.process.pid, lab.agent]), signal.SIGKILL)
            assert within(8, partial(nobody_in, networks)), living_in(networks)
            lab.process.kill()
            assert shell.wait(5) in (128 + signal.SIGHUP, 128 + signal.SIGKILL)
    assert machine() == before


@contextlib.contextmanager
def in_a_shell(who: Who, lab: Lab, words: bytes) -> Iterator[subprocess.Popen[bytes]]:
    """Words typed into a shell on the client, which stays."""
    command = [*who.becoming, who.python, "-c", IN_THE_LAB, str(lab.agent), "client"]
    environment = who.environment(SHELL="/bin/sh")
    pipes = {"stdin": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, env=environment, **pipes) as shell:  # type: ignore[call-overload]
        try:
            assert shell.stdin is not None
            shell.stdin.write(words)
            shell.stdin.flush()
            yield shell
        finally:
            shell.kill()


def sleeping_in(networks: set[str], count: int) -> bool:
    return sum(line.startswith("sleep") for line in living_in(networks)) == count


def nobody_in(networks: set[str]) -> bool:
    return not living_in(networks)


def test_a_shell_enters_a_host_and_its_exit_code_is_kept(who: Who) -> None:
    with started(who) as lab:
        lab('play("server", "server", "10.0.2.1", "listen", "hold")')
        # Nobody else is that user, so a name is enough; root may have other labs.
        name = "console" if who.becoming else str(lab.agent)
        command = [*who.becoming, who.python, "-c", IN_THE_LAB, name, "client"]
        words = "ip -o -4 address show eth0; id -u; nft add table x && echo added; exit 7"
        done = subprocess.run(
            command, env=who.environment(SHELL="/bin/sh"), input=words, capture_output=True, text=True
        )
        assert done.returncode == 7, done.stderr
        assert "10.0.1.1/24" in done.stdout
        assert done.stdout.split()[-2:] == [str(who.user.pw_uid), "added"]
        assert "in lab console client, `exit` leaves it" in done.stderr
        assert lab('len(ask("client", ListFaults()).faults)') == 0, "the lab goes on"


def test_bash_says_in_its_prompt_where_it_is(who: Who, needs: Any) -> None:
    needs("bash")
    with started(who, "pair") as lab:
        keyboard, terminal = pty.openpty()
        command = [*who.becoming, who.python, "-c", IN_THE_LAB, str(lab.agent), "server"]
        environment = who.environment(SHELL="/bin/bash", TERM="dumb")
        with subprocess.Popen(
            command, env=environment, stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True
        ) as shell:
            os.close(terminal)
            screen = b""
            os.set_blocking(keyboard, False)
            os.write(keyboard, b"exit 3\n")
            while shell.poll() is None or screen == b"":
                with contextlib.suppress(BlockingIOError, OSError):
                    screen += os.read(keyboard, 4096)
                time.sleep(0.01)
            with contextlib.suppress(OSError):
                screen += os.read(keyboard, 4096)
            os.close(keyboard)
            assert shell.returncode == 3
        assert b"(lab console server) " in screen


def test_a_lab_of_somebody_else_cannot_be_entered(somebody: dict[str, Who]) -> None:
    with started(somebody["root"], "pair") as lab:
        done = somebody["user"].run(IN_THE_LAB, str(lab.agent), "")
        assert done.stderr == f"4 cannot enter lab {lab.agent}: not yours; run it with sudo\n"
    with started(somebody["user"], "pair") as lab:
        done = somebody["root"].run(IN_THE_LAB, str(lab.agent), "")
        owner = somebody["user"].user.pw_uid
        assert done.stderr == f"4 cannot enter lab {lab.agent}: not yours; it belongs to uid {owner}\n"


def test_without_a_lab_there_is_nothing_to_enter(somebody: dict[str, Who]) -> None:
    done = somebody["user"].run(IN_THE_LAB, "", "")
    assert done.stderr.startswith("3 no lab of yours runs now: start one with `tcpladder lab keepalive`")


def test_a_command_beside_the_app_begins_when_told_and_keeps_its_exit_code(who: Who) -> None:
    with started(who) as lab:
        words = "ip -o -4 address show eth0; id -u; echo loud >&2; exit 5"
        done = who.run(BESIDE, str(lab.agent), "sh", "-c", words)
        before, after = done.stdout.splitlines()
        assert ast.literal_eval(before) == b"", "nothing before the word"
        said, code = ast.literal_eval(after)
        assert code == 5
        assert b"10.0.1.1/24" in said
        assert said.split()[-2:] == [str(who.user.pw_uid).encode(), b"loud"]


def test_under_sudo_the_command_is_run_by_the_one_who_called_sudo(somebody: dict[str, Who]) -> None:
    root, user = somebody["root"], somebody["user"].user
    with started(root) as lab:
        done = root.run(
            BESIDE, str(lab.agent), "sh", "-c", "id -u; id -G; echo $USER", SUDO_UID=str(user.pw_uid)
        )
        said, code = ast.literal_eval(done.stdout.splitlines()[1])
        assert (said.split(), code) == (
            [str(user.pw_uid).encode(), str(user.pw_gid).encode(), user.pw_name.encode()],
            0,
        )


def test_a_command_ends_with_the_app(who: Who) -> None:
    script = BESIDE.replace("while command.code", "print(1, flush=True)\nwhile command.code")
    with started(who) as lab:
        command = [*who.becoming, who.python, "-c", script, str(lab.agent), "sleep", "1000"]
        with subprocess.Popen(command, env=who.environment(), stdout=subprocess.PIPE) as app:
            assert within(5, lambda: any("sleep 1000" in line for line in living_in(lab.networks())))
            app.kill()
        assert within(5, lambda: not any("sleep" in line for line in living_in(lab.networks())))
        assert lab('len(ask("client", ListFaults()).faults)') == 0, "the lab goes on"


def test_where_a_host_cannot_be_made_as_planned_it_says_why(who: Who) -> None:
    command = [*who.becoming, who.python, str(who.place / "lab_console.py"), "pair"]
    sysctls = json.dumps({"client": {"net.ipv4.tcp_no_such": "1"}})
    done = subprocess.run([*command, sysctls], env=who.environment(), capture_output=True, text=True)
    assert done.stderr == "this kernel has no net.ipv4.tcp_no_such: the experiment needs a newer one\n"
