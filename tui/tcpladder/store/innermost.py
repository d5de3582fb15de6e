"""The IP datagram inside all tunnels of a frame, found by scapy: slow, and right where our own columns cannot look."""

from __future__ import annotations

from typing import Any

from tcpladder.store.scapy_import import link_layers, network_layers

HEADER_BYTES = 1024
"""What scapy is given of a frame: no tunnels in use have longer headers, and no stranger can ask for more work."""
MAX_LAYERS = 48


def innermost_ip(frame: bytes, *, link_type: int, ethertype: int) -> int | None:
    """Offset in `frame` of the innermost IP header that is not quoted by an ICMP error; None where there is none.

    `frame` begins with the header that `ethertype` names, or where that is 0 with the one of LINKTYPE_* `link_type`.
    Never raises.
    """
    outermost = network_layers().get(ethertype) if ethertype else link_layers().get(link_type)
    if outermost is None:
        return None
    head = frame[:HEADER_BYTES]
    try:
        return _offset(outermost(head), head)
    except Exception:  # scapy on the bytes of a stranger: any class is possible
        return None


def _offset(packet: Any, head: bytes) -> int | None:
    from scapy.layers.inet import IP
    from scapy.layers.inet6 import IPv6

    found = None
    at = 0
    layer = packet
    for _ in range(MAX_LAYERS):
        if layer.name in ("NoPayload", "Raw", "Padding"):
            break
        at = _begin(layer.original, head, at)
        if at < 0:
            break
        # What an ICMP error quotes is a subclass.
        if type(layer) in (IP, IPv6):
            found = at
        layer = layer.payload
    return found


def _begin(part: bytes, head: bytes, after: int) -> int:
    """Where a layer's bytes begin: at the end of the frame if no padding follows, else where they are found."""
    if head.endswith(part) and len(head) - len(part) >= after:
        return len(head) - len(part)
    return head.find(part, after)
