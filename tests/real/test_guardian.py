"""The guardian: whoever dies when and how, everything is as it was before. In network namespaces of the tests' own."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from real.own_machine import TCPLADDER, Machine, own_machine, wait_until

pytestmark = pytest.mark.real("ip", "nft", "unshare", "nsenter")

ROUNDS = int(os.environ.get("TCPLADDER_ROUNDS", "200"))
"""Of each of three kinds of death, a third."""
SEED = int(os.environ.get("TCPLADDER_SEED", "0")) or random.randrange(1, 1_000_000)
VETH = """
sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
ip link add va type veth peer name vb
sysctl -qw net.ipv6.conf.vb.disable_ipv6=1
ip addr add 10.9.0.1/24 dev va
ip addr add fd00::1/64 dev va
ip link set vb up
ip link set va up
ip route add default via 10.9.0.2 metric 100
ip -6 route add 2001:db8::/32 via fd00::2
"""
ROUTES = """
for what in "-4 route show table all" "-6 route show table all" "-4 rule" "-6 rule" "link"; do ip $what; done
"""
PICTURE = f"{ROUTES}\nnft list ruleset; sysctl net.ipv4.tcp_keepalive_time net.ipv4.tcp_fin_timeout"
CONNECT = """
import socket
try:
    socket.create_connection(("127.0.0.1", 7), timeout=3)
except ConnectionRefusedError:
    print("refused")
"""
DRIVER = """
import sys
from tcpladder.agent import guarded
from tcpladder.agent.client import AgentClient
from tcpladder.agent.fault_messages import *
from tcpladder.agent.start import HostNetwork, start_agent
from tcpladder.agent.sweep import left_over, sweep
from tcpladder.faults.fault import Action, Fault, Match
from tcpladder.hosts.network import PrivateNetwork
def fault(action, destination, for_ms=None, **more):
    match = Match(destination=destination, **more)
    return Fault(match=match, probe_sequences=[], action=action, for_ms=for_ms, insist=True)
def new(network):
    channel, pid = start_agent(network)
    return AgentClient(channel.detach()), pid
agents = []
def begin(network=HostNetwork(), patience_s=15.0):
    guarded._PATIENCE_S = patience_s
    agents.append(new(network)); return agents[-1][1]
def ask(number, request): return agents[number][0].request(request)[0]
def broken(number, action, *said, **more):
    ask(number, ApplyFault(fault=fault(Action(action), *said, **more)))
    return "broken"
def stuck(number): return ask(number, ListFaults()).faults[0].stuck
def watch():
    from tcpladder.agent.messages import OpenCapture
    from tcpladder.session import live, local_ends
    global session
    local_ends.SYSCTLS_EVERY_S = 0.1
    session = live.LiveSession(agents[-1][0], OpenCapture(interface="lo"))
    session.start()
def was(): return {name: one.before for name, one in session.faults.sysctls.items()}
def over(number): return [one.ended_ns is not None for one in ask(number, ListFaults()).faults]
print(repr("ready"), flush=True)
for line in sys.stdin:
    try: print(repr(eval(line)), flush=True)
    except Exception as error: print(repr(f"{type(error).__name__}: {error}"), flush=True)
