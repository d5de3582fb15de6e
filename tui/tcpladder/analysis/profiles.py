"""The timers of the stacks that a flow may meet: one table each, with the stack's defaults.

Only Linux is measured here; the others are what their documentation and published traces say, and where those are
silent the value of Linux stands. A profile never claims to recognise a stack.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tcpladder.analysis import names
from tcpladder.analysis.names import MILLISECOND_NS, SECOND_NS


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One stack: its defaults by name (see names.SETTINGS), ns or counts, and how its keepalive looks."""

    name: str
    words: str
    values: Mapping[str, int]
    probe_bytes: int = 0
    """Garbage bytes that a keepalive probe carries."""
    resets: bool = True
    """Whether a RST tells the peer that keepalive gave up."""
    idles_from_own: bool = False
    """Whether keepalive_time counts from the end's own last segment, too, not only from what it has heard."""


_LINUX = {
    names.KEEPALIVE_TIME: 7200 * SECOND_NS,
    names.KEEPALIVE_INTVL: 75 * SECOND_NS,
    names.KEEPALIVE_PROBES: 9,
    names.KEEPALIVE_INTVL_MAX: 0,
    names.SYN_RETRIES: 6,
    names.SYN_LINEAR_TIMEOUTS: 4,
    names.SYNACK_RETRIES: 5,
    names.RETRIES2: 15,
    names.ORPHAN_RETRIES: 8,
    names.RTO_MIN: 200 * MILLISECOND_NS,
    names.RTO_MAX: 120 * SECOND_NS,
    names.DELAYED_ACK: 40 * MILLISECOND_NS,
    names.USER_TIMEOUT: 0,
    names.FIN_TIMEOUT: 60 * SECOND_NS,
    names.TIME_WAIT: 60 * SECOND_NS,
}

LINUX = Profile(name="linux", words="Linux 6.5 and later", values=_LINUX)
"""ip-sysctl.rst; tcp_orphan_retries 0 means 8; TCP_TIMEWAIT_LEN, TCP_DELACK_MIN in include/net/tcp.h."""

LINUX_OLD = Profile(
    name="linux-old",
    words="Linux before 6.5, which doubles from the first SYN on",
    values={**_LINUX, names.SYN_LINEAR_TIMEOUTS: 0},
)

SOLARIS = Profile(
    name="solaris",
    words="Solaris 2.5.1",
    values={
        **_LINUX,
        names.KEEPALIVE_INTVL: 1460 * MILLISECOND_NS,
        names.KEEPALIVE_INTVL_MAX: 56_250 * MILLISECOND_NS,
        names.KEEPALIVE_PROBES: 8,
        names.SYN_LINEAR_TIMEOUTS: 0,
        names.TIME_WAIT: 240 * SECOND_NS,
    },
    probe_bytes=1,
    resets=False,
    idles_from_own=True,
)
"""Sends a probe again as it sends data again, until a time limit (tcp_keepalive_abort_interval); the numbers are those
of a published trace: 1.47 2.93 5.85 11.70 23.40 46.80 56.25 s, eight probes, no RST."""

FREEBSD = Profile(
    name="freebsd",
    words="FreeBSD",
    values={
        **_LINUX,
        names.KEEPALIVE_PROBES: 8,
        names.SYN_RETRIES: 5,
        names.RTO_MIN: 30 * MILLISECOND_NS,
        names.RTO_MAX: 60 * SECOND_NS,
    },
)
"""tcp(4): keepidle 7200 s, keepintvl 75 s, keepcnt 8; tcp_syn_backoff is 1 1 1 1 1 2 4 8 …"""

MACOS = Profile(
    name="macos",
    words="macOS",
    values={**FREEBSD.values, names.DELAYED_ACK: 100 * MILLISECOND_NS, names.TIME_WAIT: 30 * SECOND_NS},
)
"""As its BSD ancestor; net.inet.tcp.msl is 15 s."""

WINDOWS = Profile(
    name="windows",
    words="Windows",
    values={
        **_LINUX,
        names.KEEPALIVE_INTVL: 1 * SECOND_NS,
        names.KEEPALIVE_PROBES: 10,
        names.SYN_RETRIES: 4,
        names.SYN_LINEAR_TIMEOUTS: 0,
        names.RTO_MIN: 300 * MILLISECOND_NS,
        names.TIME_WAIT: 120 * SECOND_NS,
        names.FIN_TIMEOUT: 120 * SECOND_NS,
    },
    probe_bytes=1,
)
"""KeepAliveTime 7200 s, KeepAliveInterval 1 s, TcpMaxDataRetransmissions; one byte 0x00 in a probe."""

PROFILES: Mapping[str, Profile] = {
    profile.name: profile for profile in (LINUX, LINUX_OLD, SOLARIS, FREEBSD, MACOS, WINDOWS)
}
