"""Local sockets in words: when a probe really goes, what is configured and what is not known."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tcpladder.agent.messages import SocketOptions, SocketOwner, SocketState, TcpInfo
from tcpladder.render.running import next_firing_ms, running_words
from tcpladder.render.sockets import LocalSocket, socket_record, sockets_table

INFO = TcpInfo(
    probes=0,
    backoff=0,
    rto_us=204_000,
    ato_us=40_000,
    unacked=0,
    lost=0,
    last_data_sent_ms=900,
    last_data_recv_ms=9_000,
    last_ack_recv_ms=1_000,
    rtt_us=25,
    rttvar_us=12,
    total_retrans=0,
)
STATE = SocketState(
    local="127.0.0.1",
    local_port=22345,
    remote="2001:db8::1",
    remote_port=12345,
    state="ESTAB",
    uid=1000,
    inode=7,
    cookie=1,
    timer="keepalive",
    expires_ms=2_500,
    retransmits=0,
    receive_queue=0,
    send_queue=0,
    info=INFO,
)
OPTIONS = {
    "SO_KEEPALIVE": 1,
    "TCP_KEEPIDLE": 7,
    "TCP_KEEPINTVL": 2,
    "TCP_KEEPCNT": 9,
    "TCP_USER_TIMEOUT": 9500,
}
READ = SocketOptions(
    owner=SocketOwner(pid=42, command="cu\x1brl"), options=OPTIONS, congestion="bbr", refused=""
)
HIDDEN = SocketOptions(owner=None, options={}, congestion="", refused="hidden")
NAMESPACE = {"TCP_KEEPIDLE": 7200, "TCP_KEEPINTVL": 75, "TCP_KEEPCNT": 9}


def one(state: SocketState = STATE, said: SocketOptions = READ) -> LocalSocket:
    return LocalSocket(state=state, said=said, namespace=NAMESPACE)


def test_a_keepalive_timer_that_fires_early_only_waits_for_the_rest() -> None:
    """The peer was heard one second ago, after the timer was armed: 7 s after that, not when it expires."""
    assert next_firing_ms(STATE, 7) == 6_000
    assert next_firing_ms(replace(STATE, expires_ms=6_900), 7) == 6_900


def test_between_unanswered_probes_the_timer_is_taken_at_its_word() -> None:
    assert next_firing_ms(replace(STATE, retransmits=1), 7) == 2_500


def test_without_keepalive_time_or_timer_nothing_is_computed() -> None:
    assert next_firing_ms(STATE, None) == 2_500
    assert next_firing_ms(replace(STATE, timer=None, expires_ms=0), 7) == 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "keepalive probe in 6.0 s"),
        ({"retransmits": 2}, "keepalive probe in 2.5 s (2 unanswered)"),
        ({"timer": "retransmission", "retransmits": 2}, "retransmission 3 in 2.5 s"),
        ({"timer": "persist", "retransmits": 1}, "persist probe in 2.5 s (1 unanswered)"),
        ({"timer": "timewait", "state": "TIME-WAIT", "inode": 0}, "time-wait, gone in 2.5 s"),
        ({"state": "FIN-WAIT-2", "inode": 0}, "fin_timeout, gone in 6.0 s"),
        ({"timer": None}, ""),
        ({"timer": "timewait", "state": "TIME-WAIT", "expires_ms": 7_199_900}, "time-wait, gone in 7199 s"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_running_words(changes: dict[str, object], words: str) -> None:
    assert running_words(replace(STATE, **changes), 7) == words  # type: ignore[arg-type]


def cells(one: LocalSocket) -> dict[str, str]:
    """Heading -> cell."""
    heading, line = sockets_table([one], ascii_only=False)
    starts = [heading.index(name) for name in heading.split()]
    names = heading.split()
    found = {}
    for name, start, end in zip(names, starts, [*starts[1:], None], strict=True):
        found[name] = line[start:end].strip()
    return found


def test_a_socket_that_was_read() -> None:
    said = cells(one())
    assert said["remote"] == "[2001:db8::1]:12345"
    assert said["keepalive"] == "7/2/9"
    assert said["from"] == "socket"
    assert said["running"] == "keepalive probe in 6.0 s"
    assert said["owner"] == "cu?rl 42"


def test_a_hidden_socket_that_probes_has_what_its_namespace_gives() -> None:
    said = cells(one(said=HIDDEN))
    assert (said["keepalive"], said["from"], said["owner"]) == ("7200/75/9", "netns", "uid 1000")
    assert said["running"] == "keepalive timer in 2.5 s"
    assert socket_record(one(said=HIDDEN))["fires_ms"] is None
    assert socket_record(one(replace(STATE, retransmits=1), HIDDEN))["fires_ms"] == 2_500


def test_of_a_hidden_socket_whose_other_timer_runs_nothing_is_claimed() -> None:
    said = cells(one(replace(STATE, timer="retransmission"), HIDDEN))
    assert (said["keepalive"], said["from"]) == ("-", "-")


def test_keepalive_that_is_off_is_off() -> None:
    off = replace(READ, options=OPTIONS | {"SO_KEEPALIVE": 0})
    assert cells(one(replace(STATE, timer=None), off))["keepalive"] == "off"


def test_a_record_has_null_for_what_is_not_known() -> None:
    record = json.loads(json.dumps(socket_record(one(replace(STATE, timer=None, info=None), HIDDEN))))
    unknown = {name for name, value in record.items() if value is None}
    assert unknown == {
        *("pid", "process", "timer", "expires_ms", "fires_ms", "keepalive", "keepalive_time_s", "tcp_info"),
        *("keepalive_intvl_s", "keepalive_probes", "user_timeout_ms", "origin", "options", "congestion"),
    }
    assert record["refused"] == "hidden"


def test_a_record_says_both_when_the_timer_expires_and_when_it_sends() -> None:
    record = socket_record(one())
    assert (record["expires_ms"], record["fires_ms"]) == (2_500, 6_000)
    assert (record["keepalive"], record["keepalive_time_s"], record["user_timeout_ms"]) == (True, 7, 9500)
