"""Addresses give way to those of documentation, the same each time, and nothing else in a sentence changes."""

from __future__ import annotations

import ipaddress

import pytest

from tcpladder.analysis.view import Endpoint
from tcpladder.ladder.privacy import Mask


def test_one_address_has_one_stand_in_and_two_have_two() -> None:
    mask = Mask()
    first = mask.endpoint(Endpoint("10.0.0.7", 51022))
    assert first == Endpoint("192.0.2.1", 51022)
    assert mask.endpoint(Endpoint("10.0.0.9", 443)) == Endpoint("192.0.2.2", 443)
    assert mask.endpoint(Endpoint("10.0.0.7", 1)).address == first.address
    assert mask.endpoint(Endpoint("fe80::1", 9)) == Endpoint("2001:db8::1", 9)
    assert mask.endpoint(Endpoint("db.example.com", 9)) == Endpoint("host-1", 9)


def test_ports_are_masked_where_that_is_asked() -> None:
    mask = Mask(ports=True)
    assert mask.endpoint(Endpoint("10.0.0.7", 51022)).port == 1
    assert mask.endpoint(Endpoint("10.0.0.9", 443)).port == 2
    assert mask.endpoint(Endpoint("10.0.0.8", 443)).port == 2


def test_thousands_of_hosts_keep_stand_ins_of_their_own() -> None:
    mask = Mask()
    real = [str(ipaddress.IPv4Address(0x0A000000 + number)) for number in range(3000)]
    masked = {mask.address(address) for address in real}
    assert len(masked) == 3000
    reserved = [ipaddress.ip_network(text) for text in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")]
    reserved.append(ipaddress.ip_network("198.18.0.0/15"))
    assert all(any(ipaddress.ip_address(one) in net for net in reserved) for one in masked)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("DROP 10.0.0.7:51022 → 10.0.0.9:443, rule 1", "DROP 192.0.2.1:51022 → 192.0.2.2:443, rule 1"),
        ("iptables -s 10.0.0.7 --sport 22345 -j DROP", "iptables -s 192.0.2.1 --sport 22345 -j DROP"),
        ("[fe80::1]:80 and fe80::1, ::1", "[2001:db8::1]:80 and 2001:db8::1, 2001:db8::2"),
        ("at 17:16:22.217 on lo, 3 × 75 s: 1:2", "at 17:16:22.217 on lo, 3 × 75 s: 1:2"),
        ("version 1.2.3, 300.1.1.1, a::b::c", "version 1.2.3, 300.1.1.1, a::b::c"),
        ("dump-10.0.0.7.pcap", "dump-192.0.2.1.pcap"),
        ("from 02:42:ac:11:00:02", "from 00:00:5e:00:53:00"),
    ],
)
def test_sentences_lose_addresses_and_nothing_else(said: str, shown: str) -> None:
    assert Mask().text(said) == shown


def test_sentences_lose_ports_where_that_is_asked() -> None:
    assert Mask(ports=True).text("tcp port 12345 and host 10.0.0.7") == "tcp port 1 and host 192.0.2.1"
    assert (
        Mask(ports=True).text("10.0.0.7:12345, --dport 12345, --dport 80")
        == "192.0.2.1:1, --dport 1, --dport 2"
    )


def test_sentences_lose_names_that_are_known() -> None:
    mask = Mask()
    mask.endpoint(Endpoint("db", 5432))
    assert mask.text("the server db, not a debug word") == "the server host-1, not a debug word"
