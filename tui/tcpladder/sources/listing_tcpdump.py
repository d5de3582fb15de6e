"""Lines as tcpdump prints them: -n or names, -t to -ttttt, -S, -e, -v, -i any, and those of tcpdump 3."""

from __future__ import annotations

import re
from datetime import date

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

_DAY = r"(?P<day>\d{4}-\d\d-\d\d)\s+"
_CLOCK = r"(?P<h>\d\d):(?P<m>[0-5]\d):(?P<s>[0-5]\d|60)(?:\.(?P<f>\d{1,9}))?"
_NUMBER = r"(?:\d+\s\s)?"
"""What -# prints."""
_STAMP = re.compile(rf"\s*{_NUMBER}(?:(?:{_DAY})?{_CLOCK}|(?P<epoch>\d{{1,10}})\.(?P<ef>\d{{6,9}}))\s")
_UNSTAMPED = re.compile(r"(?:    )?(?:\S+ +(?:In|Out|M|B|P) +)?IP6? ")
_OLD_FLAGS = re.compile(r"([SFPRWE]+|\.)(?= (?:\d+:\d+\(\d+\)|ack \d|win \d))")
_OLD_NUMBERS = re.compile(r"(\d+):\d+\((\d+)\)")
_SEQ = re.compile(r"\bseq (\d+)(?::(\d+))?")
_ACK = re.compile(r"\back (\d+)")
_WINDOW = re.compile(r"\bwin (\d+)")
_LENGTH = re.compile(r"\blength:? (\d+)")
_OPTIONS = re.compile(r"options \[([^\]]*)\]|<((?:mss|nop|sackOK|sack|wscale|timestamp|eol)\b[^>]*)>")
_SACK_BLOCK = re.compile(r"\{(\d+):(\d+)\}")
_IP_ID = re.compile(r"\bid (\d+),")
_CONTINUED = re.compile(r"(?:IP6? \(|ethertype IPv[46] \(0x[0-9a-f]{4}\), length \d+: \()")
_MEANT = re.compile(r": (?:Flags \[|tcp \d)")
_OTHER = re.compile(r"\b(?:IP6?|ethertype IPv[46])\b")
_ARP = re.compile(r"\b(?:ARP|arp)\b[ ,(]")
_UINT32 = 0xFFFF_FFFF
_FLAGS = {"F": 1, "S": 2, "R": 4, "P": 8, ".": 16, "U": 32, "E": 64, "W": 128, "e": 256}
_ACK_FLAG = 16


def is_continued(line: str) -> bool:
    """Whether a line is the first half of what -v prints: the IP header; the segment stands in the next one."""
    if not line.endswith(")"):
        return False
    return bool(_CONTINUED.search(line)) and " > " not in line.partition(" (")[2] and _stamped(line)


def read_tcpdump_line(line: str) -> Listed | None:
    """What a line of a listing says; None where it is not one of tcpdump's."""
    at = -1
    for _ in range(4):
        at = line.find(" > ", at + 1)
        if at < 0:
            break
        before = line[:at].split()
        after = line[at + 3 :].split(None, 1)
        if before and len(after) == 2 and after[0].endswith(":"):
            segment = _segment(line[:at], before[-1], after[0][:-1], after[1])
            if segment is not None:
                return segment
    return _other(line)


def looks_like_segment(line: str) -> bool:
    """Whether a line that could not be read was meant to be a TCP segment, not one that an ICMP error quotes."""
    return " > " in line and not line[:1].isspace() and bool(_MEANT.search(line))


def _stamped(line: str) -> bool:
    return _STAMP.match(line) is not None or bool(_UNSTAMPED.match(line))


def _segment(prefix: str, source: str, destination: str, rest: str) -> ListedSegment | None:
    if not _stamped(prefix):
        # Without a time and without `IP`, it is what -v prints of the segment that an ICMP error quotes.
        return None
    flags = _flags_of(rest)
    ends = _end(source), _end(destination)
    if flags is None or ends[0] is None or ends[1] is None:
        return None
    found = _OPTIONS.search(rest)
    options = (found[1] or found[2] or "") if found else ""
    fields = rest[: found.start()] + rest[found.end() :] if found else rest
    length = _LENGTH.search(fields)
    if length:
        fields = fields[: length.end()]
    seq, size = _sequence(fields)
    ack, window, ip_id = _ACK.search(fields), _WINDOW.search(fields), _IP_ID.search(prefix)
    return ListedSegment(
        stamp=stamp_of(prefix),
        source=ends[0],
        destination=ends[1],
        is_v6=":" in ends[0].host or bool(re.search(r"\bIP(?:v6|6)\b", prefix)),
        flags=flags | (_ACK_FLAG if ack else 0),
        seq=seq,
        ack=int(ack[1]) & _UINT32 if ack else None,
        window=min(int(window[1]), 0xFFFF) if window else None,
        length=min(int(length[1]), 1 << 20) if length else size,
        options=_options(options) if options else NO_OPTIONS,
        ip_id=int(ip_id[1]) & 0xFFFF if ip_id else 0,
        relative=True,
    )


