"""What stands in place of addresses, and of ports where that is asked, on a screen or a file that others will see."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from itertools import chain, islice

from tcpladder.analysis.view import Endpoint

_V4_NETWORKS = ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "198.18.0.0/15")
"""RFC 5737, and RFC 2544 where those are full: addresses that nobody has."""
_V6_NETWORK = ipaddress.IPv6Network("2001:db8::/32")
"""RFC 3849."""
_WORDS = re.compile(
    r"(?P<mac>\b[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}\b)"
    r"|(?P<bracketed>\[(?P<six>[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)\]|\b(?P<four>\d+\.\d+\.\d+\.\d+)\b)(?::(?P<port>\d+))?"
    r"|(?P<bare>(?<![\w:])[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]*[0-9A-Fa-f:](?![\w:]))"
    r"|(?P<word>\b[sd]?port(?:range)?[ =])(?P<number>\d+)"
)
_MAC = "00:00:5e:00:53:00"
"""RFC 7042 2.1.2."""


class Mask:
    """The same stand-in for the same address each time, in the order in which they are asked for.

    Addresses become those that are reserved for documentation, so every format and program still reads them; names of
    hosts become `host-1`. Sequence numbers, lengths and times stay: they are what a ladder is about.
    """

    def __init__(self, *, ports: bool = False) -> None:
        self.ports = ports
        """Whether ports are masked, too."""
        self._addresses: dict[str, str] = {}
        self._ports: dict[int, int] = {}
        self._free_v4 = chain.from_iterable(ipaddress.IPv4Network(text).hosts() for text in _V4_NETWORKS)
        self._free_v6 = islice(_V6_NETWORK, 1, None)
        self._names = 0

    def endpoint(self, end: Endpoint) -> Endpoint:
        """An end of a flow, masked."""
        return Endpoint(self.address(end.address), self.port(end.port))

    def address(self, address: str) -> str:
        """An address or the name of a host, masked."""
        known = self._addresses.get(address)
        if known is None:
            known = self._addresses[address] = self._next_free(address)
        return known

    def port(self, port: int) -> int:
        """A port, masked where that is asked: they are counted from 1."""
        return self._ports.setdefault(port, len(self._ports) + 1) if self.ports else port

    def text(self, text: str) -> str:
        """A sentence, a file name or a filter with every address in it masked, and every name that is known."""
        masked = _WORDS.sub(self._masked, text)
        for name in self._addresses:
            if not _is_address(name) and name in masked:
                masked = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", self._addresses[name], masked)
        return masked

    def _next_free(self, address: str) -> str:
        if not _is_address(address):
            self._names += 1
            return f"host-{self._names}"
        free = self._free_v6 if ":" in address else self._free_v4
        stand_in = next(free, None)
        return "192.0.2.255" if stand_in is None else str(stand_in)

    def _masked(self, found: re.Match[str]) -> str:
        if found["mac"]:
            return _MAC
        if found["word"]:
            return f"{found['word']}{self.port(int(found['number']))}"
        address = found["six"] or found["four"] or found["bare"]
        if not _is_address(address):
            return found[0]
        brackets: Callable[[str], str] = "[{}]".format if found["six"] else str
        port = f":{self.port(int(found['port']))}" if found["port"] else ""
        return brackets(self.address(str(ipaddress.ip_address(address)))) + port


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
