"""The script for a person, the commands of iptables, and the sentences beside them. The real nft is in tests/real."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tcpladder.faults import iptables
from tcpladder.faults.fault import Action, Fault, Match, Place, Segments
from tcpladder.faults.machine import Machine
from tcpladder.faults.places import Direction, directions
from tcpladder.faults.script import script, undo
from tcpladder.faults.why import why
from tcpladder.faults.words import duration

HERE, THERE = "10.0.0.1", "10.0.0.2"
MACHINE = Machine(
    local=frozenset({HERE, "127.0.0.1"}),
    ways={THERE: ("eth0",)},
    devices=("eth0",),
)
ARTICLE = Fault(match=Match(destination="127.0.0.1", destination_port=12345), probe_sequences=[])
LEAVING = Fault(match=Match(source=HERE, destination=THERE, destination_port=80), probe_sequences=[])


def ways(fault: Fault) -> tuple[Direction, ...]:
    return directions(fault, MACHINE)


def test_the_rule_of_the_article() -> None:
    assert (
        script(ARTICLE, ways(ARTICLE))
        == """\
#!/bin/sh -e
# with iptables, which has no end to its time:
# iptables -A INPUT -p tcp -d 127.0.0.1 --dport 12345 -j DROP
nft -f - <<'END'
table inet by-hand {
  set alive-1 { type inet_proto; flags timeout; elements = { tcp timeout 60s }; }
  chain eaten-1 {
    counter drop
  }
  chain input-1 {
    type filter hook input priority raw; policy accept;
    meta l4proto tcp meta l4proto @alive-1 meta nfproto ipv4 ip daddr 127.0.0.1 tcp dport 12345 goto eaten-1
  }
}
END
"""
    )
    assert (
        undo(ARTICLE, ways(ARTICLE))
        == """\
