"""What must come next, how it ends, and where numbers collide: conversations read forward."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from talk import SALT, SECOND_NS, Talk, batch, batches
from tcpladder.analysis import names
from tcpladder.analysis.beliefs import TimerValues
from tcpladder.analysis.capture import CaptureAnalysis
from tcpladder.analysis.flow_view import Findings
from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.profiles import LINUX, Profile
from tcpladder.analysis.view import Endpoint, Origin, Pending, Side

Known = Mapping[str, int]


def viewed(
    talk: Talk, client: Known | None = None, server: Known | None = None, profile: Profile = LINUX
) -> Findings:
    """The findings about a talk, with what the sockets of its ends say; the profile is the client's."""
    values = {
        Side.CLIENT: TimerValues(profile=profile).with_values(client or {}, Origin.SOCKET),
        Side.SERVER: TimerValues().with_values(server or {}, Origin.SOCKET),
    }

    def beliefs(_client: Endpoint, _server: Endpoint) -> Mapping[Side, TimerValues]:
        return values

    capture = CaptureAnalysis(SALT, beliefs)
    for piece in batches(talk.frames):
        capture.feed(piece)
    return capture.view(1)


def pending(talk: Talk, client: Known | None = None, after_s: float = 0) -> tuple[Pending, ...]:
    return viewed(talk, client).pending(talk.now_ns + round(after_s * SECOND_NS))


def due(talk: Talk, rungs: tuple[Pending, ...]) -> list[float]:
    """Seconds from the last segment to each rung."""
    return [round((rung.due_ns - talk.now_ns) / SECOND_NS, 3) for rung in rungs]


KEEPALIVE = {
    names.SO_KEEPALIVE: 1,
    names.KEEPALIVE_TIME: 30 * SECOND_NS,
    names.KEEPALIVE_INTVL: 3 * SECOND_NS,
    names.KEEPALIVE_PROBES: 3,
}


def test_keepalive_is_foretold_to_its_end() -> None:
    talk = Talk().handshake().data(10).ack("server")
    rungs = pending(talk, KEEPALIVE)
    assert due(talk, rungs) == [30, 33, 36, 39]
    assert [rung.text for rung in rungs] == [
        "keepalive probe 1/3", "keepalive probe 2/3", "keepalive probe 3/3", "RST; application: ETIMEDOUT",
    ]  # fmt: skip
    assert rungs[-1].kind is Kind.RST
    first, *_ = pending(talk, {names.SO_KEEPALIVE: 1, names.KEEPALIVE_TIME: 30 * SECOND_NS})
    assert first.origin is Origin.SOCKET, "of the wait that runs, not of those behind it"


def test_user_timeout_is_foretold_in_place_of_the_count() -> None:
    talk = Talk().handshake().data(10).ack("server")
    rungs = pending(talk, {**KEEPALIVE, names.KEEPALIVE_PROBES: 9, names.USER_TIMEOUT: 32 * SECOND_NS})
    assert due(talk, rungs) == [30, 33]
    assert rungs[0].text == "keepalive probe 1"


def test_keepalive_waits_while_data_is_unacknowledged() -> None:
    """The RTO runs instead (tcp_keepalive_timer re-arms while packets are out)."""
    rungs = pending(Talk().handshake().data(10, lost=True), KEEPALIVE)
    assert Kind.KEEPALIVE_PROBE not in [rung.kind for rung in rungs]
    assert rungs[-1].text == "RTO gives up in silence: no RST; application: ETIMEDOUT"
    assert rungs[-1].kind is None


def test_the_next_retransmission_doubles_and_the_end_follows_retries2() -> None:
    """tcp_retries2 3 gives up 3.0 s after the first retransmission at the earliest: 0.4 + 0.8 + 1.6 are less."""
    talk = Talk().handshake().data(100).ack("server").data(100, lost=True)
    for wait in (0.2, 0.4, 0.8):
        talk.silence(wait).data(100, seq=101, lost=True)
    rungs = pending(talk, {names.RETRIES2: 3})
    assert due(talk, rungs) == pytest.approx([1.6, 1.6 + 3.2], abs=0.01)
    assert rungs[0].text.startswith("RTO retry 4: ")


