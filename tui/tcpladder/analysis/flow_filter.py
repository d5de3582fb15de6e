"""Which flows a person wants to see: the words of a filter as a value that says yes or no to a summary.

A filter is terms with blanks between them, and all must hold: `state:estab port:22 probes>0 ended:no-answer
addr:10.0.0.0/8 !client:10.0.0.7`. A `!` turns a term round, a comma separates values of which one is enough, and a word
without a field is looked for in addresses, state, end and the processes that hold the sockets.
"""

from __future__ import annotations

import ipaddress
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tcpladder.analysis.view import Endpoint, FlowSummary
from tcpladder.errors import UsageError

Test = Callable[[FlowSummary], bool]

_COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
    ":": operator.eq,
}
_TERM = re.compile(r"(?P<field>[A-Za-z_]+)(?P<sign>>=|<=|[:=<>])(?P<value>.*)", re.DOTALL)
_NUMBERS: dict[str, Callable[[FlowSummary], int]] = {
    "segments": lambda flow: flow.segments,
    "bytes": lambda flow: flow.bytes,
    "probes": lambda flow: flow.keepalive_probes,
    "rtx": lambda flow: flow.retransmissions,
    "duration": lambda flow: flow.last_ns - flow.first_ns,
    "flow": lambda flow: flow.number,
}
_PORTS: dict[str, Callable[[FlowSummary], tuple[Endpoint, ...]]] = {
    "port": lambda flow: (flow.client, flow.server),
    "cport": lambda flow: (flow.client,),
    "sport": lambda flow: (flow.server,),
}
_ADDRESSES: dict[str, Callable[[FlowSummary], tuple[Endpoint, ...]]] = {
    "addr": lambda flow: (flow.client, flow.server),
    "client": lambda flow: (flow.client,),
    "server": lambda flow: (flow.server,),
}
_LASTING = re.compile(r"!*(port|addr)[:=]", re.IGNORECASE)
"""Which end is the client may become known late, so that its port alone may be another one then."""
STATES = (
    "syn-sent", "syn-recv", "estab", "fin-wait-1", "fin-wait-2", "close-wait", "closing", "last-ack", "time-wait",
    "closed",
)  # fmt: skip
"""As ss(8) prints them in lower case."""
_STATE_WORDS = {"established": "estab"}
ENDS: dict[str, str | None] = {
    "no-answer": "no answer",
    "rst": "RST",
    "refused": "refused",
    "closed": "closed",
    "open": None,
}
"""The words of `ended:` as the list has them -> FlowSummary.ended; `icmp` is whatever else stands there."""
_END_WORDS = {"timeout": "no-answer", "reset": "rst", "no_answer": "no-answer"}
"""What else they are called."""
BEGINNINGS = ("handshake", "syn", "syn_ack", "middle")
_SCALES = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}
_SECONDS_NS = {"": 10**9, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9, "d": 86400 * 10**9}
FIELDS = (*_NUMBERS, *_PORTS, *_ADDRESSES, "state", "ended", "began", "process", "pid")
_VALUES: dict[str, tuple[str, ...]] = {
    "state": STATES,
    "ended": (*ENDS, "icmp"),
    "began": BEGINNINGS,
}


class FilterError(UsageError):
    """A word of a filter that makes no sense."""

    def __init__(self, reason: str, start: int, stop: int) -> None:
        super().__init__(reason)
        self.start = start
        """Where the word begins in the text of the filter, and `stop` where it ends."""
        self.stop = stop


@dataclass(frozen=True, slots=True)
class FlowFilter:
    """All terms must hold; without any, every flow passes."""

    words: str = ""
    terms: tuple[Test, ...] = ()
    lasts: bool = True
    """Whether a flow that passes always will: only ports and addresses of either end are asked for."""

    def passes(self, flow: FlowSummary) -> bool:
        """Whether the flow is shown."""
        return all(holds(flow) for holds in self.terms)


def parse(text: str) -> FlowFilter:
    """Read a filter. Raises FilterError, which names the word and says where it stands."""
    terms, lasts = [], True
    for found in re.finditer(r"\S+", text):
        try:
            terms.append(_term(found.group()))
            lasts &= re.match(_LASTING, found.group()) is not None
        except ValueError as wrong:
            raise FilterError(f"cannot filter by {found.group()}: {wrong}", *found.span()) from None
    return FlowFilter(text, tuple(terms), lasts)


def completions(text: str) -> list[str]:
    """What the last word of `text` may become, the whole text each time, in the order of the tables; empty for none."""
    before, word = re.fullmatch(r"(.*?)(\S*)", text, re.DOTALL).groups()  # type: ignore[union-attr]
    turned = "!" if word.startswith("!") else ""
    field, sign, value = word.removeprefix("!").partition(":")
    if not sign:
        found = [_opened(name) for name in FIELDS if field and name.startswith(field.lower())]
        return [f"{before}{turned}{name}" for name in found]
    earlier, comma, begun = value.rpartition(",")
    kept = f"{before}{turned}{field}:{earlier}{comma}"
    return [
        kept + known
        for known in (
            *_VALUES.get(field.lower(), ()),
            *(_END_WORDS if field.lower() == "ended" and begun else ()),
        )
        if known.startswith(begun.lower()) and known != begun
    ]


