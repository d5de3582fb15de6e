"""The IP layer of a batch: where each frame's transport header begins and how long its datagram is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tcpladder.wire.frames import PADDING, FrameBatch
from tcpladder.wire.headers import IPV4, IPV4_HEADER_BYTES, IPV6, IPV6_HEADER_BYTES, TCP, gather
from tcpladder.wire.link import ETHERTYPE_IPV4, ETHERTYPE_IPV6, ip_start
from tcpladder.wire.segments import NO_IP_ID

NO_PROTOCOL = 255
"""The protocol given to a frame without a transport header that could be found."""
MORE_FRAGMENTS = 0x2000
FRAGMENT_BITS = 0x3FFF

HOP_BY_HOP, ROUTING, FRAGMENT, AUTHENTICATION, DESTINATION_OPTIONS = 0, 43, 44, 51, 60
EXTENSION_HEADERS = (HOP_BY_HOP, ROUTING, FRAGMENT, AUTHENTICATION, DESTINATION_OPTIONS)
"""RFC 8200 4; RFC 4302 for the authentication header, which counts its length in 4 bytes."""
_DATAGRAM = ("id", "protocol", "source", "destination")
"""What the fragments of an IPv4 datagram have in common (RFC 791 3.2); their checksums differ."""
_IS_EXTENSION = np.isin(np.arange(256), EXTENSION_HEADERS)


@dataclass(frozen=True, slots=True)
class Fragment:
    """A fragment of a datagram: where it belongs."""

    key: bytes
    offset: int
    size: int
    more: bool


@dataclass(slots=True, kw_only=True)
class Network:
    """What the IP headers of n frames say; every array is (n,)."""

    ethertype: NDArray[np.uint16]
    """Of the frame behind its VLAN tags, link.NOT_IP where that cannot be told."""
    protocol: NDArray[np.uint8]
    """IP protocol number, NO_PROTOCOL where there is no IP or its header is cut."""
    transport: NDArray[np.int64]
    """Offset in the batch's data of the transport header."""
    room: NDArray[np.int64]
    """Captured bytes from there on."""
    datagram: NDArray[np.int64]
    """Bytes of the transport header and its payload, as IP says."""
    lies: NDArray[np.bool_]
    """The IP length contradicts the frame."""
    is_v6: NDArray[np.bool_]
    ip_id: NDArray[np.int32]
    ttl: NDArray[np.uint8]
    """Time to live, or hop limit."""
    source_low: NDArray[np.uint64]
    """The IPv4 address, or the lower half of the IPv6 address."""
    destination_low: NDArray[np.uint64]
    source_high: NDArray[np.uint64] | None
    destination_high: NDArray[np.uint64] | None
    fragments: dict[int, Fragment]


def read_network(batch: FrameBatch) -> Network:
    """Find the transport header of every frame of the batch."""
    n = len(batch)
    offset, ethertype = ip_start(batch) if batch.ip is None else batch.ip
    net = Network(
        ethertype=ethertype,
        protocol=np.full(n, NO_PROTOCOL, np.uint8),
        transport=batch.start + offset,
        room=batch.captured - offset,
        datagram=np.zeros(n, np.int64),
        lies=np.zeros(n, np.bool_),
        is_v6=ethertype == ETHERTYPE_IPV6,
        ip_id=np.full(n, NO_IP_ID, np.int32),
        ttl=np.zeros(n, np.uint8),
        source_low=np.zeros(n, np.uint64),
        destination_low=np.zeros(n, np.uint64),
        source_high=None,
        destination_high=None,
        fragments={},
    )
    wire = batch.original - offset
    v4 = np.flatnonzero((ethertype == ETHERTYPE_IPV4) & (net.room >= IPV4_HEADER_BYTES))
    if len(v4):
        _read_v4(batch, net, wire, v4)
    v6 = np.flatnonzero(net.is_v6 & (net.room >= IPV6_HEADER_BYTES))
    if len(v6):
        net.source_high = np.zeros(n, np.uint64)
        net.destination_high = np.zeros(n, np.uint64)
        _read_v6(batch, net, wire, v6)
    return net


