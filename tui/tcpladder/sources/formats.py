"""Which format a capture has, known by its first bytes, and the reader for it."""

from __future__ import annotations

from collections.abc import Generator
from datetime import datetime

from tcpladder.errors import CaptureError
from tcpladder.sources import snoop
from tcpladder.sources.likeness import HEAD_BYTES, is_text, likeness
from tcpladder.sources.pcap import HEADER_BYTES, VARIANTS, read_pcap
from tcpladder.sources.pcapng import SECTION_HEADER, byte_order_of, read_pcapng
from tcpladder.sources.remarks import Remarks
from tcpladder.sources.stops import Stop
from tcpladder.sources.window import ReadWindow
from tcpladder.wire.frames import FrameBatch

FrameReader = Generator[FrameBatch, None, Stop]
_MAGIC_BYTES = 12


def reader_of(window: ReadWindow, name: str, file: int, remarks: Remarks, *, compressed: bool) -> FrameReader:
    """The reader for what begins in the window. Raises CaptureError where it is no capture, or a cut one."""
    window.fill_to(_MAGIC_BYTES)
    if bytes(window.buffer[:4]) in VARIANTS:
        _whole_header(window, name, HEADER_BYTES)
        return read_pcap(window, file)
    if window.buffer.startswith(SECTION_HEADER) and byte_order_of(window.buffer) is not None:
        return read_pcapng(window, file, remarks)
    if window.buffer.startswith(snoop.MAGIC):
        _whole_header(window, name, snoop.HEADER_BYTES)
        refusal = snoop.refusal(window.buffer)
        if refusal is not None:
            raise CaptureError(f"cannot read {name}: {refusal}")
        return snoop.read_snoop(window, file, remarks)
    looks = _looks(window, compressed=compressed)
    if not is_text(bytes(window.buffer[: min(HEAD_BYTES, window.have)])):
        raise CaptureError(f"cannot read {name}: {looks}")
    from tcpladder.sources.listing import Listing  # many patterns to compile

    listing = Listing(window, file, remarks, _utc_offset_ns())
    listing.begin(name, looks)
    return listing.batches()


def follow(window: ReadWindow, name: str, file: int, remarks: Remarks, *, compressed: bool) -> FrameReader:
    """The same for a file that is still being written, and may have no header yet: waits for one."""
    while window.have < HEADER_BYTES and window.growing:
        if not window.fill():
            yield FrameBatch.empty(1, file)
    if not window.fill_to(1):
        return Stop(0, window.end)
    return (yield from reader_of(window, name, file, remarks, compressed=compressed))


def _whole_header(window: ReadWindow, name: str, size: int) -> None:
    if not window.fill_to(size):
        raise CaptureError(
            f"cannot read {name}: it is cut off inside its header, {window.have} of {size} bytes are there"
        )


def _utc_offset_ns() -> int:
    """Of the clock on the wall here and now, which is also what times are shown in."""
    offset = datetime.now().astimezone().utcoffset()
    assert offset is not None
    return int(offset.total_seconds()) * 10**9


def _looks(window: ReadWindow, *, compressed: bool) -> str:
    window.fill_to(HEAD_BYTES)
    head = bytes(window.buffer[: min(HEAD_BYTES, window.have)])
    if window.stream.fault is not None:
        return f"it {window.stream.fault}"
    if not head:
        return "it is compressed, and there is nothing in it" if compressed else "it is empty"
    return (
        f"it is compressed, and what is in it is no capture: {likeness(head)}"
        if compressed
        else likeness(head)
    )
