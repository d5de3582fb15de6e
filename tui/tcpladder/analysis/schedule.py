"""When kernel timers fire, as pure functions of their parameters, and how late they may be.

One function a timer; all times are integer nanoseconds. The kernel's timer wheel never fires early and fires late by at
most one bucket, an eighth of the timeout (kernel/time/timer.c).
"""

from __future__ import annotations

from collections.abc import Iterator

SECOND_NS = 1_000_000_000
MILLISECOND_NS = 1_000_000
EARLY_NS = 2 * MILLISECOND_NS
"""A capture may see a timer this much early: two clocks, two places in the kernel."""
LATE_NS = 8 * MILLISECOND_NS
"""Lateness of short timers that the eighth does not cover: two jiffies at HZ=250."""
LATE_SHARE = 8
"""A timer of t may be late by t / LATE_SHARE."""

INITIAL_RTO_NS = SECOND_NS
"""RFC 6298 2.1; TCP_TIMEOUT_INIT."""
RTO_MIN_NS = 200 * MILLISECOND_NS
"""TCP_RTO_MIN; net.ipv4.tcp_rto_min_us."""
DELAYED_ACK_MIN_NS = 40 * MILLISECOND_NS
"""TCP_DELACK_MIN, HZ/25."""
DELAYED_ACK_MAX_NS = 200 * MILLISECOND_NS
"""TCP_DELACK_MAX, HZ/5."""
RTO_MAX_NS = 120 * SECOND_NS
"""TCP_RTO_MAX; net.ipv4.tcp_rto_max_ms."""


def on_time(observed_ns: int, expected_ns: int) -> bool:
    """Whether a timer of expected_ns can have fired after observed_ns."""
    latest_ns = expected_ns + expected_ns // LATE_SHARE + LATE_NS
    return expected_ns - EARLY_NS <= observed_ns <= latest_ns


def whole_seconds(shortest_ns: int, longest_ns: int) -> int | None:
    """The timeout in ns, a whole number of seconds, that explains observations between the two, or None.

    Socket options and sysctls of keepalive count in seconds (tcp(7)). The largest candidate is taken: it makes the
    timers least late.
    """
    candidate_ns = (shortest_ns + EARLY_NS) // SECOND_NS * SECOND_NS
    if candidate_ns <= 0 or not (on_time(shortest_ns, candidate_ns) and on_time(longest_ns, candidate_ns)):
        return None
    return candidate_ns


def syn_waits(retries: int, linear_timeouts: int) -> Iterator[int]:
    """The waits after the first SYN and after each retransmission; the last one ends in ETIMEDOUT.

    `linear_timeouts` (net.ipv4.tcp_syn_linear_timeouts, Linux 6.5 and later) come on top of `retries`
    (net.ipv4.tcp_syn_retries, TCP_SYNCNT): 1 + linear_timeouts waits of 1 s, then doubling (tcp_write_timeout).
    """
    for number in range(retries + linear_timeouts + 1):
        yield min(INITIAL_RTO_NS << max(0, number - linear_timeouts), RTO_MAX_NS)


def synack_wait(retransmissions: int) -> int:
    """The wait before the next SYN-ACK of a listener that has sent so many again (reqsk_timer_handler)."""
    return min(INITIAL_RTO_NS << retransmissions, RTO_MAX_NS)


def tail_loss_probe(round_trip_ns: int, *, alone: bool) -> int:
    """The wait before a tail loss probe: 2 RTT, and the longest delayed ACK for a segment alone (RFC 8985 7.2)."""
    return 2 * round_trip_ns + (RTO_MIN_NS if alone else 2 * MILLISECOND_NS)


def first_rto(round_trip_ns: int) -> int:
    """The wait before the first retransmission of Linux: the round trip and at least RTO_MIN (tcp_set_rto)."""
    return round_trip_ns + RTO_MIN_NS


def backed_off(wait_ns: int, doublings: int) -> int:
    """A wait after so many doublings (RFC 6298 5.5), at most RTO_MAX."""
    return min(wait_ns << min(doublings, 32), RTO_MAX_NS)