def _flags_of(rest: str) -> int | None:
    if rest.startswith("Flags ["):
        letters, closed, _ = rest[7:].partition("]")
        if not closed:
            return None
        if letters == "none":
            return 0
    else:
        found = _OLD_FLAGS.match(rest)
        if found is None:
            return None
        # In tcpdump 3 the point says that no other flag stands, and ACK is told by its number.
        letters = found[1].replace(".", "")
    if any(letter not in _FLAGS for letter in letters):
        return None
    return sum(_FLAGS[letter] for letter in set(letters))


def _end(text: str) -> ListedEnd | None:
    host, point, port = text.rpartition(".")
    return ListedEnd(host, port) if point and host and port else None


def _sequence(fields: str) -> tuple[int | None, int | None]:
    """The sequence number, and the length that stands beside it."""
    old = _OLD_NUMBERS.search(fields)
    if old:
        return int(old[1]) & _UINT32, min(int(old[2]), 1 << 20)
    found = _SEQ.search(fields)
    if not found:
        return None, None
    if found[2] is None:
        return int(found[1]) & _UINT32, None
    size = int(found[2]) - int(found[1]) & _UINT32
    return int(found[1]) & _UINT32, size if size < 1 << 20 else None


def _options(text: str) -> ListedOptions:
    def number(pattern: str) -> int | None:
        found = re.search(pattern, text)
        return int(found[1]) & _UINT32 if found else None

    stamps = re.search(r"\bTS val (\d+) ecr (\d+)|\btimestamp (\d+) (\d+)", text)
    values = [int(value) & _UINT32 for value in stamps.groups() if value] if stamps else []
    mss, shift = number(r"\bmss (\d+)"), number(r"\bwscale (\d+)")
    return ListedOptions(
        mss=None if mss is None else mss & 0xFFFF,
        window_shift=None if shift is None else shift & 0xFF,
        sack_permitted="sackOK" in text,
        timestamps=(values[0], values[1]) if len(values) == 2 else None,
        sack=tuple((int(a) & _UINT32, int(b) & _UINT32) for a, b in _SACK_BLOCK.findall(text)[:4]),
    )


def _other(line: str) -> ListedOther | None:
    """A line with a time that tcpdump prints for something else than TCP."""
    found = _STAMP.match(line)
    if found is None or _MEANT.search(line):
        return None
    rest = line[found.end() :]
    if _ARP.match(rest) or "ethertype ARP" in rest:
        return ListedOther(stamp_of(line), None)
    if " > " not in rest or not _OTHER.search(rest.partition(" > ")[0] if "ethertype" not in rest else rest):
        return None
    if "ICMP6" in rest:
        return ListedOther(stamp_of(line), 58)
    return ListedOther(stamp_of(line), 1 if "ICMP" in rest else 17 if "UDP" in rest else 253)


def stamp_of(line: str) -> Stamp:
    """The time at the beginning of a line."""
    found = _STAMP.match(line if line[-1:].isspace() else line + " ")
    if found is None:
        return NO_STAMP
    if found["epoch"]:
        return Stamp(StampKind.EPOCH, int(found["epoch"]) * 10**9 + int(found["ef"].ljust(9, "0")))
    fraction = int((found["f"] or "").ljust(9, "0"))
    ns = (int(found["h"]) * 3600 + int(found["m"]) * 60 + int(found["s"])) * 10**9 + fraction
    if not found["day"]:
        return Stamp(StampKind.TIME_OF_DAY, ns)
    try:
        day = date.fromisoformat(found["day"]).toordinal() - date(1970, 1, 1).toordinal()
    except ValueError:
        return NO_STAMP
    if not 0 <= day < 100_000:
        return NO_STAMP
    return Stamp(StampKind.LOCAL, day * 86_400 * 10**9 + ns)
