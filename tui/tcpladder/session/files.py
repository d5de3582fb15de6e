"""A session over capture files: read once, in order, in a thread or in the caller's."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

from tcpladder.analysis.capture import CaptureAnalysis
from tcpladder.errors import CaptureError
from tcpladder.session.base import Session
from tcpladder.sources.base import FrameFile
from tcpladder.sources.files import open_capture


class FileSession(Session):
    """One capture, or several one after the other.

    Args:
        paths: as typed; `-` is stdin. Raises CaptureError and PermissionRefused for the first that cannot be read.
        keep_segments: False where only the list of flows is wanted.
        read_again: whether `frame_bytes` is wanted, which costs disk for what comes from a pipe or is compressed.
    """

    mode = "file"

    def __init__(self, paths: Sequence[str], *, keep_segments: bool = True, read_again: bool = False) -> None:
        super().__init__(", ".join(paths), keep_segments=keep_segments)
        self._files: list[FrameFile] = [
            open_capture(path, number, keep=read_again) for number, path in enumerate(paths)
        ]
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="reader", daemon=True)
        self._thread.start()

    def read(self) -> Iterator[CaptureAnalysis]:
        """Read in the caller's thread; yields each file's analysis when it is complete."""
        for file in self._files:
            capture = self.begin_capture()
            for batch in file.batches():
                self.feed(capture, batch)
                if self._stop.is_set():
                    return
            yield capture
        self._phase = "ended"
        self.version += 1

    def _run(self) -> None:
        for _ in self.read():
            pass

    def frame_bytes(self, number: int, index: int) -> bytes:
        with self._lock:
            view = self.view(number)
            file, position, captured = view.file(index), view.position(index), view.captured(index)
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
        if self._phase == "ended":
            return 1.0
        sizes = [file.progress() for file in self._files]
        totals = [size.total_bytes for size in sizes]
        if any(total is None for total in totals):
            return None
        total = sum(total for total in totals if total is not None)
        return sum(size.read_bytes for size in sizes) / total if total else None

    def _all_warnings(self) -> list[str]:
        return self._warnings + [warning for file in self._files for warning in file.warnings]
