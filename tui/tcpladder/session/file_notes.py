"""What is said of the segments of one capture file: by its comments, and by the notes that a user keeps beside it.

A user's notes in the file itself are taken over as long as none are kept beside it: from the first change on, those
beside it are all there are.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from tcpladder.analysis.capture import CaptureAnalysis
from tcpladder.analysis.log import NO_FLOW
from tcpladder.analysis.lost_comments import words_of
from tcpladder.ladder.model import Note
from tcpladder.session.note_comments import Remark, remarks_in
from tcpladder.session.notes import UserNote
from tcpladder.sources.base import FrameFile
from tcpladder.store import note_file


@dataclass(slots=True)
class Said:
    """What is newly known; flows are numbered in the session."""

    lost: dict[int, str] = field(default_factory=dict)
    """Row of the log -> what ate the segment."""
    happened: list[tuple[Note, int | None]] = field(default_factory=list)
    notes: list[UserNote] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.lost or self.happened or self.notes)


class FileNotes:
    """Follows the reading of one file."""

    def __init__(self, file: FrameFile) -> None:
        self._file = file
        self._comments = self._closing = 0
        """How many have been looked at."""
        self._kept_at: Path | None = None
        kept = note_file.read(file.name) if self._has_a_place else None
        self._beside = kept is not None
        found = [remark for fields in kept or () if (remark := _remark_of(fields)) is not None]
        self._waiting = sorted(((remark.frame, remark) for remark in found), key=lambda pair: -pair[0])
        """Notes that are kept beside the file and whose frames are still to come, from the last to the first."""

    @property
    def _has_a_place(self) -> bool:
        """Whether notes on it can be found again: what comes through a pipe is gone afterwards."""
        return self._file.name != "-" and Path(self._file.name).is_file()

    def take(self, capture: CaptureAnalysis) -> Said:
        """What is said of the frames that have been analysed, as far as it was not told before."""
        said, log = Said(), capture.log
        if not len(log):
            return said
        for frame, text in islice(self._file.comments.items(), self._comments, None):
            self._comments += 1
            lost = words_of(text)
            row = None if lost is None else _row_of(capture, frame)
            if lost is not None and row is not None:
                said.lost[row] = lost
            self._add(capture, remarks_in(text, frame), said)
        for text in islice(self._file.closing_comments, self._closing, None):
            self._closing += 1
            self._add(capture, remarks_in(text, 0), said)
        last = log.value("frame", len(log) - 1)
        while self._waiting and self._waiting[-1][0] <= last:
            _, remark = self._waiting.pop()
            said.notes += _notes_of(capture, [remark])
        return said

    def _add(self, capture: CaptureAnalysis, remarks: Iterator[Remark], said: Said) -> None:
        for remark in remarks:
            if remark.happened is not None:
                flow = _flow_of(capture, remark.frame)
                said.happened += [(remark.happened, flow)] if flow is not None else []
            elif not self._beside:
                said.notes += _notes_of(capture, [remark])

    def keep(self, notes: Iterable[UserNote]) -> bool:
        """Keep these notes beside the file; returns whether there is a place. Raises UsageError where it fails."""
        if not self._has_a_place:
            return False
        kept: Iterable[UserNote | Remark] = (*notes, *(remark for _, remark in self._waiting))
        fields: list[note_file.Fields] = [
            {"frame": one.frame, "mark": one.mark, "text": one.text} for one in kept
        ]
        before, self._kept_at = self._kept_at, note_file.write(self._file.name, fields)
        if before is not None and before != self._kept_at:
            note_file.forget(before)
        return True


def _remark_of(fields: note_file.Fields) -> Remark | None:
    match fields:
        case {"frame": int() as frame, "mark": str() as mark, "text": str() as text}:
            return Remark(frame=frame, mark=mark, text=text)
        case _:
            return None


def _notes_of(capture: CaptureAnalysis, remarks: Iterable[Remark]) -> Iterator[UserNote]:
    for remark in remarks:
        row = _row_of(capture, remark.frame)
        flow = _flow_of(capture, remark.frame)
        if row is not None and flow is not None:
            yield UserNote(
                flow=flow,
                frame=remark.frame,
                time_ns=capture.log.value("time_ns", row),
                text=remark.text,
                mark=remark.mark,
            )


def _flow_of(capture: CaptureAnalysis, frame: int) -> int | None:
    """The number, in the session, of a frame's flow."""
    row = _row_of(capture, frame)
    flow = NO_FLOW if row is None else capture.log.value("flow", row)
    return None if flow == NO_FLOW else capture.flows_before + flow + 1


def _row_of(capture: CaptureAnalysis, frame: int) -> int | None:
    """Where a frame stands in the log: it has them in order."""
    log = capture.log
    row = bisect_left(range(len(log)), frame, key=lambda number: log.value("frame", number))
    return row if row < len(log) and log.value("frame", row) == frame else None
