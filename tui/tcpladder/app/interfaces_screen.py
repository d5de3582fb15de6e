"""The interfaces of this machine with the rate of each, so that one sees where the traffic is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from time import monotonic
from typing import ClassVar

from textual.binding import Binding, BindingType

from tcpladder.agent.interfaces import list_interfaces
from tcpladder.agent.messages import InterfaceState
from tcpladder.app.dialog import Dialog
from tcpladder.ladder import words

EVERY_S = 1.0
ADDRESS_CELL = 46
"""Where the addresses begin."""


def table(now: list[InterfaceState], before: dict[str, InterfaceState], passed_s: float, columns: int) -> str:
    """One line an interface: name, state, packets and bytes a second in both directions, addresses.

    Where `columns` are too few for an address beside the rest, all stand below it.
    """
    longest = max((len(address) for interface in now for address in interface.addresses), default=0)
    begin = max(2, min(ADDRESS_CELL, columns - longest))
    lines = [f"{'name':<16} {'state':<8} {'packets/s':>9} {'bytes/s':>8}  addresses"]
    for interface in now:
        earlier = before.get(interface.name)
        packets = octets = "-"
        if earlier is not None and passed_s > 0:
            packets = words.count(int(_packets(interface, earlier) / passed_s))
            octets = words.count(int(_bytes(interface, earlier) / passed_s))
        beside = interface.addresses[:1] if begin == ADDRESS_CELL else []
        line = f"{interface.name:<16} {interface.state:<8} {packets:>9} {octets:>8}  {''.join(beside)}"
        lines.append(line.rstrip())
        lines += [f"{'':<{begin}}{address}" for address in interface.addresses[len(beside) :]]
    return "\n".join(lines)


def _packets(now: InterfaceState, before: InterfaceState) -> int:
    return now.received_packets + now.sent_packets - before.received_packets - before.sent_packets


def _bytes(now: InterfaceState, before: InterfaceState) -> int:
    return now.received_bytes + now.sent_bytes - before.received_bytes - before.sent_bytes


class InterfacesScreen(Dialog):
    """A list; it goes on measuring while it is open."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("i", "dismiss", "close")]

    def __init__(self, masked: Callable[[str], str], *, ascii_only: bool) -> None:
        super().__init__(ascii_only=ascii_only)
        self._masked = masked
        self._before: dict[str, InterfaceState] = {}
        self._before_s = 0.0

    def on_mount(self) -> None:
        self._measure()
        self.set_interval(EVERY_S, self._measure)

    def _measure(self) -> None:
        now_s = monotonic()
        now = [
            replace(interface, addresses=list(map(self._masked, interface.addresses)))
            for interface in list_interfaces()
        ]
        text = table(now, self._before, now_s - self._before_s, self.columns)
        self._before, self._before_s = {interface.name: interface for interface in now}, now_s
        self.say(f"{text}\n\nanother one: tcpladder live -i NAME    Esc closes this.")
