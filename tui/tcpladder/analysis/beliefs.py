"""What the ends of a flow are believed to run with, and where each value comes from.

Nothing here decides whether a timer kept its word; it only says which values to judge by.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tcpladder.analysis.schedule import SECOND_NS
from tcpladder.analysis.view import Origin

KEEPALIVE_TIME = "keepalive_time"
KEEPALIVE_INTVL = "keepalive_intvl"
KEEPALIVE_PROBES = "keepalive_probes"
SYN_RETRIES = "syn_retries"
SYN_LINEAR_TIMEOUTS = "syn_linear_timeouts"
SO_KEEPALIVE = "so_keepalive"

IN_SECONDS = frozenset({KEEPALIVE_TIME, KEEPALIVE_INTVL})
"""Values that are kept in nanoseconds and given in seconds."""

ASSUMED: Mapping[str, int] = {
    KEEPALIVE_TIME: 7200 * SECOND_NS,
    KEEPALIVE_INTVL: 75 * SECOND_NS,
    KEEPALIVE_PROBES: 9,
    SYN_RETRIES: 6,
    SYN_LINEAR_TIMEOUTS: 4,
}
"""The defaults of Linux 6.5 and later (Documentation/networking/ip-sysctl.rst)."""

SYSCTLS: Mapping[str, str] = {
    KEEPALIVE_TIME: "net.ipv4.tcp_keepalive_time",
    KEEPALIVE_INTVL: "net.ipv4.tcp_keepalive_intvl",
    KEEPALIVE_PROBES: "net.ipv4.tcp_keepalive_probes",
    SYN_RETRIES: "net.ipv4.tcp_syn_retries",
    SYN_LINEAR_TIMEOUTS: "net.ipv4.tcp_syn_linear_timeouts",
}
"""The sysctl behind each value; they hold for IPv6 too."""

SOCKET_OPTIONS: Mapping[str, str] = {
    "SO_KEEPALIVE": SO_KEEPALIVE,
    "TCP_KEEPIDLE": KEEPALIVE_TIME,
    "TCP_KEEPINTVL": KEEPALIVE_INTVL,
    "TCP_KEEPCNT": KEEPALIVE_PROBES,
    "TCP_SYNCNT": SYN_RETRIES,
}
"""The socket options that override the sysctls, and SO_KEEPALIVE, without which no probe is sent (tcp(7))."""


@dataclass(frozen=True, slots=True)
class Believed:
    """One value and its origin; times in nanoseconds, counts as they are."""

    value: int
    origin: Origin


@dataclass(frozen=True, slots=True)
class TimerValues:
    """What one end is believed to run with."""

    known: Mapping[str, Believed] = field(default_factory=dict)

    def get(self, name: str) -> Believed:
        """The believed value, assumed where nothing better is known."""
        return self.known.get(name) or Believed(ASSUMED[name], Origin.ASSUMED)

    def is_firm(self, name: str) -> bool:
        """Whether the value is the socket's own or the user's word: then an observation does not replace it.

        A sysctl can be overridden by a socket option that nobody has read, so it yields to what is observed.
        """
        believed = self.known.get(name)
        return believed is not None and believed.origin in (Origin.SOCKET, Origin.USER, Origin.CAPTURE)

    def with_values(self, values: Mapping[str, int], origin: Origin) -> TimerValues:
        """The same with more values from one origin: the stronger origin of each name stays."""
        strength = list(Origin)
        merged = dict(self.known)
        for name, value in values.items():
            before = merged.get(name)
            if before is None or strength.index(origin) <= strength.index(before.origin):
                merged[name] = Believed(value, origin)
        return TimerValues(merged)


def from_sysctls(sysctls: Mapping[str, str | None]) -> dict[str, int]:
    """The values that sysctls say: name -> ns or count; sysctls that this kernel lacks are left out."""
    values = {}
    for name, sysctl in SYSCTLS.items():
        text = sysctls.get(sysctl)
        if text is not None and text.strip().isdigit():
            values[name] = int(text) * (SECOND_NS if name in IN_SECONDS else 1)
    if sysctls.get(SYSCTLS[SYN_RETRIES]) and sysctls.get(SYSCTLS[SYN_LINEAR_TIMEOUTS], "") is None:
        # A kernel without the sysctl, before 6.5, doubles from the first retransmission on.
        values[SYN_LINEAR_TIMEOUTS] = 0
    return values


def from_socket_options(options: Mapping[str, int]) -> dict[str, int]:
    """The values that socket options say: name -> ns or count."""
    return {
        name: options[option] * (SECOND_NS if name in IN_SECONDS else 1)
        for option, name in SOCKET_OPTIONS.items()
        if option in options
    }
