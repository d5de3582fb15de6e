"""When timers fire and give up: the sums that documents and kernels name."""

from __future__ import annotations

from itertools import islice

import pytest

from tcpladder.analysis.schedule import (
    Firing,
    keepalive,
    on_time,
    persist,
    retransmission_limit,
    rto,
    syn,
    syn_ack,
    whole_seconds,
)

S, MS = 1_000_000_000, 1_000_000
RTO_MAX = 120 * S


def lengths(firings: object) -> list[float]:
    return [firing.after_ns / S for firing in firings]  # type: ignore[attr-defined]


def total(firings: list[Firing]) -> float:
    assert [f.gives_up for f in firings] == [False] * (len(firings) - 1) + [True]
    return sum(f.after_ns for f in firings) / S


@pytest.mark.parametrize(
    ("retries", "linear", "seconds", "sent"),
    [
        (5, 0, 63, 5),
        (6, 4, 131, 10),
        (3, 4, 19, 7),
        (2, 1, 8, 3),
        (2, 0, 7, 2),
        (2, 4, 7, 5),
        (1, 4, 3, 2),
        (2, 2, 9, 4),
        (3, 1, 16, 4),
        (8, 0, 367, 8),
    ],
)
def test_connect_gives_up_after(retries: int, linear: int, seconds: int, sent: int) -> None:
    """Documentation/networking/ip-sysctl.rst names 131 s for the defaults; a published trace 63 s for 5 retries.

    Where linear timeouts outlast the retries, Linux 6.18 gave up after 7.1 s (2 and 4), 3.1 s (1 and 4), 9.1 s
    (2 and 2) and 16.3 s (3 and 1).
    """
    firings = list(syn(retries, linear))
    assert total(firings) == seconds
    assert firings[-1].number == sent
    assert len(firings) == sent + 1


def test_linear_timeouts_come_before_the_backoff() -> None:
    assert lengths(syn(3, 4)) == [1, 1, 1, 1, 1, 2, 4, 8]
    assert lengths(syn(5, 0)) == [1, 2, 4, 8, 16, 32]


def test_user_timeout_clamps_the_last_wait_of_connect() -> None:
    """5000 ms: five SYNs a second apart are sent, the fifth retry is not (tcp_clamp_rto_to_user_timeout)."""
    firings = list(syn(6, 4, 5 * S))
    assert total(firings) == 5
    assert firings[-1].number == 4


def test_a_listener_forgets_after_63_seconds() -> None:
    assert total(list(syn_ack(5))) == 63
    assert lengths(syn_ack(3)) == [1, 2, 4, 8]


@pytest.mark.parametrize(("retries", "seconds"), [(3, 3.0), (5, 12.6), (6, 25.4), (15, 924.6), (8, 102.2)])
def test_retries2_is_a_time(retries: int, seconds: float) -> None:
    assert retransmission_limit(retries, RTO_MAX) / S == seconds


def test_rto_gives_up_at_the_first_expiry_behind_the_limit() -> None:
    """tcp_retries2 3 was seen to give up 6.8 s after the send, a tail loss probe of 0.2 s included: 6.6 without it,
    less what the kernel's timers were late."""
    firings = list(rto(208 * MS, retransmission_limit(3, RTO_MAX), RTO_MAX))
    assert total(firings) == pytest.approx(6.448)
    assert firings[-1].number == 4


def test_user_timeout_takes_the_place_of_retries2() -> None:
    """3000 ms after the first retransmission, 3.4 s after the first copy with its probe."""
    firings = list(rto(208 * MS, retransmission_limit(15, RTO_MAX), RTO_MAX, 3 * S))
    assert total(firings) == pytest.approx(3.208)


def test_rto_stops_doubling_at_its_maximum() -> None:
    assert max(lengths(rto(200 * MS, retransmission_limit(15, RTO_MAX), RTO_MAX))) == 120
    assert lengths(islice(rto(200 * MS, 100 * S, S), 5)) == [0.2, 0.4, 0.8, 1, 1]


def test_keepalive_sends_count_probes_and_gives_up_one_interval_later() -> None:
    assert lengths(keepalive(30 * S, 3 * S, 3)) == [30, 3, 3, 3]
    assert lengths(keepalive(7200 * S, 75 * S, 9)) == [7200] + [75] * 9


def test_user_timeout_makes_the_probe_count_meaningless() -> None:
    """2/1/9 and 4500 ms: three probes, the end 5 s after the last answer (tcp_keepalive_timer)."""
    firings = list(keepalive(2 * S, 1 * S, 9, user_timeout_ns=4500 * MS))
    assert total(firings) == 5
    assert firings[-1].number == 3


def test_solaris_doubles_the_distance_of_its_probes() -> None:
    firings = keepalive(10 * S, 1460 * MS, 8, 56_250 * MS)
    assert lengths(firings)[1:8] == [1.46, 2.92, 5.84, 11.68, 23.36, 46.72, 56.25]


def test_a_closed_window_is_probed_until_none_of_so_many_was_answered() -> None:
    """tcp_retries2 4, the first probe answered: five probes, the last two waits equal, as a 6.18 kernel did."""
    firings = list(persist(216 * MS, RTO_MAX, 4, sent=1))
    assert lengths(iter(firings)) == [0.432, 0.864, 1.728, 3.456, 3.456]
    assert firings[-1].gives_up


def test_the_default_probes_a_closed_window_for_a_quarter_of_an_hour() -> None:
    probes = lengths(persist(220 * MS, RTO_MAX, 15))
    assert probes[:4] == [0.22, 0.44, 0.88, 1.76]
    assert (len(probes), probes[-1]) == (16, 120)


def test_user_timeout_counts_from_the_first_probe_of_a_closed_window() -> None:
    """4000 ms: seen to give up 4.27 s after the window closed."""
    assert total(list(persist(220 * MS, RTO_MAX, 15, 4 * S))) == pytest.approx(4.22)


def test_a_timer_is_late_by_an_eighth_and_never_early() -> None:
    assert on_time(3 * S, 3 * S)
    assert on_time(int(3.37 * S), 3 * S)
    assert not on_time(int(3.39 * S), 3 * S)
    assert not on_time(int(2.99 * S), 3 * S)
    assert on_time(int(2.99 * S), 3 * S, jitter_ns=20 * MS)


@pytest.mark.parametrize(
    ("shortest", "longest", "seconds"),
    [
        (3.0, 3.1, [3]),
        (12.55, 12.55, [12]),
        (55.0, 55.1, [49, 50, 51, 52, 53, 54, 55]),
        (1.47, 1.47, []),
        (3, 5.3, []),
    ],
)
def test_whole_seconds_that_explain_observations(shortest: float, longest: float, seconds: list[int]) -> None:
    assert list(whole_seconds(int(shortest * S), int(longest * S))) == seconds


def test_every_candidate_explains_and_its_neighbours_do_not() -> None:
    for tenths in range(1, 3000, 7):
        observed = tenths * S // 10
        found = whole_seconds(observed, observed)
        explaining = [s for s in range(1, 400) if on_time(observed, s * S)]
        assert list(found) == explaining
