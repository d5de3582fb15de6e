"""Rounds of a random fault and a random signal, in network namespaces of this process's own; prints JSON at the end.

    guardian_rounds.py SEED ROUNDS app|agent|both

A round starts an agent and an app that breaks things, kills one of them (`both`: the agent and its guardian) at a
random moment, waits until nobody is left, and compares all that can be compared with what was there before.
"""

from __future__ import annotations

import ctypes
import functools
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyroute2  # noqa: F401 - here, as the next, so that they are not imported again in every round

import tcpladder.agent.serve  # noqa: F401
from tcpladder.agent.client import AgentClient
from tcpladder.agent.fault_messages import ApplyFault, ExtendFault, LiftFault, SetSysctl
from tcpladder.agent.messages import Request
from tcpladder.agent.start import HostNetwork, start_agent
from tcpladder.agent.sweep import sweep
from tcpladder.agent.sysctls import SETTABLE
from tcpladder.errors import TcpladderError
from tcpladder.faults.fault import Action, Fault, Match

CLONE_NEWNS, CLONE_NEWNET = 0x20000, 0x40000000
SETUP = """
mount --make-rprivate /
mount -t tmpfs tmpfs /run
sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
ip link set lo up
ip link add va type veth peer name vb
ip link set va addrgenmode eui64
ip addr add 10.9.0.1/24 dev va
ip addr add 10.9.0.9/24 dev va
ip addr add fd00::1/64 dev va
ip addr add fd00::9/64 dev va
ip link set vb up
ip link set va up
ip neigh add 10.9.0.2 lladdr 02:00:00:00:00:02 dev va
ip neigh add fd00::2 lladdr 02:00:00:00:00:02 dev va
ip route add default via 10.9.0.2 src 10.9.0.9 proto dhcp metric 100
ip route add 198.51.100.0/24 via 10.9.0.2 metric 7 mtu 1400 advmss 1300
ip route append 198.51.100.0/24 via 10.9.0.3 metric 7
ip route add 203.0.113.0/24 nexthop via 10.9.0.3 weight 3 nexthop via 10.9.0.4
ip route add 10.77.0.0/16 dev va proto kernel scope link metric 50
ip nexthop add id 5 via 10.9.0.5 dev va
ip route add 100.64.0.0/16 nhid 5
ip route add 192.0.2.0/24 via 10.9.0.2 table 77
ip rule add to 192.0.2.0/24 table 77 priority 500
ip route add unreachable 192.168.66.0/24
ip -6 route add default via fe80::1 dev va metric 5
ip -6 route add 2001:db8::/32 nexthop via fd00::3 nexthop via fd00::4
"""
FAR = ("198.51.100.7", "203.0.113.9", "192.0.2.5", "10.9.0.50", "100.64.1.1", "10.77.1.1", "8.8.8.8", "2001:db8::7",
       "fd00::44", "2a00::1")  # fmt: skip
ASKED = ("-4 route show table all", "-6 route show table all", "-4 rule", "-6 rule", "addr", "nexthop",
         "neigh show nud permanent")  # fmt: skip
ENDINGS = ("TERM", "KILL", "STOP KILL")
DEADLINE_S = 20.0
READY, APPLIED, REFUSED = b"!", b"+", b"-"


def main(seed: int, rounds: int, victim: str) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.unshare(CLONE_NEWNET | CLONE_NEWNS) == 0
    subprocess.run(["sh", "-ec", SETUP], check=True)
    before = settled()
    dice = random.Random(seed)
    applied, wrong = 0, []
    for number in range(rounds):
        done, told = one_round(dice, victim)
        applied += done
        notices = sweep() if victim == "both" else []
        after = picture()
        if after != before or Path("/run/tcpladder").exists():
            wrong.append(
                {"round": number, "told": told, "notices": notices, "differs": difference(before, after)}
            )
            break
    json.dump({"seed": seed, "rounds": number + 1, "applied": applied, "wrong": wrong}, sys.stdout)


def one_round(dice: random.Random, victim: str) -> tuple[int, str]:
    """How many requests had been answered, and what was done, in words."""
    reader, writer = os.pipe()
    requests = [any_request(dice) for _ in range(dice.randint(1, 4))]
    app = os.fork()
    if not app:
        run_app(writer, requests)
    os.close(writer)
    first, _, rest = os.read(reader, 64).partition(READY)
    agent = int(first)
    ending = dice.choice(ENDINGS)
    answers, delay_s, stopped_s = dice.randint(0, len(requests)), dice.random() * 0.06, dice.random() * 0.08
    # Some moments are in the middle of the first request, the others after as many answers.
    while sum(map(rest.count, (APPLIED, REFUSED))) < answers:
        rest += os.read(reader, 64)
    time.sleep(delay_s)
    kill(victim, app, agent, ending, stopped_s)
    if victim != "app":
        wait_until(lambda: not Path(f"/proc/{agent}").exists() or is_zombie(agent))
        send(app, signal.SIGKILL)
    os.waitpid(app, 0)
    wait_until(lambda: others() == set())
    done = rest.count(APPLIED) + sum(
        chunk.count(APPLIED) for chunk in iter(functools.partial(os.read, reader, 64), b"")
    )
    os.close(reader)
    when = f"{delay_s * 1e3:.0f} ms after {answers} answers, stopped {stopped_s * 1e3:.0f} ms"
    return done, f"{victim} {ending} {when}: {requests}"


