"""Frames to segments, a batch at a time. Bound to no source; remembers only fragments that wait for the rest."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from tcpladder.wire.fragments import FragmentTable, Reassembled
from tcpladder.wire.frames import FrameBatch
from tcpladder.wire.headers import NOP_NOP_TIMESTAMPS, TCP, TCP_HEADER_BYTES, gather
from tcpladder.wire.icmp import PROTOCOL_TCP, Quote, quoted_segment
from tcpladder.wire.network import Network, read_network
from tcpladder.wire.options import MAX_WINDOW_SHIFT, SACK, SACK_PERMITTED, TIMESTAMPS, WINDOW_SCALE, options
from tcpladder.wire.others import count_others
from tcpladder.wire.segments import NO_SHIFT, Addresses, Decoded, Flag, SackBlocks, Segments, State

PROTOCOL_ICMP = 1
PROTOCOL_ICMPV6 = 58
PORTS_BYTES = 4
MAX_OPTION_BYTES = 40
SACK_BLOCK_HEADER_BYTES = 44
"""A header at least this long holds timestamps and a SACK block, or several blocks (RFC 2018 3)."""


class Decoder:
    """Turns frame batches into segments; one Decoder a capture, batches in capture order."""

    def __init__(self) -> None:
        self._fragments = FragmentTable()

    def decode(self, batch: FrameBatch) -> Decoded:
        """The TCP segments of a batch, in capture order. Never raises, whatever the frames hold."""
        net = read_network(batch)
        reassembled = self._reassemble(batch, net)
        quotes = _icmp_quotes(batch, net)
        is_tcp = (net.protocol == PROTOCOL_TCP) & (net.room >= PORTS_BYTES)
        is_tcp[list(reassembled)] = True
        is_tcp[list(quotes)] = True
        rows = np.flatnonzero(is_tcp)
        columns = _Columns(batch, net, rows)
        for row, whole in reassembled.items():
            columns.replace_by_datagram(int(np.searchsorted(rows, row)), whole)
        columns.finish_header()
        for row, quote in quotes.items():
            columns.replace_by_quote(int(np.searchsorted(rows, row)), quote)
        others = {} if len(rows) == len(batch) else count_others(batch, net, ~is_tcp)
        return Decoded(columns.segments(), not_tcp=len(batch) - len(rows), others=others)

    def _reassemble(self, batch: FrameBatch, net: Network) -> dict[int, Reassembled]:
        """Fragments leave the batch; the last one of each datagram comes back with the whole header."""
        whole: dict[int, Reassembled] = {}
        for row, fragment in sorted(net.fragments.items()):
            protocol = int(net.protocol[row])
            net.protocol[row] = 0
            if protocol != PROTOCOL_TCP or net.lies[row]:
                continue
            at, room = int(net.transport[row]), int(net.room[row])
            start = batch.data[at : at + max(0, min(room, TCP_HEADER_BYTES + MAX_OPTION_BYTES))].tobytes()
            done = self._fragments.add(fragment.key, fragment.offset, fragment.size, fragment.more, start)
            if done is not None:
                whole[row] = done
        return whole


def _icmp_quotes(batch: FrameBatch, net: Network) -> dict[int, Quote]:
    """Row -> what an ICMP error of the batch quotes."""
    found = {}
    is_icmp = (net.protocol == PROTOCOL_ICMP) & ~net.is_v6 | (net.protocol == PROTOCOL_ICMPV6) & net.is_v6
    for row in np.flatnonzero(is_icmp).tolist():
        at, room = int(net.transport[row]), int(net.room[row])
        quote = quoted_segment(batch.data[at : at + max(0, min(room, 160))].tobytes(), bool(net.is_v6[row]))
        if quote is not None:
            found[row] = quote
    return found


class _Columns:
    """The columns of the segments under construction: m rows, those of the batch that carry TCP."""

    def __init__(self, batch: FrameBatch, net: Network, rows: NDArray[np.int64]) -> None:
        everything = len(rows) == len(batch)
        at = slice(None) if everything else rows
        self.batch = batch
        self.frame = batch.first_frame + rows
        self.time_ns = batch.time_ns[at]
        self.position = batch.position[at]
        stored = batch if batch.stored is None else batch.stored
        self.captured = stored.captured[at]
        self.original = stored.original[at]
        self.link_type = stored.link_type[at]
        self.unknown = np.zeros(len(rows), np.uint8) if batch.unknown is None else batch.unknown[at]
        self.interface = batch.interface[at]
        self.room = net.room[at]
        self.datagram = net.datagram[at]
        self.lies = net.lies[at]
        self.is_v6 = net.is_v6[at]
        self.ip_id = net.ip_id[at]
        self.ttl = net.ttl[at]
        self.transport = net.transport[at]
        self.source_low = net.source_low[at]
        self.destination_low = net.destination_low[at]
        self.source_high = None if net.source_high is None else net.source_high[at]
        self.destination_high = None if net.destination_high is None else net.destination_high[at]
        self.header = gather(batch.data, self.transport, TCP)
        self.icmp: dict[int, str] = {}
        self.sack: dict[int, SackBlocks] = {}
        self.elsewhere: dict[int, bytes] = {}
        """Row -> its TCP header with the options, where they came in another frame, the first fragment."""

    def replace_by_datagram(self, row: int, whole: Reassembled) -> None:
        """Give a row the TCP header that its first fragment carried."""
        self.header[row] = np.frombuffer(whole.header[: TCP.itemsize].ljust(TCP.itemsize, b"\0"), TCP)[0]
        self.elsewhere[row] = whole.header
        self.room[row] = len(whole.header)
        self.datagram[row] = whole.payload_bytes

    def finish_header(self) -> None:
        """Read the header fields, and decide whether they can be believed."""
        header, room = self.header, self.room
        offset_flags = header["offset_flags"].astype(np.uint16)
        header_bytes = (offset_flags >> 12).astype(np.int64) * 4
        self.length = self.datagram - header_bytes
        self.flags = offset_flags & np.uint16(0x1FF)
        self.seq = header["seq"].astype(np.uint32)
        self.ack = header["ack"].astype(np.uint32)
        self.window = header["window"].astype(np.uint16)
        ports = header["ports"].astype(np.uint32)
        self.source_port = ports >> np.uint32(16)
        self.destination_port = ports & np.uint32(0xFFFF)
        self.has_timestamps = (
            (header["first_option"] == NOP_NOP_TIMESTAMPS) & (header_bytes >= 32) & (room >= 32)
        )
        self.tsval = header["tsval"].astype(np.uint32)
        self.tsecr = header["tsecr"].astype(np.uint32)
        without = np.flatnonzero(~self.has_timestamps)
        self.tsval[without] = self.tsecr[without] = 0
        self.window_shift = np.full(len(room), NO_SHIFT, np.int8)
        self.state = np.zeros(len(room), np.uint8)
        bad = self.lies | (header_bytes < TCP_HEADER_BYTES) | (self.length < 0) | (room < TCP_HEADER_BYTES)
        for row in np.flatnonzero(bad).tolist():
            self._disbelieve(row, int(header_bytes[row]))
        unusual = (header_bytes >= 32) & ~self.has_timestamps
        by_hand = ((self.flags & Flag.SYN) != 0) & (header_bytes > TCP_HEADER_BYTES)
        by_hand |= unusual | (header_bytes >= SACK_BLOCK_HEADER_BYTES)
        for row in np.flatnonzero(by_hand & (self.state == State.WHOLE)).tolist():
            self._read_options(row, int(header_bytes[row]))

    def _disbelieve(self, row: int, header_bytes: int) -> None:
        """Mark a row whose header is cut or lies, and clear what is not known."""
        if self.lies[row] or self.datagram[row] < TCP_HEADER_BYTES:
            self.state[row] = State.IP_LENGTH
        elif self.room[row] < TCP_HEADER_BYTES:
            self.state[row] = State.CUT_SHORT
        else:
            self.state[row] = State.DATA_OFFSET
        if self.room[row] < TCP_HEADER_BYTES:
            for column in (self.seq, self.ack, self.flags, self.window):
                column[row] = 0
        self.length[row] = max(0, int(self.datagram[row]) - max(header_bytes, TCP_HEADER_BYTES))
        if self.state[row] != State.DATA_OFFSET:
            self.length[row] = 0
        self.has_timestamps[row] = False
        self.tsval[row] = self.tsecr[row] = 0

    def _read_options(self, row: int, header_bytes: int) -> None:
        start, size = int(self.transport[row]), min(header_bytes, int(self.room[row]))
        header = self.elsewhere.get(row) or self.batch.data[start : start + size].tobytes()
        for kind, value in options(header[TCP_HEADER_BYTES:size]):
            if kind == WINDOW_SCALE and len(value) == 1 and self.flags[row] & Flag.SYN:
                self.window_shift[row] = min(value[0], MAX_WINDOW_SHIFT)
            elif kind == TIMESTAMPS and len(value) == 8:
                self.has_timestamps[row] = True
                self.tsval[row] = int.from_bytes(value[:4])
                self.tsecr[row] = int.from_bytes(value[4:])
            elif kind == SACK_PERMITTED and self.flags[row] & Flag.SYN:
                self.sack[row] = ()
            elif kind == SACK and len(value) % 8 == 0 and value:
                edges = struct.unpack(f">{len(value) // 4}I", value)
                self.sack[row] = tuple(zip(edges[::2], edges[1::2], strict=True))

    def replace_by_quote(self, row: int, quote: Quote) -> None:
        """Make a row the ICMP error about a segment: sent by the segment's receiver, towards its sender."""
        self.state[row] = State.ICMP
        self.icmp[row] = quote.words
        for column in (self.ack, self.flags, self.window, self.length, self.tsval, self.tsecr):
            column[row] = 0
        self.has_timestamps[row] = False
        self.window_shift[row] = NO_SHIFT
        self.seq[row] = quote.seq
        self.source_port[row], self.destination_port[row] = quote.destination_port, quote.source_port
        self.is_v6[row] = quote.is_v6
        for address, low, high in (
            (quote.destination, self.source_low, self.source_high),
            (quote.source, self.destination_low, self.destination_high),
        ):
            number = int.from_bytes(address)
            low[row] = number & 0xFFFF_FFFF_FFFF_FFFF
            if high is not None:
                high[row] = number >> 64

    def segments(self) -> Segments:
        """The finished columns."""
        swapped, addresses = self._endpoints()
        return Segments(
            time_ns=self.time_ns,
            frame=self.frame,
            position=self.position,
            captured=self.captured.astype(np.uint32),
            original=self.original.astype(np.uint32),
            link_type=self.link_type,
            interface=self.interface,
            state=self.state,
            unknown=self.unknown,
            swapped=swapped,
            seq=self.seq,
            ack=self.ack,
            flags=self.flags,
            window=self.window,
            length=self.length.astype(np.int32),
            ip_id=self.ip_id,
            ttl=self.ttl,
            has_timestamps=self.has_timestamps,
            tsval=self.tsval,
            tsecr=self.tsecr,
            window_shift=self.window_shift,
            addresses=addresses,
            icmp=self.icmp,
            sack=self.sack,
        )

    def _endpoints(self) -> tuple[NDArray[np.bool_], Addresses]:
        """Order the endpoints of every row, so that both directions of a flow look the same."""
        low_s, low_d = self.source_low, self.destination_low
        port_s, port_d = self.source_port, self.destination_port
        swapped = (low_s > low_d) | ((low_s == low_d) & (port_s > port_d))
        first = np.minimum(low_s, low_d)
        first <<= np.uint64(32)
        first |= np.maximum(low_s, low_d)
        addresses = Addresses(
            is_v6=self.is_v6, first=first, second=None, third=None, fourth=None, ports=port_s
        )
        if self.source_high is not None and self.destination_high is not None:
            self._order_v6(addresses, swapped, self.source_high, self.destination_high)
        addresses.ports = np.where(
            swapped, port_d << np.uint32(16) | port_s, port_s << np.uint32(16) | port_d
        )
        return swapped, addresses

    def _order_v6(
        self,
        addresses: Addresses,
        swapped: NDArray[np.bool_],
        source_high: NDArray[np.uint64],
        destination_high: NDArray[np.uint64],
    ) -> None:
        """Order the endpoints of the IPv6 rows, in place: the upper halves of their addresses decide first."""
        rows = np.flatnonzero(self.is_v6)
        low_s, low_d = self.source_low[rows], self.destination_low[rows]
        high_s, high_d = source_high[rows], destination_high[rows]
        swap = (high_s > high_d) | ((high_s == high_d) & swapped[rows])
        swapped[rows] = swap
        addresses.second, addresses.third, addresses.fourth = np.zeros((3, len(self.is_v6)), np.uint64)
        addresses.first[rows] = np.minimum(high_s, high_d)
        addresses.second[rows] = np.where(swap, low_d, low_s)
        addresses.third[rows] = np.maximum(high_s, high_d)
        addresses.fourth[rows] = np.where(swap, low_s, low_d)
