"""A filter says yes and no to flows, and names the word that makes no sense."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tcpladder.analysis.flow_filter import FIELDS, FilterError, completions, parse
from tcpladder.analysis.view import Endpoint, FlowSummary, Process

S = 10**9
SSH = FlowSummary(
    number=3,
    client=Endpoint("10.1.2.3", 50022),
    server=Endpoint("192.0.2.9", 22),
    state="estab",
    states=("ESTAB", "CLOSE-WAIT"),
    segments=1500,
    bytes=2_000_000,
    first_ns=10 * S,
    last_ns=100 * S,
    keepalive_probes=2,
    retransmissions=0,
    ended=None,
    why="open",
    owners=(Process("curl", 4284),),
)
DEAD = replace(
    SSH, number=4, owners=(), state="closed", states=("CLOSED", "CLOSED"), ended="no answer", began="middle"
)
V6 = replace(SSH, owners=(), client=Endpoint("2001:db8::a1", 39218), server=Endpoint("2001:db8::9", 6699))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("", {SSH, DEAD, V6}),
        ("state:established", {SSH, V6}),
        ("state:ESTAB", {SSH, V6}),
        ("state:close-wait", {SSH, V6}),
        ("state:estab,closed", {SSH, DEAD, V6}),
        ("port:22", {SSH, DEAD}),
        ("port:6000-7000", {V6}),
        ("sport:22", {SSH, DEAD}),
        ("cport:22", set()),
        ("cport:50022,39218", {SSH, DEAD, V6}),
        ("addr:10.0.0.0/8", {SSH, DEAD}),
        ("server:10.0.0.0/8", set()),
        ("client:2001:db8::/32", {V6}),
        ("client:[2001:db8::a1]", {V6}),
        ("2001:db8", {V6}),
        ("[2001:db8::9]:6699", {V6}),
        (":22", {SSH, DEAD}),
        ("192.0.2", {SSH, DEAD}),
        ("ended:timeout", {DEAD}),
        ("ended:no-answer", {DEAD}),
        ("ended:rst,No-Answer", {DEAD}),
        ("ended:open", {SSH, V6}),
        ("ended:reset", set()),
        ("!ended:timeout", {SSH, V6}),
        ("began:middle", {DEAD}),
        ("probes>1", {SSH, DEAD, V6}),
        ("probes>2", set()),
        ("probes>=2", {SSH, DEAD, V6}),
        ("rtx=0", {SSH, DEAD, V6}),
        ("rtx:0", {SSH, DEAD, V6}),
        ("segments<1.5k", set()),
        ("segments<=1.5k", {SSH, DEAD, V6}),
        ("bytes>1M", {SSH, DEAD, V6}),
        ("duration>89s", {SSH, DEAD, V6}),
        ("duration>1.5m", set()),
        ("flow:4", {DEAD}),
        ("port:22 state:estab !addr:192.0.2.1", {SSH}),
        ("no answer", {DEAD}),
        ("process:curl", {SSH}),
        ("process:nc,cur", {SSH}),
        ("!process:curl", {DEAD, V6}),
        ("pid:4284", {SSH}),
        ("pid:42", set()),
        ("curl", {SSH}),
    ],
)
def test_a_filter_passes_what_it_says(words: str, expected: set[FlowSummary]) -> None:
    wanted = parse(words)
    assert {flow for flow in (SSH, DEAD, V6) if wanted.passes(flow)} == expected


@pytest.mark.parametrize(
    ("words", "word", "reason"),
    [
        ("port:22 stat:estab", "stat:estab", "did you mean state?"),
        ("state:establ", "state:establ", "did you mean estab"),
        ("ended:foo", "ended:foo", "have no-answer, rst, refused, closed, open, icmp"),
        ("port:http", "port:http", "a port is a number"),
        ("port:70000", "port:70000", "up to 65535"),
        ("addr:10.0.0.0/40", "addr:10.0.0.0/40", "10.0.0.0/8"),
        ("probes>many", "probes>many", "no number"),
        ("duration>3x", "duration>3x", "units are ms, s, m, h, d"),
        ("port>22", "port>22", "write port:22"),
        ("state:", "state:", "needs a value"),
        ("port:22 !", "!", "in front of a term"),
        ("pid:curl", "pid:curl", "a pid is a number"),
        ("xyzzy:1", "xyzzy:1", "have segments, bytes"),
    ],
)
def test_an_error_points_at_the_word(words: str, word: str, reason: str) -> None:
    with pytest.raises(FilterError, match="cannot filter by") as caught:
        parse(words)
    assert words[caught.value.start : caught.value.stop] == word
    assert reason in str(caught.value)


def test_the_last_word_can_be_completed() -> None:
    assert completions("st") == ["state:"]
    assert completions("port:22 prob") == ["port:22 probes>"]
    assert completions("pro") == ["probes>", "process:"]
    assert completions("ended:re") == ["ended:refused", "ended:reset"]
    assert completions("!state:estab,time") == ["!state:estab,time-wait"]
    assert completions("port:22 ") == []
    assert completions("") == []
    assert completions("ended:timeout") == []
    assert completions("ended:") == [
        f"ended:{word}" for word in ("no-answer", "rst", "refused", "closed", "open", "icmp")
    ]


def test_every_completion_of_a_field_is_a_field_that_is_known() -> None:
    for field in FIELDS:
        assert any(text.startswith(field) for text in completions(field[:2]))


def test_a_name_of_a_listing_is_in_no_network() -> None:
    named = replace(SSH, client=Endpoint("paxlicht", 1023))
    assert not parse("client:0.0.0.0/0").passes(named)
    assert parse("paxlicht").passes(named)