def run_app(writer: int, requests: list[Request]) -> None:
    """The app: asks for everything, then waits for its end."""
    try:
        channel, agent = start_agent(HostNetwork())
        os.write(writer, b"%d%s" % (agent, READY))
        client = AgentClient(channel.detach())
        for request in requests:
            try:
                client.request(request)
                os.write(writer, APPLIED)
            except TcpladderError:
                os.write(writer, REFUSED)
        signal.pause()
    finally:
        os._exit(0)


def any_request(dice: random.Random) -> Request:
    """Mostly something that the kernel does not take back by itself."""
    match dice.randrange(12):
        case 0:
            return SetSysctl(name=dice.choice(SETTABLE[:6]), value=dice.randint(1, 9))
        case 1:
            return LiftFault(number=dice.randint(1, 3))
        case 2:
            return ExtendFault(number=dice.randint(1, 3), for_ms=dice.choice((10, None)))
    action = dice.choice((Action.WITHDRAW, Action.WITHDRAW, Action.LINK_DOWN, Action.BLACKHOLE, Action.DROP))
    near = {"source": "127.0.0.1", "destination": "127.0.0.1"}
    here = action is Action.DROP and dice.random() < 0.5
    return ApplyFault(
        fault=Fault(
            match=Match(
                **near if here else {"destination": dice.choice(FAR)}, destination_port=dice.choice((0, 80))
            ),
            both=dice.random() < 0.3,
            probe_sequences=[],
            action=action,
            for_ms=dice.choice((1, 20, 60, 60_000, None)),
            insist=True,
        )
    )


def kill(victim: str, app: int, agent: int, ending: str, stopped_s: float) -> None:
    if victim == "both":
        # The guardian is whoever is here beside the two; there may be none yet, or a child of its start.
        targets = [agent, *(others() - {app, agent})]
        if ending == "STOP KILL":
            for target in targets:
                send(target, signal.SIGSTOP)
            time.sleep(stopped_s)
        for target in [*targets, *(others() - {app, agent})]:
            send(target, signal.SIGKILL)
        return
    for name in ending.split():
        send(app if victim == "app" else agent, getattr(signal, f"SIG{name}"))
        if name == "STOP":
            time.sleep(stopped_s)


def send(process: int, number: int) -> None:
    try:
        os.kill(process, number)
    except ProcessLookupError:
        return


def others() -> set[int]:
    """Who else is in this network namespace and alive."""
    here, found = Path("/proc/self/ns/net").readlink(), set()
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if (path / "ns/net").readlink() == here:
                found.add(int(path.name))
        except OSError:
            continue
    return found - {os.getpid()}


def is_zombie(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def wait_until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not what():
        assert time.monotonic() < deadline, (
            f"still here: {[Path(f'/proc/{one}/stat').read_text() for one in others()]}"
        )
        time.sleep(0.002)


def picture() -> list[str]:
    """All that is compared: routes, rules, addresses and links, nexthops, neighbours, tables, sysctls."""
    said = [in_order(run("ip", "-j", *words.split())) for words in ASKED]
    sysctls = [Path("/proc/sys", *name.split(".")).read_text() for name in SETTABLE]
    return [*said, run("nft", "list", "ruleset"), *sysctls]


def in_order(said: str) -> str:
    """Routes that every interface has of its own, which are never looked up without naming it, have no order."""
    rows = json.loads(said)
    own = [place for place, row in enumerate(rows) if row.get("dst") in ("fe80::/64", "ff00::/8")]
    for place, row in zip(own, sorted((rows[place] for place in own), key=str), strict=True):
        rows[place] = row
    return json.dumps(rows)


def settled() -> list[str]:
    """The picture once the kernel has done its part of the setup."""
    last: list[str] = []
    deadline = time.monotonic() + DEADLINE_S
    while (now := picture()) != last or "tentative" in now[4]:
        assert time.monotonic() < deadline
        last = now
        time.sleep(0.1)
    return last


def run(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def difference(before: list[str], after: list[str]) -> list[object]:
    found: list[object] = []
    for old, new in zip(before, after, strict=True):
        if old == new:
            continue
        if not old.startswith("["):
            found.append([old, new])
            continue
        olds, news = json.loads(old), json.loads(new)
        gone, came = [one for one in olds if one not in news], [one for one in news if one not in olds]
        found.append(
            {"gone": gone, "came": came} if gone or came else {"was": olds, "is in another order": news}
        )
    return found


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
