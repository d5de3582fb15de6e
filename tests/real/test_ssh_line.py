"""The line that somebody sits on, from where people sit: a login through a real sshd, sudo, tmux, screen, and both."""

from __future__ import annotations

import json
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest

from conftest import missing_program
from real.anybody import becoming, interpreter, ordinary_user, readable_copy
from real.own_machine import Machine, own_machine, wait_until
from tcpladder.errors import ExitCode

pytestmark = pytest.mark.real("ip", "nft", "nsenter", "sshd", "ssh", "ssh-keygen", "unshare", "useradd")

PORT = 2222
PATIENCE_S = 90
SETUP = """
ip netns add far
ip link add near type veth peer name far netns far
ip addr add 10.9.0.1/24 dev near
ip link set near up
ip -n far addr add 10.9.0.2/24 dev far
ip -n far link set far up
mkdir -p /run/sshd
mkdir -p -m 777 /run/screen
"""
SIT = "stty rows 24 cols 80; set -- ${SSH_CONNECTION#* }; port=${1%% *};"
"""A terminal without a size is nothing that tmux can draw on."""


@dataclass(frozen=True)
class Way:
    """How somebody comes to run a command after the login."""

    root: bool
    """Whether root logs in, or an ordinary user."""
    line: str
    """The shell's; {} is the command, {name} a name for what tmux makes."""
    needs: tuple[str, ...]
    leaves: frozenset[str]
    """The variables by which one sees that it is so."""


WAYS = {
    "plain": Way(True, "{} included", (), frozenset()),
    "sudo": Way(False, "sudo {}", ("sudo",), frozenset({"SUDO_USER"})),
    "tmux": Way(True, 'tmux -L {name} new "{}"', ("tmux",), frozenset({"TMUX"})),
    "screen": Way(True, "screen {}", ("screen",), frozenset({"STY"})),
    "sudo in tmux": Way(False, 'tmux -L {name} new "sudo {}"', ("sudo", "tmux"), frozenset({"SUDO_USER"})),
    "sudo in screen": Way(False, "screen sudo {}", ("sudo", "screen"), frozenset({"SUDO_USER"})),
    "tmux in sudo": Way(
        False, 'sudo -i tmux -L {name} new "{}"', ("sudo", "tmux"), frozenset({"SUDO_USER", "TMUX"})
    ),
    "screen in sudo": Way(False, "sudo -i screen {}", ("sudo", "screen"), frozenset({"STY", "SUDO_USER"})),
}


@dataclass(frozen=True)
class Desk:
    """A machine with an sshd on 10.9.0.1, and a host from where one logs in."""

    machine: Machine
    place: Path
    python: str
    user: str

    def login(self, name: str, way: Way) -> subprocess.Popen[str]:
        """Somebody who logs in and, that way, runs ssh_driver.py; ends when it has ended."""
        script = self.told(name).with_suffix(".sh")
        driver = f"{self.python} {self.place}/ssh_driver.py {self.told(name)}"
        script.write_text(f"#!/bin/sh\nexec env PYTHONPATH={packages(self.place)} {driver} $@\n")
        script.chmod(0o755)
        options = (
            "StrictHostKeyChecking=no",
            "UserKnownHostsFile=/dev/null",
            "BatchMode=yes",
            "LogLevel=ERROR",
        )
        return self.machine.start(
            *("ip", "netns", "exec", "far", "ssh", "-tt", "-i", str(self.place / "own"), "-p", str(PORT)),
            *(word for option in options for word in ("-o", option)),
            f"{'root' if way.root else self.user}@10.9.0.1",
            SIT + way.line.format(f"{script} $port", name=script.stem),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=os.environ | {"TERM": "xterm"},
        )

    def told(self, name: str) -> Path:
        """Where the driver of a login writes what came of it."""
        return self.place / f"{name.replace(' ', '-')}.json"


def packages(place: Path) -> str:
    """Where Python finds the copy of tcpladder, and what it needs."""
    return f"{place}:{Path(click.__file__).parent.parent}"