"""


@pytest.fixture
def machine() -> Iterator[Machine]:
    with own_machine(VETH) as made:
        yield made


class Driver:
    """A program in the machine that starts agents and asks them what a test says."""

    def __init__(self, machine: Machine) -> None:
        self.process = machine.start(
            sys.executable, "-c", DRIVER, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._hear() == "'ready'"

    def __call__(self, expression: str) -> str:
        assert self.process.stdin is not None
        self.process.stdin.write(expression + "\n")
        self.process.stdin.flush()
        return self._hear()

    def breaks(self, number: int, action: str, *said: object, **more: object) -> None:
        """Put a fault in force by the agent of that number: destination, milliseconds, more of the match."""
        assert self(f"broken({number}, {action!r}, *{said!r}, **{more!r})") == "'broken'"

    def _hear(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def driver(machine: Machine) -> Iterator[Driver]:
    made = Driver(machine)
    yield made
    made.end()


def guardian_of(machine: Machine, agent: int) -> int:
    """The process that holds the lock of an instance."""
    inode = machine.sh(f"stat -c %i /run/tcpladder/{agent}/lock").strip()
    owners = [
        int(words[4])
        for words in map(str.split, machine.sh("cat /proc/locks").splitlines())
        if words[1] == "FLOCK" and words[5].endswith(f":{inode}")
    ]
    (found,) = [one for one in owners if one in machine.processes()]
    return found


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_after_any_death_at_any_moment_everything_is_as_before() -> None:
    """TERM, KILL, or STOP and KILL, to app, to agent, or to agent and guardian and then the next privileged start."""
    script = str(Path(__file__).with_name("guardian_rounds.py"))
    rounds = -(-ROUNDS // 3)
    running = {
        victim: subprocess.Popen(
            [sys.executable, script, str(SEED), str(rounds), victim], stdout=subprocess.PIPE, text=True
        )
        for victim in ("app", "agent", "both")
    }
    for victim, process in running.items():
        said, _ = process.communicate()
        assert process.returncode == 0, f"{victim}, TCPLADDER_SEED={SEED}"
        told = json.loads(said)
        assert told["wrong"] == [], f"{victim}, TCPLADDER_SEED={SEED}"
        assert told["rounds"] == rounds
        # Else nothing was there to be put back.
        assert told["applied"] > rounds / 5, f"{victim}, TCPLADDER_SEED={SEED}"


def test_a_time_to_live_fires_while_app_and_agent_are_stopped(machine: Machine, driver: Driver) -> None:
    routes, before = machine.sh(ROUTES), machine.sh(PICTURE)
    agent = int(driver("begin()"))
    driver.breaks(0, "withdraw", "10.9.0.7", 700)
    driver.breaks(0, "blackhole", "2001:db8::7", 700)
    driver.breaks(0, "drop", "127.0.0.1", 700, destination_port=7)
    assert machine.sh(ROUTES) != routes
    for process in (driver.process.pid, agent):
        os.kill(process, signal.SIGSTOP)
    try:
        wait_until(lambda: machine.sh(ROUTES) == routes, "routes stay away")
        assert machine.run(sys.executable, "-c", CONNECT).stdout == "refused\n", "the rule still matches"
        assert Path(f"/proc/{agent}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    finally:
        for process in (agent, driver.process.pid):
            os.kill(process, signal.SIGCONT)
    assert driver("over(0)") == "[True, True, True]"
    wait_until(lambda: machine.sh(PICTURE) == before, "the table stays")


def test_an_agent_that_stands_still_before_the_change_does_not_make_it_after_its_time(
    machine: Machine, driver: Driver
) -> None:
    """The guardian makes the change itself: none is made without a journal that undoes it."""
    agent = int(driver("begin()"))
    driver.breaks(0, "link-down", "10.9.0.7", 1)
    wait_until(lambda: "state UP" in machine.sh("ip link show va"), "the link stays down")
    os.kill(agent, signal.SIGKILL)
    wait_until(lambda: machine.instances() == [], "the journal stays")
    assert "state UP" in machine.sh("ip link show va")


def test_two_instances_do_not_disturb_each_other(machine: Machine, driver: Driver) -> None:
    before = machine.sh(PICTURE)
    first, second = int(driver("begin()")), int(driver("begin()"))
    driver.breaks(0, "withdraw", "8.8.8.8")
    assert driver("ask(0, SetSysctl(name='net.ipv4.tcp_fin_timeout', value=5))") == (
        "SysctlSet(value='5', before='60')"
    )
    refused = driver("ask(1, SetSysctl(name='net.ipv4.tcp_fin_timeout', value=6))")
    assert "net.ipv4.tcp_fin_timeout is not 60 by another tcpladder: lift that first" in refused
    assert "lift that first" in driver("ask(1, ApplyFault(fault=fault(Action.LINK_DOWN, '10.9.0.7')))")
    driver.breaks(1, "withdraw", "2001:db8::1")
    for number in (0, 1):
        driver.breaks(number, "blackhole", "10.9.0.7")
    assert machine.sh("ip rule").count("blackhole") == 2
    assert sorted(machine.instances()) == sorted([str(first), str(second)])
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: machine.instances() == [str(second)], "the first one's journal stays")
    assert "default via 10.9.0.2" in machine.sh("ip route")
    assert "2001:db8::/32" not in machine.sh("ip -6 route")
    assert machine.sh("ip rule").count("blackhole") == 1
    assert machine.sh("sysctl -n net.ipv4.tcp_fin_timeout").strip() == "60"
    os.kill(second, signal.SIGTERM)
    wait_until(lambda: machine.sh(PICTURE) == before, "something of the second one stays")


def test_a_guardian_that_is_killed_is_replaced_and_its_changes_are_put_back(
    machine: Machine, driver: Driver
) -> None:
    before = machine.sh(PICTURE)
    agent = int(driver("begin()"))
    driver.breaks(0, "link-down", "10.9.0.7")
    guardian = guardian_of(machine, agent)
    os.kill(guardian, signal.SIGKILL)
    wait_until(lambda: machine.sh(PICTURE) == before, "the link stays down")
    assert driver("over(0)") == "[True]"
    driver.breaks(0, "withdraw", "10.9.0.7")
    assert guardian_of(machine, agent) != guardian
    os.kill(agent, signal.SIGKILL)
    wait_until(lambda: machine.sh(PICTURE) == before and not machine.instances(), "the route stays away")


def test_a_session_forgets_the_sysctl_that_is_put_back_for_a_dead_guardian(
    machine: Machine, driver: Driver
) -> None:
    name = "net.ipv4.tcp_keepalive_time"
    agent = int(driver("begin()"))
    before = machine.sh(f"sysctl -n {name}").strip()
    driver("watch()")
    driver(f"session.faults.set_sysctl({name!r}, 77)")
    assert machine.sh(f"sysctl -n {name}").strip() == "77"
    assert driver("was()") == repr({name: before})
    os.kill(guardian_of(machine, agent), signal.SIGKILL)
    wait_until(lambda: machine.sh(f"sysctl -n {name}").strip() == before, "the sysctl stays")
    wait_until(lambda: driver("was()") == "{}", "the session says that it is still set")


def test_a_guardian_that_is_stopped_is_replaced_too_and_what_is_said_is_true(
    machine: Machine, driver: Driver
) -> None:
    before = machine.sh(PICTURE)
    agent = int(driver("begin(patience_s=0.5)"))
    driver.breaks(0, "withdraw", "10.9.0.7")
    guardian = guardian_of(machine, agent)
    os.kill(guardian, signal.SIGSTOP)
    assert "another one puts back all that it had changed" in driver("ask(0, LiftFault(number=1))")
    assert driver("over(0)") == "[True]"
    wait_until(lambda: machine.sh(PICTURE) == before, "the route stays away")
    assert guardian_of(machine, agent) != guardian
    driver.breaks(0, "withdraw", "10.9.0.7", 700)
    os.kill(guardian_of(machine, agent), signal.SIGSTOP)
    wait_until(lambda: machine.sh(PICTURE) == before, "a time that is up while it is stopped")


def test_where_no_other_guardian_starts_nothing_is_said_to_be_over_until_one_does(
    machine: Machine, driver: Driver
) -> None:
    before = machine.sh(PICTURE)
    agent = int(driver("begin()"))
    driver.breaks(0, "withdraw", "10.9.0.7", 1500)
    directory = f"/run/tcpladder/{agent}"
    machine.sh(f"mount --bind {directory} {directory}; mount -o remount,ro,bind {directory}")
    os.kill(guardian_of(machine, agent), signal.SIGKILL)
    wait_until(lambda: "no other one" in driver("stuck(0)"), "nobody says so")
    listed = machine.run(*TCPLADDER, "fault", "list")
    assert "not put back yet" in listed.stdout
    assert "cannot lift fault 1: its guardian is gone, and no other one starts" in listed.stderr
    assert "no other one can be started" in driver("broken(0, 'link-down', '10.9.0.7')")
    wait_until(lambda: "no other one can be started" in driver("stuck(0)"), "its time is up")
    assert driver("over(0)") == "[False]"
    assert "10.9.0.0/24" not in machine.sh("ip route")
    machine.sh(f"mount -o remount,rw,bind {directory}")
    wait_until(lambda: machine.sh(PICTURE) == before, "the route stays away")
    wait_until(lambda: driver("over(0)") == "[True]", "nobody says so")
    assert driver("stuck(0)") == "''"


def test_what_both_left_is_told_and_put_back_at_the_next_start(machine: Machine, driver: Driver) -> None:
    before = machine.sh(PICTURE)
    agent = int(driver("begin()"))
    driver.breaks(0, "withdraw", "8.8.8.8")
    driver.breaks(0, "withdraw", "10.9.0.7")
    both = (guardian_of(machine, agent), agent)
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for process in both:
            os.kill(process, number)
    wait_until(lambda: "left by" in driver("left_over()"), "the lock is still held")
    left = driver("left_over()")
    assert "the route default via 10.9.0.2 dev va metric 100 is away" in left
    assert "the route 10.9.0.0/24 dev va is away" in left
    assert "default" not in machine.sh("ip route")
    assert f"put back what tcpladder {agent} left when it was killed" in driver("sweep()")
    assert machine.sh(PICTURE) == before
    assert machine.run("test", "-e", "/run/tcpladder").returncode == 1
    assert driver("sweep()") == "[]"


def test_a_journal_of_another_boot_or_of_a_namespace_that_is_gone_is_removed(
    machine: Machine, driver: Driver
) -> None:
    before = machine.sh(PICTURE)
    agent = int(driver("begin()"))
    assert driver("ask(0, SetSysctl(name='net.ipv4.tcp_fin_timeout', value=5))").startswith("SysctlSet(")
    journal = machine.sh(f"cat /run/tcpladder/{agent}/journal")
    os.kill(agent, signal.SIGKILL)
    wait_until(lambda: machine.sh(PICTURE) == before, "the sysctl stays")
    origin = json.loads(journal.splitlines()[0])[1]
    for change in ({"boot": "another"}, {"cookie": origin["cookie"] + 1}, {"namespace": 1, "cookie": 1}):
        said = json.dumps(["Origin", origin | change]) + "\n" + "\n".join(journal.splitlines()[1:]) + "\n"
        machine.run(
            "sh", "-ec", "umask 77; mkdir -p /run/tcpladder/7; cat > /run/tcpladder/7/journal", input=said
        )
        machine.sh("sysctl -qw net.ipv4.tcp_fin_timeout=5")
        assert driver("sweep()") == "[]"
        assert machine.instances() == []
        assert machine.sh("sysctl -n net.ipv4.tcp_fin_timeout").strip() == "5", change
        machine.sh("sysctl -qw net.ipv4.tcp_fin_timeout=60")


def test_the_control_socket_is_for_root_and_for_faults_alone(machine: Machine, driver: Driver) -> None:
    agent = int(driver("begin()"))
    driver.breaks(0, "withdraw", "8.8.8.8")
    modes = machine.sh(
        f"stat -c '%a %U' /run/tcpladder /run/tcpladder/{agent} /run/tcpladder/{agent}/control"
    )
    assert modes == "700 root\n700 root\n600 root\n"
    asking = """
