"""The fields of one frame by name, for comparing two: as dissect.py reads them, flat, and the payload of TCP."""

from __future__ import annotations

from tcpladder.store.dissect import DetailLine, dissect

_DATA = "data, "


def fields(frame: bytes, link_type: int) -> dict[str, str]:
    """`IP ttl` -> `64`, `TCP option Timestamp` -> `1, 2`, in the order of the frame; the payload is not among them."""
    found: dict[str, str] = {}
    layer = ""
    for line in dissect(frame, link_type):
        if line.depth == 0:
            layer = "" if line.text.startswith(_DATA) else line.text.split("  ")[0]
        elif layer:
            name, _, value = line.text.partition(" = ")
            key = f"{layer} option {name}" if line.depth == 2 else f"{layer} {name}"
            if value or line.depth == 2:
                found[_free(key, found)] = value or "there"
    return found


def payload(frame: bytes, link_type: int) -> bytes:
    """What TCP carries, as far as it was captured; padding of the frame may stand behind it."""
    lines = dissect(frame, link_type)
    span = next((line.span for line in lines if _is_data(line)), None)
    return b"" if span is None else frame[span[0] : span[1]]


def _is_data(line: DetailLine) -> bool:
    return line.depth == 0 and line.text.startswith(_DATA)


def _free(key: str, taken: dict[str, str]) -> str:
    """The name, with a number where a header or an option stands in the frame more than once."""
    if key not in taken:
        return key
    number = 2
    while f"{key} {number}" in taken:
        number += 1
    return f"{key} {number}"
