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

import pytest

import tcpladder
from real.wires import ip, own_network  # noqa: F401 - a fixture
from tcpladder.agent.drop import DropTable
from tcpladder.agent.messages import DropSegments, LiftDrop
from tcpladder.errors import PermissionRefused

pytestmark = [pytest.mark.real("ip", "nft"), pytest.mark.usefixtures("own_network")]


@pytest.fixture
def table(own_network: None) -> Iterator[DropTable]:  # noqa: F811
    made = DropTable()
    yield made
    made.close()


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
def test_a_rule_drops_what_it_matches_counts_it_and_is_lifted(table: DropTable, address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with (
        socket.create_server((address, 7001), family=family),
        socket.create_server((address, 7002), family=family),
    ):
        dropping = table.drop(DropSegments(destination=address, destination_port=7001))
        assert not connects(address, 7001)
        assert connects(address, 7002)
        lifted = table.lift(LiftDrop(rule=dropping.rule))
        assert lifted.packets == 1
        assert lifted.bytes == (80 if ":" in address else 60), "a SYN with its options"
        assert connects(address, 7001)


def test_a_rule_of_one_flow_leaves_the_others_alone(table: DropTable) -> None:
    with socket.create_server(("127.0.0.1", 7001)):
        wanted = DropSegments(
            destination="127.0.0.1", destination_port=7001, source="127.0.0.1", source_port=7900
        )
        table.drop(wanted)
        assert not connects("127.0.0.1", 7001, source_port=7900)
        assert connects("127.0.0.1", 7001, source_port=7901)


def test_a_rule_for_one_address_family_never_matches_the_other(table: DropTable) -> None:
    """The source address of the IPv6 header has 127.0.0.1 where IPv4 has its destination."""
    address = "fd00::7f00:1:0:1"
    ip(f"addr add {address}/128 dev lo nodad")
    with socket.create_server((address, 7001), family=socket.AF_INET6):
        dropping = table.drop(DropSegments(destination="127.0.0.1", destination_port=7001))
        assert connects(address, 7001)
        assert table.lift(LiftDrop(rule=dropping.rule)).packets == 0


def test_a_rule_ends_in_the_kernel_when_its_time_is_up(table: DropTable) -> None:
    with socket.create_server(("127.0.0.1", 7001)):
        dropping = table.drop(DropSegments(destination="127.0.0.1", destination_port=7001, for_s=0.8))
        assert not connects("127.0.0.1", 7001)
        deadline = time.monotonic() + 5
        while not connects("127.0.0.1", 7001, patience_s=0.1):
            assert time.monotonic() < deadline
        assert table.lift(LiftDrop(rule=dropping.rule)).packets >= 1


def test_several_rules_are_told_apart(table: DropTable) -> None:
    first = table.drop(DropSegments(destination="127.0.0.1", destination_port=7001))
    second = table.drop(DropSegments(destination="127.0.0.1", destination_port=7002))
    assert first.rule != second.rule
    connects("127.0.0.1", 7002)
    assert table.lift(LiftDrop(rule=first.rule)).packets == 0
    assert table.lift(LiftDrop(rule=second.rule)).packets == 1
    third = table.drop(DropSegments(destination="127.0.0.1", destination_port=7001))
    assert third.rule > second.rule, "numbers are not used again"


def test_the_list_that_an_administrator_sees_says_whose_rule_it_is(table: DropTable) -> None:
    table.drop(DropSegments(destination="127.0.0.1", destination_port=7001, for_s=60))
    listed = rules()
    assert f"table inet tcpladder-{os.getpid()}" in listed
    assert "flags owner" in listed
    assert 'dport 7001 counter packets 0 bytes 0 drop comment "tcpladder rule 1"' in listed
    assert subprocess.run(["nft", "delete", "table", "inet", table.name], capture_output=True).returncode != 0


def test_closing_leaves_nothing_and_a_new_drop_starts_again(table: DropTable) -> None:
    wanted = DropSegments(destination="127.0.0.1", destination_port=7001)
    table.drop(wanted)
    table.close()
    assert rules() == ""
    table.drop(wanted)
    assert "7001" in rules()


def test_a_killed_owner_leaves_nothing() -> None:
    script = """
from tcpladder.agent.drop import DropTable
from tcpladder.agent.messages import DropSegments
table = DropTable()
table.drop(DropSegments(destination="127.0.0.1", destination_port=7001))
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
from tcpladder.agent.drop import DropTable
from tcpladder.agent.messages import DropSegments
os.setgroups([]); os.setgid(65534); os.setuid(65534)
try: DropTable().drop(DropSegments(destination="127.0.0.1", destination_port=7001))
except Exception as error: print(json.dumps([type(error).__name__, str(error)]))
"""
    environment = {"PYTHONPATH": str(Path(tcpladder.__file__).parent.parent)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, check=True)
    name, sentence = json.loads(done.stdout)
    assert name == PermissionRefused.__name__
    assert sentence.startswith("cannot set the drop rule: it needs CAP_NET_ADMIN in this network")
