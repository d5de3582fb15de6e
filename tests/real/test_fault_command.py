"""`tcpladder fault` and `doctor` as a person runs them: a terminal, other terminals, and every way to end."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from real.own_machine import TCPLADDER, Machine, own_machine, wait_until

pytestmark = pytest.mark.real("ip", "nft", "unshare", "nsenter")

PORT = 12345
CONNECT = f"""
import socket
s = socket.socket()
s.settimeout(0.3)
s.bind(("127.0.0.1", 22345))
s.setsockopt(6, 9, 0)
try: s.connect(("127.0.0.1", {PORT}))
except TimeoutError: print("no answer")
except ConnectionRefusedError: print("refused")
"""
VETH = """
ip link add va type veth peer name vb
ip addr add 10.9.0.1/24 dev va
ip link set va up
ip link set vb up
ip route add default via 10.9.0.2 metric 100
"""
BROKEN = {
    "withdraw": "! ip route | grep ^10.9.0.0",
    "link-down": "ip link show va | grep 'state DOWN'",
    "blackhole": "ip rule | grep blackhole",
}
"""What holds while it is broken."""


@pytest.fixture
def machine() -> Iterator[Machine]:
    with own_machine() as made:
        yield made


def drop(machine: Machine, *more: str, **options: object) -> subprocess.Popen[str]:
    return machine.start(
        *TCPLADDER, "fault", "drop", "--dport", str(PORT), *more,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options,
    )  # fmt: skip


def connect(machine: Machine) -> str:
    return machine.run(sys.executable, "-c", CONNECT).stdout.strip()


def in_force(machine: Machine) -> bool:
    return "drop" in machine.sh("nft list ruleset")


def clean(machine: Machine) -> bool:
    return not machine.sh("nft list ruleset") and not machine.instances()


def test_a_drop_prints_its_script_what_it_ate_and_that_it_is_over(machine: Machine) -> None:
    assert connect(machine) == "refused"
    breaking = drop(machine, "--for", "1500ms")
    wait_until(lambda: in_force(machine), "nothing is dropped")
    assert connect(machine) == "no answer"
    out, err = breaking.communicate(timeout=20)
    assert breaking.returncode == 0, err
    segment = rf"\d\d:\d\d:\d\d\.\d{{3}} 127\.0\.0\.1\.22345 > 127\.0\.0\.1\.{PORT}: "
    assert re.fullmatch(rf"({segment}Flags \[S\], seq \d+, win \d+, length 0\n)+", out)
    eaten = len(out.splitlines())
    assert err.startswith("#!/bin/sh -e\n")
    assert f"iptables -A INPUT -p tcp --dport {PORT} -j DROP" in err
    assert f"fault 1 is over, ate {eaten} segment" in err
    assert connect(machine) == "refused"
    assert clean(machine)


def test_jsonl_is_for_machines(machine: Machine) -> None:
    breaking = drop(machine, "--for", "1s", "--format", "jsonl")
    wait_until(lambda: in_force(machine), "nothing is dropped")
    connect(machine)
    out, _ = breaking.communicate(timeout=20)
    first, *eaten, last = map(json.loads, out.splitlines())
    assert (first["record"], first["action"], first["dport"], first["ended_ns"]) == (
        "fault",
        "drop",
        PORT,
        None,
    )
    assert {one["record"] for one in eaten} == {"eaten"}
    assert {(one["src"], one["dst"], one["flags"]) for one in eaten} == {
        ("127.0.0.1:22345", f"127.0.0.1:{PORT}", "SYN")
    }
    assert last["ended_ns"] is not None
    assert last["packets"] == len(eaten)
    assert last["left_ms"] is None


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGHUP, 130), (signal.SIGKILL, -9)],
)
def test_the_rule_is_gone_however_the_command_ends(machine: Machine, number: int, code: int) -> None:
    breaking = drop(machine, "--for", "60s")
    wait_until(lambda: in_force(machine), "nothing is dropped")
    breaking.send_signal(number)
    breaking.communicate(timeout=20)
    assert breaking.returncode == code
    wait_until(lambda: clean(machine), "the rule stays")


def test_on_a_terminal_one_line_counts_down_and_ctrl_c_lifts_it(machine: Machine) -> None:
    ours, theirs = pty.openpty()
    words = machine.command(*TCPLADDER, "fault", "drop", "--dport", str(PORT), "--for", "forever")
    breaking = subprocess.Popen(
        words, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, preexec_fn=take_terminal
    )
    os.close(theirs)
    said = b""

    def hears(what: bytes) -> bool:
        nonlocal said
        said += os.read(ours, 65536)
        return what in said

    wait_until(lambda: hears(b"fault 1: until it is lifted, ate 0 segments (0 B)"), "no line")
    assert connect(machine) == "no answer"
    wait_until(lambda: hears(b"ate 1 segment (60 B)"), "no count")
    assert re.search(rb"\r\x1b\[K\d\d:\d\d:\d\d\.\d{3} 127\.0\.0\.1\.22345 > ", said)
    lines = said.count(b"\n")
    wait_until(lambda: said.count(b"\r", hears(b"\r") and 0) > lines + 10, "the line is not written anew")
    assert said.count(b"\n") == lines
    os.write(ours, b"\x03")
    wait_until(lambda: hears(b"fault 1 lifted, ate 1 segment (60 B)"), "no last word")
    assert breaking.wait(20) == 0
    os.close(ours)
    assert clean(machine)


def take_terminal() -> None:
    """Make stdin the controlling terminal, so that ^C is a signal."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def test_another_terminal_lists_extends_and_lifts(machine: Machine) -> None:
    assert machine.run(*TCPLADDER, "fault", "list").stderr == "tcpladder: no fault is in force\n"
    first, second = drop(machine, "--for", "60s"), drop(machine, "--for", "forever", "--src", "127.0.0.9")
    wait_until(
        lambda: len(machine.instances()) == 2 and machine.sh("nft list ruleset").count("counter") == 2, "two"
    )
    listed = machine.run(*TCPLADDER, "fault", "list")
    heading, *rows = (re.split(r" {2,}", line) for line in listed.stdout.splitlines())
    assert heading == ["instance", "fault", "what", "left", "ate"]
    said = {what: (instance, left) for instance, _, what, left, _ in rows}
    assert said[f"drop 127.0.0.9 → port {PORT}"][1] == "until it is lifted"
    instance, left = said[f"drop anyone → port {PORT}"]
    assert re.fullmatch(r"5\d s left", left)
    unclear = machine.run(*TCPLADDER, "fault", "lift", "1")
    assert unclear.returncode == 2
    assert "add --instance, one of" in unclear.stderr
    longer = machine.run(*TCPLADDER, "fault", "extend", "1", "--for", "2h", "--instance", instance)
    assert re.search(rf"fault 1 of tcpladder {instance}: (1 h 59|2 h 00) min left", longer.stderr)
    lifted = machine.run(*TCPLADDER, "fault", "lift", "1", "--instance", instance)
    assert lifted.returncode == 0, lifted.stderr
    assert first.wait(20) == 0
    assert second.poll() is None
    assert machine.run(*TCPLADDER, "fault", "lift", "--all").returncode == 0
    assert second.wait(20) == 0
    for process in (first, second):
        process.communicate()
    none = machine.run(*TCPLADDER, "fault", "lift", "--all")
    assert (none.returncode, none.stdout) == (3, "")


