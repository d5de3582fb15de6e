"""Drop rules in a real kernel: what they match, what they count, and that they end by themselves."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import tcpladder
from real.wires import ip, own_network  # noqa: F401 - a fixture
from tcpladder.agent import protocol
from tcpladder.agent.faults import MOST_IN_FORCE, FaultBook
from tcpladder.agent.guarded import Changes
from tcpladder.errors import PermissionRefused, UsageError
from tcpladder.faults.fault import Fault, Match

pytestmark = [pytest.mark.real("ip", "nft"), pytest.mark.usefixtures("own_network")]


@pytest.fixture
def book(own_network: None) -> Iterator[FaultBook]:  # noqa: F811
    made = FaultBook(True, Changes(True))
    yield made
    made.close()


def drop(*, for_ms: int = 60_000, **match: Any) -> Fault:
    return Fault(match=Match(**match), probe_sequences=[], for_ms=for_ms)


def rules() -> str:
    listed = subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True, check=True)
    return listed.stdout


def connects(address: str, port: int, source_port: int = 0, patience_s: float = 0.3) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        client.bind((address, source_port))
        client.settimeout(patience_s)
        try:
            client.connect((address, port))
        except TimeoutError:
            return False
        return True


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_rule_drops_what_it_matches_counts_it_and_is_lifted(book: FaultBook, address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with (
        socket.create_server((address, 7001), family=family),
        socket.create_server((address, 7002), family=family),
    ):
        dropping = book.apply(drop(destination=address, destination_port=7001))
        assert not connects(address, 7001)
        assert connects(address, 7002)
        lifted = book.lift(dropping.number)
        assert lifted.packets == 1
        assert lifted.bytes == (80 if ":" in address else 60), "a SYN with its options"
        assert connects(address, 7001)


def test_a_rule_of_one_flow_leaves_the_others_alone(book: FaultBook) -> None:
    with socket.create_server(("127.0.0.1", 7001)):
        wanted = drop(destination="127.0.0.1", destination_port=7001, source="127.0.0.1", source_port=7900)
        book.apply(wanted)
        assert not connects("127.0.0.1", 7001, source_port=7900)
        assert connects("127.0.0.1", 7001, source_port=7901)


def test_a_rule_for_one_address_family_never_matches_the_other(book: FaultBook) -> None:
    """The source address of the IPv6 header has 127.0.0.1 where IPv4 has its destination."""
    address = "fd00::7f00:1:0:1"
    ip(f"addr add {address}/128 dev lo nodad")
    with socket.create_server((address, 7001), family=socket.AF_INET6):
        dropping = book.apply(drop(destination="127.0.0.1", destination_port=7001))
        assert connects(address, 7001)
        assert book.lift(dropping.number).packets == 0


def test_a_rule_ends_in_the_kernel_when_its_time_is_up(book: FaultBook) -> None:
    with socket.create_server(("127.0.0.1", 7001)):
        book.apply(drop(destination="127.0.0.1", destination_port=7001, for_ms=800))
        assert not connects("127.0.0.1", 7001)
        deadline = time.monotonic() + 5
        while not connects("127.0.0.1", 7001, patience_s=0.1):
            assert time.monotonic() < deadline
        (ended,) = book.list().faults
        assert ended.packets >= 1
        assert ended.left_ms is None
        assert ended.ended_ns == ended.since_ns + 800_000_000
        assert rules() == "", "what has ended is cleared away"


def test_more_faults_than_anybody_watches_are_refused(book: FaultBook) -> None:
    for port in range(1, MOST_IN_FORCE + 1):
        book.apply(drop(destination="127.0.0.1", destination_port=port))
    with pytest.raises(UsageError, match="64 faults are in force; lift one first"):
        book.apply(drop(destination="127.0.0.1", destination_port=9999))
    book.lift(1)
    assert book.apply(drop(destination="127.0.0.1", destination_port=9999)).number == MOST_IN_FORCE + 1
    assert len(book.list().faults) == MOST_IN_FORCE + 1
    assert len(protocol.encode(book.list())) < 100_000, "fits into a datagram"


def test_several_rules_are_told_apart(book: FaultBook) -> None:
    first = book.apply(drop(destination="127.0.0.1", destination_port=7001))
    second = book.apply(drop(destination="127.0.0.1", destination_port=7002))
    assert first.number != second.number
    connects("127.0.0.1", 7002)
    assert book.lift(first.number).packets == 0
    assert book.lift(second.number).packets == 1
    third = book.apply(drop(destination="127.0.0.1", destination_port=7001))
    assert third.number > second.number, "numbers are not used again"


def test_the_list_that_an_administrator_sees_says_whose_rule_it_is(book: FaultBook) -> None:
    book.apply(drop(destination="127.0.0.1", destination_port=7001, for_ms=60000))
    listed = rules()
    assert f"table inet tcpladder-{os.getpid()}" in listed
    assert "flags owner" in listed
    assert "tcp dport 7001 goto eaten-1" in listed
    assert 'log prefix "tcpladder 1"' in listed
    name = f"tcpladder-{os.getpid()}"
    assert subprocess.run(["nft", "delete", "table", "inet", name], capture_output=True).returncode != 0


def test_closing_leaves_nothing_and_a_new_drop_starts_again(book: FaultBook) -> None:
    wanted = drop(destination="127.0.0.1", destination_port=7001)
    book.apply(wanted)
    book.close()
    assert rules() == ""
    book.apply(wanted)
    assert "7001" in rules()


def test_a_killed_owner_leaves_nothing() -> None:
    script = """
from tcpladder.agent.faults import FaultBook
from tcpladder.agent.guarded import Changes
from tcpladder.faults.fault import Fault, Match
book = FaultBook(True, Changes(True))
book.apply(Fault(match=Match(destination="127.0.0.1", destination_port=7001), probe_sequences=[]))
print("dropping", flush=True)
input()
"""
    environment = {"PYTHONPATH": str(Path(tcpladder.__file__).parent.parent)}
    with subprocess.Popen(
        [sys.executable, "-c", script], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"dropping\n"
        assert f"tcpladder-{owner.pid}" in rules()
        owner.kill()
        owner.wait()
        assert rules() == ""


def test_without_privilege_it_says_what_is_missing() -> None:
    script = """
import json, os
from tcpladder.agent.faults import FaultBook
from tcpladder.agent.guarded import Changes
from tcpladder.faults.fault import Fault, Match
os.setgroups([]); os.setgid(65534); os.setuid(65534)
fault = Fault(match=Match(destination="127.0.0.1", destination_port=7001), probe_sequences=[])
try: FaultBook(True, Changes(True)).apply(fault)
except Exception as error: print(json.dumps([type(error).__name__, str(error)]))
"""
    environment = {"PYTHONPATH": str(Path(tcpladder.__file__).parent.parent)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, check=True)
    name, sentence = json.loads(done.stdout)
    assert name == PermissionRefused.__name__
    assert sentence.startswith("cannot break it: it needs CAP_NET_ADMIN in this network")
