"""A wait's timer in the words of the field: `keepalive_time 30 s`, `SYN retry 3/6: RTO 1 s × 2²`."""

from __future__ import annotations

from tcpladder.analysis.beliefs import Believed
from tcpladder.analysis.duration import seconds_text
from tcpladder.analysis.judge import Judge
from tcpladder.analysis.schedule import SECOND_NS
from tcpladder.analysis.view import Origin
from tcpladder.analysis.wait import Schedule, Wait

_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def timer_words(judge: Judge, wait: Wait, expected: Believed | None) -> str:
    """The timer of a wait and how long it was to be."""
    if expected is None:
        return "unexplained"
    length = seconds_text(expected.value)
    match wait.schedule:
        case Schedule.KEEPALIVE_TIME if judge.is_spaced_by_intvl(wait):
            return f"keepalive_intvl {length}"
        case Schedule.KEEPALIVE_TIME if (time := judge.from_option(wait)) is not None:
            return f"keepalive_time {seconds_text(time.value)} from SO_KEEPALIVE on"
        case Schedule.KEEPALIVE_TIME:
            return f"keepalive_time {length}"
        case Schedule.KEEPALIVE_INTVL | Schedule.GIVE_UP:
            return f"keepalive_intvl {length}"
        case Schedule.SYN:
            retries = judge.syn_retries(wait.side)
            known = "" if retries.origin is Origin.ASSUMED else f"/{retries.value}"
            return f"SYN retry {wait.number}{known}: {_initial_rto(expected.value)}"
        case Schedule.RTO if judge.follows_probe(wait):
            return "RTO after tail loss probe"
        case Schedule.RTO | Schedule.PERSIST:
            word = "RTO" if wait.schedule is Schedule.RTO else "persist"
            return f"{word} {multiple(expected.value, wait.number - 1)}"
        case Schedule.TLP | Schedule.TLP_ALONE:
            return "tail loss probe"
        case Schedule.DELAYED_ACK:
            return f"delayed ACK {length}"
        case Schedule.SYN_ACK:
            return f"SYN-ACK retry {wait.number}: {_initial_rto(expected.value)}"


def multiple(wait_ns: int, doublings: int) -> str:
    """`204 ms`, `204 ms × 2²`."""
    if not doublings:
        return seconds_text(wait_ns)
    return f"{seconds_text(wait_ns >> doublings)} × 2{str(doublings).translate(_SUPERSCRIPTS)}"


def _initial_rto(wait_ns: int) -> str:
    """`RTO 1 s`, `RTO 1 s × 2²`."""
    doublings = (wait_ns // SECOND_NS).bit_length() - 1
    if doublings <= 0 or wait_ns != SECOND_NS << doublings:
        return f"RTO {seconds_text(wait_ns)}"
    return f"RTO 1 s × 2{str(doublings).translate(_SUPERSCRIPTS)}"
