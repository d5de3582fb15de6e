"""What the ends of a flow are believed to run with, where each value comes from, and from when on it holds.

Nothing here decides whether a timer kept its word; it only says which values to judge by.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tcpladder.analysis.names import KEEPALIVE_INTVL as KEEPALIVE_INTVL
from tcpladder.analysis.names import KEEPALIVE_PROBES as KEEPALIVE_PROBES
from tcpladder.analysis.names import KEEPALIVE_TIME as KEEPALIVE_TIME
from tcpladder.analysis.names import ORPHAN_RETRIES, SETTINGS, SYN_LINEAR_TIMEOUTS, SYN_RETRIES
from tcpladder.analysis.names import SO_KEEPALIVE as SO_KEEPALIVE
from tcpladder.analysis.profiles import LINUX, Profile
from tcpladder.analysis.view import Origin

SYSCTLS: Mapping[str, str] = {name: setting.sysctl for name, setting in SETTINGS.items() if setting.sysctl}
"""The sysctl behind each value that has one."""
SOCKET_OPTIONS: Mapping[str, str] = {s.option: name for name, s in SETTINGS.items() if s.option}
"""The value that each socket option sets."""
_MOST_CHANGES = 32


@dataclass(frozen=True, slots=True)
class Believed:
    """One value and its origin; times in nanoseconds, counts as they are."""

    value: int
    origin: Origin
    since_ns: int = 0
    """From when on it holds; 0 for always."""
    before: Believed | None = None
    """What held until then, as far as it was seen."""
    yields: bool = False
    """Whether an observation replaces it: a sysctl can be overridden by a socket option that nobody has read."""

    def at(self, time_ns: int | None) -> Believed:
        """What held at a moment; what was seen first holds for all time before."""
        held = self
        while time_ns is not None and held.before is not None and time_ns < held.since_ns:
            held = held.before
        return held

    def after(self, earlier: Believed, since_ns: int) -> Believed:
        """This value from `since_ns` on, behind one of the same origin."""
        if earlier.value == self.value:
            return earlier
        chain, length = earlier, 1
        while chain.before is not None:
            chain, length = chain.before, length + 1
        kept = earlier if length < _MOST_CHANGES else None
        return Believed(self.value, self.origin, since_ns, kept, self.yields)


@dataclass(frozen=True, slots=True)
class TimerValues:
    """What one end is believed to run with: known values, and a stack's defaults for the others."""

    known: Mapping[str, Believed] = field(default_factory=dict)
    profile: Profile = LINUX
    chosen: bool = False
    """Whether the user named the profile, which is assumed otherwise."""

    def get(self, name: str, time_ns: int | None = None) -> Believed:
        """The value believed to hold at a moment, now without one; the profile's where nothing better is known."""
        known = self.known.get(name)
        if known is not None:
            return known.at(time_ns)
        return Believed(self.profile.values[name], Origin.USER if self.chosen else Origin.ASSUMED)

    def is_firm(self, name: str) -> bool:
        """Whether the value is the socket's own or the user's word: then an observation does not replace it."""
        believed = self.known.get(name)
        return believed is not None and not believed.yields

    def with_values(self, values: Mapping[str, int], origin: Origin, since_ns: int = 0) -> TimerValues:
        """The same with more values from one origin: the stronger origin of each name stays.

        Another value of the same origin follows the one before it from `since_ns` on.
        """
        yields = origin is Origin.NETNS
        return self.merged({n: Believed(v, origin, since_ns, None, yields) for n, v in values.items()})

    def merged(self, more: Mapping[str, Believed]) -> TimerValues:
        """The same with more values, of each name the one of the stronger origin."""
        strength = list(Origin)
        merged = dict(self.known)
        for name, value in more.items():
            held = merged.get(name)
            if held is None or strength.index(value.origin) < strength.index(held.origin):
                merged[name] = value
            elif value.origin is held.origin and value != held:
                merged[name] = value.after(held, value.since_ns) if value.since_ns else value
        return TimerValues(merged, self.profile, self.chosen)

    def like(self, profile: Profile) -> TimerValues:
        """The same, of a stack that the user named."""
        return TimerValues(self.known, profile, chosen=True)


def from_sysctls(sysctls: Mapping[str, str | None]) -> dict[str, int]:
    """The values that sysctls say: name -> ns or count; sysctls that this kernel lacks are left out."""
    values = {}
    for name, sysctl in SYSCTLS.items():
        text = sysctls.get(sysctl)
        if text is not None and text.strip().isdigit():
            values[name] = int(text) * SETTINGS[name].sysctl_ns
    if sysctls.get(SYSCTLS[SYN_RETRIES]) and sysctls.get(SYSCTLS[SYN_LINEAR_TIMEOUTS], "") is None:
        # A kernel without the sysctl, before 6.5, doubles from the first retransmission on.
        values[SYN_LINEAR_TIMEOUTS] = 0
    if values.get(ORPHAN_RETRIES) == 0:
        # tcp_orphan_retries() reads 0 as 8.
        values[ORPHAN_RETRIES] = LINUX.values[ORPHAN_RETRIES]
    return values


def from_socket_options(options: Mapping[str, int]) -> dict[str, int]:
    """The values that socket options say: name -> ns or count."""
    return {
        name: options[option] * SETTINGS[name].option_ns
        for option, name in SOCKET_OPTIONS.items()
        if option in options
    }
