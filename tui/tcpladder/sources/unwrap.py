"""Frames in tunnels or on link types that the columns do not read: replaced by the IP datagram inside.

A vectorised look decides which frames need it; only those go through scapy, which is imported for the first of them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tcpladder.wire.frames import LINKTYPE_RAW, PADDING, FrameBatch, Stored
from tcpladder.wire.link import ETHERTYPE_IPV4, ETHERTYPE_IPV6, LINK_TYPES, ip_start

KEPT_BYTES = 512
"""What is copied of the datagram inside: its headers, and what an ICMP error quotes."""

_ETHERTYPES = (0x8847, 0x8848, 0x8864)
"""MPLS, and the session stage of PPPoE."""
_IPV4_IN_IP, _TCP, _UDP, _IPV6_IN_IP, _GRE, _MPLS_IN_IP = 4, 6, 17, 41, 47, 137
_IPV6_EXTENSIONS = (0, 43, 60)
_UDP_PORTS = (1701, 2152, 4754, 4789, 4790, 6081, 6635, 8472)
"""L2TP, GTP-U, GRE, VXLAN, VXLAN-GPE, Geneve, MPLS, and VXLAN as Linux had it first."""

_NO, _TUNNEL, _MAYBE_UDP, _MAYBE_EXTENSION = range(4)
_PROTOCOLS = np.zeros(256, np.uint8)
_PROTOCOLS[[_IPV4_IN_IP, _IPV6_IN_IP, _GRE, _MPLS_IN_IP]] = _TUNNEL
_PROTOCOLS[_UDP] = _MAYBE_UDP
_PROTOCOLS_V6 = _PROTOCOLS.copy()
_PROTOCOLS_V6[list(_IPV6_EXTENSIONS)] = _MAYBE_EXTENSION


class Unwrapper:
    """Takes tunnels off frames."""

    def __init__(self) -> None:
        self.frames_through_scapy = 0
        """Frames for which the datagram inside was found there."""

    def unwrapped(self, batch: FrameBatch) -> FrameBatch:
        """The batch with the datagrams inside in place of the frames around them; `stored` says what they were.

        Never raises, whatever the frames hold.
        """
        if not len(batch) or batch.stored is not None:
            return batch
        offset, ethertype = ip_start(batch)
        rows = _wrapped(batch, offset, ethertype)
        if not len(rows):
            return replace(batch, ip=(offset, ethertype))
        from tcpladder.store.innermost import innermost_ip

        found: dict[int, tuple[int, bytes]] = {}
        for row in rows.tolist():
            skip = int(offset[row])
            kind = int(ethertype[row])
            begin, captured = int(batch.start[row]), int(batch.captured[row])
            frame = batch.data[begin + skip : begin + captured].tobytes()
            inner = innermost_ip(frame, link_type=int(batch.link_type[row]), ethertype=kind)
            if inner is not None and (inner or not kind):
                found[row] = skip + inner, frame[inner : inner + KEPT_BYTES]
        self.frames_through_scapy += len(found)
        return _replaced(batch, found) if found else replace(batch, ip=(offset, ethertype))


def _wrapped(
    batch: FrameBatch, offset: NDArray[np.int64], ethertype: NDArray[np.uint16]
) -> NDArray[np.int64]:
    """Rows of the frames that need a second look."""
    need = np.zeros(len(batch), np.bool_)
    is_v4, is_v6 = ethertype == ETHERTYPE_IPV4, ethertype == ETHERTYPE_IPV6
    data, at = batch.data, batch.start + offset
    others = np.flatnonzero(~(is_v4 | is_v6))
    if len(others):
        unread = ~np.isin(batch.link_type[others], list(LINK_TYPES))
        need[others] = unread | np.isin(ethertype[others], _ETHERTYPES)
    v6 = np.flatnonzero(is_v6)
    if len(v6):
        _look_at_v6(batch, at, v6, need)
    v4 = np.flatnonzero((data[at + 9] != _TCP) & is_v4)
    kind = _PROTOCOLS[data[at[v4] + 9]]
    v4, kind = v4[kind != _NO], kind[kind != _NO]
    if len(v4):
        whole = (data[at[v4] + 6] & 0x3F | data[at[v4] + 7]) == 0
        udp = at[v4] + (data[at[v4]] & 15).astype(np.int64) * 4
        need[v4] = whole & ((kind == _TUNNEL) | _is_tunnel_port(data, udp))
    return np.flatnonzero(need)


def _look_at_v6(
    batch: FrameBatch, at: NDArray[np.int64], rows: NDArray[np.int64], need: NDArray[np.bool_]
) -> None:
    kind = _PROTOCOLS_V6[batch.data[at[rows] + 6]]
    need[rows[kind == _TUNNEL]] = True
    udp = rows[kind == _MAYBE_UDP]
    need[udp] = _is_tunnel_port(batch.data, at[udp] + 40)
    for row in rows[kind == _MAYBE_EXTENSION].tolist():
        need[row] = _tunnel_behind_extensions(batch, int(at[row]), int(batch.start[row]) + PADDING - 8)


def _tunnel_behind_extensions(batch: FrameBatch, at: int, end: int) -> bool:
    """Whether a tunnel follows extension headers: ip6tnl of Linux puts its encapsulation limit there (RFC 2473)."""
    kind = int(batch.data[at + 6])
    at += 40
    while kind in _IPV6_EXTENSIONS and at < end:
        kind, at = int(batch.data[at]), at + (int(batch.data[at + 1]) + 1) * 8
    return bool(_PROTOCOLS[kind] == _TUNNEL)


def _is_tunnel_port(data: NDArray[np.uint8], udp: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether UDP headers at `udp` name a tunnel's port; the rows are UDP or a tunnel anyway."""
    if not len(udp):
        return np.zeros(0, np.bool_)
    source = data[udp].astype(np.uint16) << np.uint16(8) | data[udp + 1]
    destination = data[udp + 2].astype(np.uint16) << np.uint16(8) | data[udp + 3]
    return np.isin(source, _UDP_PORTS) | np.isin(destination, _UDP_PORTS)


def _replaced(batch: FrameBatch, found: dict[int, tuple[int, bytes]]) -> FrameBatch:
    rows = np.fromiter(found, np.int64, len(found))
    skipped = np.array([skip for skip, _ in found.values()], np.int64)
    sizes = np.array([len(inner) for _, inner in found.values()], np.int64)
    start, captured, original = batch.start.copy(), batch.captured.copy(), batch.original.copy()
    link_type = batch.link_type.copy()
    start[rows] = len(batch.data) + np.cumsum(sizes) - sizes
    captured[rows] = sizes
    original[rows] -= skipped
    link_type[rows] = LINKTYPE_RAW
    added = np.frombuffer(b"".join(inner for _, inner in found.values()) + bytes(PADDING), np.uint8)
    return replace(
        batch,
        data=np.concatenate((batch.data, added)),
        start=start,
        captured=captured,
        original=original,
        link_type=link_type,
        stored=Stored(captured=batch.captured, original=batch.original, link_type=batch.link_type),
    )
