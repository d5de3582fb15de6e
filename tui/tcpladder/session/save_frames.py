"""Part of what a session has seen, or all of it, into a capture file: frames as they came, and what is known of them.

What is saved are the TCP segments and the ICMP errors about them, copies included. Frames of other protocols are not.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tcpladder.analysis.lost_comments import lost_comment
from tcpladder.analysis.rows_by_flow import RowsByFlow
from tcpladder.errors import CaptureError, UsageError
from tcpladder.session.base import Session
from tcpladder.session.note_comments import happened_line, note_line
from tcpladder.session.packet_notes import note_of, worth_a_note
from tcpladder.store.new_file import create
from tcpladder.store.pcap import PcapWriter
from tcpladder.store.pcapng import PcapngWriter
from tcpladder.wire.frames import LINKTYPE_LISTING, PADDING, FrameBatch

FRAMES_AT_ONCE = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to save."""

    flows: tuple[int, ...] = ()
    """Numbers in the session; none for all."""
    from_ns: int | None = None
    """The first moment, None for the begin."""
    to_ns: int | None = None
    """The last moment, None for the end."""
    comments: bool = True
    """Whether what is known of a frame goes with it; pcapng only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What was saved."""

    path: Path
    frames: int
    gone: int
    """Frames whose bytes are not kept any more."""

    @property
    def sentence(self) -> str:
        """For the user."""
        counted = f"{self.frames:,} frame{'' if self.frames == 1 else 's'} saved to {self.path}"
        if not self.gone:
            return counted
        return f"{counted}; {self.gone:,} more are gone: the spool is bounded, see --keep"


def save(
    session: Session,
    path: Path,
    wanted: Wanted,
    *,
    owner: tuple[int, int] | None = None,
    directory: int | None = None,
) -> Saved:
    """Write what is wanted to a new file: pcap where its name ends so, else pcapng.

    Raises UsageError where there is nothing to save, CaptureError where the file cannot be made or written; what was
    written by then stays, as a whole capture.
    """
    parts = [_Part(session, index, wanted) for index in range(len(session.captures))]
    if not any(len(part.rows) for part in parts):
        raise UsageError("there is nothing to save: no frame of these flows is in this time")
    if any(part.is_listing for part in parts):
        raise UsageError(f"cannot save {session.name}: a text listing has no frames")
    descriptor = create(path, owner=owner, directory=directory)
    writer: PcapWriter | PcapngWriter
    if path.suffix == ".pcap":
        writer = PcapWriter(descriptor, name=str(path))
    else:
        writer = PcapngWriter(
            descriptor, session.interfaces, name=str(path), comment=f"saved from {session.name}"
        )
    gone = 0
    values = session.timer_comments() if wanted.comments else []
    try:
        for part in parts:
            for batch, comments, missing in part.batches():
                gone += missing
                for index in range(min(len(values), len(batch))):
                    comments[index] = "\n".join(
                        [values[index], *([comments[index]] if index in comments else [])]
                    )
                values = values[len(batch) :]
                writer.write(batch, comments)
    except CaptureError:
        if not writer.frames and directory is None:
            path.unlink(missing_ok=True)
        raise
    finally:
        writer.close()
    return Saved(path=path, frames=writer.frames, gone=gone)