def python_of(user: pwd.struct_passwd, place: Path) -> str:
    """An interpreter with which a user can run tcpladder; skips where there is none."""
    python = interpreter(becoming(user))
    probe = [*becoming(user), "env", f"PYTHONPATH={packages(place)}", python, "-c", "import click, numpy"]
    if subprocess.run(probe, capture_output=True).returncode:
        pytest.skip(
            "needs numpy and click where every user can read them, for a python that every user can run"
        )
    return python


def configure_sshd(place: Path) -> None:
    for name in ("host", "own"):
        words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(place / name)]
        subprocess.run(words, check=True)
    shutil.copy(place / "own.pub", place / "authorized")
    (place / "config").write_text(
        f"Port {PORT}\nListenAddress 10.9.0.1\nHostKey {place}/host\nAuthorizedKeysFile {place}/authorized\n"
        "PermitRootLogin yes\nPidFile none\nStrictModes no\nUsePAM no\nPrintMotd no\nPrintLastLog no\n"
    )


@contextmanager
def desk() -> Iterator[Desk]:
    """A file of the test's own lies over /etc/sudoers, in this machine only: there the user may do anything."""
    driver = Path(__file__).with_name("ssh_driver.py")
    with ordinary_user() as user, readable_copy(driver) as place, own_machine(SETUP) as machine:
        python = python_of(user, place)
        configure_sshd(place)
        place.chmod(0o777)
        sudoers = place / "sudoers"
        sudoers.write_text(f"root ALL=(ALL) ALL\n{user.pw_name} ALL=(ALL) NOPASSWD: ALL\n")
        sudoers.chmod(0o440)
        machine.sh(f"if [ -e /etc/sudoers ]; then mount --bind {sudoers} /etc/sudoers; fi")
        program = shutil.which("sshd") or "/usr/sbin/sshd"
        log = place / "log"
        machine.start(program, "-D", "-E", str(log), "-f", str(place / "config"))
        wait_until(lambda: log.exists() and "listening" in log.read_text(), "no sshd")
        yield Desk(machine, place, python, user.pw_name)


@pytest.fixture(scope="module")
def told() -> Iterator[dict[str, dict[str, Any]]]:
    """What came of each login; all at once, because each mostly waits."""
    can = {name: way for name, way in WAYS.items() if not any(map(missing_program, way.needs))}
    with desk() as here:
        logins = {here.login(name, way): name for name, way in can.items()}
        screens = {name: login.communicate(timeout=PATIENCE_S)[0] for login, name in logins.items()}
        failed = {name: screens[name] for name in can if not here.told(name).exists()}
        assert not failed, "\n".join(f"{name}: {said[-2000:]!r}" for name, said in failed.items())
        yield {name: json.loads(here.told(name).read_text()) for name in can}


@pytest.mark.parametrize("name", WAYS)
def test_the_line_is_kept_and_left_out_however_one_sits_on_it(
    name: str, told: dict[str, dict[str, Any]], needs: Callable[[str], None]
) -> None:
    for program in WAYS[name].needs:
        needs(program)
    said = told[name]
    assert said["uid"] == 0
    assert set(said["environment"]) == WAYS[name].leaves
    line = f"10.9.0.2:{said['port']} → 10.9.0.1:{PORT}"
    code, words = said["refused"]
    assert code == ExitCode.NOT_PERMITTED
    assert words == (
        f"tcpladder: cannot drop 10.9.0.2:{said['port']} → port {PORT}: it would cut the SSH connection {line} of this "
        "machine; --insist does it all the same\n"
    )
    code, words = said["insisted"]
    assert code == ExitCode.DONE, words
    assert re.search(r"fault 1 is over, ate \d+ segment", words)
    seen, words = said["left_out"]
    assert re.search(r"\d+ SSH connections? of this host left out \(--ssh includes them\)", words)
    assert seen, "the control"
    assert said["port"] not in seen
    if name == "plain":
        assert said["port"] in said["included"], "who wants to see the line sees it"
