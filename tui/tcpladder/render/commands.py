"""The commands of other programs that show the same segment or socket, ready for a shell."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import PurePath

from tcpladder.analysis.view import Endpoint, FlowView

_FIELDS = ("tcp[4:4]", "tcp[8:4]", "tcp[13]")
_FIELDS_BEHIND_IP6 = ("ip6[44:4]", "ip6[48:4]", "ip6[53]")
"""Sequence number, acknowledgment number and flags. pcap-filter(7): `tcp[...]` is for IPv4 alone; the others are right
behind an IPv6 header without extensions."""
_FLAGS = ("FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR")
"""From bit 0 on (RFC 9293 3.1)."""
_TCPDUMP_READS = (".pcap", ".pcapng", ".cap", ".dmp")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where the frames of a flow come from, as far as another program can get at them."""

    file: str = ""
    """The capture; empty where there is none that another program could read."""
    interface: str = ""
    """Of a live capture; empty for a file."""


def commands(view: FlowView, index: int, ends: tuple[Endpoint, Endpoint], origin: Origin) -> tuple[str, ...]:
    """One line each: the frame in tshark and tcpdump for a file, the sockets and what comes for a live capture.

    `ends` are client and server as they are, whatever the view shows.
    """
    sender, receiver = ends if view.from_client[index] else ends[::-1]
    if origin.interface:
        client, server = ends
        where = (
            f"host {client.address} and port {client.port} and host {server.address} and port {server.port}"
        )
        interface = shlex.quote(origin.interface)
        return (
            f"ss -tanoi 'src {sender} and dst {receiver}'",
            f"ss -tanoi 'src {receiver} and dst {sender}'",
            f"tcpdump -nn -S -i {interface} {shlex.quote(where)}",
        )
    if not origin.file or origin.file == "-":
        return ()
    file = shlex.quote(origin.file)
    found = [f"tshark -n -r {file} -Y 'frame.number == {view.frame(index)}' -V"]
    if PurePath(origin.file).suffix in _TCPDUMP_READS:
        found.append(f"tcpdump -nn -S -v -r {file} {shlex.quote(_segment(view, index, sender, receiver))}")
    return tuple(found)


def _segment(view: FlowView, index: int, sender: Endpoint, receiver: Endpoint) -> str:
    """A filter for the segments with these ends, these numbers and these flags."""
    words = [
        f"src host {sender.address} and src port {sender.port}",
        f"dst host {receiver.address} and dst port {receiver.port}",
    ]
    flags = view.flags(index)
    bits = None if flags is None else sum(1 << _FLAGS.index(f) for f in flags.split(",") if f in _FLAGS)
    fields = _FIELDS_BEHIND_IP6 if ":" in sender.address else _FIELDS
    for field, value in zip(fields, (view.raw_seq(index), view.raw_ack(index), bits), strict=True):
        if value is not None:
            words.append(f"{field} = {value}")
    return " and ".join(words)
