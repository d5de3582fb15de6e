"""A live capture on its way to a file: frames with what is known of timers and of segments that were eaten."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from tcpladder.analysis.lost_comments import lost_comment
from tcpladder.errors import CaptureError
from tcpladder.store.pcapng import PcapngWriter
from tcpladder.wire.frames import FrameBatch

LOOKS = 3
"""While something is broken, frames wait for so many looks at the ring: a record of the fault log may come after its
frame."""


class Saving:
    """Writes the frames. A full disk ends the saving, not the capture.

    Args:
        writer: belongs to this object.
        news: at most so many comments that tell which timer values are new, by index in the next batch.
        warn: told why the saving ended.
    """

    def __init__(
        self, writer: PcapngWriter, news: Callable[[int], dict[int, str]], warn: Callable[[str], None]
    ) -> None:
        self._writer: PcapngWriter | None = writer
        self._news, self._warn = news, warn
        self._waiting: deque[tuple[int, FrameBatch]] = deque()
        self._eaten: dict[int, str] = {}
        self._look = 0
        self.frames = 0
        """How many are in the file."""

    def take(self, batch: FrameBatch | None, eaten: Mapping[int, str], *, looks: int) -> None:
        """Take what one look brought: frames, and the numbers of those that turned out to be eaten.

        `looks`: for how many looks more may turn out; the frames are kept as long.
        """
        self._look += 1
        self._eaten.update(eaten)
        if batch is not None:
            # The source reuses its buffer.
            self._waiting.append((self._look, replace(batch, data=batch.data.copy()) if looks else batch))
        while self._waiting and self._look - self._waiting[0][0] >= looks:
            self._write(self._waiting.popleft()[1])

    def close(self, comments: Callable[[], Sequence[str]], *, dropped: int) -> None:
        """Write what waits, then comments on what is written and how much was dropped, and close the file."""
        while self._waiting:
            self._write(self._waiting.popleft()[1])
        if self._writer is not None:
            try:
                self._writer.finish(comments(), dropped=dropped)
            except CaptureError as failed:
                self._warn(str(failed))
            self._writer.close()
            self._writer = None

    def _write(self, batch: FrameBatch) -> None:
        if self._writer is None:
            return
        comments = self._news(len(batch))
        for index in range(len(batch)) if self._eaten else ():
            words = self._eaten.pop(batch.first_frame + index, None)
            if words is not None:
                comments[index] = "\n".join(filter(None, (comments.get(index), lost_comment(words))))
        try:
            self._writer.write(batch, comments)
            self.frames = self._writer.frames
        except CaptureError as failed:
            self._warn(str(failed))
            self._writer.close()
            self._writer = None
