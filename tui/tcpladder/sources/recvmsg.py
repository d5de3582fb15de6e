"""Live frames one system call at a time: for a kernel that has no memory for a ring.

packet(7): SO_TIMESTAMPNS, PACKET_AUXDATA. About 180,000 frames/s; the ring takes five times that.
"""

from __future__ import annotations

import errno
import socket
import struct

import numpy as np

from tcpladder.agent.messages import CaptureOpened
from tcpladder.sources.packet_socket import SOL_PACKET, PacketSocket
from tcpladder.wire.frames import PADDING, FrameBatch

_SO_TIMESTAMPNS = 35
_PACKET_AUXDATA = 8
_STATUS_VLAN_VALID = 1 << 4
_ONE_FRAME = 262144
"""Room for the largest frame: no libpcap snap length is longer."""
_BATCH_BYTES = 1 << 20
_BATCH_FRAMES = 2048
_ANCILLARY_BYTES = 256
_timespec = struct.Struct("@ll").unpack_from
_auxdata = struct.Struct("=IIIHHHH").unpack_from
"""struct tpacket_auxdata: tp_status, tp_len, tp_snaplen, tp_mac, tp_net, tp_vlan_tci, tp_vlan_tpid."""


class RecvmsgSource:
    """Reads a capture that has no ring. The same methods as LiveRing, with the same meaning."""

    def __init__(self, descriptor: int, opened: CaptureOpened) -> None:
        self._packets = PacketSocket(descriptor, opened.interface)
        self._packets.socket.setblocking(False)
        self._packets.socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._link_type = opened.link_type
        self._data = np.zeros(_BATCH_BYTES + _ONE_FRAME + PADDING, np.uint8)
        self._base = 0
        self._frames = 0

    def fileno(self) -> int:
        """The descriptor, for poll."""
        return self._packets.socket.fileno()

    def statistics(self) -> tuple[int, int]:
        """(seen, dropped) since the capture was opened: frames that passed the filter, those lost by the kernel."""
        return self._packets.statistics()

    def read(self, timeout_s: float) -> FrameBatch | None:
        """The frames that are waiting; None where none came within `timeout_s`. Raises InterfaceError once."""
        self._packets.wait(timeout_s)
        rows: list[tuple[int, int, int, int, int]] = []
        used = 0
        while used < _BATCH_BYTES and len(rows) < _BATCH_FRAMES:
            row = self._receive(used)
            if row is None:
                break
            rows.append(row)
            used += row[1]
        if rows:
            return self._batch(rows, used)
        self._packets.raise_fault()
        return None

    def close(self) -> None:
        """Close the socket: the capture ends."""
        self._packets.socket.close()

    def _receive(self, start: int) -> tuple[int, int, int, int, int] | None:
        """(start, captured, original, time_ns, vlan_tci) of one frame, or None where none waits."""
        room = self._data.data[start : start + _ONE_FRAME]
        try:
            captured, ancillary, _, _ = self._packets.socket.recvmsg_into([room], _ANCILLARY_BYTES)
        except BlockingIOError:
            return None
        except OSError as failure:
            self._packets.failed(failure.errno or errno.EIO)
            return None
        original, time_ns, tci = captured, 0, -1
        for level, kind, value in ancillary:
            if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS:
                seconds, nanoseconds = _timespec(value)
                time_ns = seconds * 1_000_000_000 + nanoseconds
            elif level == SOL_PACKET and kind == _PACKET_AUXDATA:
                status, original, _, _, _, tag, _ = _auxdata(value)
                tci = tag if status & _STATUS_VLAN_VALID else -1
        return start, captured, original, time_ns, tci

    def _batch(self, rows: list[tuple[int, int, int, int, int]], used: int) -> FrameBatch:
        start, captured, original, time_ns, tci = np.array(rows, np.int64).T
        batch = FrameBatch(
            data=self._data[: used + PADDING],
            start=start,
            captured=captured,
            original=original,
            time_ns=time_ns,
            position=self._base + start,
            link_type=np.full(len(rows), self._link_type, np.uint16),
            interface=np.zeros(len(rows), np.uint16),
            first_frame=self._frames + 1,
            vlan_tci=tci.astype(np.int32),
        )
        self._base += used
        self._frames += len(rows)
        return batch
