"""What is in one frame, for a person who selected it: lines with depth, text and the bytes they come from.

scapy does the work and is imported at the first call, quietly: it gets no cache or configuration directory, reads no
routes, and its log is silent. Frames come from strangers, so whatever scapy raises becomes a line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tcpladder.store.scapy_import import link_layers
from tcpladder.wire.frames import LINKTYPE_LISTING

PREVIEW_BYTES = 48
"""Payload bytes shown in a detail line; the hex dump has them all."""

LAYERS = 24
"""Headers shown of one frame; a frame of nothing but VLAN tags has thousands."""

TCP_FLAGS = {
    "F": "FIN",
    "S": "SYN",
    "R": "RST",
    "P": "PSH",
    "A": "ACK",
    "U": "URG",
    "E": "ECE",
    "C": "CWR",
    "N": "AE",
}
"""scapy's letters for the flags of RFC 9293 3.1 and RFC 9768."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DetailLine:
    """One line of a dissected frame."""

    depth: int
    """0 for a protocol, 1 for its fields, 2 for TCP options."""
    text: str
    span: tuple[int, int] | None
    """First byte and the byte after the last, in the frame; None where it is not known."""


def dissect(frame: bytes, link_type: int) -> list[DetailLine]:
    """The protocols and fields of a frame of LINKTYPE_* `link_type`. Never raises, never empty."""
    if link_type == LINKTYPE_LISTING:
        text = frame.decode("utf-8", "replace").strip()
        shown = "".join(letter if letter.isprintable() else " " for letter in text)
        return [
            DetailLine(depth=0, text="a line of a text listing, which is all there is", span=(0, len(frame))),
            DetailLine(depth=1, text=shown, span=(0, len(frame))),
        ]
    layers = link_layers()
    if link_type not in layers:
        return [
            DetailLine(depth=0, text=f"link type {link_type}, which is not dissected", span=(0, len(frame)))
        ]
    try:
        return list(_lines(layers[link_type](frame), len(frame))) or [_undissected(frame, "it is empty")]
    except Exception as error:  # scapy on the bytes of a stranger: any class is possible
        return [_undissected(frame, type(error).__name__)]


def _undissected(frame: bytes, why: str) -> DetailLine:
    return DetailLine(depth=0, text=f"this frame cannot be dissected ({why})", span=(0, len(frame)))


def _lines(packet: Any, size: int) -> Iterator[DetailLine]:
    at = 0
    layer = packet
    for _ in range(LAYERS):
        if layer.name == "NoPayload":
            return
        if layer.name == "Padding":
            at = size - len(layer.load)
        header = layer.raw_packet_cache
        length = len(header) if header is not None else 0
        yield from _layer_lines(layer, at, length)
        at += length
        layer = layer.payload
    yield DetailLine(depth=0, text="more headers than are shown", span=(at, size))


def _layer_lines(layer: Any, at: int, length: int) -> Iterator[DetailLine]:
    if layer.name in ("Raw", "Padding"):
        what = "data" if layer.name == "Raw" else "padding"
        yield DetailLine(depth=0, text=f"{what}, {len(layer.load)} bytes", span=(at, at + length))
        yield DetailLine(depth=1, text=_preview(layer.load), span=(at, at + length))
        return
    yield DetailLine(depth=0, text=_heading(layer), span=(at, at + length) if length else None)
    spans = _field_spans(layer, at)
    for field in layer.fields_desc:
        value = layer.getfieldval(field.name)
        if value is None or value == []:
            continue
        span = spans.get(field.name)
        if layer.name == "TCP" and field.name == "options":
            yield from _option_lines(value, span, layer.raw_packet_cache or b"")
            continue
        shown = (
            _flag_words(value)
            if layer.name == "TCP" and field.name == "flags"
            else field.i2repr(layer, value)
        )
        yield DetailLine(depth=1, text=f"{field.name} = {shown}", span=span)


def _heading(layer: Any) -> str:
    names = [field.name for field in layer.fields_desc]
    for source, target in (("src", "dst"), ("sport", "dport")):
        if source in names and target in names:
            return f"{layer.name}  {layer.getfieldval(source)} → {layer.getfieldval(target)}"
    return str(layer.name)


def _field_spans(layer: Any, at: int) -> dict[str, tuple[int, int]]:
    """Where each field of a layer came from. Bit fields that share a byte have the same span."""
    spans: dict[str, tuple[int, int]] = {}
    rest: Any = layer.raw_packet_cache
    if rest is None:
        return spans
    end = at + len(rest)
    for field in layer.fields_desc:
        begin = end - _left(rest) - (1 if isinstance(rest, tuple) and rest[1] else 0)
        try:
            rest, _ = field.getfield(layer, rest)
        except Exception:  # a span is a convenience, and fields of any class come by here
            break
        spans[field.name] = (begin, end - _left(rest))
    return spans


def _left(rest: Any) -> int:
    """Bytes that a field has left over. Within a byte, scapy hands on the whole bytes and a count of bits."""
    if isinstance(rest, tuple):
        return len(rest[0]) - (1 if rest[1] else 0)
    return len(rest)


def _option_lines(options: Any, span: tuple[int, int] | None, header: bytes) -> Iterator[DetailLine]:
    yield DetailLine(depth=1, text="options", span=span)
    places = [] if span is None else _option_spans(header[len(header) - (span[1] - span[0]) :], span[0])
    for number, (name, value) in enumerate(options):
        shown = "" if value in (None, b"", ()) else f" = {_option_value(value)}"
        place = places[number] if number < len(places) else None
        yield DetailLine(depth=2, text=f"{name}{shown}", span=place)


def _option_spans(options: bytes, at: int) -> list[tuple[int, int]]:
    """Where each option stands (RFC 9293 3.1): one byte for what ends or fills them, else as long as it says."""
    spans = []
    begin = 0
    while begin < len(options):
        alone = options[begin] < 2 or begin + 1 == len(options)
        length = 1 if alone else max(2, options[begin + 1])
        spans.append((at + begin, min(at + begin + length, at + len(options))))
        begin += length
    return spans


def _option_value(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(str(part) for part in value)
    return value.hex(" ") if isinstance(value, bytes) else str(value)


def _flag_words(flags: Any) -> str:
    return ",".join(TCP_FLAGS.get(letter, letter) for letter in str(flags)) or "none"


def _preview(load: bytes) -> str:
    return _printable(load[:PREVIEW_BYTES]) + (" …" if len(load) > PREVIEW_BYTES else "")


def _printable(part: bytes) -> str:
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in part)
