"""What is taken away comes back exactly: routes of every make, links with all that goes with them, sysctls."""

from __future__ import annotations

import json
import subprocess
import time

import pytest

from real.wires import ip
from real.wires import own_network as own_network
from tcpladder.agent import apply
from tcpladder.agent.changes import Change, DeviceMade, LinkDown, PolicyRule, RouteWithdrawn, SysctlChange
from tcpladder.agent.ledger import Ledger
from tcpladder.errors import UsageError

pytestmark = pytest.mark.real("ip")

SETUP = """
link add va type veth peer name vb
addr add 10.9.0.1/24 dev va
addr add 10.9.0.9/24 dev va
addr add fd00::1/64 dev va
addr add fd00::5/64 dev va
addr add fd01::5/64 dev va noprefixroute
link set va up
neigh add 10.9.0.2 lladdr 02:00:00:00:00:01 dev va
neigh add fd00::2 lladdr 02:00:00:00:00:01 dev va
route add default via 10.9.0.2 src 10.9.0.9 proto dhcp
route add 198.51.100.0/24 via 10.9.0.2 metric 77 mtu 1400 advmss 1300 initcwnd 20
route add 198.51.100.0/24 via 10.9.0.3 metric 99
route append 198.51.100.0/24 via 10.9.0.4 metric 77
route add 203.0.113.0/24 nexthop via 10.9.0.3 weight 2 nexthop via 10.9.0.4
route add 10.77.0.0/16 dev va proto kernel scope link metric 100
route add 100.65.0.0/16 via 172.16.0.1 dev va onlink
route add 192.0.2.0/24 via 10.9.0.2 table 77
rule add to 192.0.2.0/24 lookup 77 priority 500
nexthop add id 5 via 10.9.0.7 dev va
route add 100.64.0.0/16 nhid 5
-6 route add default via fe80::1 dev va metric 5 expires 9000 proto ra
-6 route add 2001:db8::/32 nexthop via fd00::3 nexthop via fd00::4
-6 route add fdee::/64 via fe80::2 dev va
-6 route del fe80::/64 dev va
"""
DESTINATIONS = (
    "198.51.100.7", "203.0.113.5", "192.0.2.1", "1.1.1.1", "100.64.1.1", "100.65.1.1", "10.77.1.1", "10.9.0.50",
    "2001:db8::9", "2a00::1", "fd00::44", "fdee::4",
)  # fmt: skip
"""One for each route."""
ASKED = ("-4 route show table all", "-6 route show table all", "-4 rule", "-6 rule", "addr", "nexthop",
         "neigh show nud permanent")  # fmt: skip
CHANGES: tuple[Change, ...] = (
    *(RouteWithdrawn(destination=destination) for destination in DESTINATIONS),
    LinkDown(name="va"),
    PolicyRule(family=2, destination="10.9.0.2", destination_port=80, source="10.9.0.1", source_port=7),
    PolicyRule(family=10, destination_port=80),
    SysctlChange(name="net.ipv4.tcp_keepalive_time", value="33"),
    DeviceMade(name="sink0", peer="sink1"),
)


@pytest.fixture
def network(own_network: None) -> None:
    """With one interface and a route of each make."""
    build("0")


def build(accept_dad: str) -> None:
    write("net/ipv6/conf/default/accept_dad", accept_dad)
    for words in SETUP.strip().splitlines():
        ip(words)
        if words.startswith("link add"):
            # Two interfaces up have link-local routes in no particular order.
            write("net/ipv6/conf/vb/disable_ipv6", "1")
            ip("link set vb up")
    deadline = time.monotonic() + 5
    while "tentative" in read("addr"):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def write(sysctl: str, value: str) -> None:
    with open(f"/proc/sys/{sysctl}", "w") as file:
        file.write(value)


def read(words: str) -> str:
    return subprocess.run(["ip", "-j", *words.split()], capture_output=True, text=True, check=True).stdout


def picture() -> list[object]:
    """Everything but how long a lifetime still is."""
    found: list[object] = [json.loads(read(words)) for words in ASKED]
    for row in found[1]:  # type: ignore[attr-defined]
        if "expires" in row:
            assert 8900 < row["expires"] <= 9000
            row["expires"] = 9000
    with open("/proc/sys/net/ipv4/tcp_keepalive_time") as file:
        return [*found, file.read()]


def test_each_change_is_seen_and_then_taken_back_exactly(network: None) -> None:
    before = picture()
    ledger = Ledger()
    for change in CHANGES:
        number, made = ledger.make(change)
        assert picture() != before, made
        ledger.undo(number)
        assert picture() == before, made
        ledger.undo(number)