def test_routes_and_links_are_taken_and_given_back() -> None:
    with own_machine(VETH) as machine:
        asked = "ip -4 route show table all; ip rule; ip link"
        before = machine.sh(asked)
        for action, broken in BROKEN.items():
            words = [*TCPLADDER, "fault", action, "--dst", "10.9.0.2", "--dport", "80", "--for"]
            if action != "blackhole":
                refused = machine.run(*words, "1s")
                assert refused.returncode == 4
                assert "--insist does it all the same" in refused.stderr
            dry = machine.run(*words, "1s", "--insist", "--dry-run")
            assert dry.returncode == 0
            assert machine.sh(asked) == before
            breaking = machine.start(
                *words, "60s", "--insist", stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
            wait_until(lambda broken=broken: machine.run("sh", "-c", broken).returncode == 0, action)
            breaking.send_signal(signal.SIGINT)
            breaking.communicate(timeout=20)
            assert machine.sh(asked) == before
            # By hand it is the same.
            script, undo = dry.stdout.split("# and back:\n")
            machine.sh(script)
            assert machine.run("sh", "-c", broken).returncode == 0
            machine.sh(undo)
            # The kernel looks after the carrier of a link once a second (linkwatch).
            wait_until(lambda: machine.sh(asked) == before, action)


def test_without_privilege_one_sentence_says_what_is_missing(machine: Machine) -> None:
    nobody = [
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        "--bounding-set=-all",
        "--inh-caps=-all",
    ]
    probe = machine.run(*nobody, sys.executable, "-c", "import tcpladder")
    if probe.returncode:
        pytest.skip("needs a python that the user nobody can run")
    done = machine.run(*nobody, *TCPLADDER, "fault", "drop", "--dport", "7")
    assert done.returncode == 4
    assert done.stderr.count("\n") == 1
    assert "breaking connections needs CAP_NET_ADMIN" in done.stderr


def leave_a_route_away(machine: Machine) -> None:
    """Withdraw the default route and kill everybody at once."""
    withdraw = ("fault", "withdraw", "--dst", "8.8.8.8", "--insist", "--for", "forever")
    breaking = machine.start(*TCPLADDER, *withdraw, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_until(lambda: "default" not in machine.sh("ip route"), "the route is there")
    everybody = machine.processes()
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for process in everybody:
            os.kill(process, number)
    breaking.communicate(timeout=20)


def test_the_next_start_with_privilege_puts_back_what_was_left_and_says_so() -> None:
    with own_machine(VETH) as machine:
        before = machine.sh("ip route")
        leave_a_route_away(machine)
        assert machine.sh("ip route") != before
        done = machine.run(*TCPLADDER, "fault", "drop", "--dport", "7", "--for", "200ms")
        assert done.returncode == 0, done.stderr
        assert re.search(
            r"tcpladder: put back what tcpladder \d+ left when it was killed: the route default", done.stderr
        )
        assert machine.sh("ip route") == before
        assert machine.instances() == []


def test_doctor_finds_what_was_left_and_puts_it_back() -> None:
    with own_machine(VETH) as machine:
        well = machine.run(*TCPLADDER, "doctor")
        assert well.returncode == 0, well.stdout
        assert "ok  left over        nothing\n" in well.stdout
        before = machine.sh("ip route")
        leave_a_route_away(machine)
        machine.sh("ip link add tl4194305a type veth peer name tl4194305b")
        said = machine.run(*TCPLADDER, "doctor")
        assert said.returncode == 1
        assert "the route default via 10.9.0.2 dev va metric 100 is away, left by tcpladder" in said.stdout
        assert "the interface tl4194305a" in said.stdout
        assert "default" not in machine.sh("ip route")
        fixed = machine.run(*TCPLADDER, "doctor", "--fix")
        assert fixed.returncode == 0, fixed.stdout
        assert machine.sh("ip route") == before
        assert "tl4194305a" not in machine.sh("ip link")
        assert machine.run(*TCPLADDER, "doctor").returncode == 0