def test_a_connect_is_foretold_to_its_end() -> None:
    talk = Talk().syn(lost=True).silence(1).syn(lost=True)
    rungs = pending(talk, {names.SYN_RETRIES: 5, names.SYN_LINEAR_TIMEOUTS: 0})
    assert due(talk, rungs) == pytest.approx([2, 6, 14, 30, 62], abs=0.001)
    assert rungs[-1].text == "gives up; connect() fails with ETIMEDOUT"


def test_a_listener_is_foretold_to_its_end() -> None:
    talk = Talk().syn().syn_ack(lost=True).silence(1).syn_ack(lost=True)
    rungs = pending(talk)
    assert due(talk, rungs) == pytest.approx([2, 6, 14, 30, 62], abs=0.001)
    assert rungs[0].text == "SYN-ACK retry 2/5"
    assert "in silence" in rungs[-1].text


def test_a_closed_window_is_probed_again() -> None:
    talk = Talk().handshake().data().ack("server", window=0).silence(0.22).keepalive().ack("server")
    talk.silence(0.44).keepalive().ack("server")
    rungs = pending(talk, {names.RETRIES2: 3})
    assert {rung.kind for rung in rungs[:-1]} == {Kind.ZERO_WINDOW_PROBE}
    # Three more without an answer are allowed, and no wait doubles more often than three times.
    assert due(talk, rungs) == pytest.approx([0.8, 2.4, 4.0, 5.6], abs=0.01)
    assert rungs[-1].text.startswith("without an answer gives up in silence")


def test_a_window_that_has_just_closed_is_probed_if_there_is_more_to_send() -> None:
    (rung,) = pending(Talk().handshake().data().ack("server", window=0))
    assert rung.text == "zero-window probe 1, if more waits to be sent"
    assert rung.due_ns - rung.armed_ns == pytest.approx(0.2 * SECOND_NS, rel=0.01)


def test_time_wait_is_told_while_time_goes_on() -> None:
    talk = Talk().handshake().fin().ack("server").fin("server").ack()
    assert pending(talk) == ()
    (rung,) = pending(talk, after_s=5)
    assert due(talk, (rung,)) == [60]
    assert rung.kind is None


def test_a_stack_that_sends_no_rst_gives_up_in_silence() -> None:
    talk = Talk().handshake().data(10).ack("server")
    last = viewed(talk, KEEPALIVE, profile=replace(LINUX, resets=False)).pending(talk.now_ns)[-1]
    assert last.kind is None
    assert last.text == "gives up in silence; application: ETIMEDOUT"


def test_a_timer_that_is_long_overdue_is_not_foretold() -> None:
    talk = Talk().handshake().data(10).ack("server")
    assert pending(talk, KEEPALIVE, after_s=59)
    assert pending(talk, KEEPALIVE, after_s=61) == ()


