"""Which sockets `tcpladder timers` lists: the words of its command line as a value that says yes or no."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field

from tcpladder.agent.messages import SocketState
from tcpladder.errors import UsageError

STATES = {
    "established": "ESTAB",
    "estab": "ESTAB",
    "syn-sent": "SYN-SENT",
    "syn-recv": "SYN-RECV",
    "fin-wait-1": "FIN-WAIT-1",
    "fin-wait-2": "FIN-WAIT-2",
    "time-wait": "TIME-WAIT",
    "close-wait": "CLOSE-WAIT",
    "last-ack": "LAST-ACK",
    "closing": "CLOSING",
}
"""The words of ss(8) -> the state as it is shown."""
TIMERS = ("retransmission", "keepalive", "timewait", "persist", "none")
_PORTS = {"port": ("local_port", "remote_port"), "sport": ("local_port",), "dport": ("remote_port",)}
_ADDRESSES = {"addr": ("local", "remote"), "src": ("local",), "dst": ("remote",)}
_KNOWN = "port, sport, dport, addr, src, dst, state or timer"


@dataclass(frozen=True, slots=True)
class _Condition:
    """One of `fields` of a socket must be one of `values`, or lie in one of `networks`."""

    fields: tuple[str, ...]
    values: frozenset[object] = frozenset()
    network: ipaddress.IPv4Network | ipaddress.IPv6Network | None = None

    def holds(self, found: SocketState) -> bool:
        values = [getattr(found, name) for name in self.fields]
        if self.network is None:
            return not self.values.isdisjoint(values)
        addresses = map(ipaddress.ip_address, values)
        return any(one.version == self.network.version and one in self.network for one in addresses)


@dataclass(frozen=True, slots=True)
class SocketFilter:
    """All conditions must hold; without any, every socket passes."""

    conditions: tuple[_Condition, ...] = field(default=())

    def passes(self, found: SocketState) -> bool:
        """Whether a socket is listed."""
        return all(condition.holds(found) for condition in self.conditions)


def parse_filter(words: Sequence[str]) -> SocketFilter:
    """`port 22`, `state established`, `addr 10.0.0.0/8`, `timer keepalive`, joined by nothing or `and`.

    Raises UsageError, which names the word that makes no sense.
    """
    left = [word for text in words for word in text.split() if word != "and"]
    conditions = []
    for place in range(0, len(left), 2):
        name, value = left[place], "".join(left[place + 1 : place + 2])
        if not value and name in (*_PORTS, *_ADDRESSES, "state", "timer"):
            raise UsageError(f"cannot filter by {name}: it needs a value behind it")
        conditions.append(_condition(name, value))
    return SocketFilter(tuple(conditions))


def _condition(name: str, value: str) -> _Condition:
    if name in _PORTS:
        if not (value.isascii() and value.isdigit() and 0 < int(value) < 1 << 16):
            raise UsageError(f"cannot filter by {name} {value}: a port is a number from 1 to 65535")
        return _Condition(_PORTS[name], frozenset({int(value)}))
    if name in _ADDRESSES:
        try:
            return _Condition(_ADDRESSES[name], network=ipaddress.ip_network(value, strict=False))
        except ValueError:
            raise UsageError(
                f"cannot filter by {name} {value}: give an address such as 10.0.0.1 or 10.0.0.0/8"
            ) from None
    if name == "state":
        if value not in STATES:
            raise UsageError(f"cannot filter by state {value}: have {', '.join(STATES)}")
        return _Condition(("state",), frozenset({STATES[value]}))
    if name == "timer":
        if value not in TIMERS:
            raise UsageError(f"cannot filter by timer {value}: have {', '.join(TIMERS)}")
        return _Condition(("timer",), frozenset({None if value == "none" else value}))
    raise UsageError(f"cannot filter by {name}: have {_KNOWN}")
