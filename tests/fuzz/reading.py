"""All that the program does with a stranger's bytes: what is fuzzed, and what the corpus goes through in every test.

A harness takes bytes, raises nothing whatever they are, and checks what a reader may rely on: numbers that JSON can
say, lines that a terminal may print, the same frames for every size of the read buffer.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from tcpladder.analysis.beliefs import TimerValues
from tcpladder.analysis.capture import CaptureAnalysis, nothing_known
from tcpladder.analysis.captured import CapturedValues
from tcpladder.analysis.expected import Given
from tcpladder.analysis.flow_view import Findings
from tcpladder.analysis.view import Endpoint, Side
from tcpladder.errors import CaptureError
from tcpladder.ladder.ladder import Ladder
from tcpladder.render.jsonl import copy_record, ends, flow_record, segment_record
from tcpladder.render.text import flows_table, ladder_text, remark_text
from tcpladder.session.named import NamedCapture
from tcpladder.sources import snoop
from tcpladder.sources.files import CaptureFile, open_capture
from tcpladder.sources.pcap import VARIANTS
from tcpladder.sources.pcapng import SECTION_HEADER
from tcpladder.sources.unwrap import Unwrapper
from tcpladder.wire import frames as wire
from tcpladder.wire.frames import PADDING, FrameBatch
from tcpladder.wire.icmp import quoted_segment
from tcpladder.wire.options import options

SALT = bytes(range(64))
SMALL_CHUNK, LARGE_CHUNK = 64, 1 << 16
BINARY = (*VARIANTS, SECTION_HEADER, snoop.MAGIC)
MOST_FRAMES = 200
"""Of one input: a fuzzer that finds long ones first finds nothing else."""
MOST_FLOWS = 8
"""Whose ladders are drawn."""
WIDTHS = (80, 160)
LINK_TYPES = (
    wire.LINKTYPE_ETHERNET,
    wire.LINKTYPE_RAW,
    wire.LINKTYPE_NULL,
    wire.LINKTYPE_LOOP,
    wire.LINKTYPE_PPP,
    wire.LINKTYPE_PPP_HDLC,
    wire.LINKTYPE_LINUX_SLL,
    wire.LINKTYPE_LINUX_SLL2,
    wire.LINKTYPE_IPNET,
    wire.LINKTYPE_IPV4,
    wire.LINKTYPE_IPV6,
    147,
)
"""All that the columns read, and one that nobody does."""
STEPS_NS = (
    0,
    1,
    -1,
    1_000_000,
    40_000_000,
    200_000_000,
    10**9,
    3 * 10**9,
    75 * 10**9,
    7200 * 10**9,
    -(10**9),
)
START_NS = 1_700_000_000 * 10**9


def read_capture(data: bytes) -> None:
    """A file of any format: opened, read in small and in large pieces, and all of it shown."""
    small, said_small = _read_file(data, SMALL_CHUNK, None)
    capture: CaptureAnalysis | None = None

    def begin(file: CaptureFile) -> CaptureAnalysis:
        nonlocal capture
        values = CapturedValues()
        given = Given()

        def beliefs(client: Endpoint, server: Endpoint) -> Mapping[Side, TimerValues]:
            values.read(file.comments)
            of = {Side.CLIENT: (client, server), Side.SERVER: (server, client)}
            return {side: given.believed(side, values.believed(*of[side])) for side in Side}

        capture = NamedCapture(SALT, beliefs, keep_segments=True, activity=None, names=file.names)
        return capture

    large, said_large = _read_file(data, LARGE_CHUNK, begin)
    # How much a decompressor gives before it fails depends on what it is asked for, and whether the times of a listing
    # are spans is decided by the lines that are there at first.
    if data.startswith(BINARY):
        assert small == large, "the size of the buffer changes the frames"
        assert said_small == said_large, (
            f"the size of the buffer changes the words: {said_small} {said_large}"
        )
    if capture is not None:
        show(capture)


def read_frames(data: bytes) -> None:
    """Frames of every link type: each begins with its link type, a step in time and a length of two bytes."""
    rows: list[tuple[int, int, bytes]] = []
    at, now_ns = 0, START_NS
    while at + 4 <= len(data) and len(rows) < MOST_FRAMES:
        kind, step, size = struct.unpack_from("<BBH", data, at)
        size %= 400
        now_ns += STEPS_NS[step % len(STEPS_NS)]
        rows.append((LINK_TYPES[kind % len(LINK_TYPES)], now_ns, data[at + 4 : at + 4 + size]))
        at += 4 + size
    capture = CaptureAnalysis(SALT, nothing_known)
    unwrapper = Unwrapper()
    half = len(rows) // 2
    for first, part in ((1, rows[:half]), (1 + half, rows[half:])):
        if part:
            capture.feed(unwrapper.unwrapped(_batch(part, first)))
    show(capture)


def read_segments(data: bytes) -> None:
    """A talk of two ends: every 8 bytes are a segment near to what is expected, so that the analysis is reached."""
    rows: list[tuple[int, int, bytes]] = []
    now_ns = START_NS
    following = [0xFFFFFF00, 1000]
    for at in range(0, min(len(data) - 7, 8 * MOST_FRAMES), 8):
        way, flags, step, size, seq, ack, window, option = data[at : at + 8]
        sender = way & 1
        now_ns += STEPS_NS[step % len(STEPS_NS)] + (step >> 4) * (way >> 4)
        length = (0, 1, size, size * 5)[way >> 1 & 3]
        number = following[sender] + _near(seq)
        answer = following[1 - sender] + _near(ack)
        rows.append(
            (
                wire.LINKTYPE_RAW,
                now_ns,
                _segment(sender, number, answer, flags, window, length, option, at, v6=bool(way & 8)),
            )
        )
        if seq == 0:
            following[sender] = number + length + (flags & 1) + (flags >> 1 & 1)
    capture = CaptureAnalysis(SALT, nothing_known)
    if rows:
        capture.feed(_batch(rows, 1))
    show(capture)


def read_headers(data: bytes) -> None:
    """The readers of one header alone: TCP options, and what an ICMP error quotes."""
    for code, value in options(data):
        assert 0 <= code <= 255
        assert len(value) <= len(data)
    for is_v6 in (False, True):
        quoted_segment(data, is_v6)


HARNESSES: dict[str, Callable[[bytes], None]] = {
    "capture": read_capture,
    "frames": read_frames,
    "segments": read_segments,
    "headers": read_headers,
}


def show(capture: CaptureAnalysis) -> None:
    """Everything that can be printed of a capture, for the first flows of it."""
    numbers = range(1, capture.flows + 1)
    summaries = [capture.summary(number) for number in numbers]
    for summary in summaries:
        _json(flow_record(summary))
        _printable(summary.why)
    for line in flows_table(summaries, width=None):
        _printable(line)
    for local, index, copy in capture.in_file_order():
        if local <= MOST_FLOWS:
            view = capture.view(local)
            record = segment_record(view, index, local, ends(view))
            if copy is not None:
                log = capture.log
                record = copy_record(
                    record, frame=log.value("frame", copy), time_ns=log.value("time_ns", copy)
                )
            _json(record)
    for number in numbers[:MOST_FLOWS]:
        _show_flow(capture.view(number), capture.last_ns)


def _show_flow(view: Findings, last_ns: int) -> None:
    count = len(view.time_ns)
    assert view.summary.segments >= count
    for index in range(count):
        _printable(view.label(index))
        _printable(view.because(index))
        gap = view.gap(index) if view.silent[index] else None
        assert gap is None or gap.observed_ns >= 0
        view.window(index)
        view.timer(index)
        assert view.index_of_frame(view.frame(index)) is not None
    for side in Side:
        view.believed(side)
    for now_ns in (last_ns, last_ns + 10**9, last_ns + 8000 * 10**9):
        for pending in view.pending(now_ns):
            _printable(pending.text)
    ladder = Ladder(view)
    for width in WIDTHS:
        for line in ladder_text(ladder, width=width, now_ns=last_ns):
            _printable(line)
    for sentence in (*view.ending(last_ns), *view.inferred(), *view.advice()):
        for line in remark_text("advice", sentence):
            _printable(line)


def _read_file(
    data: bytes, chunk_bytes: int, begin: Callable[[CaptureFile], CaptureAnalysis] | None
) -> tuple[list[Any], list[str]]:
    """Every frame of a file, and what is said of it."""
    frames: list[Any] = []
    descriptor = os.memfd_create("capture")
    try:
        os.write(descriptor, data)
        try:
            file = open_capture(f"/proc/self/fd/{descriptor}", chunk_bytes=chunk_bytes, keep=True)
        except CaptureError as refused:
            return frames, [_sentence(str(refused), descriptor)]
        try:
            capture = begin(file) if begin else None
            said = []
            try:
                for batch in file.batches():
                    frames += _frames_of(batch, len(frames))
                    if capture is not None:
                        capture.feed(Unwrapper().unwrapped(batch))
            except CaptureError as refused:
                said = [str(refused)]
            said += file.warnings
            for frame in frames[:MOST_FRAMES]:
                assert len(file.frame_bytes(frame[0], frame[1])) == frame[1]
            return [frames, dict(file.comments)], [_sentence(words, descriptor) for words in said]
        finally:
            file.close()
    finally:
        os.close(descriptor)


def _frames_of(batch: FrameBatch, before: int) -> Iterator[tuple[Any, ...]]:
    assert len(batch) == 0 or batch.first_frame == before + 1
    assert len(batch) == 0 or int(batch.start.max()) + PADDING <= len(batch.data)
    assert bool((batch.captured >= 0).all())
    columns = (
        batch.position,
        batch.captured,
        batch.original,
        batch.time_ns,
        batch.link_type,
        batch.interface,
    )
    yield from zip(*(column.tolist() for column in columns), strict=True)


def _batch(rows: list[tuple[int, int, bytes]], first_frame: int) -> FrameBatch:
    sizes = np.array([len(frame) for _, _, frame in rows], np.int64)
    start = np.cumsum(sizes) - sizes
    return FrameBatch(
        data=np.frombuffer(b"".join(frame for _, _, frame in rows) + bytes(PADDING), np.uint8),
        start=start,
        captured=sizes,
        original=sizes,
        time_ns=np.array([time_ns for _, time_ns, _ in rows], np.int64),
        position=start,
        link_type=np.array([link_type for link_type, _, _ in rows], np.uint16),
        interface=np.zeros(len(rows), np.uint16),
        first_frame=first_frame,
    )


def _near(byte: int) -> int:
    """0 most of the time; else a little before or behind, half a space away, or far."""
    if byte >= 250:
        return (1 << 31) - 252 + byte
    return (byte if byte < 128 else byte - 256) * (1 if byte & 1 else 536)


def _segment(
    sender: int,
    seq: int,
    ack: int,
    flags: int,
    window: int,
    length: int,
    option: int,
    identification: int,
    *,
    v6: bool,
) -> bytes:
    """An IP datagram with a TCP segment (RFC 791 3.1, RFC 8200 3, RFC 9293 3.1)."""
    added = (
        b"",
        b"\1\1\x08\x0a" + struct.pack(">II", option << 8, option),
        b"\2\4\5\xb4\1\3\3" + bytes([option]),
        b"\1\1\5\x0a" + struct.pack(">II", ack & 0xFFFFFFFF, (ack + option) & 0xFFFFFFFF),
    )[option & 3]
    header = struct.pack(
        ">HHIIBBHHH",
        *((40000, 80) if sender == 0 else (80, 40000)),
        seq & 0xFFFFFFFF,
        ack & 0xFFFFFFFF,
        (20 + len(added)) << 2,
        flags,
        window * 7,
        0,
        0,
    )
    body = header + added + bytes(min(length, 60))
    size = len(header + added) + length
    ends_of = [b"\x0a\0\0\1", b"\x0a\0\0\2"]
    if sender:
        ends_of.reverse()
    if v6:
        addresses = b"".join(bytes(12) + end for end in ends_of)
        return struct.pack(">IHBB", 6 << 28, size, 6, 64) + addresses + body
    return (
        struct.pack(">BBHHHBBH", 0x45, 0, 20 + size, identification, 0, 64, 6, 0) + b"".join(ends_of) + body
    )


def _json(record: Mapping[str, Any]) -> None:
    json.dumps(record, ensure_ascii=False, allow_nan=False)


def _printable(line: str) -> None:
    assert line.isprintable(), f"not for a terminal: {line!r}"


def _sentence(words: str, descriptor: int) -> str:
    """What is said to the user, without the number of our descriptor."""
    assert words
    assert "\n" not in words, words
    assert words.isprintable(), repr(words)
    return words.replace(f"/proc/self/fd/{descriptor}", "it")