def test_a_link_comes_back_when_its_addresses_have_been_looked_for_on_the_network(own_network: None) -> None:
    """Duplicate address detection takes a second or two, and the kernel makes some routes only then."""
    build("1")
    before = picture()
    ledger = Ledger()
    number, _ = ledger.make(LinkDown(name="va"))
    assert picture() != before
    ledger.undo(number)
    assert picture() == before


def test_all_of_them_at_once_are_taken_back_in_one_go(network: None) -> None:
    before = picture()
    ledger = Ledger()
    for change in CHANGES:
        if not isinstance(change, LinkDown):
            ledger.make(change)
    assert ledger.put_back()
    assert picture() == before


def test_an_undo_that_never_had_a_change_does_nothing(network: None) -> None:
    """Whoever was killed between the journal and the change."""
    before = picture()
    for change in CHANGES:
        apply.undo(apply.prepare(change))
        assert picture() == before, change


def test_a_route_through_a_link_that_is_down_is_put_back_when_it_is_up(network: None) -> None:
    ledger = Ledger()
    number, _ = ledger.make(RouteWithdrawn(destination="198.51.100.7"))
    ip("link set va down")
    with pytest.raises(OSError, match="Nexthop has invalid gateway"):
        ledger.undo(number)
    assert ledger.entries
    ip("link set va up")
    wait_s = ledger.wait_s()
    assert wait_s is not None
    time.sleep(wait_s)
    ledger.undo_due()
    assert not ledger.entries
    assert any(row.get("metric") == 77 for row in json.loads(read("-4 route show table all")))


def test_what_is_undone_by_somebody_else_stays_as_they_left_it(network: None) -> None:
    ledger = Ledger()
    number, _ = ledger.make(SysctlChange(name="net.ipv4.tcp_keepalive_time", value="33"))
    subprocess.run(["sysctl", "-qw", "net.ipv4.tcp_keepalive_time=44"], check=True)
    ledger.undo(number)
    assert (
        subprocess.run(["sysctl", "-n", "net.ipv4.tcp_keepalive_time"], capture_output=True).stdout == b"44\n"
    )


@pytest.mark.parametrize("destination", ["127.0.0.1", "127.3.2.1", "10.9.0.1", "::1", "fd00::1"])
def test_addresses_of_this_host_are_refused_with_the_reason(network: None, destination: str) -> None:
    with pytest.raises(
        UsageError, match=f"{destination} is an address of this host: routes and rules have no say"
    ):
        Ledger().make(RouteWithdrawn(destination=destination))


def test_what_cannot_come_back_as_it_is_is_refused(network: None) -> None:
    ledger = Ledger()
    for name, why in (("lo", "lo is loopback"), ("nope", "there is no interface nope")):
        with pytest.raises(UsageError, match=why):
            ledger.make(LinkDown(name=name))
    if not subprocess.run(
        ["ip", "link", "add", "link", "va", "name", "va.5", "type", "vlan", "id", "5"], capture_output=True
    ).returncode:
        with pytest.raises(UsageError, match=r"va\.5 stands on va"):
            ledger.make(LinkDown(name="va"))
    ip("link set vb down")
    with pytest.raises(UsageError, match="vb is down already"):
        ledger.make(LinkDown(name="vb"))
    with pytest.raises(UsageError, match=r"cannot set net\.ipv4\.ip_forward"):
        ledger.make(SysctlChange(name="net.ipv4.ip_forward", value="1"))
    ip("route add unreachable 192.168.66.0/24")
    with pytest.raises(UsageError, match=r"no route to 192\.168\.66\.1"):
        ledger.make(RouteWithdrawn(destination="192.168.66.1"))
    ip("rule add priority 1 lookup 77")
    with pytest.raises(UsageError, match="rule 1 of `ip rule` stands first"):
        ledger.make(PolicyRule(family=2, destination="10.9.0.2"))
    assert not ledger.entries


def test_changes_that_would_leave_something_behind_exclude_each_other(network: None) -> None:
    ledger = Ledger()
    ledger.make(RouteWithdrawn(destination="198.51.100.7"))
    with pytest.raises(UsageError, match=r"the route .* is away: lift that first"):
        ledger.make(LinkDown(name="va"))
    ledger.put_back()
    ledger.make(LinkDown(name="va"))
    with pytest.raises(UsageError, match="no route to"):
        ledger.make(RouteWithdrawn(destination="198.51.100.7"))
    assert ledger.put_back()
