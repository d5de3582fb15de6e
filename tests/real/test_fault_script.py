"""The script that is shown does what the agent does: the real nft reads it, and lists the same rules."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, product
from typing import Any

import pytest

from real.breaking import fault, faults_on, links, rules
from real.hosts import CLIENT, SERVER, Host, Row, row_of_hosts
from tcpladder.agent.fault_messages import FaultPlan
from tcpladder.faults.fault import Action, Fault, Match, Segments

pytestmark = pytest.mark.real("ip", "nft")


@pytest.fixture(scope="module")
def row() -> Iterator[Row]:
    with row_of_hosts() as made:
        yield made


def listed() -> list[str]:
    """What nft lists, without what belongs to an agent only: names, owner, log, what is left of the time."""
    text = re.sub(r"tcpladder-\d+ \{.*\n\tflags owner\n\n", "by-hand {\n", rules())
    text = re.sub(r" ?log prefix \"tcpladder 1\" group \d+ queue-threshold 1", "", text)
    text = re.sub(rf"tl{os.getpid()}a", "sink0", text)
    return [line.strip() for line in re.sub(r" expires \w+", "", text).splitlines()]


def run(script: str) -> None:
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


V4 = Match(source=CLIENT[4], source_port=5000, destination=SERVER[4], destination_port=80)
V6 = Match(source=CLIENT[6], source_port=5000, destination=SERVER[6], destination_port=80)
PORT = Match(destination_port=80)
AMOUNTS = {Action.LOSE: 10, Action.DROP_NEXT: 7}


def broken(match: Match, **more: Any) -> Fault:
    sequences = [7, 2**32 - 1] if more.get("segments") is Segments.KEEPALIVE_PROBE else []
    made = fault(match, both=True, amount=AMOUNTS.get(more.get("action", Action.DROP), 0), **more)
    return replace(made, probe_sequences=sequences, for_ms=61_500)


FAULTS = [
    *(broken(match, segments=segments) for match, segments in product((V4, V6), Segments)),
    *(
        broken(match, action=action)
        for match, action in product((V4, V6, PORT), (*AMOUNTS, Action.REJECT_RST, Action.REJECT_ICMP))
    ),
    *(broken(PORT, segments=segments) for segments in (Segments.SYN, Segments.DATA)),
    replace(broken(V4), for_ms=None),
    replace(broken(V4), for_ms=5_000),
]


@pytest.mark.parametrize("where", ["client", "router"])
@pytest.mark.parametrize("wanted", FAULTS, ids=lambda one: f"{one.segments}-{one.action}")
def test_nft_makes_of_the_script_what_the_agent_installs(row: Row, where: str, wanted: Fault) -> None:
    with faults_on(getattr(row, where)) as book:
        before = links()
        plan = book.plan(wanted)
        book.apply(wanted)
        installed = listed()
        book.lift(1)
        assert (rules(), links()) == ("", before)
        run(plan.script)
        assert listed() == installed
        assert len(installed) > 8
        run(plan.undo)
        assert (rules(), links()) == ("", before)


def test_planning_changes_nothing(row: Row) -> None:
    with faults_on(row.client) as book:
        before = links()
        assert book.plan(broken(V4)).script
        assert (rules(), links()) == ("", before)
        assert book.list().faults == []


def commands(plan: FaultPlan) -> list[str]:
    lines = chain(plan.script.splitlines(), plan.undo.splitlines())
    return [line[2:] for line in lines if re.match(r"# ip6?tables ", line) and "…" not in line]


def filters() -> str:
    return "".join(
        subprocess.run([program, "-S"], capture_output=True, text=True, check=True).stdout
        for program in ("iptables", "ip6tables")
    )


@pytest.mark.real("iptables")
@pytest.mark.parametrize(
    ("wanted", "rule"),
    [
        (
            replace(broken(V4), both=False),
            "-A INPUT -s 10.9.1.1/32 -d 10.9.2.1/32 -p tcp -m tcp --sport 5000 --dport 80 -j DROP",
        ),
        (
            broken(PORT, segments=Segments.SYN, action=Action.REJECT_RST),
            "-A OUTPUT -p tcp -m tcp --dport 80 --tcp-flags SYN SYN -j REJECT --reject-with tcp-reset",
        ),
        (
            replace(broken(V6, segments=Segments.FIN_RST, action=Action.REJECT_ICMP), both=False),
            "--tcp-flags FIN,RST RST -j REJECT --reject-with icmp6-port-unreachable",
        ),
        (
            replace(broken(V6, action=Action.LOSE), both=False),
            "-m statistic --mode random --probability 0.1",
        ),
    ],
    ids=["drop", "syn", "fin-rst", "lose"],
)
def test_the_iptables_commands_are_accepted_and_taken_back(row: Row, wanted: Fault, rule: str) -> None:
    host: Host = row.server
    with faults_on(host) as book:
        lines = commands(book.plan(wanted))
        assert lines
        empty = filters()
        put, back = lines[: len(lines) // 2], lines[len(lines) // 2 :]
        run("\n".join(put))
        assert rule in filters()
        run("\n".join(back))
        assert filters() == empty
        run("nft flush ruleset")