#!/bin/sh
nft delete table inet by-hand
# iptables -D INPUT -p tcp -d 127.0.0.1 --dport 12345 -j DROP
"""
    )


def test_what_leaves_goes_into_a_device_that_is_taken_back_after_the_rules() -> None:
    written, back = script(LEAVING, ways(LEAVING)), undo(LEAVING, ways(LEAVING))
    assert 'hook egress devices = { "eth0" } priority filter' in written
    assert written.index("ip link add sink0") < written.index("nft -f") < written.index('fwd to "sink0"')
    assert back.index("nft delete table netdev by-hand") < back.index("ip link delete sink0")
    assert "table inet" not in written + back
    assert "# iptables -A OUTPUT … -j DROP is not the same" in written


def commands(fault: Fault) -> list[str]:
    return iptables.commands(fault, ways(fault))


def test_each_segment_and_action_that_iptables_knows() -> None:
    port = replace(ARTICLE, match=Match(source_port=6699))
    arriving = (Direction(match=port.match, places=(Place.INPUT,), devices=()),)
    assert iptables.commands(port, arriving) == [
        "iptables -A INPUT -p tcp --sport 6699 -j DROP",
        "ip6tables -A INPUT -p tcp --sport 6699 -j DROP",
    ]
    assert commands(replace(ARTICLE, segments=Segments.FIN_RST, action=Action.REJECT_RST)) == [
        "iptables -A INPUT -p tcp -d 127.0.0.1 --dport 12345 --tcp-flags FIN FIN -j REJECT --reject-with tcp-reset",
        "iptables -A INPUT -p tcp -d 127.0.0.1 --dport 12345 --tcp-flags FIN,RST RST -j REJECT --reject-with tcp-reset",
    ]
    assert commands(replace(ARTICLE, action=Action.LOSE, amount=5)) == [
        "iptables -A INPUT -p tcp -d 127.0.0.1 --dport 12345 -m statistic --mode random --probability 0.05 -j DROP"
    ]
    assert commands(replace(LEAVING, action=Action.REJECT_ICMP)) == [
        "iptables -A OUTPUT -p tcp -s 10.0.0.1 -d 10.0.0.2 --dport 80 -j REJECT"
    ]
    v6 = Match(source="::1", source_port=7, destination="::1", destination_port=8)
    assert iptables.commands(replace(ARTICLE, match=v6), directions(replace(ARTICLE, match=v6), MACHINE)) == [
        "ip6tables -A INPUT -p tcp -s ::1 --sport 7 -d ::1 --dport 8 -j DROP"
    ]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (replace(ARTICLE, segments=Segments.DATA), "iptables knows no payload length"),
        (replace(ARTICLE, segments=Segments.PURE_ACK), "iptables knows no payload length"),
        (replace(ARTICLE, action=Action.DROP_NEXT, amount=3), "iptables does not count to n"),
        (LEAVING, "this host's TCP is told and counts nothing as sent"),
    ],
)
def test_where_iptables_has_nothing_like_it_the_script_says_why(fault: Fault, reason: str) -> None:
    assert commands(fault) == []
    assert reason in script(fault, ways(fault)).splitlines()[1]


def test_what_arrives_has_a_command_even_where_what_leaves_has_none() -> None:
    port = replace(ARTICLE, match=Match(destination_port=12345))
    assert ways(port)[0].places == (Place.INPUT, Place.SINK)
    assert script(port, ways(port)).splitlines()[1:5] == [
        "# with iptables, which has no end to its time:",
        "# iptables -A INPUT -p tcp --dport 12345 -j DROP",
        "# ip6tables -A INPUT -p tcp --dport 12345 -j DROP",
        "# iptables -A OUTPUT … -j DROP is not the same: this host's TCP is told and counts nothing as sent",
    ]


def test_the_time_is_written_as_nft_reads_it() -> None:
    assert [duration(each) for each in (1, 1500, 60_000, 86_400_000)] == ["1ms", "1500ms", "60s", "86400s"]
    endless = replace(ARTICLE, for_ms=None)
    assert "elements = { tcp }" in script(endless, ways(endless))


def test_every_length_of_a_tcp_header_is_looked_for() -> None:
    acks = replace(ARTICLE, segments=Segments.PURE_ACK)
    written = script(acks, ways(acks))
    for words, length in ((5, 40), (8, 52), (11, 64), (15, 80)):
        assert f"tcp doff {words} ip length {length} goto eaten-1" in written
    data = replace(LEAVING, match=Match(destination_port=80), segments=Segments.DATA)
    both = script(data, ways(data))
    assert "tcp doff 8 ip6 length != 32 goto eaten-1" in both
    assert "tcp doff 8 ip length != 52 goto eaten-1" in both


def test_each_direction_counts_to_n_and_knows_its_own_probe() -> None:
    match = Match(source="127.0.0.1", source_port=1, destination="127.0.0.1", destination_port=2)
    counted = replace(ARTICLE, match=match, both=True, action=Action.DROP_NEXT, amount=3)
    written = script(counted, ways(counted))
    assert written.count("numgen inc mod 4294967295 < 3 goto eaten-1") == 2
    probes = replace(
        ARTICLE, match=match, both=True, segments=Segments.KEEPALIVE_PROBE, probe_sequences=[7, 9]
    )
    lines = script(probes, ways(probes)).splitlines()
    assert sum("sport 1 tcp dport 2" in line and "sequence 7" in line for line in lines) == 11
    assert sum("sport 2 tcp dport 1" in line and "sequence 9" in line for line in lines) == 11
    assert any("tcp doff 8 ip length < 54" in line for line in lines), "one byte at most"


def test_why_it_is_done_there() -> None:
    assert "the sender's kernel counts it as sent" in why(ARTICLE, ways(ARTICLE), MACHINE)
    assert "Diverted where it leaves" in why(LEAVING, ways(LEAVING), MACHINE)
    old = replace(MACHINE, egress=False)
    assert "Linux 5.16" in why(LEAVING, directions(LEAVING, old), old)
    rejecting = replace(LEAVING, action=Action.REJECT_ICMP)
    said = why(rejecting, ways(rejecting), MACHINE)
    assert "ECONNREFUSED" in said
    assert "Linux 5.16" not in said
