"""A session over capture files: read once, in order, in a thread or in the caller's."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence

from tcpladder.analysis.beliefs import TimerValues
from tcpladder.analysis.capture import Beliefs, CaptureAnalysis
from tcpladder.analysis.captured import PREFIX as TIMERS
from tcpladder.analysis.captured import CapturedValues
from tcpladder.analysis.expected import Given
from tcpladder.analysis.view import Endpoint, Side
from tcpladder.errors import CaptureError, UsageError
from tcpladder.session.base import Session
from tcpladder.session.broken import told
from tcpladder.session.file_notes import FileNotes
from tcpladder.sources.base import FrameFile
from tcpladder.sources.files import open_capture
from tcpladder.sources.streams import Following
from tcpladder.wire.frames import FrameBatch

TURN_S = 0.001
"""A pause in which the screen gets the lock: whoever takes it again at once would keep it."""


class FileSession(Session):
    """One capture, or several one after the other.

    Args:
        paths: as typed; `-` is stdin. Raises CaptureError and PermissionRefused for the first that cannot be read.
        keep_segments: False where only the list of flows is wanted.
        columns: where it is known which columns of the segments are read, these; None to show them. Nothing is then
            remembered but them.
        follow: go on at the end of the file, which is still being written; one file only.
        given: what the user says of the timers.
        read_again: whether `frame_bytes` is wanted, which costs disk for what comes from a pipe or is compressed.
    """

    mode = "file"

    def __init__(
        self,
        paths: Sequence[str],
        *,
        keep_segments: bool = True,
        columns: Collection[str] | None = None,
        read_again: bool = False,
        follow: bool = False,
        given: Given | None = None,
    ) -> None:
        super().__init__(", ".join(paths), keep_segments=keep_segments, given=given)
        self._columns = columns
        self.sources = tuple(paths)
        if follow and len(paths) > 1:
            raise UsageError(f"--follow takes one file, not {len(paths)}")
        self.one_capture = len(paths) == 1
        self._stop = threading.Event()
        following = Following(stop=self._stop) if follow else None
        self._files: list[FrameFile] = [
            open_capture(path, number, keep=read_again, following=following)
            for number, path in enumerate(paths)
        ]
        self._thread: threading.Thread | None = None
        self._file_notes = [FileNotes(file) for file in self._files] if keep_segments else []
        self._grew = False
        """Whether frames came after the end had been reached once: then the capture goes on now."""
        self._pending: Iterator[FrameBatch] | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="reader", daemon=True)
        self._thread.start()

    def read(self) -> Iterator[CaptureAnalysis]:
        """Read in the caller's thread; yields each file's analysis when it is complete."""
        for file in self._files:
            capture = self.begin_capture(file.names, self._beliefs_of(file))
            for batch in file.batches():
                self._take(capture, file, batch)
                if self._stop.is_set():
                    return
            self._take_notes(capture, file)
            yield capture
        self._phase = "ended"
        self.version += 1

    def _beliefs_of(self, file: FrameFile) -> Beliefs:
        """What the capture itself says of the ends of its flows, and the user."""
        values = CapturedValues()

        def beliefs(client: Endpoint, server: Endpoint) -> Mapping[Side, TimerValues]:
            values.read(file.comments)
            ends = {Side.CLIENT: (client, server), Side.SERVER: (server, client)}
            return {side: self.given.believed(side, values.believed(*ends[side])) for side in Side}

        return beliefs

    def _take(self, capture: CaptureAnalysis, file: FrameFile, batch: FrameBatch) -> None:
        if len(batch):
            self._grew = self._grew or self._phase == "running"
            self.feed(capture, batch)
            self._take_notes(capture, file)
        if file.caught_up and self._phase == "loading":
            self._phase = "running"
            self.version += 1

    def _take_notes(self, capture: CaptureAnalysis, file: FrameFile) -> None:
        """Take over what is said of the segments: what ate them, what happened, what a user remarks."""
        if not self._file_notes:
            return
        said = self._file_notes[self._files.index(file)].take(capture)
        if said:
            with self._lock:
                capture.log.lost.update(said.lost)
                self._notes += said.happened
                self._user_notes.read(said.notes)
                self.version += 1

    def _notes_changed(self) -> None:
        super()._notes_changed()
        for capture, kept in zip(self._captures, self._file_notes, strict=False):
            first, last = capture.flows_before + 1, capture.flows_before + capture.flows
            mine = (note for note in self._user_notes.all() if first <= note.flow <= last)
            try:
                if not kept.keep(mine):
                    raise UsageError(
                        f"notes on {self.name} end with it: save it, and they are in what is saved"
                    )
            except UsageError as failed:
                if str(failed) not in self._warnings:
                    self._warnings.append(str(failed))

    def look(self, _wait_s: float) -> bool:
        """Take in, in the caller's thread, what has come of the one file; waits no longer than Following.wait_s.

        Returns whether anything came; see LiveSession.look.
        """
        if self._pending is None:
            self.capture = self.begin_capture(self._files[0].names, self._beliefs_of(self._files[0]))
            self._pending = self._files[0].batches()
        batch = next(self._pending, None)
        if batch is None:
            self._take_notes(self.capture, self._files[0])
            self._phase = "ended"
            self.version += 1
            return False
        self._take(self.capture, self._files[0], batch)
        return bool(len(batch))

    @property
    def finished(self) -> bool:
        """Whether there is nothing more to wait for."""
        return self._phase == "ended"

    def _run(self) -> None:
        with told(self):
            try:
                for _ in self.read():
                    pass
            except CaptureError as failed:
                with self._lock:
                    self._warnings.append(str(failed))
                    self._phase = "ended"
                    self.version += 1
            self._read_ahead()

    def _read_ahead(self) -> None:
        """Read the long flows, so that they open at once; the screen gets its turn after every few pieces."""
        for capture in self._captures:
            for number in capture.long_flows():
                more = True
                while more and not self._stop.wait(TURN_S):
                    with self._lock:
                        more = capture.read_ahead(number)

    def now_ns(self) -> int:
        """The clock where a followed file has grown under our eyes, else the last segment."""
        return time.time_ns() if self._grew and self._phase == "running" else super().now_ns()

    def timer_comments(self) -> list[str]:
        comments = (
            line for file in self._files for text in file.comments.values() for line in text.splitlines()
        )
        return [line for line in comments if line.startswith(TIMERS)]

    def stored_bytes(self, file: int, position: int, captured: int) -> bytes:
        data = self._files[file].frame_bytes(position, captured)
        if len(data) < captured:
            raise CaptureError(f"cannot read {self._files[file].name} again: it has changed on disk")
        return data

    def close(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(2)
        for file in self._files:
            file.close()

    def _progress(self) -> float | None:
        if self._phase != "loading":
            return 1.0
        sizes = [file.progress() for file in self._files]
        totals = [size.total_bytes for size in sizes]
        if any(total is None for total in totals):
            return None
        total = sum(total for total in totals if total is not None)
        return sum(size.read_bytes for size in sizes) / total if total else None

    def _all_warnings(self) -> list[str]:
        return self._warnings + [warning for file in self._files for warning in file.warnings]