class _Part:
    """What is wanted of one capture of a session."""

    def __init__(self, session: Session, index: int, wanted: Wanted) -> None:
        self._session, self._wanted = session, wanted
        self._capture = session.captures[index]
        with session.lock:
            self._rows_by_flow = RowsByFlow(self._capture.log)
            self._flows = self._flows_wanted()
            self.rows = self._rows_wanted()

    @property
    def is_listing(self) -> bool:
        """Whether there are lines of text in place of frames."""
        link_types = self._capture.log.column("link_type", self.rows[:1])
        return bool((link_types == LINKTYPE_LISTING).any())

    def _flows_wanted(self) -> list[int]:
        """Numbers in the capture."""
        first, count = self._capture.flows_before, self._rows_by_flow.flows
        if not self._wanted.flows:
            return list(range(1, count + 1))
        return [number - first for number in self._wanted.flows if first < number <= first + count]

    def _rows_wanted(self) -> NDArray[np.int64]:
        log, wanted = self._capture.log, self._wanted
        rows = np.arange(len(log))
        if wanted.flows:
            found = [self._rows_by_flow.with_copies(number - 1, len(log)) for number in self._flows]
            rows = np.sort(np.concatenate(found)) if found else np.empty(0, np.int64)
        times = log.column("time_ns", rows)
        within = np.ones(len(rows), np.bool_)
        if wanted.from_ns is not None:
            within &= times >= wanted.from_ns
        if wanted.to_ns is not None:
            within &= times <= wanted.to_ns
        return rows[within]

    def batches(self) -> Iterator[tuple[FrameBatch, dict[int, str], int]]:
        """(frames, what is known of them by index, how many frames between them are gone)."""
        known = self._known() if self._wanted.comments else {}
        for begin in range(0, len(self.rows), FRAMES_AT_ONCE):
            rows = self.rows[begin : begin + FRAMES_AT_ONCE]
            batch, kept = self._batch(rows)
            comments = {index: "\n".join(known[row]) for index, row in enumerate(kept) if row in known}
            yield batch, comments, len(rows) - len(kept)

    def _known(self) -> dict[int, list[str]]:
        """Row -> the lines of its comment: notes first, then what the segment is and what ate it."""
        session, log = self._session, self._capture.log
        known: dict[int, list[str]] = {}
        wanted = set(self.rows.tolist())
        for number in self._flows:
            with session.lock:
                rows = self._rows_by_flow.segments(number - 1, len(log))
                mine = rows[np.isin(rows, self.rows)]
                for row, line in self._notes(self._capture.flows_before + number, mine):
                    known.setdefault(row, []).append(line)
                view = session.view(self._capture.flows_before + number)
                for index in worth_a_note(view).tolist():
                    if index < len(rows) and (row := int(rows[index])) in wanted:
                        known.setdefault(row, []).append(note_of(view, index))
        for row in wanted & log.lost.keys():
            known.setdefault(row, []).append(lost_comment(log.lost[row]))
        return known

    def _notes(self, flow: int, rows: NDArray[np.int64]) -> Iterator[tuple[int, str]]:
        """(row, line) of what happened to a flow, on its next row, and of the user's notes, on theirs."""
        log = self._capture.log
        happened, noted = self._session.happened(flow), self._session.user_notes(flow)
        if not len(rows) or not (happened or noted):
            return
        gone = self._first_kept(rows)
        lost_frames = set(log.column("frame", rows[:gone]).tolist())
        rows = rows[gone:]
        times, frames = log.column("time_ns", rows), log.column("frame", rows)
        for note in happened:
            later = np.flatnonzero(times >= note.time_ns)
            yield int(rows[later[0] if len(later) else -1]), happened_line(note)
        for remark in noted:
            at = int(np.searchsorted(frames, remark.frame))
            if at < len(rows) and int(frames[at]) == remark.frame:
                yield int(rows[at]), note_line(remark)
            elif remark.frame in lost_frames:
                yield int(rows[0]), happened_line(remark.row())

    def _first_kept(self, rows: NDArray[np.int64]) -> int:
        """The first of these rows whose bytes are kept, or the last: the spool forgets from its begin."""

        def is_kept(row: int) -> bool:
            where = (self._capture.log.value(name, row) for name in ("file", "position", "captured"))
            try:
                self._session.stored_bytes(*where)
            except CaptureError:
                return False
            return True

        return bisect_left(rows.tolist(), True, hi=len(rows) - 1, key=is_kept)

    def _batch(self, rows: NDArray[np.int64]) -> tuple[FrameBatch, list[int]]:
        """The frames of some rows as far as their bytes are kept, and the rows of these."""
        with self._session.lock:
            log = self._capture.log
            columns = {
                name: log.column(name, rows)
                for name in ("file", "position", "captured", "original", "time_ns", "link_type", "interface")
            }
        pieces, kept = [], []
        for place, (file, position, captured) in enumerate(
            zip(*(columns[name].tolist() for name in ("file", "position", "captured")), strict=True)
        ):
            try:
                pieces.append(self._session.stored_bytes(file, position, captured))
            except CaptureError:
                continue
            kept.append(place)
        lengths = np.array([len(piece) for piece in pieces], np.int64)
        start = np.cumsum(lengths) - lengths
        batch = FrameBatch(
            data=np.frombuffer(b"".join(pieces) + bytes(PADDING), np.uint8),
            start=start,
            captured=lengths,
            original=np.maximum(columns["original"][kept].astype(np.int64), lengths),
            time_ns=columns["time_ns"][kept],
            position=start,
            link_type=columns["link_type"][kept],
            interface=columns["interface"][kept],
            first_frame=1,
        )
        return batch, rows[kept].tolist()
