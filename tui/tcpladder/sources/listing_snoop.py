"""Lines as Sun's snoop prints them in its summary: `8  12.54995 yang -> kirke TCP D=1105 S=5000 Ack=… Len=1 Win=…`."""

from __future__ import annotations

import re

from tcpladder.sources.listed import (
    NO_OPTIONS,
    NO_STAMP,
    Listed,
    ListedEnd,
    ListedOptions,
    ListedOther,
    ListedSegment,
    Stamp,
    StampKind,
)

_PREFIX = re.compile(
    r"\s*(?:(?P<number>\d+)\s+)?(?:(?P<span>\d{1,9}\.\d{1,9})\s+|(?P<h>\d\d?):(?P<m>[0-5]\d):(?P<s>[0-5]\d)(?:\.(?P<f>\d{1,9}))?\s+)?"
    r"(?P<source>\S+)\s*\Z"
)
_TCP = re.compile(r"TCP D=(\S+) S=(\S+)(?:\s+(.*))?\Z")
_FIELD = re.compile(r"\b(Ack|Seq|Len|Win)=(\d+)")
_FLAGS = {"Fin": 1, "Syn": 2, "Rst": 4, "Push": 8, "Urg": 32}
_FLAG = re.compile(r"\b(Fin|Syn|Rst|Push|Urg)\b")
_OPTIONS = re.compile(r"Options=<([^>]*)>")
_PROTOCOLS = {"UDP": 17, "ICMP": 1, "ICMPv6": 58, "IGMP": 2}
_ACK_FLAG = 16
_UINT32 = 0xFFFF_FFFF


def read_snoop_line(line: str) -> Listed | None:
    """What a line of a listing says; None where it is not one of snoop's."""
    before, arrow, after = line.partition(" -> ")
    prefix = _PREFIX.match(before) if arrow else None
    if prefix is None:
        return None
    words = after.split(None, 1)
    if len(words) < 2:
        return None
    rest = words[1].rstrip()
    segment = _TCP.match(rest)
    if segment is not None:
        return _segment(_stamp(prefix), prefix["source"], words[0], segment)
    protocol = rest.split(None, 1)[0]
    if prefix["number"] is None or (prefix["span"] is None and prefix["h"] is None):
        return None
    if protocol == "ARP":
        return ListedOther(_stamp(prefix), None)
    return ListedOther(_stamp(prefix), _PROTOCOLS.get(protocol, 253))


def _segment(stamp: Stamp, source: str, destination: str, found: re.Match[str]) -> ListedSegment:
    text = found[3] or ""
    listed = _OPTIONS.search(text)
    numbers = {name: int(value) for name, value in _FIELD.findall(text)}
    flags = sum(_FLAGS[name] for name in set(_FLAG.findall(text)))
    ack, seq, window, length = (numbers.get(name) for name in ("Ack", "Seq", "Win", "Len"))
    return ListedSegment(
        stamp=stamp,
        source=ListedEnd(source, found[2]),
        destination=ListedEnd(destination, found[1]),
        is_v6=":" in source,
        flags=flags | (_ACK_FLAG if ack is not None else 0),
        seq=None if seq is None else seq & _UINT32,
        ack=None if ack is None else ack & _UINT32,
        window=None if window is None else min(window, 0xFFFF),
        length=None if length is None else min(length, 1 << 20),
        options=_options(listed[1]) if listed else NO_OPTIONS,
    )


def _options(text: str) -> ListedOptions:
    mss, shift = re.search(r"\bmss (\d+)", text), re.search(r"\bwscale (\d+)", text)
    stamps = re.search(r"\btstamp (\d+) (\d+)", text)
    return ListedOptions(
        mss=int(mss[1]) & 0xFFFF if mss else None,
        window_shift=int(shift[1]) & 0xFF if shift else None,
        sack_permitted="sackOK" in text,
        timestamps=(int(stamps[1]) & _UINT32, int(stamps[2]) & _UINT32) if stamps else None,
    )


def _stamp(prefix: re.Match[str]) -> Stamp:
    if prefix["span"]:
        seconds, _, fraction = prefix["span"].partition(".")
        return Stamp(StampKind.SPAN, int(seconds) * 10**9 + int(fraction.ljust(9, "0")))
    if prefix["h"]:
        seconds_of_day = int(prefix["h"]) * 3600 + int(prefix["m"]) * 60 + int(prefix["s"])
        return Stamp(StampKind.TIME_OF_DAY, seconds_of_day * 10**9 + int((prefix["f"] or "").ljust(9, "0")))
    return NO_STAMP
