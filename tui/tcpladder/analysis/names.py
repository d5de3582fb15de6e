"""What the values behind the timers are called, and in what unit each is given: by users, sysctls and socket options.

Inside, times are nanoseconds and counts are counts. Nothing here has a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MICROSECOND_NS = 1_000
MILLISECOND_NS = 1_000_000
SECOND_NS = 1_000_000_000

KEEPALIVE_TIME = "keepalive_time"
KEEPALIVE_INTVL = "keepalive_intvl"
KEEPALIVE_PROBES = "keepalive_probes"
KEEPALIVE_INTVL_MAX = "keepalive_intvl_max"
SYN_RETRIES = "syn_retries"
SYN_LINEAR_TIMEOUTS = "syn_linear_timeouts"
SYNACK_RETRIES = "synack_retries"
RETRIES2 = "retries2"
ORPHAN_RETRIES = "orphan_retries"
RTO_MIN = "rto_min"
RTO_MAX = "rto_max"
DELAYED_ACK = "delayed_ack"
USER_TIMEOUT = "user_timeout"
FIN_TIMEOUT = "fin_timeout"
TIME_WAIT = "time_wait"
SO_KEEPALIVE = "so_keepalive"


@dataclass(frozen=True, slots=True)
class Setting:
    """One value that a timer runs by.

    Attributes:
        unit_ns: nanoseconds in the unit in which users give it without naming one; None for a count.
        sysctl: the sysctl that sets it for a namespace, empty for none.
        sysctl_ns: nanoseconds in the unit of the sysctl; 1 for a count.
        option: the socket option that sets it for one socket, empty for none.
        option_ns: nanoseconds in the unit of the option; 1 for a count.
        meaning: a few words for the user.
    """

    unit_ns: int | None
    sysctl: str
    sysctl_ns: int
    option: str
    option_ns: int
    meaning: str


def _time(unit_ns: int, sysctl: str, sysctl_ns: int, option: str, option_ns: int, meaning: str) -> Setting:
    return Setting(unit_ns, sysctl and f"net.ipv4.{sysctl}", sysctl_ns, option, option_ns, meaning)


def _count(sysctl: str, option: str, meaning: str) -> Setting:
    return Setting(None, sysctl and f"net.ipv4.{sysctl}", 1, option, 1, meaning)


_S, _MS, _US = SECOND_NS, MILLISECOND_NS, MICROSECOND_NS

SETTINGS: Mapping[str, Setting] = {
    KEEPALIVE_TIME: _time(
        _S, "tcp_keepalive_time", _S, "TCP_KEEPIDLE", _S, "idle time before the first probe"
    ),
    KEEPALIVE_INTVL: _time(_S, "tcp_keepalive_intvl", _S, "TCP_KEEPINTVL", _S, "between unanswered probes"),
    KEEPALIVE_PROBES: _count("tcp_keepalive_probes", "TCP_KEEPCNT", "unanswered probes before giving up"),
    KEEPALIVE_INTVL_MAX: _time(
        _S, "", _S, "", _S, "up to where unanswered probes double their distance, 0 where they do not"
    ),
    SYN_RETRIES: _count("tcp_syn_retries", "TCP_SYNCNT", "retransmissions of a SYN beyond the linear ones"),
    SYN_LINEAR_TIMEOUTS: _count("tcp_syn_linear_timeouts", "", "SYN retransmissions before they back off"),
    SYNACK_RETRIES: _count("tcp_synack_retries", "", "retransmissions of a SYN-ACK"),
    RETRIES2: _count("tcp_retries2", "", "sets the time after which unacknowledged data gives up"),
    ORPHAN_RETRIES: _count("tcp_orphan_retries", "", "the same for a socket that is closed"),
    RTO_MIN: _time(_MS, "tcp_rto_min_us", _US, "", _MS, "the shortest retransmission timeout"),
    RTO_MAX: _time(_MS, "tcp_rto_max_ms", _MS, "", _MS, "the longest retransmission timeout"),
    DELAYED_ACK: _time(_MS, "", _MS, "", _MS, "the shortest delayed ACK"),
    USER_TIMEOUT: _time(_MS, "", _MS, "TCP_USER_TIMEOUT", _MS, "how long data or probes may stay unanswered"),
    FIN_TIMEOUT: _time(_S, "tcp_fin_timeout", _S, "TCP_LINGER2", _S, "a closed socket in FIN-WAIT-2"),
    TIME_WAIT: _time(_S, "", _S, "", _S, "TIME-WAIT"),
    SO_KEEPALIVE: _count("", "SO_KEEPALIVE", "1 where keepalive is on, 0 where it is off"),
}
"""Every value, by the name that it has everywhere. Sysctls: Documentation/networking/ip-sysctl.rst; they hold for
IPv6 too. Options: tcp(7), socket(7). Without SO_KEEPALIVE no probe is sent."""
