"""What a file that is not a capture looks like, from its first bytes, in words."""

from __future__ import annotations

import unicodedata

HEAD_BYTES = 1024
"""How much of a file is looked at."""

READABLE = "pcap, pcapng, snoop and what tcpdump prints can be read, plain or compressed with gzip, xz, bzip2 or zstd"

_LIKENESSES: tuple[tuple[bytes, str], ...] = (
    (b"\x04\x22\x4d\x18", "it is compressed with lz4: run lz4 -d first"),
    (b"\x1f\x9d", "it is compressed with compress: run gzip -d first"),
    (b"PK\x03\x04", "it is a zip archive: unzip it first"),
    (b"7z\xbc\xaf\x27\x1c", "it is a 7z archive: unpack it first"),
    (b"Rar!", "it is a rar archive: unpack it first"),
    (b"RTSS", "it is a Network Monitor 1 capture: convert it with editcap -F nsecpcap"),
    (b"GMBU", "it is a Network Monitor 2 capture: convert it with editcap -F nsecpcap"),
    (b"XCP\0", "it is a NetXRay capture: convert it with editcap -F nsecpcap"),
    (b"TRSNIFF data", "it is a Sniffer capture: convert it with editcap -F nsecpcap"),
    (b"\x7fELF", "it looks like a program (ELF)"),
    (b"MZ", "it looks like a Windows program"),
    (b"%PDF", "it looks like a PDF document"),
    (b"\x89PNG", "it looks like a PNG picture"),
    (b"\xff\xd8\xff", "it looks like a JPEG picture"),
    (b"GIF8", "it looks like a GIF picture"),
    (b"SQLite format 3\0", "it looks like an SQLite database"),
    (b"PAR1", "it looks like a Parquet table"),
    (b"\xff\xfe", "it looks like UTF-16 text"),
    (b"\xfe\xff", "it looks like UTF-16 text"),
)
_TAR_MAGIC_OFFSET = 257


def likeness(head: bytes) -> str:
    """Say what the first bytes look like: a clause that can follow `cannot read FILE: `. Never empty."""
    for magic, words in _LIKENESSES:
        if head.startswith(magic):
            return words
    if head[_TAR_MAGIC_OFFSET : _TAR_MAGIC_OFFSET + 5] == b"ustar":
        return "it is a tar archive: unpack it first"
    text = as_text(head)
    if text is not None:
        return f"it looks like {_kind_of_text(text)}, not like a capture ({READABLE})"
    if not any(head):
        return f"it begins with zeros, which no capture does ({READABLE})"
    return f"it begins with {head[:4].hex(' ')}, which no capture does ({READABLE})"


def is_text(head: bytes) -> bool:
    """Whether these first bytes can be those of a text, in UTF-8 or an older encoding."""
    if any(head.startswith(magic) for magic, _ in _LIKENESSES):
        return False
    return as_text(head) is not None or (bool(head) and not any(byte < 9 or 13 < byte < 27 for byte in head))


def as_text(head: bytes) -> str | None:
    """Decode the head if a person would call it text. The last character may be cut."""
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if len(head) < HEAD_BYTES or error.start < len(head) - 3:
            return None
        text = head[: error.start].decode("utf-8")
    control = sum(unicodedata.category(letter) == "Cc" and letter not in "\t\n\r\f\x1b" for letter in text)
    return text if text and control == 0 else None


def _kind_of_text(text: str) -> str:
    start = text.lstrip("\ufeff \t\r\n")
    if start.startswith("#!"):
        return "a script"
    if start.startswith(("{", "[")):
        return "JSON"
    if start[:14].lower().startswith(("<!doctype html", "<html")):
        return "a web page"
    if start.startswith("<"):
        return "XML"
    return "text"
