"""The live ring: blocks of frames that the kernel writes into memory which we share with it (TPACKET_V3).

include/uapi/linux/if_packet.h: struct tpacket_block_desc, struct tpacket3_hdr. A block is copied out and handed back
at once, so the kernel always has room. The order of our store of the block's status after the copy is that of the
CPU; x86 keeps it.
"""

from __future__ import annotations

import contextlib
import mmap
import struct
import time

import numpy as np
from numpy.typing import NDArray

from tcpladder.agent.messages import CaptureOpened
from tcpladder.sources.packet_socket import PacketSocket
from tcpladder.wire.frames import PADDING, FrameBatch
from tcpladder.wire.headers import gather

_STATUS, _FRAMES, _FIRST, _LENGTH = 2, 3, 4, 5
"""Words (uint32) of a block descriptor: block_status, num_pkts, offset_to_first_pkt, blk_len."""
_FRAME_HEADER = np.dtype(
    {
        "names": ["seconds", "nanoseconds", "captured", "original", "status", "mac", "tci"],
        "formats": ["u4", "u4", "u4", "u4", "u4", "u2", "u4"],
        "offsets": [4, 8, 12, 16, 20, 24, 32],
        "itemsize": 36,
    }
)
"""Of struct tpacket3_hdr: tp_sec, tp_nsec, tp_snaplen, tp_len, tp_status, tp_mac, hv1.tp_vlan_tci."""
_MAC = 6
"""The word of it whose low half is tp_mac."""
_STATUS_USER = 1
_STATUS_VLAN_VALID = 1 << 4
_GRACE_S = 0.15
"""Three block timeouts: a block that was open when the interface failed is handed over by then."""
MOST_BLOCKS = 16
"""How many blocks become one batch at most: what comes behind the decoder costs the same for one frame as for many."""
GATHER_S = 0.08
"""So long after the last batch the next one is due, that a flood makes few large batches and not many small ones."""
_LONG_FRAME = 1024
"""Where a frame takes more bytes of the ring than this, walking the chain is faster than looking for its links."""
_ALIGNMENT = 8
"""Of frame headers within a block (V3_ALIGNMENT in net/packet/af_packet.c)."""
_next_offset = struct.Struct("=I").unpack_from


class LiveRing:
    """Reads the ring of a capture that the agent opened. Takes over the descriptor."""

    def __init__(self, descriptor: int, opened: CaptureOpened) -> None:
        """Map the ring; raises OSError where the descriptor has none."""
        self._packets = PacketSocket(descriptor, opened.interface)
        self._link_type = opened.link_type
        self._size, self._count = opened.block_size, opened.block_count
        self._map = mmap.mmap(descriptor, self._size * self._count)
        self._ring = np.frombuffer(self._map, np.uint8).reshape(self._count, self._size)
        self._words = self._ring.view(np.uint32)
        self._copy = np.zeros(MOST_BLOCKS * self._size + PADDING, np.uint8)
        self._block = 0
        self._due_s = 0.0
        self._base = 0
        self._frames = 0

    def fileno(self) -> int:
        """The descriptor, for poll."""
        return self._packets.socket.fileno()

    def statistics(self) -> tuple[int, int]:
        """(seen, dropped) since the capture was opened: frames that passed the filter, those lost by the kernel."""
        return self._packets.statistics()

    def read(self, timeout_s: float) -> FrameBatch | None:
        """The frames of the next blocks; None where none is ready after `timeout_s`.

        `batch.data[:-PADDING]` are the blocks as they are to be spooled: `position` of a frame is its offset in the
        concatenation of all those. Raises InterfaceError once when the interface goes down or away, after all frames
        that came before have been returned; reading may go on.
        """
        time.sleep(max(0.0, min(timeout_s, self._due_s - time.monotonic())))
        batch = self._next_batch()
        if batch is None:
            self._packets.wait(timeout_s)
            batch = self._next_batch()
        if batch is None and self._packets.failing():
            self._packets.wait(_GRACE_S)
            batch = self._next_batch()
            if batch is None:
                self._packets.raise_fault()
        return batch

    def close(self) -> None:
        """Unmap the ring and close the socket: the capture ends."""
        self._ring = self._words = np.empty((0, 0), np.uint8)
        with contextlib.suppress(BufferError):
            self._map.close()
        self._packets.socket.close()

    def _next_batch(self) -> FrameBatch | None:
        """Copy the next blocks with frames out of the ring and give them back; None where the kernel fills the first.

        A ring that is full up to MOST_BLOCKS is read again at once.
        """
        headers: list[NDArray[np.int64]] = []
        end = 0
        for _ in range(MOST_BLOCKS):
            if not len(self._words) or not self._words[self._block, _STATUS] & _STATUS_USER:
                break
            _, _, _, frames, first, used = (int(word) for word in self._words[self._block, : _LENGTH + 1])
            begin, end = end, end + -(-used // _ALIGNMENT) * _ALIGNMENT
            self._copy[begin : begin + used] = self._ring[self._block, :used]
            self._words[self._block, _STATUS] = 0
            self._block = (self._block + 1) % self._count
            if frames:
                headers.append(self._headers(frames, begin + first, end))
        else:
            self._due_s = 0.0
            return self._batch(np.concatenate(headers), end) if headers else None
        if not headers:
            return None
        self._due_s = time.monotonic() + GATHER_S
        return self._batch(np.concatenate(headers), end)

    def _batch(self, header: NDArray[np.int64], used: int) -> FrameBatch:
        frames = len(header)
        fields = gather(self._copy, header, _FRAME_HEADER)
        start = header + fields["mac"]
        tagged = fields["status"] & _STATUS_VLAN_VALID
        batch = FrameBatch(
            data=self._copy[: used + PADDING],
            start=start,
            captured=fields["captured"].astype(np.int64),
            original=fields["original"].astype(np.int64),
            time_ns=fields["seconds"] * np.int64(1_000_000_000) + fields["nanoseconds"],
            position=self._base + start,
            link_type=np.full(frames, self._link_type, np.uint16),
            interface=np.zeros(frames, np.uint16),
            first_frame=self._frames + 1,
            vlan_tci=np.where(tagged, fields["tci"], -1).astype(np.int32),
        )
        self._base += used
        self._frames += frames
        return batch

    def _headers(self, frames: int, first: int, end: int) -> NDArray[np.int64]:
        """(frames,) offset of each frame's header in the copy: a chain, tp_next_offset leads to the next."""
        if end - first < frames * _LONG_FRAME:
            found = self._alike(first, end)
            words = self._copy[:-PADDING].view(np.uint32)
            if len(found) == frames and bool((found[:-1] + words[found[:-1] >> 2] == found[1:]).all()):
                return found
        block = self._copy.data
        offsets = [0] * frames
        offset = first
        for number in range(frames):
            offsets[number] = offset
            offset += _next_offset(block, offset)[0]
        return np.array(offsets, np.int64)

    def _alike(self, first: int, end: int) -> NDArray[np.int64]:
        """Ascending, from `first` on: where tp_mac and tp_net are as in the first header. Usually these are the headers
        and nothing else, and the chain proves it."""
        words = self._copy[first:end].view(np.uint32)
        steps = words[_MAC :: _ALIGNMENT // 4]
        return first + np.flatnonzero(steps == steps[0]) * _ALIGNMENT