def _read_v4(batch: FrameBatch, net: Network, wire: NDArray[np.int64], rows: NDArray[np.int64]) -> None:
    """IPv4 headers (RFC 791 3.1). A total length of 0 is a TSO frame on its way to the card: the frame tells."""
    # Indexing with a slice instead of row numbers spares a copy of every column: where most frames are IPv4, all are
    # read as if they were.
    at = slice(None) if 2 * len(rows) > len(batch) else rows
    ip = net.transport[at]
    ip_header = gather(batch.data, ip, IPV4)
    version_ihl = ip_header["version_ihl"]
    header = (version_ihl & 15).astype(np.int64) * 4
    total = ip_header["total"].astype(np.int64)
    total = np.where(total == 0, wire[at], total)
    known = (version_ihl >> 4 == 4) & (header >= IPV4_HEADER_BYTES)
    fragment = ip_header["fragment"].astype(np.uint16) & FRAGMENT_BITS
    net.protocol[at] = np.where(known, ip_header["protocol"], NO_PROTOCOL)
    net.transport[at] = ip + header
    net.room[at] = net.room[at] - header
    net.datagram[at] = total - header
    net.lies[at] = (total < header) | (total > wire[at])
    net.ip_id[at] = ip_header["id"]
    net.ttl[at] = ip_header["ttl"]
    net.source_low[at] = ip_header["source"]
    net.destination_low[at] = ip_header["destination"]
    read = rows if len(known) == len(rows) else np.arange(len(batch))
    if len(read) > len(rows):
        known = _forget_others(net, header, known, rows)
    for i in np.flatnonzero((fragment != 0) & known).tolist():
        bits = int(fragment[i])
        key = b"".join(ip_header[name][i].tobytes() for name in _DATAGRAM)
        row = int(read[i])
        net.fragments[row] = Fragment(
            key=key,
            offset=(bits & 0x1FFF) * 8,
            size=int(net.datagram[row]),
            more=bool(bits & MORE_FRAGMENTS),
        )


def _forget_others(
    net: Network, header: NDArray[np.int64], known: NDArray[np.bool_], rows: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Undo what was read of frames that are not among `rows`; returns `known` without them."""
    is_other = np.ones(len(known), np.bool_)
    is_other[rows] = False
    others = np.flatnonzero(is_other)
    net.transport[others] -= header[others]
    net.room[others] += header[others]
    net.protocol[others], net.ip_id[others] = NO_PROTOCOL, NO_IP_ID
    for column in (net.datagram, net.lies, net.ttl, net.source_low, net.destination_low):
        column[others] = 0
    return known & ~is_other


def _read_v6(batch: FrameBatch, net: Network, wire: NDArray[np.int64], rows: NDArray[np.int64]) -> None:
    """IPv6 headers (RFC 8200 3). A payload length of 0 is a jumbogram or a TSO frame: the frame tells."""
    ip = net.transport[rows]
    ip_header = gather(batch.data, ip, IPV6)
    payload = ip_header["payload"].astype(np.int64)
    payload = np.where(payload == 0, wire[rows] - IPV6_HEADER_BYTES, payload)
    net.protocol[rows] = ip_header["next"]
    net.transport[rows] = ip + IPV6_HEADER_BYTES
    net.room[rows] -= IPV6_HEADER_BYTES
    net.datagram[rows] = payload
    net.ttl[rows] = ip_header["hop_limit"]
    net.lies[rows] = payload > wire[rows] - IPV6_HEADER_BYTES
    net.source_low[rows] = ip_header["source_low"]
    net.destination_low[rows] = ip_header["destination_low"]
    assert net.source_high is not None
    assert net.destination_high is not None
    net.source_high[rows] = ip_header["source_high"]
    net.destination_high[rows] = ip_header["destination_high"]
    for i in np.flatnonzero(_IS_EXTENSION[ip_header["next"]]).tolist():
        _skip_extension_headers(batch, net, int(rows[i]), int(ip[i]))


def _skip_extension_headers(batch: FrameBatch, net: Network, row: int, ip: int) -> None:
    """Walk to the transport header of one frame; leaves NO_PROTOCOL where the chain is cut or too long."""
    kind = int(net.protocol[row])
    at = int(net.transport[row])
    end = min(
        int(batch.start[row]) + PADDING - TCP.itemsize, int(batch.start[row]) + int(batch.captured[row])
    )
    fragment: tuple[bytes, int] | None = None
    while kind in EXTENSION_HEADERS:
        if at + 8 > end:
            net.protocol[row] = NO_PROTOCOL
            return
        following, size = int(batch.data[at]), int(batch.data[at + 1])
        if kind == FRAGMENT:
            bits = int(batch.data[at + 2]) << 8 | int(batch.data[at + 3])
            if bits & 0xFFF9:
                fragment = batch.data[at + 4 : at + 8].tobytes(), bits
            at += 8
        else:
            at += (size + 2) * 4 if kind == AUTHENTICATION else (size + 1) * 8
        kind = following
        if fragment is not None:
            break
    skipped = at - int(net.transport[row])
    if at > end:
        net.protocol[row] = NO_PROTOCOL
        return
    net.protocol[row] = kind
    net.transport[row] = at
    net.room[row] -= skipped
    net.datagram[row] -= skipped
    if net.datagram[row] < 0:
        net.lies[row] = True
    if fragment is not None:
        name, bits = fragment
        net.fragments[row] = Fragment(
            key=name + batch.data[ip + 8 : ip + 40].tobytes(),
            offset=bits & 0xFFF8,
            size=int(net.datagram[row]),
            more=bool(bits & 1),
        )
