"""What a person chose in the fault dialog, and the fault that it means. No widgets."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from enum import Enum

from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.provoked import first_give_up
from tcpladder.analysis.view import Endpoint, FlowView, Side
from tcpladder.errors import UsageError
from tcpladder.faults import phrases
from tcpladder.faults.fault import ROUTING, Action, Fault, Match, Segments
from tcpladder.flows.seqnum import advance, difference

MARGIN_S = 10
"""What a fault lasts longer than the timer that it provokes."""
USUAL_S = 60
"""How long it lasts where no timer is known to run."""
LONGEST_MS = 7 * 24 * 3600 * 1000
MOST_NEXT = 1_000_000
_UNITS_MS = {"ms": 1, "s": 1000, "min": 60_000, "m": 60_000, "h": 3_600_000}
_LENGTH = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?) ?(ms|s|min|m|h)?")
_FOREVER = ("∞", "forever")
_LOOK_BACK = 256
"""Segments before the last one in which the next sequence number of an end is looked for."""


class Direction(Enum):
    """Seen from the client of the flow."""

    BOTH = "both"
    TO_SERVER = "client → server"
    TO_CLIENT = "server → client"


class Scope(Enum):
    """Whose segments."""

    FLOW = "this flow"
    PORT = "port"
    HOST = "host"
    TYPED = "typed"
    """A host and port that a person typed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """One state of the dialog."""

    client: Endpoint | None
    """Of the flow under the cursor; None where there is no flow."""
    server: Endpoint | None
    direction: Direction = Direction.TO_SERVER
    scope: Scope = Scope.FLOW
    typed: str = ""
    segments: Segments = Segments.ALL
    action: Action = Action.DROP
    amount: str = ""
    length: str = ""
    probes: tuple[int, int] | None = None
    """Raw sequence number of the next keepalive probe of client and server, where it is known."""
    insist: bool = False

    def fault(self) -> Fault:
        """The fault that is meant. Raises UsageError, one sentence for the person who chose."""
        to_server = self.to_server()
        back = self.direction is Direction.TO_CLIENT
        return Fault(
            match=to_server.reverse() if back else to_server,
            both=self.direction is Direction.BOTH and self.action not in ROUTING,
            segments=Segments.ALL if self.action in ROUTING else self.segments,
            probe_sequences=self._probe_sequences(),
            action=self.action,
            amount=self._amount(),
            for_ms=read_length(self.length),
            insist=self.insist,
        )

    def to_server(self) -> Match:
        """What goes to the server, as far as the scope says. Raises UsageError."""
        if self.scope is Scope.TYPED:
            server = read_endpoint(self.typed)
            return Match(destination=server.address or None, destination_port=server.port)
        if self.client is None or self.server is None:
            raise UsageError("there is no flow here: choose typed, and give HOST:PORT")
        if self.scope is Scope.PORT:
            return Match(destination_port=self.server.port)
        if self.scope is Scope.HOST:
            return Match(destination=self.server.address)
        return Match(
            source=self.client.address,
            source_port=self.client.port,
            destination=self.server.address,
            destination_port=self.server.port,
        )

    def _probe_sequences(self) -> list[int]:
        if self.segments is not Segments.KEEPALIVE_PROBE or self.action in ROUTING:
            return []
        if self.scope is not Scope.FLOW or self.probes is None:
            raise UsageError("keepalive probes are known by the numbers of one flow: choose this flow")
        of_client, of_server = self.probes
        return {
            Direction.TO_SERVER: [of_client],
            Direction.TO_CLIENT: [of_server],
            Direction.BOTH: [of_client, of_server],
        }[self.direction]

    def _amount(self) -> int:
        if self.action not in (Action.LOSE, Action.DROP_NEXT):
            return 0
        most, what = (99, "percent") if self.action is Action.LOSE else (MOST_NEXT, "segments")
        text = self.amount.strip().removesuffix("%").strip()
        if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= most:
            raise UsageError(f"how many {what}? a number from 1 to {most:,}, not {self.amount!r}")
        return int(text)


