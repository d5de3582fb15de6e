"""The interfaces of this machine with the rate of each, so that one sees where the traffic is."""

from __future__ import annotations

from time import monotonic
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from tcpladder.agent.interfaces import list_interfaces
from tcpladder.agent.messages import InterfaceState
from tcpladder.ladder import words

EVERY_S = 1.0


def table(now: list[InterfaceState], before: dict[str, InterfaceState], passed_s: float) -> str:
    """One line an interface: name, state, packets and bytes a second in both directions, addresses."""
    lines = [f"{'name':<16} {'state':<8} {'packets/s':>9} {'bytes/s':>8}  addresses"]
    for interface in now:
        earlier = before.get(interface.name)
        packets = octets = "-"
        if earlier is not None and passed_s > 0:
            packets = words.count(int(_packets(interface, earlier) / passed_s))
            octets = words.count(int(_bytes(interface, earlier) / passed_s))
        addresses = " ".join(interface.addresses)
        lines.append(f"{interface.name:<16} {interface.state:<8} {packets:>9} {octets:>8}  {addresses}")
    return "\n".join(lines)


def _packets(now: InterfaceState, before: InterfaceState) -> int:
    return now.received_packets + now.sent_packets - before.received_packets - before.sent_packets


def _bytes(now: InterfaceState, before: InterfaceState) -> int:
    return now.received_bytes + now.sent_bytes - before.received_bytes - before.sent_bytes


class InterfacesScreen(ModalScreen[None], inherit_bindings=False):
    """A list; it goes on measuring while it is open."""

    TITLE = "interfaces"
    BINDINGS: ClassVar[list[BindingType]] = []
    DEFAULT_CSS = """
    InterfacesScreen { align: center middle; }
    InterfacesScreen VerticalScroll { width: 90%; height: auto; max-height: 100%; border: round $accent;
        padding: 0 1; background: $surface; scrollbar-size-vertical: 1; }
    InterfacesScreen.-ascii VerticalScroll { border: ascii $accent; }
    InterfacesScreen Static { height: auto; }
    """

    def __init__(self, *, ascii_only: bool) -> None:
        super().__init__()
        self._before: dict[str, InterfaceState] = {}
        self._before_s = 0.0
        self.set_class(ascii_only, "-ascii")

    def compose(self) -> ComposeResult:
        with VerticalScroll(can_focus=False):
            yield Static(id="interfaces", markup=False)

    def on_mount(self) -> None:
        self._measure()
        self.set_interval(EVERY_S, self._measure)

    def _measure(self) -> None:
        now_s, now = monotonic(), list_interfaces()
        text = table(now, self._before, now_s - self._before_s)
        self._before, self._before_s = {interface.name: interface for interface in now}, now_s
        self.query_one("#interfaces", Static).update(
            f"{text}\n\nanother one: tcpladder live -i NAME          Esc closes this."
        )