def _opened(field: str) -> str:
    """A field with the sign that usually follows it."""
    return f"{field}>" if field in _NUMBERS and field != "flow" else f"{field}:"


def _term(word: str) -> Test:
    """One term. Raises ValueError with the reason, which follows `cannot filter by WORD: `."""
    if word.startswith("!"):
        if word == "!":
            raise ValueError("! stands in front of a term")
        inner = _term(word[1:])
        return lambda flow: not inner(flow)
    split = _TERM.fullmatch(word)
    # An IPv6 address or `:443` is a word to look for, not a field.
    if split is None or (split["field"].lower() not in FIELDS and _may_be_address(word)):
        sought = word.lower()
        return lambda flow: sought in _text(flow)
    field, sign, value = split["field"].lower(), split["sign"], split["value"]
    if field not in FIELDS:
        raise ValueError(_nearest(field, FIELDS))
    if not value:
        raise ValueError(f"{field} needs a value behind it")
    if field in _NUMBERS:
        return _number(field, sign, value)
    if sign not in ":=":
        raise ValueError(f"only numbers have {sign}; write {field}:{value}")
    alternatives = [_value(field, one) for one in value.split(",")]
    return lambda flow: any(holds(flow) for holds in alternatives)


def _text(flow: FlowSummary) -> str:
    owners = " ".join(map(str, flow.owners))
    ends = f"{flow.client} {flow.server} {flow.client.numeric} {flow.server.numeric}"
    return f"{ends} {flow.state} {flow.ended or ''} {owners}".lower()


def _may_be_address(word: str) -> bool:
    return re.fullmatch(r"\[?[0-9A-Fa-f:.]+\]?(:\d*)?", word) is not None


def _number(field: str, sign: str, written: str) -> Test:
    compare, measure = _COMPARISONS[sign], _NUMBERS[field]
    scales = _SECONDS_NS if field == "duration" else _SCALES
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([a-z]*)", written.lower())
    if match is None or match[2] not in scales:
        units = ", ".join(unit for unit in scales if unit)
        raise ValueError(f"{written} is no number; units are {units}")
    limit = round(float(match[1]) * scales[match[2]])
    return lambda flow: compare(measure(flow), limit)


def _value(field: str, value: str) -> Test:
    if field in _PORTS:
        return _port(_PORTS[field], value)
    if field in _ADDRESSES:
        return _address(_ADDRESSES[field], value)
    if field == "process":
        name = value.lower()
        return lambda flow: any(name in one.name.lower() for one in flow.owners)
    if field == "pid":
        return _pid(value)
    if field == "state":
        state = _known(_STATE_WORDS.get(value.lower(), value), STATES)
        return lambda flow: state in (flow.state, *(one.lower() for one in flow.states))
    if field == "began":
        began = _known(value, BEGINNINGS)
        return lambda flow: flow.began == began
    word = _known(_END_WORDS.get(value.lower(), value), _VALUES["ended"])
    if word == "icmp":
        return lambda flow: flow.ended not in ENDS.values()
    ended = ENDS[word]
    return lambda flow: flow.ended == ended


def _known(value: str, known: Sequence[str]) -> str:
    if value.lower() in known:
        return value.lower()
    raise ValueError(_nearest(value.lower(), known))


def _nearest(word: str, known: Sequence[str]) -> str:
    """What to say of a word that is not known."""
    from difflib import get_close_matches  # few mistype

    near = get_close_matches(word, known, 1)
    return f"did you mean {near[0]}?" if near else f"have {', '.join(known)}"


def _pid(written: str) -> Test:
    if not (written.isascii() and written.isdigit()):
        raise ValueError("a pid is a number")
    pid = int(written)
    return lambda flow: any(one.pid == pid for one in flow.owners)


def _port(ends: Callable[[FlowSummary], tuple[Endpoint, ...]], written: str) -> Test:
    first, dash, last = written.partition("-")
    ports = (first, last if dash else first)
    if not all(port.isascii() and port.isdigit() and int(port) < 1 << 16 for port in ports):
        raise ValueError("a port is a number up to 65535, or two with a - between")
    low, high = map(int, ports)
    return lambda flow: any(low <= end.port <= high for end in ends(flow))


def _address(ends: Callable[[FlowSummary], tuple[Endpoint, ...]], written: str) -> Test:
    try:
        network = ipaddress.ip_network(written.strip("[]"), strict=False)
    except ValueError:
        raise ValueError("give an address such as 10.0.0.1 or 10.0.0.0/8") from None
    return lambda flow: any(_within(end.address, network) for end in ends(flow))


def _within(address: str, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    """Whether an address lies in a network; a name that a listing has for a host lies in none."""
    try:
        return ipaddress.ip_address(address) in network
    except ValueError:
        return False