def read_length(text: str) -> int | None:
    """Milliseconds of `60`, `60 s`, `1.5 min`, `2h`; None for ∞ or `forever`. Raises UsageError."""
    text = text.strip().lower()
    if text in _FOREVER:
        return None
    found = _LENGTH.fullmatch(text)
    if found is None:
        raise UsageError(f"for how long? 60 s, 5 min, 2 h or forever, not {text!r}")
    length_ms = int(float(found[1]) * _UNITS_MS[found[2] or "s"])
    if not 0 < length_ms <= LONGEST_MS:
        raise UsageError("for how long? more than nothing and not more than a week, or forever")
    return length_ms


def read_endpoint(text: str) -> Endpoint:
    """`10.0.0.9:443`, `[::1]:80`, `10.0.0.9` (port 0), `:443` (no address). Raises UsageError."""
    text = text.strip()
    address, port = text, ""
    if text.startswith("["):
        address, _, port = text[1:].partition("]")
        port = port.removeprefix(":")
    elif text.count(":") == 1:
        address, _, port = text.partition(":")
    if not address and not port:
        raise UsageError("whom? HOST:PORT, such as 10.0.0.9:443, [2001:db8::9]:443 or :443")
    if port and not (port.isascii() and port.isdigit() and 1 <= int(port[:9]) <= 65535):
        raise UsageError(f"a port is a number from 1 to 65535, not {port!r}")
    try:
        shown = str(ipaddress.ip_address(address)) if address else ""
    except ValueError:
        raise UsageError(f"an address is needed, not a name: {address!r}") from None
    return Endpoint(shown, int(port or 0))


def proposed_length(view: FlowView | None, now_ns: int) -> tuple[str, str]:
    """For how long, and why: until the timer that is provoked has given up, and a margin."""
    give_up = None if view is None else first_give_up(view.pending(now_ns))
    if give_up is None or give_up.due_ns <= now_ns:
        return f"{USUAL_S} s", "no timer is known to run; or type forever"
    left_s = -((now_ns - give_up.due_ns) // 1_000_000_000)
    why = f"until {give_up.timer} gives up: {phrases.length(left_s * 1000)} + {MARGIN_S} s"
    return f"{left_s + MARGIN_S} s", why


def for_opening(gives_up_ns: int) -> tuple[str, str]:
    """The same for a connection that does not exist yet: until connect() gives up."""
    left_s = -(-gives_up_ns // 1_000_000_000)
    return (
        f"{left_s + MARGIN_S} s",
        f"until connect() gives up: {phrases.length(left_s * 1000)} + {MARGIN_S} s",
    )


def probe_sequences(view: FlowView) -> tuple[int, int] | None:
    """Raw sequence numbers of the next keepalive probes of client and server (RFC 9293 3.8.4: one below the next)."""
    found = [_next_sequence(view, side) for side in Side]
    return None if found[0] is None or found[1] is None else (advance(found[0], -1), advance(found[1], -1))


def _next_sequence(view: FlowView, side: Side) -> int | None:
    """The sequence number behind everything that an end has sent, or that its peer has acknowledged."""
    latest: int | None = None
    last = len(view.time_ns) - 1
    for index in range(last, max(-1, last - _LOOK_BACK), -1):
        own = bool(view.from_client[index]) == (side is Side.CLIENT)
        number = view.raw_seq(index) if own else view.raw_ack(index)
        if number is None:
            continue
        if own and view.kind[index] not in (Kind.KEEPALIVE_PROBE, Kind.RST):
            flags = (view.flags(index) or "").split(",")
            number = advance(number, (view.length(index) or 0) + ("SYN" in flags) + ("FIN" in flags))
        elif own:
            continue
        if latest is None or difference(number, latest) > 0:
            latest = number
    return latest
