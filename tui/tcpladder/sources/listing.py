"""Text listings, as people paste them: lines of tcpdump and snoop to batches of frames.

Lines that are neither (comments, prompts, prose between them) are stepped over; one line at least must be one. Opens
nothing; what stopped the reading is returned as a value.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator

import numpy as np

from tcpladder.errors import CaptureError
from tcpladder.sources.listed import Listed, ListedSegment
from tcpladder.sources.listing_frames import Names, other_frame, segment_frame
from tcpladder.sources.listing_numbers import Conversations
from tcpladder.sources.listing_snoop import read_snoop_line
from tcpladder.sources.listing_tcpdump import is_continued, looks_like_segment, read_tcpdump_line
from tcpladder.sources.listing_time import ListingClock
from tcpladder.sources.remarks import Remarks
from tcpladder.sources.stops import Stop
from tcpladder.sources.window import ReadWindow
from tcpladder.wire.frames import (
    LINKTYPE_LISTING,
    LINKTYPE_RAW,
    PADDING,
    UNKNOWN_TIME_NS,
    FrameBatch,
    Stored,
    Unknown,
)

LINE_BYTES = 4096
"""What is looked at of a line."""
LONGEST_LINE_BYTES = 1 << 20
"""A longer one is no text; it is not waited for."""
PROSE_BYTES = 4 << 20
"""How much text may stand before the first line that is one of a listing."""
BATCH_FRAMES = 20_000


class Listing:
    """A listing being read.

    Args:
        window: over the text; the beginning may be in it already.
        utc_offset_ns: see ListingClock.
    """

    def __init__(self, window: ReadWindow, file: int, remarks: Remarks, utc_offset_ns: int) -> None:
        self._names = Names(remarks.names)
        self._window = window
        self._file = file
        self._remarks = remarks
        self._clock = ListingClock(utc_offset_ns)
        self._conversations = Conversations()
        self._line = 0
        self._half: tuple[str, int] | None = None
        """The IP header of what -v prints in two lines, and where it begins."""
        self._first_unfit: tuple[int, str] | None = None
        self._waiting: list[tuple[Listed, int, int]] = []
        """Lines read that are no frames yet, with their offset and size."""
        self._frames = 0

    def begin(self, name: str, looks: str) -> None:
        """Read up to the first line of a listing. Raises CaptureError where there is none; `looks` is said then."""
        while not self._waiting:
            self._take_lines()
            if self._waiting:
                break
            if self._window.position > PROSE_BYTES or not self._window.fill():
                self._take_lines(last=True)
                break
        if not self._waiting:
            unfit = ""
            if self._first_unfit is not None:
                number, line = self._first_unfit
                unfit = f", and no line of it is one of tcpdump or snoop: line {number} is {line!r}"
            raise CaptureError(f"cannot read {name}: {looks}{unfit}")
        self._clock.look_ahead([listed.stamp for listed, _, _ in self._waiting])

    def batches(self) -> Generator[FrameBatch, None, Stop]:
        """Yield the frames; return why it ended. A listing that is followed yields empty batches, as files do."""
        while True:
            while self._waiting:
                yield self._batch(self._waiting[:BATCH_FRAMES])
                del self._waiting[:BATCH_FRAMES]
            while not self._window.fill():
                if not self._window.growing:
                    self._take_lines(last=True)
                    if self._waiting:
                        yield self._batch(self._waiting)
                    return Stop(self._frames, self._window.end)
                yield FrameBatch.empty(self._frames + 1, self._file)
            self._take_lines()

    def _take_lines(self, *, last: bool = False) -> None:
        """Read the complete lines in the window; at the end of the text also the one without a line end."""
        window = self._window
        end = window.buffer.rfind(b"\n", 0, window.have) + 1
        if last or (not end and window.have > LONGEST_LINE_BYTES):
            end = window.have
        at = 0
        while at < end:
            stop = window.buffer.find(b"\n", at, end)
            stop = end if stop < 0 else stop
            text = window.buffer[at : min(stop, at + LINE_BYTES)].decode("utf-8", "replace").rstrip("\r")
            self._take(text, window.position + at, stop - at)
            at = stop + 1
        window.consume(end)

    def _take(self, text: str, position: int, size: int) -> None:
        self._line += 1
        if self._half is not None and text[:1].isspace():
            first, begin = self._half
            text, size, position = f"{first} {text.lstrip()}", position + size - begin, begin
        self._half = None
        if is_continued(text):
            self._half = (text, position)
            return
        listed = read_tcpdump_line(text) or read_snoop_line(text)
        if listed is not None:
            self._waiting.append((listed, position, min(size, LINE_BYTES)))
            return
        if looks_like_segment(text):
            self._remarks.unread(self._line)
        if self._first_unfit is None and text.strip():
            self._first_unfit = (self._line, _short(text))

    def _batch(self, lines: list[tuple[Listed, int, int]]) -> FrameBatch:
        made = list(self._frames_of(lines))
        count = len(made)
        sizes = np.array([len(frame) for frame, *_ in made], np.int64)
        line_bytes = np.array([size for _, _, size in lines], np.int64)
        batch = FrameBatch(
            data=np.frombuffer(b"".join(frame for frame, *_ in made) + bytes(PADDING), np.uint8),
            start=np.cumsum(sizes) - sizes,
            captured=sizes,
            original=np.array([original for _, original, *_ in made], np.int64),
            time_ns=np.array([time_ns for *_, time_ns in made], np.int64),
            position=np.array([position for _, position, _ in lines], np.int64),
            link_type=np.array([link for _, _, link, *_ in made], np.uint16),
            interface=np.zeros(count, np.uint16),
            first_frame=self._frames + 1,
            file=self._file,
            unknown=np.array([unknown for *_, unknown, _ in made], np.uint8),
            stored=Stored(
                captured=line_bytes,
                original=line_bytes,
                link_type=np.full(count, LINKTYPE_LISTING, np.uint16),
            ),
        )
        self._frames += count
        return batch

    def _frames_of(self, lines: list[tuple[Listed, int, int]]) -> Iterator[tuple[bytes, int, int, int, int]]:
        """(frame, original length, link type, Unknown, time) of each line."""
        for listed, _, _ in lines:
            time_ns = self._clock.time_ns(listed.stamp)
            unknown = Unknown.TIME if time_ns == UNKNOWN_TIME_NS else Unknown(0)
            if isinstance(listed, ListedSegment):
                numbers = self._conversations.numbers(listed)
                frame, original = segment_frame(listed, numbers, self._names)
                yield frame, original, LINKTYPE_RAW, int(unknown | numbers.unknown), time_ns
            else:
                frame, link_type = other_frame(listed)
                yield frame, len(frame), link_type, int(unknown), time_ns


def _short(text: str) -> str:
    words = "".join(letter if letter.isprintable() else " " for letter in text.strip())
    return words if len(words) <= 60 else words[:59] + "…"