ENDINGS = {
    "keepalive gives up": (
        Talk().handshake().silence(30).keepalive(lost=True).silence(3).keepalive(lost=True).silence(3).rst(),
        ["gave up after 2 probes", "3.0 s after the last", "the client's application gets ETIMEDOUT"],
    ),
    "a connect without an answer": (
        Talk().syn(lost=True).silence(1).syn(lost=True),
        ["2 SYNs without an answer", "ETIMEDOUT", "nothing on the wire marks the end"],
    ),
    "data without an answer": (
        Talk().handshake().data(9).ack("server").data(9, lost=True).silence(0.2).data(9, seq=10, lost=True)
        .silence(0.2).data(9, seq=10, lost=True),
        ["the client", "in silence, no RST", "has got nothing yet"],
    ),
    "a closed socket": (
        Talk().handshake().data(9).ack("server").fin(lost=True).silence(0.2).fin(seq=10, lost=True)
        .silence(0.2).fin(seq=10, lost=True),
        ["no application hears of it"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ENDINGS)
def test_the_end_that_no_segment_shows(name: str) -> None:
    talk, says = ENDINGS[name]
    (sentence,) = viewed(talk).ending(talk.now_ns)
    for words in says:
        assert words in sentence


def test_what_goes_on_has_no_ending() -> None:
    talk = Talk().handshake().data(9).ack("server").silence(30).keepalive().ack("server")
    assert viewed(talk).ending(talk.now_ns) == ()


def test_afterwards_the_connect_has_failed() -> None:
    talk = Talk().syn(lost=True)
    (sentence,) = viewed(talk).ending(talk.now_ns + 200 * SECOND_NS)
    assert "has failed with ETIMEDOUT 131.0 s after" in sentence


def probing() -> Talk:
    return Talk().handshake().data(9).ack("server").silence(30).keepalive().ack("server")


ADVICE = {
    "a middlebox forgets first": (
        probing(),
        {**KEEPALIVE, names.KEEPALIVE_TIME: 600 * SECOND_NS},
        ["keepalive_time 600 s", "AWS", "350 s", "Azure", "240 s", "GCP"],
    ),
    "the interval is not shorter": (
        probing(),
        {**KEEPALIVE, names.KEEPALIVE_INTVL: 40 * SECOND_NS},
        ["keepalive_intvl 40 s", "keepalive_time 30 s", "answered probes come 40 s apart"],
    ),
    "the user timeout decides": (
        probing(),
        {**KEEPALIVE, names.USER_TIMEOUT: 35 * SECOND_NS},
        ["TCP_USER_TIMEOUT 35 s", "keepalive_probes meaningless", "2 probes", "36 s after"],
    ),
    "data masks the probes": (
        Talk().handshake().data(9).ack("server").data(79, lost=True),
        KEEPALIVE,
        ["79 bytes are unacknowledged", "924.6 s", "39 s"],
    ),
    "a firewall eats the answers": (
        probing().silence(30).keepalive().ack("server", lost=True).silence(3).keepalive(),
        KEEPALIVE,
        ["1 answer", "timestamp echo does not advance", "a firewall at the client"],
    ),
}


@pytest.mark.parametrize("name", ADVICE)
def test_advice_where_numbers_collide(name: str) -> None:
    talk, client, says = ADVICE[name]
    (sentence,) = viewed(talk, client).advice()
    for words in says:
        assert words in sentence


def test_what_is_over_waits_for_nothing() -> None:
    """Data of a connection that was reset masks no keepalive any more."""
    assert (
        viewed(Talk().handshake().data(9).ack("server").data(79, lost=True).rst("server"), KEEPALIVE).advice()
        == ()
    )


def test_an_interval_that_probes_contradict_gives_no_advice() -> None:
    """A sysctl of 75 s, and answered probes 3 s apart: the socket has another keepalive_intvl than the sysctl."""
    talk = Talk().handshake()
    for _ in range(4):
        talk.silence(3).keepalive().ack("server")
    values = TimerValues().with_values({names.KEEPALIVE_INTVL: 75 * SECOND_NS}, Origin.NETNS)
    view = analysed_with(talk, values)
    assert view.advice() == ()
    assert due(talk, view.pending(talk.now_ns))[0] == 3


def test_keepalive_off_on_both_ends() -> None:
    off = {names.SO_KEEPALIVE: 0}
    talk = Talk().handshake().data(9).ack("server")
    (sentence,) = viewed(talk, off, off).advice()
    assert "off on both ends" in sentence
    assert viewed(talk, off).advice() == ()


def test_no_advice_about_defaults_that_may_not_hold() -> None:
    assert viewed(probing()).advice() == ()
    assert viewed(probing(), KEEPALIVE).advice() == ()


def test_what_a_flow_shows_of_its_timers() -> None:
    talk = Talk().handshake()
    for _ in range(2):
        talk.silence(7).keepalive().ack("server")
    talk.silence(7).keepalive(lost=True).silence(3).keepalive(lost=True).silence(3).rst()
    (sentence,) = viewed(talk).inferred()
    assert sentence.startswith("client: probes 7.00 s after the last answer, 3.00 s apart when not answered")
    assert "idle 7 s (seen 3 times), interval 3 s (seen 2 times), count 2" in sentence


def test_a_single_long_wait_is_told_with_what_else_would_fit() -> None:
    (sentence,) = viewed(Talk().handshake().silence(55.02).keepalive().ack("server")).inferred()
    assert "idle 55 s (seen once, from 49 s on would fit too)" in sentence


@pytest.mark.parametrize(
    ("waits", "says"),
    [
        ((1, 1, 1, 1, 1, 2, 4), "SYNs at 1 1 1 1 1 2 4: linear timeouts 4"),
        ((1, 2, 4, 8), "SYNs at 1 2 4 8: linear timeouts 0"),
        ((1, 1, 1), "SYNs at 1 1 1: linear timeouts at least 2"),
    ],
)
def test_linear_timeouts_are_read_from_the_syns(waits: tuple[int, ...], says: str) -> None:
    talk = Talk().syn(lost=True)
    for wait in waits:
        talk.silence(wait).syn(lost=True)
    (sentence,) = viewed(talk).inferred()
    assert says in sentence


def analysed_with(talk: Talk, client: TimerValues) -> Findings:
    """The findings about a talk whose client is believed to run with these values."""
    capture = CaptureAnalysis(SALT, lambda _c, _s: {Side.CLIENT: client, Side.SERVER: TimerValues()})
    for piece in batches(talk.frames):
        capture.feed(piece)
    return capture.view(1)


def verdicts(view: Findings) -> list[tuple[float, str, str]]:
    """Expected seconds, verdict and origin of each gap that a timer explains."""
    gaps = [view.gap(index) for index in range(len(view.time_ns)) if view.timer(index)]
    return [(round((g.expected_ns or 0) / SECOND_NS, 2), str(g.verdict), str(g.origin)) for g in gaps if g]


@pytest.mark.parametrize("origin", [Origin.SOCKET, Origin.NETNS])
def test_a_change_that_was_seen_late_is_judged_by_either_value(origin: Origin) -> None:
    """Lowered from 6 s to 2 s a moment before the third probe; somebody looks 3 s later. The flow shows 2 s mostly."""
    talk = Talk().handshake()
    for wait in (6, 6, 2, 2, 2, 2, 2):
        talk.silence(wait).keepalive().ack("server")
    seen_ns = talk.now_ns - 7 * SECOND_NS
    before = TimerValues().with_values({names.KEEPALIVE_TIME: 6 * SECOND_NS}, origin)
    values = before.with_values({names.KEEPALIVE_TIME: 2 * SECOND_NS}, origin, seen_ns)
    expected = [(float(wait), "on time", origin.value) for wait in (6, 6, 2, 2, 2, 2, 2)]
    assert verdicts(analysed_with(talk, values)) == expected


def test_a_sysctl_that_changes_while_a_timer_runs_does_not_shorten_it() -> None:
    """The kernel arms a timer by what held then: 6 s although 2 s hold when it fires."""
    talk = Talk().handshake().silence(6).keepalive().ack("server").silence(3)
    changed_ns = talk.now_ns
    talk.silence(3).keepalive().ack("server").silence(2).keepalive().ack("server")
    before = TimerValues().with_values({names.KEEPALIVE_TIME: 6 * SECOND_NS}, Origin.NETNS)
    values = before.with_values({names.KEEPALIVE_TIME: 2 * SECOND_NS}, Origin.NETNS, changed_ns)
    assert [v[:2] for v in verdicts(analysed_with(talk, values))] == [
        (6, "on time"),
        (6, "on time"),
        (2, "on time"),
    ]


def test_answered_probes_are_the_interval_apart_where_it_is_the_longer_one() -> None:
    """keepalive 4/8/3, as a kernel did: the first after 4 s, then 8 s from probe to probe."""
    talk = Talk().handshake().silence(4).keepalive().ack("server").silence(8).keepalive().ack("server")
    known = {names.SO_KEEPALIVE: 1, names.KEEPALIVE_TIME: 4 * SECOND_NS, names.KEEPALIVE_INTVL: 8 * SECOND_NS}
    view = viewed(talk, known)
    assert [v[:2] for v in verdicts(view)] == [(4, "on time"), (8, "on time")]
    gap = view.gap(len(view.time_ns) - 2)
    assert gap is not None
    assert gap.name == "keepalive_intvl 8 s"
    assert due(talk, view.pending(talk.now_ns))[0] == 8


def test_data_that_an_end_never_got_does_not_refresh_its_keepalive() -> None:
    """The client's firewall eats what the server sends and sends again; the client counts from what it heard."""
    talk = Talk().handshake().data(9).ack("server")
    heard_ns = talk.now_ns
    talk.data(11, by="server", lost=True)
    for wait in (0.2, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4):
        talk.silence(wait).data(11, by="server", seq=1, lost=True)
    (first, *_) = [p for p in pending(talk, KEEPALIVE) if p.side is Side.CLIENT]
    assert first.armed_ns == heard_ns
    talk.silence(30 - (talk.now_ns - heard_ns) / SECOND_NS).keepalive()
    gap = (view := viewed(talk, KEEPALIVE)).gap(len(view.time_ns) - 1)
    assert gap is not None
    assert (gap.since_ns, str(gap.verdict)) == (heard_ns, "on time")


def test_a_prober_that_is_deaf_is_foretold_to_give_up() -> None:
    """Its first probe without an answer came after keepalive_intvl although the capture shows one."""
    talk = (
        probing()
        .silence(30)
        .keepalive()
        .ack("server", lost=True)
        .silence(3)
        .keepalive()
        .ack("server", lost=True)
    )
    rungs = pending(talk, KEEPALIVE)
    assert [rung.text for rung in rungs] == ["keepalive probe 3/3", "RST; application: ETIMEDOUT"]
    assert due(talk, rungs) == pytest.approx([3, 6], abs=0.001)


def test_a_value_that_changes_is_judged_by_what_held() -> None:
    """keepalive_time is lowered between two probes: each is on time by the value of its own time."""
    talk = Talk().handshake().silence(30).keepalive().ack("server")
    changed_ns = talk.now_ns
    talk.silence(10).keepalive().ack("server")
    first = TimerValues().with_values({names.KEEPALIVE_TIME: 30 * SECOND_NS}, Origin.SOCKET)
    values = first.with_values({names.KEEPALIVE_TIME: 10 * SECOND_NS}, Origin.SOCKET, changed_ns)
    capture = CaptureAnalysis(SALT, lambda _c, _s: {Side.CLIENT: values, Side.SERVER: TimerValues()})
    for piece in batches(talk.frames):
        capture.feed(piece)
    view = capture.view(1)
    gaps = [view.gap(index) for index in range(len(view.time_ns)) if view.timer(index)]
    assert [(gap.expected_ns, str(gap.verdict)) for gap in gaps if gap] == [
        (30 * SECOND_NS, "on time"), (10 * SECOND_NS, "on time"),
    ]  # fmt: skip


def test_keepalive_that_is_set_late_counts_from_there() -> None:
    """tcp_set_keepalive arms the timer with the whole keepalive_time, however long the peer has been silent."""
    talk = Talk().handshake().silence(2)
    set_ns = talk.now_ns
    off = {names.SO_KEEPALIVE: 0, names.KEEPALIVE_TIME: 7 * SECOND_NS}
    values = TimerValues().with_values(off, Origin.SOCKET)
    values = values.with_values({names.SO_KEEPALIVE: 1}, Origin.SOCKET, set_ns)
    capture = CaptureAnalysis(SALT, lambda _c, _s: {Side.CLIENT: values, Side.SERVER: TimerValues()})
    capture.feed(batch(talk.frames))
    assert capture.view(1).pending(set_ns)[0].due_ns == set_ns + 7 * SECOND_NS
    capture.feed(batch(talk.silence(7).keepalive(after_ns=0).frames[3:], 4))
    gap = capture.view(1).gap(3)
    assert gap is not None
    assert (gap.expected_ns, str(gap.verdict)) == (gap.observed_ns, "on time")
    assert gap.name == "keepalive_time 7 s from SO_KEEPALIVE on"
