"""The timer values that travel inside a capture, as comments on its frames: `tcpladder timers: [{…}]`.

Other tools show them as what they are, comments. What is read may come from strangers: it is bounded, and what makes no
sense is left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tcpladder.analysis.beliefs import Believed, TimerValues
from tcpladder.analysis.expected import text_of, value_of
from tcpladder.analysis.names import SETTINGS
from tcpladder.analysis.view import Endpoint, Origin
from tcpladder.errors import UsageError

PREFIX = "tcpladder timers: "
MOST_ENTRIES = 1024
MOST_ADDRESSES = 32
MOST_BYTES = 3500
"""Of one comment, so that a reader that cuts long ones keeps it whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What somebody knew of the values of an end, or of all ends at some addresses.

    Attributes:
        addresses: of the machine whose sysctls they are, or the one address of a socket.
        port: of the socket; None for sysctls.
        peer: of the socket, where it is known.
        since_ns: from when on they hold; 0 for always.
        values: name -> ns or count.
    """

    addresses: tuple[str, ...]
    port: int | None = None
    peer: Endpoint | None = None
    since_ns: int = 0
    values: Mapping[str, int]

    def fits(self, end: Endpoint, peer: Endpoint) -> bool:
        """Whether the entry speaks of an end."""
        here = end.address in self.addresses or (
            self.port is None and end.address.startswith("127.") and "127.0.0.1" in self.addresses
        )
        return here and self.port in (None, end.port) and self.peer in (None, peer)


def comments_of(entries: Iterable[Entry]) -> list[str]:
    """The comments that carry the entries, each short enough for every reader."""
    comments: list[str] = []
    for entry in entries:
        fields: dict[str, object] = {"from": "sysctl" if entry.port is None else "socket"}
        if entry.port is None:
            fields["addresses"] = list(entry.addresses[:MOST_ADDRESSES])
        else:
            fields["end"] = [entry.addresses[0], entry.port]
        if entry.peer is not None:
            fields["peer"] = [entry.peer.address, entry.peer.port]
        if entry.since_ns:
            fields["since_ns"] = entry.since_ns
        fields |= {name: text_of(name, value) for name, value in entry.values.items()}
        text = json.dumps(fields)
        if comments and len(comments[-1]) + len(text) < MOST_BYTES:
            comments[-1] = f"{comments[-1][:-1]}, {text}]"
        else:
            comments.append(f"{PREFIX}[{text}]")
    return comments


def entries_of(comment: str) -> list[Entry]:
    """The entries in a comment on a frame, which may have other lines, too."""
    entries = []
    for line in comment.splitlines():
        if not line.startswith(PREFIX):
            continue
        try:
            listed = json.loads(line.removeprefix(PREFIX))
        except (ValueError, RecursionError):
            continue
        for fields in listed[:MOST_ENTRIES] if isinstance(listed, list) else []:
            entry = _entry(fields) if isinstance(fields, dict) else None
            if entry is not None:
                entries.append(entry)
    return entries


class CapturedValues:
    """The entries of one capture, as they come."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._read = 0

    def read(self, comments: Mapping[int, str]) -> None:
        """Take in the comments that came since the last call; they only grow."""
        if len(comments) == self._read:
            return
        fresh = list(comments.values())[self._read :]
        self._read = len(comments)
        found = (entry for comment in fresh for entry in entries_of(comment))
        self._entries += list(found)[: max(0, MOST_ENTRIES - len(self._entries))]

    def believed(self, end: Endpoint, peer: Endpoint) -> TimerValues:
        """What an end is believed to run with: its socket's values before its machine's."""
        machine, socket = TimerValues(), TimerValues()
        for entry in self._entries:
            if not entry.fits(end, peer):
                continue
            yields = entry.port is None
            more = {
                name: Believed(value, Origin.CAPTURE, entry.since_ns, None, yields)
                for name, value in entry.values.items()
            }
            if yields:
                machine = machine.merged(more)
            else:
                socket = socket.merged(more)
        return TimerValues({**machine.known, **socket.known})


def _entry(fields: Mapping[str, object]) -> Entry | None:
    values = {}
    for name in SETTINGS:
        text = fields.get(name)
        if isinstance(text, str) and len(text) < 32:
            try:
                values[name] = value_of(PREFIX, name, text)
            except UsageError:
                continue
    since_ns = fields.get("since_ns", 0)
    if not values or not isinstance(since_ns, int) or not 0 <= since_ns < 1 << 63:
        return None
    addresses, end = fields.get("addresses"), _endpoint(fields.get("end"))
    if end is not None:
        return Entry(
            addresses=(end.address,),
            port=end.port,
            peer=_endpoint(fields.get("peer")),
            since_ns=since_ns,
            values=values,
        )
    if not isinstance(addresses, list):
        return None
    texts = tuple(address for address in addresses[:MOST_ADDRESSES] if isinstance(address, str))
    return Entry(addresses=texts, since_ns=since_ns, values=values)


def _endpoint(pair: object) -> Endpoint | None:
    match pair:
        case [str() as address, int() as port]:
            return Endpoint(address, port)
        case _:
            return None
