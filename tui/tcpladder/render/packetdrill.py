"""A diagram as a packetdrill script, from the local end's view. https://github.com/google/packetdrill

Grammar: gtests/net/packetdrill/{lexer.l,parser.y}. Numbers are relative, as the script's own are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import assert_never

from tcpladder.analysis import names
from tcpladder.analysis.beliefs import Believed
from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.view import Origin, Side
from tcpladder.ladder.diagram import Diagram
from tcpladder.ladder.model import Rung
from tcpladder.ladder.script import (
    Act,
    Call,
    Event,
    Heard,
    Remarked,
    begins_with_handshake,
    events,
    local_side,
)
from tcpladder.render.cells import one_line

_LARGEST = 65535
"""Of an unscaled window and of a payload (parser.y: is_valid_u16)."""
_LETTERS = {"FIN": "F", "SYN": "S", "RST": "R", "PSH": "P", "URG": "U", "ECE": "E", "CWR": "W"}
_KEEPALIVE = (names.KEEPALIVE_TIME, names.KEEPALIVE_INTVL, names.KEEPALIVE_PROBES)
_UNREACHABLE = {
    "network unreachable": "net_unreachable", "host unreachable": "host_unreachable",
    "protocol unreachable": "protocol_unreachable", "port unreachable": "port_unreachable",
    "network prohibited": "net_prohibited", "host prohibited": "host_prohibited",
    "administratively prohibited": "packet_filtered", "address unreachable": "address_unreachable",
    "no route": "no_route",
}  # fmt: skip
"""Our words (wire/icmp.py) to those of icmp_packet.c."""


def packetdrill(diagram: Diagram, local: Side | None = None) -> Iterator[str]:
    """The lines of the script; `local` is the end whose kernel runs it, else the one with the busier timers."""
    side = local_side(diagram) if local is None else local
    is_v6 = ":" in diagram.summary.client.address
    if is_v6:
        yield "--ip_version=ipv6"
    for key, value in diagram.provenance.lines():
        yield f"// {key}: {one_line(value)}"
    yield f"// the kernel that runs this is the {side.name.lower()}; the other end's segments are injected"
    yield from _host_values(diagram.believed[side])
    yield ""
    yield from _Script(diagram, side).lines()


class _Script:
    """The lines of one script; remembers which descriptor the connection has."""

    def __init__(self, diagram: Diagram, side: Side) -> None:
        self._diagram, self._side = diagram, side
        self._fd = 3
        view = diagram.view
        longest = max((view.length(index) or 0 for index in diagram.rungs), default=0)
        self._mss = min(max(longest, 1460), _LARGEST)
        """Long enough that the kernel sends each segment whole; what the peer offered is not in the model."""
        self._is_v6 = ":" in diagram.summary.client.address

    def lines(self) -> Iterator[str]:
        if not begins_with_handshake(self._diagram):
            yield "// this handshake was not captured"
            yield from self._made_up_handshake()
        for event in events(self._diagram, self._side):
            yield from self._event(event)

    def _event(self, event: Event) -> Iterator[str]:
        match event:
            case Act():
                yield from self._act(event)
            case Heard():
                yield from self._segment(event)
            case Remarked():
                yield f"// {one_line(event.text)}"
            case _:
                assert_never(event)

    def _act(self, act: Act) -> Iterator[str]:
        fd, at = self._fd, _after(act.after_ns)
        match act.call:
            case Call.CONNECT:
                yield from self._socket()
                yield from self._options()
                yield f"+0 fcntl({fd}, F_SETFL, O_RDWR|O_NONBLOCK) = 0"
                yield f"+0 connect({fd}, ..., ...) = -1 EINPROGRESS (Operation now in progress)"
            case Call.LISTEN:
                yield from self._socket()
                yield f"+0 setsockopt({fd}, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0"
                yield from self._options()
                yield f"+0 bind({fd}, ..., ...) = 0"
                yield f"+0 listen({fd}, 1) = 0"
            case Call.ACCEPT:
                self._fd = 4
                yield "+0 accept(3, ..., ...) = 4"
                yield "+0 fcntl(4, F_SETFL, O_RDWR|O_NONBLOCK) = 0"
            case Call.WRITE:
                yield f"{at} write({fd}, ..., {act.length}) = {act.length}"
            case Call.READ:
                yield f"{at} read({fd}, ..., {act.length}) = {act.length}"
            case Call.SHUTDOWN:
                if act.length:
                    yield f"{at} write({fd}, ..., {act.length}) = {act.length}"
                    at = "+0"
                yield f"{at} shutdown({fd}, SHUT_WR) = 0"
            case Call.ABORT:
                yield f"{at} setsockopt({fd}, SOL_SOCKET, SO_LINGER, {{onoff=1, linger=0}}, 8) = 0"
                yield f"+0 close({fd}) = 0"
            case Call.FIND_TIMED_OUT:
                yield f"{at} read({fd}, ..., 1) = -1 ETIMEDOUT (Connection timed out)"

    def _socket(self) -> Iterator[str]:
        yield "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3"

    def _options(self) -> Iterator[str]:
        """The socket options that are known; probes need SO_KEEPALIVE."""
        held = self._diagram.believed[self._side]
        known = {name: one for name, one in held.items() if one.origin is not Origin.ASSUMED}
        if known.get(names.SO_KEEPALIVE) is None and (self._sends_probes() or known.keys() & set(_KEEPALIVE)):
            yield "+0 setsockopt(3, SOL_SOCKET, SO_KEEPALIVE, [1], 4) = 0"
        for name, one in known.items():
            setting = names.SETTINGS[name]
            if setting.option:
                level = "SOL_SOCKET" if name == names.SO_KEEPALIVE else "SOL_TCP"
                value = one.value // setting.option_ns
                yield f"+0 setsockopt(3, {level}, {setting.option}, [{value}], 4) = 0"
        if names.KEEPALIVE_TIME in known and names.KEEPALIVE_INTVL not in known:
            # tcp_keepalive_timer waits for keepalive_intvl behind each probe, answered or not.
            value = known[names.KEEPALIVE_TIME].value // names.SETTINGS[names.KEEPALIVE_TIME].option_ns
            yield f"+0 setsockopt(3, SOL_TCP, TCP_KEEPINTVL, [{value}], 4) = 0  // no longer than that, else unknown"

    def _sends_probes(self) -> bool:
        view = self._diagram.view
        from_client = self._side is Side.CLIENT
        return any(
            view.kind[index] == Kind.KEEPALIVE_PROBE and bool(view.from_client[index]) == from_client
            for index in self._diagram.rungs
        )

    def _segment(self, heard: Heard) -> Iterator[str]:
        rung, numbers = heard.rung, heard.rung.numbers
        if rung.kind is Kind.ICMP_ERROR:
            yield from self._icmp(heard)
            return
        flags = (numbers.flags or "").split(",")
        seq, length = numbers.relative_seq or 0, numbers.length or 0
        if length > _LARGEST:
            yield f"// left out: {one_line(rung.label)}, longer than a packet"
            return
        words = [
            _after(heard.after_ns),
            ">" if heard.sent else "<",
            _flags(flags),
            f"{seq}:{seq + length}({length})",
        ]
        if "ACK" in flags and numbers.relative_ack is not None:
            words.append(f"ack {numbers.relative_ack}")
        words += self._window(numbers.window, sent=heard.sent)
        if "SYN" in flags:
            words.append("<...>" if heard.sent else self._offer())
        yield " ".join(words) + _remark(rung)

    def _offer(self) -> str:
        """The options of the peer's SYN: what it truly offered is not in the model, and SACK is what TLP needs."""
        return f"<mss {self._mss},nop,nop,sackOK>"

    def _window(self, window: int | None, *, sent: bool) -> list[str]:
        """What the peer announces; of our own kernel's only that it is shut."""
        if sent:
            return ["win 0"] if window == 0 else []
        return [f"win {min(_LARGEST if window is None else window, _LARGEST)}"]

    def _icmp(self, heard: Heard) -> Iterator[str]:
        said = heard.rung.label.removeprefix("ICMP ").split(" ×")[0]
        code = _UNREACHABLE.get(said)
        if code is None or heard.sent:
            yield f"// left out: {one_line(heard.rung.label)}"
            return
        seq = heard.rung.numbers.relative_seq or 0
        yield f"{_after(heard.after_ns)} < icmp unreachable {code} [{seq}:{seq}(0)]{_remark(heard.rung)}"

    def _made_up_handshake(self) -> Iterator[str]:
        if self._side is Side.CLIENT:
            yield from self._act(Act(call=Call.CONNECT))
            yield "+0 > S 0:0(0) <...>"
            yield f"+0 < S. 0:0(0) ack 1 win {_LARGEST} {self._offer()}"
            yield "+0 > . 1:1(0) ack 1"
        else:
            yield from self._act(Act(call=Call.LISTEN))
            yield f"+0 < S 0:0(0) win {_LARGEST} {self._offer()}"
            yield "+0 > S. 0:0(0) ack 1 <...>"
            yield f"+0 < . 1:1(0) ack 1 win {_LARGEST}"
            yield from self._act(Act(call=Call.ACCEPT))
        yield ""


def _host_values(believed: Mapping[str, Believed]) -> Iterator[str]:
    """What only a sysctl sets: for the person who runs the script, who decides about that machine."""
    for name, held in believed.items():
        setting = names.SETTINGS[name]
        if setting.sysctl and not setting.option and held.origin is not Origin.ASSUMED:
            yield f"// sysctl -w {setting.sysctl}={held.value // setting.sysctl_ns}"


def _flags(flags: list[str]) -> str:
    letters = "".join(_LETTERS.get(flag, "") for flag in flags)
    return letters + ("." if "ACK" in flags else "") or "-"


def _after(after_ns: int) -> str:
    """Since the event before: `+0`, `+.000021`, `+3.008117`."""
    seconds, micro = divmod(after_ns // 1000, 1_000_000)
    if not micro:
        return f"+{seconds}"
    return f"+{seconds or ''}.{micro:06d}".rstrip("0")


def _remark(rung: Rung) -> str:
    """The words of the rung, and what happened to it."""
    lost = f", lost: {rung.lost}" if rung.lost else ""
    return f"  // {one_line(rung.label + lost)}"
