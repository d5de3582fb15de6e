"""When kernel timers fire and when they give up, as pure functions of their parameters, and how late they may be.

One function a timer; all times are integer nanoseconds. The kernel's timer wheel never fires early and fires late by at
most one bucket, an eighth of the timeout (kernel/time/timer.c).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tcpladder.analysis.names import MILLISECOND_NS as MILLISECOND_NS
from tcpladder.analysis.names import SECOND_NS as SECOND_NS

EARLY_NS = 2 * MILLISECOND_NS
"""A capture may see a timer this much early: two clocks, two places in the kernel."""
LATE_NS = 8 * MILLISECOND_NS
"""Lateness of short timers that the eighth does not cover: two jiffies at HZ=250."""
LATE_SHARE = 8
"""A timer of t may be late by t / LATE_SHARE."""
USUALLY_LATE_SHARE = 64
"""A long timer of t is late by t / USUALLY_LATE_SHARE or so."""
JIFFY_NS = 4 * MILLISECOND_NS
"""HZ=250: the kernel counts timeouts in jiffies, rounded up."""

INITIAL_RTO_NS = SECOND_NS
"""RFC 6298 2.1; TCP_TIMEOUT_INIT."""
RTO_MIN_NS = 200 * MILLISECOND_NS
"""TCP_RTO_MIN; net.ipv4.tcp_rto_min_us."""
DELAYED_ACK_MAX_NS = 200 * MILLISECOND_NS
"""TCP_DELACK_MAX, HZ/5."""
RTO_MAX_NS = 120 * SECOND_NS
"""TCP_RTO_MAX; net.ipv4.tcp_rto_max_ms."""


@dataclass(frozen=True, slots=True)
class Firing:
    """One expiry of a timer.

    Attributes:
        after_ns: since the expiry before it, or since the timer was armed.
        number: which of what the timer sends, from 1; how many were sent where it gives up.
        gives_up: whether the connection ends here instead.
    """

    after_ns: int
    number: int
    gives_up: bool = False


def on_time(observed_ns: int, expected_ns: int, jitter_ns: int = 0) -> bool:
    """Whether a timer of expected_ns can have fired after observed_ns, seen over a path with that much jitter."""
    latest_ns = expected_ns + expected_ns // LATE_SHARE + LATE_NS
    return expected_ns - EARLY_NS - jitter_ns <= observed_ns <= latest_ns + jitter_ns


def whole_seconds(shortest_ns: int, longest_ns: int, jitter_ns: int = 0) -> range:
    """The timeouts in whole seconds that explain all observations between the two; empty where none does.

    Socket options and sysctls of keepalive count in seconds (tcp(7)). The largest makes the timers least late.
    """
    most = (shortest_ns + EARLY_NS + jitter_ns) // SECOND_NS
    late_ns = max(longest_ns - LATE_NS - jitter_ns, 0) * LATE_SHARE
    return range(max(1, -(-late_ns // ((LATE_SHARE + 1) * SECOND_NS))), most + 1)


def syn(retries: int, linear_timeouts: int, user_timeout_ns: int = 0) -> Iterator[Firing]:
    """SYNs sent again, then ETIMEDOUT in connect(); TCP_USER_TIMEOUT ends it sooner (tcp_clamp_rto_to_user_timeout).

    63 s in all for 5 retries of a Linux before 6.5, 131 s for its successors' 6 and 4 linear timeouts.
    """
    passed_ns = 0
    waits_ns = list(syn_waits(retries, linear_timeouts))
    for number, wait_ns in enumerate(waits_ns, 1):
        if 0 < user_timeout_ns <= passed_ns + wait_ns:
            yield Firing(user_timeout_ns - passed_ns, number - 1, gives_up=True)
            return
        passed_ns += wait_ns
        yield Firing(wait_ns, number if number < len(waits_ns) else number - 1, number == len(waits_ns))


def syn_ack(retries: int) -> Iterator[Firing]:
    """SYN-ACKs sent again, then the listener forgets the half-open connection in silence (reqsk_timer_handler)."""
    for number in range(1, retries + 1):
        yield Firing(synack_wait(number - 1), number)
    yield Firing(synack_wait(retries), retries, gives_up=True)


def retransmission_limit(retries: int, rto_max_ns: int) -> int:
    """How long after the first retransmission the first expiry gives up: tcp_retries2 is a time, not a count.

    (retransmits_timed_out with TCP_RTO_MIN, whatever the connection's own RTO is: 924.6 s for 15.)
    """
    return model_timeout(retries, RTO_MIN_NS, rto_max_ns)


def model_timeout(retries: int, base_ns: int, longest_ns: int) -> int:
    """How long that many waits take that double from `base_ns` on, up to `longest_ns` (tcp_model_timeout)."""
    doublings = (longest_ns // base_ns).bit_length() - 1
    if retries <= doublings:
        return ((2 << retries) - 1) * base_ns
    return ((2 << doublings) - 1) * base_ns + (retries - doublings) * longest_ns


def rto(
    first_ns: int, limit_ns: int, rto_max_ns: int, user_timeout_ns: int = 0, sent: int = 0, passed_ns: int = 0
) -> Iterator[Firing]:
    """Retransmissions with backoff (RFC 6298 5.5), then ETIMEDOUT without a RST (tcp_write_timeout).

    `limit_ns` is `retransmission_limit` of tcp_retries2, or of tcp_orphan_retries for a closed socket;
    TCP_USER_TIMEOUT takes its place and shortens the last wait. `sent` retransmissions went before, the first of them
    `passed_ns` before the last. The time that passes decides, so the usual lateness of the waits to come counts.
    """
    number = sent + 1
    if not sent:
        yield Firing(min(first_ns, rto_max_ns), number)
        number += 1
    counted_ns = -(-first_ns // JIFFY_NS) * JIFFY_NS
    while True:
        wait_ns = backed_off(first_ns, number - 1, rto_max_ns)
        if user_timeout_ns:
            wait_ns = min(wait_ns, max(user_timeout_ns - passed_ns, MILLISECOND_NS))
            passed_ns += wait_ns
        else:
            usual_ns = backed_off(counted_ns, number - 1, rto_max_ns)
            passed_ns += usual_ns + usual_ns // USUALLY_LATE_SHARE
        if passed_ns >= (user_timeout_ns or limit_ns):
            yield Firing(wait_ns, number - 1, gives_up=True)
            return
        yield Firing(wait_ns, number)
        number += 1


def keepalive(
    time_ns: int, intvl_ns: int, probes: int, intvl_max_ns: int = 0, user_timeout_ns: int = 0
) -> Iterator[Firing]:
    """Probes that nobody answers, then the give-up (tcp_keepalive_timer).

    With `intvl_max_ns` each wait doubles the one before, up to it. With TCP_USER_TIMEOUT the number of probes does not
    count: the first expiry behind an unanswered probe that finds the peer silent for so long gives up.
    """
    passed_ns = time_ns
    yield Firing(time_ns, 1)
    number = 1
    while True:
        wait_ns = keepalive_wait(intvl_ns, number, intvl_max_ns)
        passed_ns += wait_ns
        if passed_ns >= user_timeout_ns if user_timeout_ns else number >= probes:
            yield Firing(wait_ns, number, gives_up=True)
            return
        number += 1
        yield Firing(wait_ns, number)


def keepalive_wait(intvl_ns: int, unanswered: int, intvl_max_ns: int = 0) -> int:
    """The wait behind a probe, the last of so many unanswered ones."""
    return min(intvl_ns << min(unanswered - 1, 32), intvl_max_ns) if intvl_max_ns else intvl_ns


def persist(
    first_ns: int, rto_max_ns: int, retries: int, user_timeout_ns: int = 0, sent: int = 0, unanswered: int = 0
) -> Iterator[Firing]:
    """Probes of a closed window that nobody answers, then ETIMEDOUT without a RST (tcp_probe_timer).

    `sent` probes went before, the last `unanswered` of them in vain: `retries` (net.ipv4.tcp_retries2) of those are
    allowed, and they double no more often. TCP_USER_TIMEOUT, here what is left of it, counts from the first probe on,
    answered or not.
    """
    passed_ns = 0
    while True:
        wait_ns = persist_wait(first_ns, sent, rto_max_ns, retries)
        if user_timeout_ns and sent:
            wait_ns = min(wait_ns, max(user_timeout_ns - passed_ns, MILLISECOND_NS))
            passed_ns += wait_ns
        if unanswered >= retries or (user_timeout_ns and passed_ns >= user_timeout_ns):
            yield Firing(wait_ns, sent, gives_up=True)
            return
        sent, unanswered = sent + 1, unanswered + 1
        yield Firing(wait_ns, sent)


def persist_wait(first_ns: int, sent: int, rto_max_ns: int, retries: int) -> int:
    """The wait before the next probe of a closed window after so many (tcp_send_probe0)."""
    return backed_off(first_ns, min(sent, retries), rto_max_ns)


def syn_waits(retries: int, linear_timeouts: int) -> Iterator[int]:
    """The waits after the first SYN and after each retransmission; the last one ends in ETIMEDOUT.

    `linear_timeouts` (net.ipv4.tcp_syn_linear_timeouts, Linux 6.5 and later) come on top of `retries`
    (net.ipv4.tcp_syn_retries, TCP_SYNCNT): 1 + linear_timeouts waits of 1 s, then doubling. An expiry gives up when so
    many were sent, or when the time is over that `retries` alone would take (tcp_write_timeout,
    retransmits_timed_out): with 2 retries and 4 linear timeouts 7 s after the first SYN, not 11.
    """
    limit_ns = model_timeout(retries, INITIAL_RTO_NS, RTO_MAX_NS)
    passed_ns = 0
    for number in range(retries + linear_timeouts + 1):
        wait_ns = min(INITIAL_RTO_NS << max(0, number - linear_timeouts), RTO_MAX_NS)
        yield wait_ns
        passed_ns += wait_ns
        if passed_ns >= limit_ns:
            return


def syn_retransmissions(retries: int, linear_timeouts: int) -> int:
    """How often a SYN that nobody answers is sent again."""
    return sum(1 for _ in syn_waits(retries, linear_timeouts)) - 1


def synack_wait(retransmissions: int) -> int:
    """The wait before the next SYN-ACK of a listener that has sent so many again (reqsk_timer_handler)."""
    return min(INITIAL_RTO_NS << retransmissions, RTO_MAX_NS)


def tail_loss_probe(round_trip_ns: int, *, alone: bool) -> int:
    """The wait before a tail loss probe: 2 RTT, and the longest delayed ACK for a segment alone (RFC 8985 7.2)."""
    return 2 * round_trip_ns + (RTO_MIN_NS if alone else 2 * MILLISECOND_NS)


def first_rto(round_trip_ns: int, rto_min_ns: int = RTO_MIN_NS) -> int:
    """The wait before the first retransmission of Linux: the round trip and at least RTO_MIN (tcp_set_rto)."""
    return round_trip_ns + rto_min_ns


def backed_off(wait_ns: int, doublings: int, rto_max_ns: int = RTO_MAX_NS) -> int:
    """A wait after so many doublings (RFC 6298 5.5), at most rto_max_ns."""
    return min(wait_ns << min(doublings, 32), rto_max_ns)