import socket, sys
from tcpladder.agent import protocol
from tcpladder.agent.messages import *
from tcpladder.agent.fault_messages import *
with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
    door.settimeout(5)
    door.connect(sys.argv[1])
    for said in (protocol.encode(ListInterfaces()), protocol.encode(ListFaults()), b"nonsense"):
        door.send(said)
        print(door.recv(1 << 20)[:60])
"""
    path = f"/run/tcpladder/{agent}/control"
    said = machine.run(sys.executable, "-c", asking, path).stdout
    assert "Refused" in said.splitlines()[0]
    assert "only faults" in said.splitlines()[0]
    assert said.splitlines()[1].startswith('b\'["Faults"')
    assert said.splitlines()[2] == "b''"
    assert driver("len(ask(0, ListFaults()).faults)") == "1"


def test_what_cannot_be_put_back_yet_is_tried_again(machine: Machine, driver: Driver) -> None:
    before = machine.sh(ROUTES)
    agent = int(driver("begin()"))
    driver.breaks(0, "withdraw", "8.8.8.8", 300)
    machine.sh("ip link set va down")
    assert "Nexthop has invalid gateway".lower() in driver("ask(0, LiftFault(number=1))")
    busy = cpu_ticks(agent)
    wait_until(lambda: driver("over(0)") == "[False]", "it is not back")
    listed = machine.run(*TCPLADDER, "fault", "list")
    assert "not put back yet" in listed.stdout
    assert f"tcpladder {agent} {driver('stuck(0)')[1:-1]}; it tries again every second" in listed.stderr
    assert "cannot extend fault 1" in driver("ask(0, ExtendFault(number=1, for_ms=1000))")
    machine.sh(
        "ip link set va up; ip -6 addr add fd00::1/64 dev va; ip -6 route add 2001:db8::/32 via fd00::2"
    )
    wait_until(lambda: machine.sh(ROUTES) == before, "the route stays away")
    wait_until(lambda: driver("over(0)") == "[True]", "nobody noticed")
    assert driver("ask(0, ListFaults()).faults[0].end.value") == "'lifted'"
    assert cpu_ticks(agent) - busy < 50
    os.kill(agent, signal.SIGKILL)
    wait_until(lambda: machine.instances() == [], "the journal stays")


def cpu_ticks(process: int) -> int:
    words = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return int(words[11]) + int(words[12])


def test_a_private_network_needs_no_journal_and_everything_ends_in_time_there_too(
    machine: Machine, driver: Driver
) -> None:
    driver("begin(PrivateNetwork())")
    driver.breaks(0, "blackhole", None, 300, destination_port=80)
    driver.breaks(0, "blackhole", None, destination_port=81)
    set_to = "ask(0, SetSysctl(name='net.ipv4.tcp_fin_timeout', value={}))"
    assert driver(set_to.format(5)) == "SysctlSet(value='5', before='60')"
    assert driver(set_to.format(6)) == "SysctlSet(value='6', before='60')"
    assert driver(set_to.format(None)) == "SysctlSet(value='60', before='60')"
    wait_until(lambda: driver("over(0)") == "[True, False]", "its time is not up")
    assert "ended_ns=None" not in driver("ask(0, LiftFault(number=2))")
    driver.breaks(0, "blackhole", None, destination_port=81)
    assert machine.instances() == []


def test_nothing_of_it_is_there_before_the_first_fault(machine: Machine, driver: Driver) -> None:
    driver("begin()")
    assert driver("ask(0, ListFaults())") == "Faults(faults=[])"
    assert machine.instances() == []
