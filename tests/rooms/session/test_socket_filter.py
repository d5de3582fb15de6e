"""Which sockets a filter lets pass, and what it says of words that make no sense."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tcpladder.agent.messages import SocketState
from tcpladder.errors import UsageError
from tcpladder.session.socket_filter import parse_filter

SSH = SocketState(
    local="10.0.0.9",
    local_port=22,
    remote="10.0.0.7",
    remote_port=51022,
    state="ESTAB",
    uid=0,
    inode=7,
    cookie=1,
    timer="keepalive",
    expires_ms=5000,
    retransmits=0,
    receive_queue=0,
    send_queue=0,
    info=None,
)
V6 = replace(SSH, local="2001:db8::9", remote="2001:db8::7", state="TIME-WAIT", timer="timewait")
IDLE = replace(SSH, local_port=80, timer=None)


@pytest.mark.parametrize(
    ("words", "passing"),
    [
        ([], [SSH, V6, IDLE]),
        (["port", "22"], [SSH, V6]),
        (["sport", "51022"], []),
        (["dport", "51022"], [SSH, V6, IDLE]),
        (["addr", "10.0.0.7"], [SSH, IDLE]),
        (["src", "10.0.0.7"], []),
        (["dst", "10.0.0.0/8"], [SSH, IDLE]),
        (["addr", "2001:db8::/32"], [V6]),
        (["state", "established"], [SSH, IDLE]),
        (["state", "time-wait"], [V6]),
        (["timer", "keepalive"], [SSH]),
        (["timer", "none"], [IDLE]),
        (["port", "22", "state", "estab"], [SSH]),
        (["port 22 and timer timewait"], [V6]),
    ],
    ids=lambda value: " ".join(value) if value and isinstance(value[0], str) else None,
)
def test_a_filter_lets_pass(words: list[str], passing: list[SocketState]) -> None:
    wanted = parse_filter(words)
    assert [one for one in (SSH, V6, IDLE) if wanted.passes(one)] == passing


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["prt", "22"], "cannot filter by prt"),
        (["port"], "port: it needs a value"),
        (["port", "22", "state"], "state: it needs a value"),
        (["port", "0"], "port 0: a port is a number"),
        (["port", "http"], "port http: a port is a number"),
        (["port", "65536"], "port 65536"),
        (["addr", "example.org"], "addr example.org: give an address"),
        (["state", "open"], "state open: have established"),
        (["timer", "rto"], "timer rto: have retransmission"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_words_that_make_no_sense_are_named(words: list[str], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        parse_filter(words)
